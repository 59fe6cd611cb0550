import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { isDeepStrictEqual } from 'node:util';
import { XiError } from '../core/errors.ts';
import {
  finalAccuracy,
  type PerformanceRecord,
  type PerformanceRun,
  parameterCount,
  performanceCsv,
  performanceOf,
  runName,
} from '../experiments/performance.ts';
import { performancePlan, showcaseRun } from '../experiments/performance_plan.ts';
import { PERFORMANCE, SHOWCASE as SHOWCASE_FORM } from '../experiments/result_forms.ts';
import type { DataRecord, ShowcaseRecord } from '../experiments/results.ts';
import { readSafetensors } from '../io/disk.ts';
import { saveModel } from '../models/disk.ts';
import { configOf } from '../models/files.ts';
import type { Model } from '../models/model.ts';
import { duration } from '../report/words.ts';
import { loadCheckpoint, saveCheckpoint, trainingOf } from '../train/checkpoint.ts';
import type { Trainer } from '../train/trainer.ts';
import { percent } from './options.ts';
import { Pace } from './pace.ts';
import { workView } from './progress.ts';
import type { Session } from './reproduce_session.ts';
import type { ResultsFolder } from './results_folder.ts';

const checkpointOf = (run: PerformanceRun) => `performance/${runName(run)}.checkpoint.safetensors`;
const fileOf = (run: PerformanceRun) => `performance/${runName(run)}.json`;
const SHOWCASE = 'performance/showcase.json';
const SHOWCASE_MODEL = 'performance/showcase.safetensors';

/** All trainings that are not there yet, then their records as one JSON and one CSV file. */
export async function performanceStage(session: Session): Promise<void> {
  const { folder } = session;
  const plan = performancePlan(folder.settings);
  const known = await Promise.all(
    plan.map((run) => folder.get<PerformanceRecord>(fileOf(run), PERFORMANCE, run)),
  );
  const work = plan.map((run) => ({ kind: run.kind, work: costOf(run, folder.settings.data) }));
  const total = work.reduce((sum, one) => sum + one.work, 0);
  const view = workView(total, session.quiet);
  const pace = new Pace();
  known.forEach((record, n) => {
    if (record) pace.add(work[n].kind, work[n].work, record.seconds);
  });
  const open = new Set([...plan.keys()].filter((n) => !known[n]));
  if (open.size < plan.length)
    view.line(`performance: ${plan.length - open.size} of ${plan.length} trainings are done already`);
  const openWork = () => [...open].map((n) => work[n]);
  const doneWork = () => openWork().reduce((sum, one) => sum - one.work, total);
  try {
    for (const n of [...open]) {
      const [name, one, before] = [runName(plan[n]), work[n], doneWork()];
      const progress = (part: number) => {
        const [running, ...rest] = openWork();
        const left = pace.left([{ ...running, work: (1 - part) * running.work }, ...rest]);
        view.update(before + part * one.work, name, left);
      };
      const record = await train(session, plan[n], view.line, progress);
      open.delete(n);
      pace.add(one.kind, one.work, record.seconds);
      const left = pace.left(openWork());
      view.update(doneWork(), name, left);
      const rest =
        open.size > 0 ? `; ${plan.length - open.size} of ${plan.length}, about ${duration(left!)} left` : '';
      view.line(`${resultOf(record)}${rest}`);
    }
  } finally {
    view.stop();
  }
  await showcase(session);
  const records = await performanceRecords(folder);
  await folder.put('performance/records.json', records);
  await folder.write('performance/records.csv', performanceCsv(records));
}

/** The records of the plan that are there. */
export async function performanceRecords(folder: ResultsFolder): Promise<PerformanceRecord[]> {
  const plan = performancePlan(folder.settings);
  const all = await Promise.all(
    plan.map((run) => folder.get<PerformanceRecord>(fileOf(run), PERFORMANCE, run)),
  );
  return all.filter((record) => record !== undefined);
}

/** Multiplications of a training, by and large: shared weights work at every step. */
function costOf(run: PerformanceRun, data: readonly DataRecord[]): number {
  const set = data.find(({ name }) => name === run.dataset)!;
  const examples = Math.min(run.limit ?? Number.POSITIVE_INFINITY, set.train);
  // A token is looked up, not multiplied.
  const shape = set.tokens ? { ...set, inputs: 1 } : set;
  return (examples * run.epochs * parameterCount({ ...run, shared: false }, shape)) / 1e9;
}

function resultOf(record: PerformanceRecord): string {
  const accuracy = finalAccuracy(record);
  const result = accuracy === null || record.diverged ? 'diverged' : percent(accuracy);
  return `${runName(record)}: ${result}, ${record.parameters.toLocaleString('en-US')} parameters, ${record.seconds.toFixed(1)} s`;
}

/**
 * A training from its last checkpoint on, or from the beginning; its record is then in the folder, its checkpoint no longer. The
 * model that is drawn and certified is kept.
 */
async function train(
  session: Session,
  run: PerformanceRun,
  say: (line: string) => void,
  progress: (part: number) => void,
): Promise<PerformanceRecord> {
  const { backend, machine, folder, signal } = session;
  if (signal.aborted) throw new XiError('E_ABORTED', 'stopped');
  const checkpoint = await folder.place(checkpointOf(run));
  const { record, model } = await performanceOf(run, await session.data.of(run), backend, machine, {
    signal,
    onStep: ({ step, steps }) => progress(step / steps),
    checkpoint: (trainer) => saveCheckpoint(trainer, checkpoint),
    resume: (begun) => goOn(begun, checkpoint, (what) => say(`${runName(run)} ${what}`)),
  });
  const shown = showcaseRun(folder.settings);
  if (shown && isDeepStrictEqual(run, shown)) await keepShowcase(folder, run, model);
  await folder.put(fileOf(run), record);
  await rm(checkpoint, { force: true });
  return record;
}

/** The training in a checkpoint, if it is the one that was begun and goes on to the same bits. */
async function goOn(
  begun: Trainer,
  checkpoint: string,
  say: (what: string) => void,
): Promise<Trainer | undefined> {
  if (!existsSync(checkpoint)) return undefined;
  const content = await readSafetensors(checkpoint);
  const saved = trainingOf(checkpoint, content);
  const { model, data, plan, validation } = begun;
  const { name, isa } = model.backend;
  const same = [
    [saved.backend, { name, isa }],
    [saved.plan, plan],
    [configOf(checkpoint, content.metadata), model.config],
  ].every(([one, other]) => isDeepStrictEqual(one, other));
  if (!same) {
    say('begins anew: its checkpoint is of other settings or another instruction set');
    return undefined;
  }
  const trainer = await loadCheckpoint(checkpoint, data, { backend: model.backend, validation });
  say(`goes on after step ${trainer.progress.step} of ${trainer.steps}`);
  return trainer;
}

/** The model that is drawn and certified; where it is missing it is trained again, to the same bits. */
export async function showcase(
  session: Session,
): Promise<{ readonly record: ShowcaseRecord; readonly path: string } | undefined> {
  const { folder } = session;
  const run = showcaseRun(folder.settings);
  if (!run) return undefined;
  const path = folder.file(SHOWCASE_MODEL);
  const known = () => folder.get<ShowcaseRecord>(SHOWCASE, SHOWCASE_FORM, { run });
  if (!((await known()) && existsSync(path))) {
    const nothing = () => {};
    await train(session, run, nothing, nothing);
  }
  return { record: (await known())!, path };
}

async function keepShowcase(folder: ResultsFolder, run: PerformanceRun, model: Model): Promise<void> {
  await saveModel(model, await folder.place(SHOWCASE_MODEL));
  await folder.put(SHOWCASE, { run, drawing: String(model) } satisfies ShowcaseRecord);
}

export const knownShowcase = (folder: ResultsFolder) =>
  folder.get<ShowcaseRecord>(SHOWCASE, SHOWCASE_FORM, {});
