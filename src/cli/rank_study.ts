import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RankStudy } from '../experiments/rank_config.ts';
import { RankTally } from '../experiments/rank_tally.ts';
import { type RankRecord, type RankTask, studyTasks } from '../experiments/ranks.ts';
import { fileError } from '../io/atomic.ts';
import { type BackendChoice, openChosen } from './options.ts';
import { RankRecords } from './rank_records.ts';
import { runWorkers } from './workers.ts';

export interface StudyRun {
  readonly choice: BackendChoice;
  readonly workers: number;
  readonly signal: AbortSignal;
  /** Where records are kept, and what is there is not computed again. */
  readonly path?: string;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Evaluates the networks of a study on worker threads; not all of them are done where `signal` stopped it. */
export async function runStudy(
  study: RankStudy,
  { choice, workers, signal, path, onProgress }: StudyRun,
): Promise<RankTally> {
  // One thread each: many small networks share nothing.
  const each = { ...choice, threads: choice.threads ?? 1 };
  // What the workers could not open is refused before there is a file.
  openChosen(each);
  const tally = new RankTally(study);
  const file = path === undefined ? null : await openRecords(path, tally);
  onProgress?.(tally.done, tally.total);
  try {
    await runWorkers<RankTask, RankRecord>(
      new URL('./ranks_worker.js', import.meta.url),
      { study, choice: each },
      Math.min(workers, tally.total - tally.done),
      remaining(tally),
      {
        signal,
        onResult: (record) => {
          tally.add(record);
          file?.add(record);
          onProgress?.(tally.done, tally.total);
        },
      },
    );
  } finally {
    await file?.close();
  }
  return tally;
}

async function openRecords(path: string, tally: RankTally): Promise<RankRecords> {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw fileError('write', dirname(path), cause);
  }
  return RankRecords.open(path, tally.study, (record) => {
    if (tally.asks(record)) tally.add(record);
  });
}

function* remaining(tally: RankTally): Generator<RankTask> {
  for (const task of studyTasks(tally.study)) if (!tally.has(task)) yield task;
}
