import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { show, XiError } from '../core/errors.ts';
import { MOST_NETWORKS, MOST_R, type RankStudy } from '../experiments/rank_config.ts';
import type { RankRecord } from '../experiments/ranks.ts';
import { fileError, readFileChecked, writeFileAtomic } from '../io/atomic.ts';
import { lock, type Release } from '../io/lock.ts';

/** The records of a study in a file, a line each behind one for the study: what a resumed run has no need to compute again. */
export class RankRecords {
  readonly known: readonly RankRecord[];
  private readonly path: string;
  private readonly file: FileHandle;
  private readonly release: Release;
  private pending: Promise<void> = Promise.resolve();
  private failure: unknown;

  private constructor(path: string, file: FileHandle, release: Release, known: readonly RankRecord[]) {
    this.path = path;
    this.file = file;
    this.release = release;
    this.known = known;
  }

  /**
   * Opens the file, or begins it. A last line that a crash cut short is dropped. A study of more networks or other ranks
   * goes on in it; records that it does not ask for stay there and are not among `known`.
   *
   * @throws XiError E_FILE when it holds another study or something else, or another process writes there.
   */
  static async open(path: string, study: RankStudy): Promise<RankRecords> {
    const release = await lock(path);
    try {
      const records = existsSync(path)
        ? parse(path, study, new TextDecoder().decode(await readFileChecked(path)))
        : [];
      const lines = [JSON.stringify({ study }), ...records.map((record) => JSON.stringify(record)), ''];
      await writeFileAtomic(path, new TextEncoder().encode(lines.join('\n')));
      const asked = ({ R, index }: RankRecord) => study.ranks.includes(R) && index < study.networks;
      const file = await open(path, 'a').catch((cause) => {
        throw fileError('write', path, cause);
      });
      return new RankRecords(path, file, release, records.filter(asked));
    } catch (error) {
      await release();
      throw error;
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
      await this.release();
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
  const seen = new Set<string>();
  // What is behind the last newline was not written to its end.
  return lines.slice(0, -1).map((line, n) => {
    const refuse = (expected: string, cause?: unknown) =>
      new XiError('E_FILE', `${path}, line ${n + 2}: expected ${expected}, received ${line.slice(0, 80)}`, {
        cause,
      });
    let record: RankRecord;
    try {
      record = JSON.parse(line);
    } catch (cause) {
      throw refuse('a record', cause);
    }
    const wrong = whatIsWrong(study, record);
    if (wrong !== undefined) throw refuse(wrong);
    const { R, index, rank, gap, exact } = record;
    const name = `${R}/${index}`;
    if (seen.has(name)) throw refuse('every network once');
    seen.add(name);
    return { R, index, rank, gap, ...(exact === undefined ? {} : { exact }) };
  });
}

/** What a record of a study should be and is not; undefined where it is. Ranks that the study does not ask for may be there. */
function whatIsWrong({ M, T, exact }: RankStudy, record: RankRecord): string | undefined {
  const within = (value: unknown, low: number, high: number) =>
    Number.isInteger(value) && (value as number) >= low && (value as number) <= high;
  if (typeof record !== 'object' || record === null) return 'a record';
  // Rows are the odd modes: at least as many as the even ones.
  const most = M ** Math.floor(T / 2);
  const { R, index, rank, gap } = record;
  if (!within(R, 1, MOST_R)) return `a record with R from 1 to ${MOST_R}`;
  if (!within(index, 0, MOST_NETWORKS - 1)) return `a record with index from 0 to ${MOST_NETWORKS - 1}`;
  if (!within(rank, 0, most)) return `a record with rank from 0 to ${most}`;
  if (gap !== null && !(typeof gap === 'number' && gap >= 0)) return 'a record with gap, a number or null';
  if (exact && !within(record.exact, 0, most)) return `a record with exact from 0 to ${most}`;
  if (!exact && record.exact !== undefined) return 'a record without exact, as its study';
  return undefined;
}
