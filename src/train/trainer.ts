import type { Storage } from '../backend/interface.ts';
import { integer, knownKeys, mismatch, show, XiError } from '../core/errors.ts';
import {
  type AnyDataset,
  checkDataset,
  countOf,
  type Dataset,
  hasTargets,
  selectDataset,
  splitRows,
} from '../data/dataset.ts';
import { checkModel, type Model } from '../models/model.ts';
import { ParameterBlock } from '../models/parameters.ts';
import { adamStep } from './adam.ts';
import { Batches, checkFits } from './batches.ts';
import {
  type Best,
  checkEpsilon,
  checkPlan,
  DEFAULT_PLAN,
  lossFor,
  type Metrics,
  type StepReport,
  type TrainingPlan,
} from './options.ts';
import { rateFactor } from './schedule.ts';
import { orderOf } from './shuffle.ts';

/** Where training stands, beside the parameters and moments: enough to go on bit for bit as if nothing had happened. */
export interface Progress {
  /** Steps done since the beginning. */
  readonly step: number;
  /** Sum of the losses of the sequences in the running epoch. */
  readonly loss: number;
  /** Right answers in the running epoch. */
  readonly correct: number;
}

/** What early stopping remembers, beside the parameters of the best epoch. */
export interface Stopping {
  /** Epochs that were ended, which the last one need not be when a checkpoint is written. */
  readonly ended: number;
  /** The epoch with the smallest validation loss so far. */
  readonly best?: Best;
}

/** What is kept of an epoch that was ended. */
export interface EndedEpoch extends Metrics {
  /** From 1. */
  readonly epoch: number;
  /** Of the examples held back. */
  readonly validation?: Metrics;
  /** What it took. */
  readonly seconds: number;
}

/**
 * Trains a model by Adam or AdamW on mini-batches. The order of the examples in epoch e is a function of (seed, e) alone,
 * so the state after step s is a function of the plan and s, for any number of threads and however often it was
 * interrupted.
 */
export class Trainer {
  /** What is trained. */
  readonly model: Model;
  /** How: every option with its default. */
  readonly plan: TrainingPlan;
  /** All that was given, those held back included. */
  readonly data: AnyDataset;
  /** What was given for validation, or is held back for it. */
  readonly validation: AnyDataset | undefined;
  /** First moments of the gradient. @internal */
  readonly m: ParameterBlock;
  /** Second moments. @internal */
  readonly v: ParameterBlock;
  /** Parameters of the best epoch, where training ends with them. @internal */
  readonly best: ParameterBlock | undefined;
  /** @internal */
  readonly gradients: ParameterBlock;
  private readonly batches: Batches;
  private readonly dScores: Storage;
  /** Numbers of the examples that are trained on. */
  private readonly rows: Uint32Array;
  private order: { epoch: number; rows: Uint32Array } | undefined;
  private done: Progress = { step: 0, loss: 0, correct: 0 };
  private stops: Stopping = { ended: 0 };
  private epochs: readonly EndedEpoch[] = [];

  /** What is left out is as for `fit`; watching and ending a run is up to `runTrainer`. @throws XiError as `fit` does. */
  constructor(model: Model, data: AnyDataset, options: Partial<TrainingPlan>, validation?: AnyDataset);
  /** With the name of the function that refuses what is wrong. @internal */
  constructor(
    model: Model,
    data: AnyDataset,
    options: Partial<TrainingPlan>,
    validation: AnyDataset | undefined,
    where: string,
  );
  constructor(
    model: Model,
    data: AnyDataset,
    options: Partial<TrainingPlan>,
    validation?: AnyDataset,
    where = 'Trainer',
  ) {
    const { backend, config } = checkModel(where, model);
    checkDataset(`${where} data`, data);
    knownKeys(where, options, Object.keys(DEFAULT_PLAN));
    const plan = checkPlan(where, options, data);
    checkEpsilon(where, plan, config.dtype);
    this.batches = new Batches(where, model, data, plan.batch);
    this.model = model;
    this.plan = plan;
    this.data = data;
    const { train, held } = splitRows(countOf(data), plan.validationSplit, plan.seed);
    this.rows = train;
    this.validation = chooseValidation(where, model, data, plan, held, validation);
    const block = () => new ParameterBlock(backend, model.block.layout, config.dtype);
    this.m = block();
    this.v = block();
    this.gradients = block();
    if (plan.patience > 0) this.best = block();
    this.dScores = backend.allocate(config.dtype, plan.batch * config.outputs);
  }

  /** Examples that are trained on. */
  get count(): number {
    return this.rows.length;
  }

  /** ⌈examples / batch⌉. */
  get stepsPerEpoch(): number {
    return Math.ceil(this.count / this.plan.batch);
  }

  /** Steps of all epochs, of which early stopping may leave some out. */
  get steps(): number {
    return this.stepsPerEpoch * this.plan.epochs;
  }

  /** Whether all epochs are done, or patience is at its end. */
  get finished(): boolean {
    const { best, ended } = this.stops;
    const exhausted = best !== undefined && ended - best.epoch >= this.plan.patience;
    return this.done.step >= this.steps || exhausted;
  }

  /** Steps that are done, and the running epoch's sums. */
  get progress(): Progress {
    return this.done;
  }

  /** What early stopping remembers. */
  get stopping(): Stopping {
    return this.stops;
  }

  /** The epochs that {@link endEpoch} was told of, by a trainer before this one as well. */
  get history(): readonly EndedEpoch[] {
    return this.epochs;
  }

  /** Whether an epoch's steps are done and {@link endEpoch} has not been told of it. */
  get epochIsOpen(): boolean {
    const { step } = this.done;
    return step % this.stepsPerEpoch === 0 && step / this.stepsPerEpoch > this.stops.ended;
  }

  /** Figures of the running epoch, or of the last one where none has begun. */
  get running(): Metrics {
    const within = this.done.step % this.stepsPerEpoch;
    const seen = within === 0 && this.done.step > 0 ? this.count : within * this.plan.batch;
    const accuracy = hasTargets(this.data) ? Number.NaN : this.done.correct / seen;
    return { loss: this.done.loss / seen, accuracy };
  }

  /**
   * Goes on from a checkpoint, whose parameters and moments were put in place before.
   *
   * @throws XiError E_ARGUMENT for what no trainer of this plan was ever at; nothing has changed then.
   */
  resume(progress: Progress, stopping: Stopping = { ended: 0 }, history: readonly EndedEpoch[] = []): void {
    if (typeof progress !== 'object' || progress === null)
      throw mismatch('E_ARGUMENT', 'resume', 'a progress { step, loss, correct }', progress);
    if (typeof stopping !== 'object' || stopping === null)
      throw mismatch('E_ARGUMENT', 'resume stopping', '{ ended }', stopping);
    if (!Array.isArray(history)) throw mismatch('E_ARGUMENT', 'resume history', 'a list of epochs', history);
    integer('resume step', progress.step, 0, this.steps);
    integer('resume ended', stopping.ended, 0, Math.floor(progress.step / this.stepsPerEpoch));
    for (const name of ['loss', 'correct'] as const)
      if (typeof progress[name] !== 'number')
        throw mismatch('E_ARGUMENT', `resume ${name}`, 'a number', progress[name]);
    if (stopping.best) integer('resume best epoch', stopping.best.epoch, 1, stopping.ended);
    for (const ended of history) integer('resume history epoch', ended?.epoch, 1, stopping.ended);
    this.done = progress;
    this.stops = stopping;
    this.epochs = history;
  }

  /**
   * One step on the next batch.
   *
   * @throws XiError E_ARGUMENT when training has {@link finished}; E_NUMERIC when the gradient is no longer finite; the parameters are then those before the step.
   */
  step(): StepReport {
    const { model, plan, gradients, stepsPerEpoch } = this;
    const { backend, config } = model;
    if (this.finished) {
      const message = `Trainer.step: expected steps that are left, received one behind step ${this.done.step}, the last`;
      throw new XiError('E_ARGUMENT', message);
    }
    const epoch = Math.floor(this.done.step / stepsPerEpoch);
    const first = (this.done.step % stepsPerEpoch) * plan.batch;
    const before = first === 0 ? { loss: 0, correct: 0 } : this.done;
    const rows = this.rowsOf(epoch).subarray(first, first + plan.batch);
    const { x, answers, lengths } = this.batches.gather(rows);

    const scores = model.network.forward(model.block, x, rows.length, lengths, true);
    const dScores = this.dScores.at(0, scores.length);
    const { loss, correct } = backend.loss(plan.loss, rows.length, config.outputs, scores, answers, dScores);
    model.network.backward(model.block, x, rows.length, dScores, gradients, undefined, lengths);

    const norm = Math.sqrt(backend.sumSquares(gradients.storage));
    const step = this.done.step + 1;
    if (!Number.isFinite(norm) || !Number.isFinite(loss)) {
      const figures = `(loss ${loss / rows.length}, gradient norm ${norm})`;
      // Before the first update no learning rate had any part in it.
      const scales = hasTargets(this.data)
        ? 'inputs, targets or initial weights'
        : 'inputs or initial weights';
      const advice =
        step === 1
          ? `before any update, by the scale of ${scales}`
          : `a learning rate below ${plan.learningRate} may help`;
      throw new XiError('E_NUMERIC', `training diverged at step ${step} ${figures}: ${advice}`);
    }
    const learningRate = plan.learningRate * rateFactor(plan.schedule, step, this.steps);
    const update = { rule: plan, learningRate, scaleRates: plan.scaleRates, step, norm };
    for (const part of model.block.layout) adamStep(model, part, this, update);
    this.done = { step, loss: before.loss + loss, correct: before.correct + correct };
    this.stops = { ...this.stops, ended: Math.max(this.stops.ended, epoch) };
    const seen = first + rows.length;
    return {
      epoch: epoch + 1,
      step,
      steps: this.steps,
      learningRate,
      batchLoss: loss / rows.length,
      loss: this.done.loss / seen,
      accuracy: hasTargets(this.data) ? Number.NaN : this.done.correct / seen,
    };
  }

  /**
   * Ends the epoch whose steps are done: remembers its parameters if its validation loss is the smallest so far, and
   * gives the model the best ones back when training is finished. Only early stopping and {@link history} need it.
   *
   * @param seconds that the epoch took, to be remembered.
   * @throws XiError E_ARGUMENT for figures that are none.
   */
  endEpoch(validation?: Metrics, seconds = 0): void {
    const isFigure = (value: unknown) => typeof value === 'number';
    if (validation !== undefined && !(isFigure(validation?.loss) && isFigure(validation.accuracy)))
      throw mismatch('E_ARGUMENT', 'endEpoch validation', '{ loss, accuracy }', validation);
    if (!(isFigure(seconds) && seconds >= 0))
      throw mismatch('E_ARGUMENT', 'endEpoch seconds', 'a number from 0', seconds);
    const { model, best } = this;
    const ended = Math.floor(this.done.step / this.stepsPerEpoch);
    this.stops = { ...this.stops, ended };
    const figures = { epoch: ended, ...this.running, ...(validation && { validation }), seconds };
    this.epochs = [...this.epochs, figures];
    if (!best || !validation) return;
    if (validation.loss < (this.stops.best?.loss ?? Number.POSITIVE_INFINITY)) {
      best.storage.write(model.block.storage.read());
      this.stops = { ended, best: { epoch: ended, loss: validation.loss } };
    }
    if (this.finished && this.stops.best) model.block.storage.write(best.storage.read());
  }

  private rowsOf(epoch: number): Uint32Array {
    if (this.order?.epoch !== epoch) {
      const order = orderOf(this.count, this.plan.seed, epoch);
      this.order = { epoch, rows: order.map((n) => this.rows[n]) };
    }
    return this.order.rows;
  }
}

function chooseValidation(
  where: string,
  model: Model,
  data: AnyDataset,
  { validationSplit, patience, loss }: TrainingPlan,
  held: Uint32Array,
  given: AnyDataset | undefined,
): AnyDataset | undefined {
  if (validationSplit > 0) {
    if (given)
      throw mismatch('E_ARGUMENT', `${where} validationSplit`, 'no validation data beside it', given.name);
    if (held.length === 0) {
      const enough = `a part of ${countOf(data)} examples that is one at least`;
      throw mismatch('E_ARGUMENT', `${where} validationSplit`, enough, validationSplit);
    }
    return selectDataset(data, held);
  }
  if (given) {
    checkFits(where, model, given, 'validation');
    checkAlike(`${where} validation ${given.name}`, data, given);
    lossFor(where, given, loss);
  } else if (patience > 0)
    throw mismatch(
      'E_ARGUMENT',
      `${where} patience`,
      'validation data or a validationSplit to watch',
      patience,
    );
  return given;
}

/** What two tables are read by, which each has of itself where nothing is said: numbers of one would mean something else in the other. */
const READ_BY = ['classNames', 'alphabet', 'columns'] as const;

/** @throws XiError E_ARGUMENT for classes, letters or columns that are others, or in another order, than those of the training data. */
function checkAlike(where: string, data: AnyDataset, given: AnyDataset): void {
  for (const name of READ_BY) {
    const [wanted, received] = [data, given].map((set) => (set as Partial<Dataset>)[name]);
    // Sequences with lengths of their own may end before the last column.
    const open = name === 'columns' && given.lengths !== undefined;
    if (open || wanted === undefined || received === undefined) continue;
    if (JSON.stringify(wanted) === JSON.stringify(received)) continue;
    throw mismatch('E_ARGUMENT', where, `the ${name} of the training data, ${show(wanted)}`, received);
  }
}
