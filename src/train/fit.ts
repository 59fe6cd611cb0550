import { setImmediate } from 'node:timers/promises';
import { XiError } from '../core/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import type { Model } from '../models/model.ts';
import { checkPlan, type FitOptions, type Metrics } from './options.ts';
import { evaluate, Trainer } from './trainer.ts';

/** Figures of one epoch. */
export interface EpochReport extends Metrics {
  readonly epoch: number;
  readonly epochs: number;
  readonly validation?: Metrics;
  readonly seconds: number;
}

/**
 * Trains a model in place, yielding after each epoch; the event loop runs between steps.
 *
 * Minimises the mean softmax cross-entropy by Adam with clipped gradients. Same seeds, same numbers.
 *
 * @throws XiError E_ARGUMENT for options, E_SHAPE and E_DTYPE for data that do not fit, E_NUMERIC when training
 * diverges, E_ABORTED when `signal` says so; the model then has the parameters of its last whole step.
 */
export async function* fit(
  model: Model,
  data: Dataset,
  options: FitOptions = {},
): AsyncGenerator<EpochReport> {
  yield* runTrainer(new Trainer(model, data, checkPlan(options)), options);
}

/** How often a checkpoint is written within an epoch. */
const CHECKPOINT_MS = 60_000;

export interface RunOptions extends Pick<FitOptions, 'validation' | 'signal' | 'onStep'> {
  /** Called after each epoch but the last, within one once a minute, and when training is aborted. */
  readonly checkpoint?: () => Promise<void>;
}

/** The loop of {@link fit} over a trainer that may have been resumed. */
export async function* runTrainer(
  trainer: Trainer,
  { validation, signal, onStep, checkpoint }: RunOptions,
): AsyncGenerator<EpochReport> {
  let started = performance.now();
  let saved = started;
  const save = async () => {
    await checkpoint?.();
    saved = performance.now();
  };
  while (!trainer.finished) {
    await setImmediate();
    if (signal?.aborted) {
      await save();
      throw new XiError(
        'E_ABORTED',
        `training was stopped after step ${trainer.progress.step} of ${trainer.steps}`,
      );
    }
    const report = trainer.step();
    onStep?.(report);
    const epochEnds = report.step % trainer.stepsPerEpoch === 0;
    if (!trainer.finished && (epochEnds || performance.now() - saved > CHECKPOINT_MS)) await save();
    if (!epochEnds) continue;
    yield {
      epoch: report.epoch,
      epochs: trainer.plan.epochs,
      loss: report.loss,
      accuracy: report.accuracy,
      ...(validation && { validation: evaluate(trainer.model, validation) }),
      seconds: (performance.now() - started) / 1000,
    };
    started = performance.now();
  }
}
