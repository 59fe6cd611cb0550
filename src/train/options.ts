import { LOSSES, type Loss } from '../backend/interface.ts';
import { checkSignal, integer, knownKeys, mismatch, oneOf } from '../core/errors.ts';
import type { DType } from '../core/tensor.ts';
import { type AnyDataset, hasTargets } from '../data/dataset.ts';
import { SCHEDULES, type Schedule } from './schedule.ts';

export const OPTIMIZERS = ['adam', 'adamw'] as const;
/** Adam, or Adam with decay that does not pass through the moments (Loshchilov & Hutter, ICLR 2019). */
export type Optimizer = (typeof OPTIMIZERS)[number];

/** How a model is trained; the part of {@link FitOptions} that decides the result, and that a checkpoint repeats. */
export interface TrainingPlan {
  /** Passes over the examples; 10. */
  readonly epochs: number;
  /** Examples of a step; 250. */
  readonly batch: number;
  /** Of the features and projections; a core [L,R,K] learns at 1/√(L·R) of it, unless `scaleRates` is false; 4e-3. */
  readonly learningRate: number;
  /**
   * `cosine` by default. `constant`, or a rise as a square over the first quarter of all steps and then a fall over those that are left:
   * `cosine` and `linear` to a hundredth of the learning rate, `step` to a tenth of it at half of them and to a hundredth at three
   * quarters.
   */
  readonly schedule: Schedule;
  /**
   * `softmax` cross-entropy, which wants classes, or `mse`, the mean squared error over sequences and outputs; what
   * suits the data by default.
   */
  readonly loss: Loss;
  /** `adam` by default. */
  readonly optimizer: Optimizer;
  /** AdamW: at rate ρ a step first takes ρ·decay of every weight off, of biases nothing; 0.01, and 0 with `adam`. */
  readonly decay: number;
  /** Largest norm of the gradient of all parameters together; larger gradients are scaled down to it, by Infinity none; 1. */
  readonly clip: number;
  /** Decay of the first moments of the gradient; 0.9. */
  readonly beta1: number;
  /** Decay of the second moments; 0.999. */
  readonly beta2: number;
  /** Added to the root of the second moments; 1e-8. */
  readonly epsilon: number;
  /** Whether cores, and what steps share, learn at less than the rate, as docs/training.md says; false: all at the rate, as in PyTorch. True. */
  readonly scaleRates: boolean;
  /** Order of the examples, and choice of those held back for validation; 0. */
  readonly seed: number;
  /** Part of the examples that is held back for validation; 0. */
  readonly validationSplit: number;
  /**
   * Training ends when the validation loss has not fallen for so many epochs, or at the last one, with the parameters of
   * the best epoch; 0, the default, keeps the last parameters instead.
   */
  readonly patience: number;
}

export const DEFAULT_PLAN: TrainingPlan = {
  epochs: 10,
  batch: 250,
  learningRate: 4e-3,
  schedule: 'cosine',
  loss: 'softmax',
  optimizer: 'adam',
  decay: 0,
  clip: 1,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  scaleRates: true,
  seed: 0,
  validationSplit: 0,
  patience: 0,
};

export const MAX_EPOCHS = 1e6;

/** Of AdamW where none is given, as in PyTorch. */
export const ADAMW_DECAY = 0.01;

/** The part of a plan that decides what a step makes of a gradient. */
export const RULE_KEYS = ['learningRate', 'decay', 'clip', 'beta1', 'beta2', 'epsilon'] as const;
export type Rule = Pick<TrainingPlan, (typeof RULE_KEYS)[number]>;

/** Figures of a number of batches. */
export interface Metrics {
  /** Mean of what is minimized. */
  readonly loss: number;
  /** Part of the sequences whose largest score is that of their class; NaN where there are real targets. */
  readonly accuracy: number;
}

/** One step of training, told to `onStep`. */
export interface StepReport extends Metrics {
  /** From 1. */
  readonly epoch: number;
  /** Steps done. */
  readonly step: number;
  /** Steps there are in all. */
  readonly steps: number;
  /** Of this step, by the schedule. */
  readonly learningRate: number;
  /** Loss of this batch alone; `loss` and `accuracy` run over the epoch so far. */
  readonly batchLoss: number;
}

/** Figures of one epoch. */
export interface EpochReport extends Metrics {
  /** From 1. */
  readonly epoch: number;
  /** Epochs there are at most. */
  readonly epochs: number;
  /** Of the examples given or held back for validation; NaN where scores overflow. */
  readonly validation?: Metrics;
  /** With `patience`: the epoch with the smallest validation loss so far. */
  readonly best?: Best;
  /** What the epoch took, evaluation included. */
  readonly seconds: number;
}

/** The epoch with the least validation loss so far. */
export interface Best {
  /** From 1. */
  readonly epoch: number;
  /** Its validation loss. */
  readonly loss: number;
}

/** What is told of a report: at once, or by a promise that is waited for. */
export type Listener<Report> = ((report: Report) => void) | ((report: Report) => Promise<void>);

/** Everything that decides a training beside the model and its examples; what is left out has a default. */
export interface FitOptions extends Partial<TrainingPlan> {
  /** Scored after each epoch; instead of a `validationSplit`. */
  readonly validation?: AnyDataset;
  /** Stops after the running step with XiError E_ABORTED. */
  readonly signal?: AbortSignal;
  /** Told after each step. A promise is waited for, and one that is rejected ends the training, as an error that is thrown does. */
  readonly onStep?: Listener<StepReport>;
  /** Told what {@link fit} yields, before it does; a promise is waited for, as that of `onStep`. */
  readonly onEpoch?: Listener<EpochReport>;
}

/** The loss of a data set: what is wanted if it suits, else softmax for classes and mse for targets. */
export function lossFor(where: string, data: AnyDataset, wanted: Loss | undefined): Loss {
  const loss = oneOf(`${where} loss`, wanted ?? (hasTargets(data) ? 'mse' : 'softmax'), LOSSES);
  if (hasTargets(data) && loss === 'softmax')
    throw mismatch('E_ARGUMENT', `${where} loss`, `mse for the targets of ${data.name}`, loss);
  return loss;
}

/**
 * The plan in options, with defaults filled in and checked, frozen; those of the loss depend on the data.
 *
 * @throws XiError E_ARGUMENT that names the option, the rule and the value.
 */
export function checkPlan(where: string, options: FitOptions, data?: AnyDataset): TrainingPlan {
  knownKeys(where, options, [...Object.keys(DEFAULT_PLAN), 'validation', 'signal', 'onStep', 'onEpoch']);
  checkSignal(where, options.signal);
  const given = Object.fromEntries(
    Object.keys(DEFAULT_PLAN).map((key) => {
      const name = key as keyof TrainingPlan;
      return [name, options[name] ?? DEFAULT_PLAN[name]];
    }),
  ) as unknown as TrainingPlan;
  integer(`${where} epochs`, given.epochs, 1, MAX_EPOCHS);
  integer(`${where} batch`, given.batch, 1, 1e6);
  integer(`${where} seed`, given.seed, 0, Number.MAX_SAFE_INTEGER);
  oneOf(`${where} schedule`, given.schedule, SCHEDULES);
  oneOf(`${where} loss`, given.loss, LOSSES);
  oneOf(`${where} optimizer`, given.optimizer, OPTIMIZERS);
  const decoupled = given.optimizer === 'adamw';
  const decay = options.decay ?? (decoupled ? ADAMW_DECAY : 0);
  checkRule(where, { ...given, decay });
  if (decay > 0 && !decoupled)
    throw mismatch(
      'E_ARGUMENT',
      `${where} decay`,
      "0 for the optimizer 'adam'; 'adamw' takes weights off",
      decay,
    );
  checkScaling(where, given.scaleRates);
  within(`${where} validationSplit`, given.validationSplit, 0, BELOW_ONE);
  integer(`${where} patience`, given.patience, 0, 1e6);
  const loss = data ? lossFor(where, data, options.loss) : given.loss;
  return Object.freeze({ ...given, decay, loss });
}

/** @throws XiError E_ARGUMENT that names the number which is out of its range. */
export function checkRule(where: string, { learningRate, decay, clip, beta1, beta2, epsilon }: Rule): void {
  within(`${where} learningRate`, learningRate, Number.MIN_VALUE, MOST_RATE);
  within(`${where} beta1`, beta1, 0, BELOW_ONE);
  within(`${where} beta2`, beta2, 0, BELOW_ONE);
  within(`${where} epsilon`, epsilon, Number.MIN_VALUE, BELOW_ONE);
  if (!(typeof clip === 'number' && clip > 0))
    throw mismatch('E_ARGUMENT', `${where} clip`, 'a number above 0, or Infinity', clip);
  within(`${where} decay`, decay, 0, 1e3);
}

/** @throws XiError E_ARGUMENT for what does not say whether parameters have rates of their own. */
export function checkScaling(where: string, scaleRates: unknown): void {
  if (typeof scaleRates !== 'boolean')
    throw mismatch('E_ARGUMENT', `${where} scaleRates`, 'true or false', scaleRates);
}

/** @throws XiError E_ARGUMENT for a rate of one step that is none; a schedule may pass through 0. */
export const checkRate = (where: string, rate: unknown): void =>
  within(`${where} learningRate`, rate, 0, MOST_RATE);

/** @throws XiError E_ARGUMENT for an ε that is 0 in the dtype of a model: an update of moments that are 0 would be 0/0. */
export function checkEpsilon(where: string, { epsilon }: Pick<TrainingPlan, 'epsilon'>, dtype: DType): void {
  if (dtype === 'float32' && Math.fround(epsilon) === 0)
    throw mismatch('E_ARGUMENT', `${where} epsilon`, 'a number above 0 in float32', epsilon);
}

const MOST_RATE = 10;
/** The largest number below 1: a moment that never decays would have no correction, an epsilon of 1 hides it. */
const BELOW_ONE = 1 - 2 ** -53;

function within(where: string, value: unknown, low: number, high: number): void {
  if (typeof value === 'number' && value >= low && value <= high) return;
  const from = low === 0 ? 'from 0' : 'above 0';
  throw mismatch('E_ARGUMENT', where, `a number ${from} ${high < 1 ? 'and below 1' : `to ${high}`}`, value);
}
