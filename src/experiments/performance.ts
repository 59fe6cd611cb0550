import type { Backend } from '../backend/interface.ts';
import { product } from '../core/extents.ts';
import type { Xi } from '../core/xi.gen.ts';
import { type AnyDataset, countOf, takeDataset } from '../data/dataset.ts';
import { checkConfig, type ModelKind, type ModelOptions } from '../models/config.ts';
import { layoutOf } from '../models/families.ts';
import { createModel, type Model } from '../models/model.ts';
import { runTrainer } from '../train/fit.ts';
import type { StepReport } from '../train/options.ts';
import type { Schedule } from '../train/schedule.ts';
import { Trainer } from '../train/trainer.ts';

/** What a model must know of a data set. */
export interface DataShape {
  readonly steps: number;
  readonly inputs: number;
  readonly outputs: number;
  /** Inputs are one-hot, letters or words. */
  readonly embedding: boolean;
  /** They are words, numbers that stand for one-hot rows. */
  readonly tokens: boolean;
}

/** One training: with the data that it names, all that decides its result. */
export interface PerformanceRun {
  readonly experiment: 'table1' | 'figure2' | 'folds';
  readonly dataset: string;
  /** Of `folds`: the part that is tested on. */
  readonly fold: number | null;
  readonly kind: ModelKind;
  readonly xi: Xi;
  readonly rank: number;
  readonly features: number;
  readonly shared: boolean;
  readonly seed: number;
  readonly epochs: number;
  readonly batch: number;
  readonly learningRate: number;
  readonly schedule: Schedule;
  /** Examples that are trained and tested on; null for all. */
  readonly limit: number | null;
  readonly testLimit: number | null;
}

/** Figures after an epoch; accuracies are parts of 1. */
export interface EpochRecord {
  readonly loss: number;
  readonly accuracy: number;
  readonly testLoss: number;
  readonly testAccuracy: number;
}

/** Where something was measured. */
export interface MachineRecord {
  readonly processor: string;
  readonly cores: number;
  readonly platform: string;
  readonly node: string;
}

/** A training that is done; or, with `diverged`, one whose gradient left the finite numbers after the epochs that are there. */
export interface PerformanceRecord extends PerformanceRun {
  readonly parameters: number;
  readonly history: readonly EpochRecord[];
  readonly diverged: boolean;
  readonly seconds: number;
  readonly backend: string;
  readonly isa: string;
  readonly threads: number;
  readonly machine: MachineRecord;
}

/** A name for a run, the same for the same run of a plan. */
export function runName(run: PerformanceRun): string {
  const { experiment, dataset, fold, kind, xi, rank, shared, seed } = run;
  const parts = [experiment, dataset, kind + (shared ? '-shared' : ''), xi, `rank${rank}`];
  return [...parts, ...(fold === null ? [] : [`fold${fold}`]), `seed${seed}`].join('-');
}

/** The model of a run. */
export function modelOptions(run: PerformanceRun, shape: DataShape): ModelOptions {
  const { kind, xi, rank, features: size, shared, seed } = run;
  const { steps, inputs, outputs, embedding, tokens } = shape;
  // Words have learned embeddings as in the paper; what images and letters become is rectified.
  const features = {
    size,
    activation: tokens ? 'identity' : 'relu',
    ...(embedding && { embedding }),
  } as const;
  return { kind, xi, rank, features, shared, seed, steps, inputs, outputs };
}

/** Number of parameters of a run's model. */
export function parameterCount(run: PerformanceRun, shape: DataShape): number {
  return layoutOf(checkConfig('reproduce performance', modelOptions(run, shape))).reduce(
    (sum, [, extents]) => sum + product(extents),
    0,
  );
}

/** The largest rank with which a run's model has at most so many parameters; at least 1. */
export function rankWithin(run: PerformanceRun, shape: DataShape, budget: number): number {
  let [low, high] = [1, 2];
  const fits = (rank: number) => parameterCount({ ...run, rank }, shape) <= budget;
  while (high < 2 ** 14 && fits(high)) [low, high] = [high, 2 * high];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (fits(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The two parts that a run trains and tests on. */
export interface RunData {
  readonly shape: DataShape;
  readonly train: AnyDataset;
  readonly test: AnyDataset;
}

export interface RunHooks {
  readonly signal?: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
  /** The same training after some steps, where it was stopped before. */
  readonly resume?: (begun: Trainer) => Promise<Trainer | undefined>;
  /** Keeps what {@link RunHooks.resume} will want: after each epoch, once a minute, and when `signal` stops the run. */
  readonly checkpoint?: (trainer: Trainer) => Promise<void>;
}

/**
 * Trains and tests a model after every epoch. What comes out, but for the seconds, depends on the run, the data and the backend's
 * instruction set alone, however often it was stopped.
 *
 * @throws XiError E_ABORTED when `signal` says so; as {@link Trainer} for data that do not fit.
 */
export async function performanceOf(
  run: PerformanceRun,
  data: RunData,
  backend: Backend,
  machine: MachineRecord,
  { resume, checkpoint, ...hooks }: RunHooks = {},
): Promise<{ readonly record: PerformanceRecord; readonly model: Model }> {
  const started = performance.now();
  const first = (part: AnyDataset, limit: number | null) =>
    takeDataset(part, 0, Math.min(limit ?? Number.POSITIVE_INFINITY, countOf(part)));
  const [train, test] = [first(data.train, run.limit), first(data.test, run.testLimit)];
  const begun = beginRun(run, data.shape, backend, train, test);
  const trainer = (await resume?.(begun)) ?? begun;
  const before = trainer.history.reduce((sum, { seconds }) => sum + seconds, 0);
  let diverged = false;
  try {
    const keep = checkpoint && (() => checkpoint(trainer));
    for await (const _ of runTrainer(trainer, { ...hooks, checkpoint: keep }));
  } catch (error) {
    if ((error as { code?: string }).code !== 'E_NUMERIC') throw error;
    diverged = true;
  }
  const history = trainer.history.map(({ loss, accuracy, validation }): EpochRecord => {
    return { loss, accuracy, testLoss: validation!.loss, testAccuracy: validation!.accuracy };
  });
  const { name, isa, threads } = backend;
  const record = {
    ...run,
    parameters: trainer.model.block.count,
    ...{ history, diverged },
    seconds: Math.round(100 * (before + (performance.now() - started) / 1000)) / 100,
    ...{ backend: name, isa, threads, machine },
  };
  return { record, model: trainer.model };
}

function beginRun(
  run: PerformanceRun,
  shape: DataShape,
  backend: Backend,
  train: AnyDataset,
  test: AnyDataset,
): Trainer {
  const model = createModel({ ...modelOptions(run, shape), backend });
  const { epochs, batch, learningRate, schedule, seed } = run;
  return new Trainer(model, train, { epochs, batch, learningRate, schedule, seed }, test);
}

/** Accuracy on the test part after the last epoch; null where training diverged before the first was over. */
export function finalAccuracy({ history }: PerformanceRecord): number | null {
  return history.at(-1)?.testAccuracy ?? null;
}

/** Mean, least and largest of some values. */
export interface Spread {
  readonly count: number;
  readonly mean: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return { count: values.length, mean, min: Math.min(...values), max: Math.max(...values) };
}

const COLUMNS = [
  ...['experiment', 'dataset', 'fold', 'kind', 'xi', 'rank', 'features', 'shared', 'parameters', 'seed'],
  ...['epochs', 'batch', 'learningRate', 'schedule', 'limit', 'testLimit', 'diverged', 'seconds'],
  ...['backend', 'isa', 'threads'],
] as const satisfies readonly (keyof PerformanceRecord)[];

/** The records as CSV, a line for each epoch. */
export function performanceCsv(records: readonly PerformanceRecord[]): string {
  const lines = records.flatMap((record) => {
    const common = COLUMNS.map((name) => record[name] ?? '');
    return record.history.map(({ loss, accuracy, testLoss, testAccuracy }, n) =>
      [...common, n + 1, loss, accuracy, testLoss, testAccuracy].join(','),
    );
  });
  return [[...COLUMNS, 'epoch,loss,accuracy,testLoss,testAccuracy'].join(','), ...lines, ''].join('\n');
}
