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
import type { DataRecord, ShowcaseRecord } from '../experiments/results.ts';
import { saveModel } from '../models/disk.ts';
import { percent } from './options.ts';
import { type WorkView, workView } from './progress.ts';
import type { Session } from './reproduce_session.ts';
import type { ResultsFolder } from './results_folder.ts';

const fileOf = (run: PerformanceRun) => `performance/${runName(run)}.json`;
const SHOWCASE = 'performance/showcase.json';
const SHOWCASE_MODEL = 'performance/showcase.safetensors';

/** All trainings that are not there yet, then their records as one JSON and one CSV file. */
export async function performanceStage(session: Session): Promise<void> {
  const { folder } = session;
  const plan = performancePlan(folder.settings);
  const known = await Promise.all(plan.map((run) => folder.get<PerformanceRecord>(fileOf(run), run)));
  const costs = plan.map((run) => costOf(run, folder.settings.data));
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const open = known.filter((record) => !record).length;
  const view = workView(total, session.quiet);
  if (open < plan.length)
    view.line(`performance: ${plan.length - open} of ${plan.length} trainings are done already`);
  let done = 0;
  try {
    for (const [n, run] of plan.entries()) {
      if (!known[n])
        await train(session, run, view, (part) => view.update(done + part * costs[n], runName(run)));
      done += costs[n];
      view.update(done, runName(run));
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
  const all = await Promise.all(plan.map((run) => folder.get<PerformanceRecord>(fileOf(run), run)));
  return all.filter((record) => record !== undefined);
}

/** Multiplications of a training, by and large: shared weights work at every step. */
function costOf(run: PerformanceRun, data: readonly DataRecord[]): number {
  const set = data.find(({ name }) => name === run.dataset)!;
  const examples = Math.min(run.limit ?? Number.POSITIVE_INFINITY, set.train);
  // An embedding is looked up, not multiplied.
  const shape = set.embedding ? { ...set, inputs: 1 } : set;
  return (examples * run.epochs * parameterCount({ ...run, shared: false }, shape)) / 1e9;
}

async function train(
  session: Session,
  run: PerformanceRun,
  view: WorkView,
  progress: (part: number) => void,
): Promise<void> {
  const { data, backend, machine, folder, signal } = session;
  if (signal.aborted) throw new XiError('E_ABORTED', 'stopped');
  const hooks = {
    signal,
    onStep: ({ step, steps }: { readonly step: number; readonly steps: number }) => progress(step / steps),
  };
  const { record } = await performanceOf(run, await data.of(run), backend, machine, hooks);
  await folder.put(fileOf(run), record);
  const accuracy = finalAccuracy(record);
  const result = accuracy === null || record.diverged ? 'diverged' : percent(accuracy);
  view.line(
    `${runName(run)}: ${result}, ${record.parameters.toLocaleString('en-US')} parameters, ${record.seconds.toFixed(1)} s`,
  );
}

/** The model that is drawn and certified: trained again, to the same bits, since records keep no weights. */
export async function showcase(
  session: Session,
): Promise<{ readonly record: ShowcaseRecord; readonly path: string } | undefined> {
  const { folder, data, backend, machine, signal } = session;
  const run = showcaseRun(folder.settings);
  if (!run) return undefined;
  const path = folder.file(SHOWCASE_MODEL);
  const known = await folder.get<ShowcaseRecord>(SHOWCASE, { run });
  if (known) return { record: known, path };
  const { model } = await performanceOf(run, await data.of(run), backend, machine, { signal });
  const record: ShowcaseRecord = { run, drawing: String(model) };
  await saveModel(model, path);
  await folder.put(SHOWCASE, record);
  return { record, path };
}

export const knownShowcase = (folder: ResultsFolder) => folder.get<ShowcaseRecord>(SHOWCASE, {});
