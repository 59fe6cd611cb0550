import type { Backend } from '../backend/interface.ts';
import { integer, knownKeys, mismatch } from '../core/errors.ts';
import { loadSplice } from '../data/splice.ts';
import type { ModelOptions } from '../models/config.ts';
import { createModel } from '../models/model.ts';
import { evaluateAsync } from '../train/evaluate.ts';
import { fit } from '../train/fit.ts';
import type { Best, Metrics, TrainingPlan } from '../train/options.ts';

/** A cross-validation on the splice junctions; with the seed it decides every number. */
export interface SpliceExperiment {
  /** The network; its sizes come from the sequences. */
  readonly model: Omit<ModelOptions, 'steps' | 'inputs' | 'outputs' | 'seed'>;
  /** The training of a fold. */
  readonly plan: Partial<Omit<TrainingPlan, 'seed'>>;
  /** Number of folds, of equal sizes and equal parts of each class. */
  readonly folds: number;
  /** Of the folds, the weights, the order of the examples and those held back for early stopping. */
  readonly seed: number;
}

/** What reaches 95.5 % and more (docs/accuracies.md): an unshared rectifier network, regularized by AdamW and early stopping. */
export const SPLICE_EXPERIMENT: SpliceExperiment = {
  model: {
    kind: 'tt',
    xi: 'rectifier',
    rank: 16,
    features: { size: 16, activation: 'relu', embedding: true },
  },
  plan: {
    ...{ epochs: 40, batch: 50, learningRate: 2e-3, schedule: 'cosine' },
    ...{ optimizer: 'adamw', decay: 1, validationSplit: 0.1, patience: 10 },
  },
  folds: 5,
  seed: 0,
};

/** What became of one fold: figures of the examples that nothing was chosen by. */
export interface FoldRecord extends Metrics {
  /** From 0. */
  readonly fold: number;
  /** Sequences that were tested on. */
  readonly count: number;
  /** Epochs that were trained. */
  readonly epochs: number;
  /** The epoch whose parameters were kept. */
  readonly best?: Best;
  /** Of the network. */
  readonly parameters: number;
}

/**
 * Trains on all folds but one and tests on that, for each in turn; yields a record a fold. The same experiment gives the same
 * records on the same backend and instruction set.
 *
 * @throws XiError E_ARGUMENT for options that fit or createModel refuse, E_ABORTED when `signal` says so.
 */
export async function* crossValidateSplice(
  experiment: SpliceExperiment = SPLICE_EXPERIMENT,
  options: { readonly backend?: Backend; readonly signal?: AbortSignal } = {},
): AsyncGenerator<FoldRecord> {
  knownKeys('crossValidateSplice', experiment, ['model', 'plan', 'folds', 'seed']);
  knownKeys('crossValidateSplice', options, ['backend', 'signal']);
  const { seed, model: network, plan } = experiment;
  for (const [name, part] of Object.entries({ model: network, plan })) {
    if (typeof part !== 'object' || part === null)
      throw mismatch('E_ARGUMENT', `crossValidateSplice ${name}`, 'an object of options', part);
  }
  // None would be no fold, and no word of it.
  const folds = integer('crossValidateSplice folds', experiment.folds, 2, 100);
  const { dtype } = network;
  for (let fold = 0; fold < folds; fold++) {
    const { train, test } = await loadSplice({ fold, folds, seed, dtype });
    const [, steps, inputs] = train.inputs.shape;
    const shape = { steps, inputs, outputs: train.classes };
    const model = createModel({ ...network, ...shape, seed, backend: options.backend });
    let [epochs, best]: [number, Best | undefined] = [0, undefined];
    for await (const epoch of fit(model, train, { ...plan, seed, signal: options.signal })) {
      epochs = epoch.epoch;
      best = epoch.best;
    }
    const figures = await evaluateAsync(model, test, { signal: options.signal });
    const count = test.labels.length;
    yield { fold, count, ...figures, epochs, ...(best && { best }), parameters: model.parameterCount };
  }
}
