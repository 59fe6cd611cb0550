import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { RankStudy } from '../experiments/rank_config.ts';
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

/** Evaluates the networks of a study on worker threads; fewer records than tasks come back where `signal` stopped it. */
export async function runStudy(
  study: RankStudy,
  { choice, workers, signal, path, onProgress }: StudyRun,
): Promise<{ readonly records: readonly RankRecord[]; readonly total: number }> {
  // One thread each: many small networks share nothing.
  const each = { ...choice, threads: choice.threads ?? 1 };
  // What the workers could not open is refused before there is a file.
  openChosen(each);
  const file = path === undefined ? null : await openRecords(path, study);
  const all: RankRecord[] = [...(file?.known ?? [])];
  const tasks = remaining(study, all);
  const total = all.length + tasks.length;
  onProgress?.(all.length, total);
  try {
    await runWorkers<RankTask, RankRecord>(
      new URL('./ranks_worker.js', import.meta.url),
      { study, choice: each },
      workers,
      tasks,
      {
        signal,
        onResult: (record) => {
          all.push(record);
          file?.add(record);
          onProgress?.(all.length, total);
        },
      },
    );
  } finally {
    await file?.close();
  }
  return { records: all, total };
}

async function openRecords(path: string, study: RankStudy): Promise<RankRecords> {
  try {
    mkdirSync(dirname(path), { recursive: true });
  } catch (cause) {
    throw fileError('write', dirname(path), cause);
  }
  return RankRecords.open(path, study);
}

function remaining(study: RankStudy, known: readonly RankRecord[]): RankTask[] {
  const name = ({ R, index }: RankTask) => `${R}/${index}`;
  const done = new Set(known.map(name));
  return studyTasks(study).filter((task) => !done.has(name(task)));
}
