import { linkSync, rmSync } from 'node:fs';
import { readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { XiError } from '../core/errors.ts';
import { createPending, fileError, pending } from './atomic.ts';
import { isStale, ownerOf, temporaryName } from './temporary.ts';

/** So that a lock of a process elsewhere, of which nothing else tells that it lives, is never a day old. */
const REFRESH_MS = 60 * 60 * 1000;

/** How long a file that names no process may be one that is being written. */
const WRITING_MS = 5000;

/** What is called when the work is done. */
export type Release = () => Promise<void>;

/**
 * Says in a file beside `path` that this process writes there. The file of a process that is gone is replaced, and one that
 * names no process.
 *
 * @throws XiError E_FILE that names the process which does so already; E_FILE when the file cannot be written.
 */
export async function lock(path: string): Promise<Release> {
  const file = `${path}.lock`;
  const mine = temporaryName();
  // Two tries: what was stale at the first is away at the second.
  if (!(create(file, mine, path) || ((await clear(file)) && create(file, mine, path)))) {
    const holder = ownerOf((await content(file)) ?? '');
    const found = holder === undefined ? 'one that does not say which' : `process ${holder}`;
    throw new XiError(
      'E_FILE',
      `${path}: expected no other process to write there, found ${found} (by ${file}, which may be removed if there is none)`,
    );
  }
  const refresh = setInterval(() => {
    const now = new Date();
    utimes(file, now, now).catch(() => {});
  }, REFRESH_MS).unref();
  return async () => {
    clearInterval(refresh);
    pending.delete(file);
    if ((await content(file)) === mine) await rm(file, { force: true });
  };
}

/** What stands in a file; undefined where it cannot be read. */
const content = (file: string): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);

/** What file systems without hard links say. */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL']);

/** Whether the file was not there and is now. */
function create(file: string, mine: string, path: string): boolean {
  // Under its own name, which nobody looks for, until all of it is there.
  const whole = join(dirname(file), mine);
  try {
    createPending(whole, mine);
    try {
      linkSync(whole, file);
      pending.add(file);
    } catch (cause) {
      if (!NO_LINKS.has((cause as NodeJS.ErrnoException).code ?? '')) throw cause;
      createPending(file, mine);
    } finally {
      rmSync(whole, { force: true });
      pending.delete(whole);
    }
    return true;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw fileError('write', path, cause);
  }
}

/** Takes the file of a process that is gone out of the way, whoever else tries it too. */
async function clear(file: string): Promise<boolean> {
  const found = await content(file);
  const written = (await stat(file).catch(() => undefined))?.mtimeMs;
  if (written === undefined) return true;
  // One that cannot be read may be that of another user.
  if (found === undefined) return false;
  const isNobodys = ownerOf(found) === undefined && Date.now() - written > WRITING_MS;
  if (!isNobodys && !isStale(found, written)) return false;
  const aside = join(dirname(file), temporaryName());
  // Who renames it first has it; another may have made a new one since, which goes back.
  await rename(file, aside).catch(() => {});
  const taken = await content(aside);
  if (taken === found) await rm(aside, { force: true });
  else if (taken !== undefined) await rename(aside, file).catch(() => {});
  return true;
}
