import { existsSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { show, XiError } from '../core/errors.ts';
import { MOST_NETWORKS, MOST_R, type RankStudy } from '../experiments/rank_config.ts';
import type { RankRecord } from '../experiments/ranks.ts';
import { fileError, writeFileAtomic } from '../io/atomic.ts';
import { linesOf } from '../io/lines.ts';
import { lock, type Release } from '../io/lock.ts';

/** The records of a study in a file, a line each behind one for the study: what a resumed run has no need to compute again. */
export class RankRecords {
  private readonly path: string;
  private readonly file: FileHandle;
  private readonly release: Release;
  private pending: Promise<void> = Promise.resolve();
  private failure: unknown;

  private constructor(path: string, file: FileHandle, release: Release) {
    this.path = path;
    this.file = file;
    this.release = release;
  }

  /**
   * Opens the file, or begins it. A last line that a crash cut short is dropped. A study of more networks or other ranks
   * goes on in it; records that it does not ask for stay there.
   *
   * @param onRecord is called with each record in the file, whether the study asks for it or not.
   * @throws XiError E_FILE when it holds another study or something else, or another process writes there.
   */
  static async open(
    path: string,
    study: RankStudy,
    onRecord: (record: RankRecord) => void = () => {},
  ): Promise<RankRecords> {
    const release = await lock(path);
    try {
      await writeFileAtomic(path, renewed(path, study, onRecord));
      const file = await open(path, 'a').catch((cause) => {
        throw fileError('write', path, cause);
      });
      return new RankRecords(path, file, release);
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

/** What is written at a time of a file that is written anew. */
const BLOCK_CHARACTERS = 2 ** 18;

/** What a record does not depend on: a network is drawn from the seed, its rank and its number. */
const NOT_DECIDING = ['ranks', 'networks'];

function checkSame(path: string, study: RankStudy, first: string): void {
  let found: Readonly<Record<string, unknown>>;
  try {
    found = JSON.parse(first).study;
    if (typeof found !== 'object' || found === null) throw new Error('no study');
  } catch (cause) {
    const received = first.slice(0, 80) || 'no whole line';
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

/** What the file is written anew with: the study, and the records that were there. */
async function* renewed(
  path: string,
  study: RankStudy,
  onRecord: (record: RankRecord) => void,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let text = `${JSON.stringify({ study })}\n`;
  if (existsSync(path))
    for await (const record of recordsIn(path, study)) {
      onRecord(record);
      text += `${JSON.stringify(record)}\n`;
      if (text.length < BLOCK_CHARACTERS) continue;
      yield encoder.encode(text);
      text = '';
    }
  yield encoder.encode(text);
}

async function* recordsIn(path: string, study: RankStudy): AsyncGenerator<RankRecord> {
  const seen = new NetworkSet();
  let number = 0;
  for await (const line of linesOf(path)) {
    number++;
    if (number === 1) checkSame(path, study, line);
    else yield recordOf(`${path}, line ${number}`, study, line, seen);
  }
  if (number === 0) checkSame(path, study, '');
}

function recordOf(where: string, study: RankStudy, line: string, seen: NetworkSet): RankRecord {
  const refuse = (expected: string, cause?: unknown) =>
    new XiError('E_FILE', `${where}: expected ${expected}, received ${line.slice(0, 80)}`, { cause });
  let record: RankRecord;
  try {
    record = JSON.parse(line);
  } catch (cause) {
    throw refuse('a record', cause);
  }
  const wrong = whatIsWrong(study, record);
  if (wrong !== undefined) throw refuse(wrong);
  const { R, index, rank, gap, exact } = record;
  if (!seen.add(R, index)) throw refuse('every network once');
  return { R, index, rank, gap, ...(exact === undefined ? {} : { exact }) };
}

/** Networks by their ranks and numbers, in a bit each. */
class NetworkSet {
  private readonly bits = new Map<number, Uint8Array>();

  /** Whether it was not there before. */
  add(R: number, index: number): boolean {
    const [byte, bit] = [index >> 3, 1 << (index & 7)];
    let own = this.bits.get(R) ?? new Uint8Array(64);
    if (byte >= own.length) {
      const larger = new Uint8Array(2 * byte);
      larger.set(own);
      own = larger;
    }
    this.bits.set(R, own);
    const isNew = (own[byte] & bit) === 0;
    own[byte] |= bit;
    return isNew;
  }
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
