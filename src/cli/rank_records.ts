import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { show, XiError } from '../core/errors.ts';
import type { RankStudy } from '../experiments/rank_config.ts';
import type { RankRecord } from '../experiments/ranks.ts';
import { fileError, readFileChecked, writeFileAtomic } from '../io/atomic.ts';

/** The records of a study in a file, a line each behind one for the study: what a resumed run has no need to compute again. */
export class RankRecords {
  readonly known: readonly RankRecord[];
  private readonly path: string;
  private readonly file: FileHandle;
  private pending: Promise<void> = Promise.resolve();
  private failure: unknown;

  private constructor(path: string, file: FileHandle, known: readonly RankRecord[]) {
    this.path = path;
    this.file = file;
    this.known = known;
  }

  /**
   * Opens the file, or begins it. A last line that a crash cut short is dropped. A study of more networks or other ranks
   * goes on in it; records that it does not ask for stay there and are not among `known`.
   *
   * @throws XiError E_FILE when it holds another study or something else.
   */
  static async open(path: string, study: RankStudy): Promise<RankRecords> {
    const records = existsSync(path)
      ? parse(path, study, new TextDecoder().decode(await readFileChecked(path)))
      : [];
    const lines = [JSON.stringify({ study }), ...records.map((record) => JSON.stringify(record)), ''];
    await writeFileAtomic(path, new TextEncoder().encode(lines.join('\n')));
    const asked = ({ R, index }: RankRecord) => study.ranks.includes(R) && index < study.networks;
    try {
      return new RankRecords(path, await open(path, 'a'), records.filter(asked));
    } catch (cause) {
      throw fileError('write', path, cause);
    }
  }

  /**
   * Appends a record, some time later.
   *
   * @throws XiError E_FILE when one before could not be written: what is computed from then on would be lost.
   */
  add(record: RankRecord): void {
    if (this.failure !== undefined) throw fileError('write', this.path, this.failure);
    const line = `${JSON.stringify(record)}\n`;
    this.pending = this.pending.then(() => this.file.appendFile(line));
    this.pending.catch((error) => {
      this.failure = error;
    });
  }

  async close(): Promise<void> {
    try {
      await this.pending;
      await this.file.sync();
    } catch (cause) {
      throw fileError('write', this.path, cause);
    } finally {
      await this.file.close();
    }
  }
}

/** What a record does not depend on: a network is drawn from the seed, its rank and its number. */
const NOT_DECIDING = ['ranks', 'networks'];

function checkSame(path: string, study: RankStudy, first: string): void {
  let found: Readonly<Record<string, unknown>>;
  try {
    found = JSON.parse(first).study;
    if (typeof found !== 'object' || found === null) throw new Error('no study');
  } catch (cause) {
    const received = first.slice(0, 80) || 'an empty file';
    throw new XiError('E_FILE', `${path}, line 1: expected a study, received ${received}`, { cause });
  }
  const other = Object.entries(study).filter(
    ([key, value]) => !NOT_DECIDING.includes(key) && found[key] !== value,
  );
  if (other.length === 0) return;
  const [expected, received] = [study, found].map((of) =>
    other.map(([key]) => `${key} ${show((of as Record<string, unknown>)[key])}`).join(', '),
  );
  throw new XiError('E_FILE', `${path}: expected records of a study with ${expected}, received ${received}`);
}

function parse(path: string, study: RankStudy, text: string): RankRecord[] {
  const [first, ...lines] = text.split('\n');
  checkSame(path, study, first);
  // What is behind the last newline was not written to its end.
  return lines.slice(0, -1).map((line, n) => {
    try {
      const { R, index, rank, gap, exact } = JSON.parse(line) as RankRecord;
      if (![R, index, rank].every(Number.isInteger)) throw new Error('not a record');
      return { R, index, rank, gap, ...(exact === undefined ? {} : { exact }) };
    } catch (cause) {
      throw new XiError(
        'E_FILE',
        `${path}, line ${n + 2}: expected a record, received ${line.slice(0, 80)}`,
        { cause },
      );
    }
  });
}
