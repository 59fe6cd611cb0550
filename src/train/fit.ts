import { aborted, checkCallback, checkSignal, knownKeys, mismatch, XiError } from '../core/errors.ts';
import { nextTurn } from '../core/turns.ts';
import { type AnyDataset, checkDataset } from '../data/dataset.ts';
import { checkModel, type Model } from '../models/model.ts';
import { watch } from './evaluate.ts';
import { checkPlan, type EpochReport, type FitOptions } from './options.ts';
import { Trainer } from './trainer.ts';

/**
 * Trains a model in place, yielding after each epoch; the event loop runs between steps.
 *
 * Arguments are checked at once. The steps are computed while the result is iterated over: `for await (const epoch of fit(model,
 * data)) …` trains to the end, `await fit(…)` alone would not.
 *
 * Minimizes the mean of a loss by Adam or AdamW with clipped gradients. Same seeds, same numbers. With `patience` training
 * stops early and the model ends with the parameters of the epoch whose validation loss was smallest.
 *
 * @throws XiError E_ARGUMENT for options, E_SHAPE and E_DTYPE for data that do not fit, E_NUMERIC when training
 * diverges, E_ABORTED when `signal` says so; the model then has the parameters of its last whole step. What a callback throws, or rejects
 * its promise with, ends the training likewise.
 */
export function fit(model: Model, data: AnyDataset, options: FitOptions = {}): AsyncGenerator<EpochReport> {
  checkModel('fit', model);
  const plan = checkPlan('fit', options, checkDataset('fit data', data));
  const { validation, signal, onStep, onEpoch } = options;
  return run('fit', new Trainer(model, data, plan, validation, 'fit'), { signal, onStep, onEpoch });
}

/** How often a checkpoint is written within an epoch. */
const CHECKPOINT_MS = 60_000;

/** What {@link runTrainer} tells, and how it is stopped. */
export interface RunOptions extends Pick<FitOptions, 'signal' | 'onStep' | 'onEpoch'> {
  /** Called after each epoch but the last, within one once a minute, and when training is aborted. */
  readonly checkpoint?: () => Promise<void>;
}

/**
 * The loop of {@link fit} over a trainer that may have been resumed.
 *
 * @throws XiError E_ARGUMENT at once for what is no trainer or no option; else as {@link fit}.
 */
export function runTrainer(trainer: Trainer, options: RunOptions = {}): AsyncGenerator<EpochReport> {
  if (!(trainer instanceof Trainer)) throw mismatch('E_ARGUMENT', 'runTrainer', 'a Trainer', trainer);
  return run('runTrainer', trainer, options);
}

function run(where: string, trainer: Trainer, options: RunOptions): AsyncGenerator<EpochReport> {
  knownKeys(where, options, ['signal', ...CALLBACKS]);
  checkSignal(where, options.signal);
  for (const name of CALLBACKS) checkCallback(`${where} ${name}`, options[name]);
  return epochsOf(trainer, options);
}

const CALLBACKS = ['onStep', 'onEpoch', 'checkpoint'] as const;

async function* epochsOf(
  trainer: Trainer,
  { signal, onStep, onEpoch, checkpoint }: RunOptions,
): AsyncGenerator<EpochReport> {
  let started = performance.now();
  let saved = started;
  const save = async () => {
    await checkpoint?.();
    saved = performance.now();
  };
  const stop = async () => {
    await save();
    const { step } = trainer.progress;
    throw aborted(`training was stopped after step ${step} of ${trainer.steps}`, signal);
  };
  while (trainer.epochIsOpen || !trainer.finished) {
    if (!trainer.epochIsOpen) {
      await nextTurn();
      if (signal?.aborted) await stop();
      const report = trainer.step();
      const told = onStep?.(report);
      // A wait of its own for each step would cost those who make no promise a turn.
      if (isPromise(told)) await told;
      const late = performance.now() - saved > CHECKPOINT_MS;
      if (late && !trainer.epochIsOpen) await save();
      continue;
    }
    const validation = await validate(trainer, signal);
    if (validation === 'aborted') await stop();
    else {
      const seconds = (performance.now() - started) / 1000;
      trainer.endEpoch(validation, seconds);
      if (!trainer.finished) await save();
      const report: EpochReport = {
        epoch: trainer.stopping.ended,
        epochs: trainer.plan.epochs,
        ...trainer.running,
        ...(validation && { validation }),
        ...(trainer.stopping.best && { best: trainer.stopping.best }),
        seconds,
      };
      await onEpoch?.(report);
      yield report;
      started = performance.now();
    }
  }
}

const isPromise = (value: unknown): boolean =>
  typeof (value as PromiseLike<void> | undefined)?.then === 'function';

/** Figures of the validation data; an epoch that is aborted in the middle of it stays open, and a checkpoint says so. */
async function validate({ model, validation, plan }: Trainer, signal: AbortSignal | undefined) {
  if (!validation) return undefined;
  try {
    return await watch(model, validation, { loss: plan.loss, signal });
  } catch (error) {
    if (error instanceof XiError && error.code === 'E_ABORTED') return 'aborted';
    throw error;
  }
}
