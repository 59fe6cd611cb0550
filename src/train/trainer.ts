import type { Storage } from '../backend/interface.ts';
import { integer, mismatch, XiError } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';
import { allocate, type FloatArray, type Shape } from '../core/tensor.ts';
import { checkDataset, type Dataset } from '../data/dataset.ts';
import type { Model } from '../models/model.ts';
import { ParameterBlock } from '../models/parameters.ts';
import { softmaxCrossEntropy } from './loss.ts';
import type { Metrics, StepReport, TrainingPlan } from './options.ts';

/** Where training stands, beside the parameters and moments: enough to go on bit by bit as if nothing had happened. */
export interface Progress {
  /** Steps done since the beginning. */
  readonly step: number;
  /** Sums over the running epoch. */
  readonly loss: number;
  readonly correct: number;
}

/**
 * Part of all steps over which the cosine schedule rises, as a square, to the learning rate. Adam's first steps have the
 * full rate's length in directions that are mostly noise: a linear rise over 100 steps made float32 rounding grow to a
 * tenth of the loss within those steps, this one to 1e-5 of it, and MNIST ends 0.1 % better (docs/training.md).
 */
const WARM_UP = 0.25;
/** What the cosine schedule falls to, as a part of the learning rate. */
const FLOOR = 0.01;

/**
 * Factor on the learning rate of one parameter. Adam moves every entry by about the rate, and a state is a sum over the
 * L·R pairs of a core, so that without the factor 1/√(L·R) it moves that much further than the features do.
 */
function rateScale(name: string, [L, R]: Shape): number {
  return name.startsWith('G.') ? 1 / Math.sqrt(L * R) : 1;
}

/**
 * Trains a model by Adam on mini-batches. The order of the examples in epoch e is a function of (seed, e) alone, so the
 * state after step s is a function of the plan and s, for any number of threads and however often it was interrupted.
 */
export class Trainer {
  readonly model: Model;
  readonly plan: TrainingPlan;
  readonly data: Dataset;
  /** First and second moments of the gradient. */
  readonly m: ParameterBlock;
  readonly v: ParameterBlock;
  private readonly gradients: ParameterBlock;
  private readonly inputs: Storage;
  private readonly dScores: Storage;
  private readonly staging: FloatArray;
  private order: { epoch: number; rows: Uint32Array } | undefined;
  private done: Progress = { step: 0, loss: 0, correct: 0 };

  constructor(model: Model, data: Dataset, plan: TrainingPlan) {
    const { backend, config } = model;
    checkFits(model, data);
    this.model = model;
    this.plan = plan;
    this.data = data;
    const block = () => new ParameterBlock(backend, model.block.layout, config.dtype);
    this.m = block();
    this.v = block();
    this.gradients = block();
    const row = config.steps * config.inputs;
    this.inputs = backend.allocate(config.dtype, plan.batch * row);
    this.dScores = backend.allocate(config.dtype, plan.batch * config.outputs);
    this.staging = allocate(config.dtype, plan.batch * row);
  }

  get stepsPerEpoch(): number {
    return Math.ceil(this.data.labels.length / this.plan.batch);
  }

  get steps(): number {
    return this.stepsPerEpoch * this.plan.epochs;
  }

  get finished(): boolean {
    return this.done.step >= this.steps;
  }

  get progress(): Progress {
    return this.done;
  }

  /** Goes on from a checkpoint, whose parameters and moments were put in place before. */
  resume(progress: Progress): void {
    integer('resume step', progress.step, 0, this.steps);
    this.done = progress;
  }

  /**
   * One step on the next batch.
   *
   * @throws XiError E_NUMERIC when the gradient is no longer finite; the parameters are then those before the step.
   */
  step(): StepReport {
    const { model, plan, gradients, stepsPerEpoch } = this;
    const { backend, config } = model;
    const epoch = Math.floor(this.done.step / stepsPerEpoch);
    const first = (this.done.step % stepsPerEpoch) * plan.batch;
    const before = first === 0 ? { loss: 0, correct: 0 } : this.done;
    const rows = this.rowsOf(epoch).subarray(first, first + plan.batch);
    const labels = Int32Array.from(rows, (row) => this.data.labels[row]);
    const x = this.gather(rows);

    const scores = model.network.forward(model.block, x, rows.length).read();
    const dScoreValues = allocate(config.dtype, scores.length);
    const { loss, correct } = softmaxCrossEntropy(scores, labels, config.outputs, dScoreValues);
    const dScores = this.dScores.at(0, scores.length);
    dScores.write(dScoreValues);
    model.network.backward(model.block, x, rows.length, dScores, gradients);

    const norm = Math.sqrt(backend.sumSquares(gradients.storage));
    const step = this.done.step + 1;
    if (!Number.isFinite(norm) || !Number.isFinite(loss)) {
      throw new XiError(
        'E_NUMERIC',
        `training diverged at step ${step} (loss ${loss / rows.length}, gradient norm ${norm}): ` +
          `a learning rate below ${plan.learningRate} may help`,
      );
    }
    this.update(step, norm > plan.clip ? plan.clip / norm : 1);
    this.done = { step, loss: before.loss + loss, correct: before.correct + correct };
    const seen = first + rows.length;
    return {
      epoch: epoch + 1,
      step,
      steps: this.steps,
      batchLoss: loss / rows.length,
      loss: this.done.loss / seen,
      accuracy: this.done.correct / seen,
    };
  }

  private update(step: number, scale: number): void {
    const { model, plan, gradients, m, v } = this;
    const rate = this.rateAt(step);
    for (const [name, shape] of model.block.layout) {
      const parts = [model.block, gradients, m, v].map((block) => block.part(name));
      const [p, g, first, second] = parts;
      model.backend.adam(p, g, first, second, {
        rate: rate * rateScale(name, shape),
        beta1: plan.beta1,
        beta2: plan.beta2,
        epsilon: plan.epsilon,
        correction1: 1 - plan.beta1 ** step,
        correction2: 1 - plan.beta2 ** step,
        scale,
      });
    }
  }

  private rateAt(step: number): number {
    const { learningRate, schedule } = this.plan;
    if (schedule === 'constant') return learningRate;
    const warm = WARM_UP * this.steps;
    if (step < warm) return learningRate * (step / warm) ** 2;
    const phase = (step - warm) / Math.max(1, this.steps - warm);
    return learningRate * (FLOOR + (1 - FLOOR) * 0.5 * (1 + Math.cos(Math.PI * phase)));
  }

  private rowsOf(epoch: number): Uint32Array {
    if (this.order?.epoch !== epoch) {
      this.order = { epoch, rows: new Rng(this.plan.seed, 2, epoch).permutation(this.data.labels.length) };
    }
    return this.order.rows;
  }

  private gather(rows: Uint32Array): Storage {
    const { steps, inputs } = this.model.config;
    const size = steps * inputs;
    const from = this.data.inputs.data;
    rows.forEach((row, b) => {
      this.staging.set(from.subarray(row * size, (row + 1) * size), b * size);
    });
    const x = this.inputs.at(0, rows.length * size);
    x.write(this.staging.subarray(0, rows.length * size));
    return x;
  }
}

/** Mean loss and accuracy of a model on a data set. */
export function evaluate(model: Model, data: Dataset): Metrics {
  checkFits(model, data);
  const scores = model.score(data.inputs);
  const { loss, correct } = softmaxCrossEntropy(scores.data, data.labels, model.config.outputs);
  const count = Math.max(1, data.labels.length);
  return { loss: loss / count, accuracy: correct / count };
}

function checkFits(model: Model, data: Dataset): void {
  checkDataset('data', data);
  const { config } = model;
  const [, steps, inputs] = data.inputs.shape;
  if (steps !== config.steps || inputs !== config.inputs) {
    throw mismatch('E_SHAPE', `data ${data.name}`, `${config.steps} steps of ${config.inputs} inputs`, [
      steps,
      inputs,
    ]);
  }
  if (data.inputs.dtype !== config.dtype) {
    throw mismatch('E_DTYPE', `data ${data.name}`, config.dtype, data.inputs.dtype);
  }
  if (data.classes > config.outputs) {
    throw mismatch('E_SHAPE', `data ${data.name}`, `at most ${config.outputs} classes`, data.classes);
  }
  if (data.labels.length === 0) throw mismatch('E_ARGUMENT', `data ${data.name}`, 'at least one example', 0);
}
