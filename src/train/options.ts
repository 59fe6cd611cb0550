import { integer, knownKeys, mismatch, oneOf } from '../core/errors.ts';
import type { Dataset } from '../data/dataset.ts';

export const SCHEDULES = ['constant', 'cosine'] as const;
export type Schedule = (typeof SCHEDULES)[number];

/** How a model is trained; the part of {@link FitOptions} that decides the result, and that a checkpoint repeats. */
export interface TrainingPlan {
  readonly epochs: number;
  readonly batch: number;
  /** Of the features and projections; a core [L,R,K] learns at 1/√(L·R) of it. */
  readonly learningRate: number;
  /** `cosine` rises as a square over the first quarter of all steps, then falls to a hundredth of the learning rate. */
  readonly schedule: Schedule;
  /** Largest norm of the gradient of all parameters together; larger gradients are scaled down to it. */
  readonly clip: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Order of the examples. */
  readonly seed: number;
}

export const DEFAULT_PLAN: TrainingPlan = {
  epochs: 10,
  batch: 250,
  learningRate: 4e-3,
  schedule: 'cosine',
  clip: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  seed: 0,
};

/** Figures of a number of batches. */
export interface Metrics {
  /** Mean softmax cross-entropy. */
  readonly loss: number;
  readonly accuracy: number;
}

/** One step of training, told to `onStep`. */
export interface StepReport extends Metrics {
  readonly epoch: number;
  /** Steps done, of how many in all. */
  readonly step: number;
  readonly steps: number;
  /** Loss of this batch alone; `loss` and `accuracy` run over the epoch so far. */
  readonly batchLoss: number;
}

export interface FitOptions extends Partial<TrainingPlan> {
  /** Scored after each epoch. */
  readonly validation?: Dataset;
  /** Stops after the running step with XiError E_ABORTED. */
  readonly signal?: AbortSignal;
  readonly onStep?: (report: StepReport) => void;
}

/** Splits options into the plan, with defaults filled in and checked, and the rest. */
export function checkPlan(options: FitOptions): TrainingPlan {
  knownKeys('fit', options, [...Object.keys(DEFAULT_PLAN), 'validation', 'signal', 'onStep']);
  const given = Object.fromEntries(
    Object.keys(DEFAULT_PLAN).map((key) => {
      const name = key as keyof TrainingPlan;
      return [name, options[name] ?? DEFAULT_PLAN[name]];
    }),
  ) as unknown as TrainingPlan;
  integer('epochs', given.epochs, 1, 1e6);
  integer('batch', given.batch, 1, 1e6);
  integer('seed', given.seed, 0, Number.MAX_SAFE_INTEGER);
  oneOf('schedule', given.schedule, SCHEDULES);
  within('learningRate', given.learningRate, Number.MIN_VALUE, 10);
  within('beta1', given.beta1, 0, BELOW_ONE);
  within('beta2', given.beta2, 0, BELOW_ONE);
  within('epsilon', given.epsilon, 0, BELOW_ONE);
  within('clip', given.clip, Number.MIN_VALUE, 1e9);
  return given;
}

/** The largest number below 1: a moment that never decays would have no correction, an epsilon of 1 hides it. */
const BELOW_ONE = 1 - 2 ** -53;

function within(where: string, value: unknown, low: number, high: number): void {
  if (typeof value === 'number' && value >= low && value <= high) return;
  const from = low === 0 ? 'from 0' : 'above 0';
  throw mismatch('E_ARGUMENT', where, `a number ${from} ${high < 1 ? 'and below 1' : `to ${high}`}`, value);
}
