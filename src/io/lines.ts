import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { XiError } from '../core/errors.ts';
import { fileError } from './atomic.ts';

/** Characters of a line: no record of ours is longer, and a file without line ends must not fill the memory. */
const MOST_CHARACTERS = 2 ** 26;

/**
 * The lines of a file that end with a newline, one after the other: a file need not fit into memory. What is behind the last newline
 * was not written to its end.
 *
 * @throws XiError E_FILE when it cannot be read, is no regular file or has a line of more than 64 Mi characters.
 */
export async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  let number = 1;
  try {
    if (!(await stat(path)).isFile())
      throw new XiError('E_FILE', `${path}: expected a regular file, found something else`);
    for await (const chunk of createReadStream(path, { encoding: 'utf8' })) {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop()!;
      number += lines.length;
      if (rest.length > MOST_CHARACTERS)
        throw new XiError(
          'E_FILE',
          `${path}, line ${number}: expected at most ${MOST_CHARACTERS} characters, received more`,
        );
      yield* lines;
    }
  } catch (cause) {
    throw cause instanceof XiError ? cause : fileError('read', path, cause);
  }
}
