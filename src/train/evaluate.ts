import type { Loss } from '../backend/interface.ts';
import { borrowing } from '../backend/storage.ts';
import { aborted, checkSignal, knownKeys, XiError } from '../core/errors.ts';
import { atOnce, type Parts } from '../core/parts.ts';
import type { Tensor } from '../core/tensor.ts';
import { inTurns } from '../core/turns.ts';
import { type AnyDataset, countOf, hasTargets, takeDataset } from '../data/dataset.ts';
import { checkModel, type Model } from '../models/model.ts';
import { checkFits } from './batches.ts';
import { lossFor, type Metrics } from './options.ts';

/** Sequences that are scored between two turns of the event loop. */
const ROWS = 500;

/**
 * Mean loss (by default softmax cross-entropy for classes, mean squared error for targets) and accuracy of a model on a
 * data set.
 *
 * @throws XiError when the data do not fit the model or the loss; E_NUMERIC that names the first sequence whose scores overflow.
 */
export function evaluate(model: Model, data: AnyDataset, options: { readonly loss?: Loss } = {}): Metrics {
  knownKeys('evaluate', options, ['loss']);
  return atOnce(inParts('evaluate', model, data, options.loss));
}

/** {@link evaluate} with turns of the event loop in between. @throws XiError E_ABORTED when `signal` says so. */
export async function evaluateAsync(
  model: Model,
  data: AnyDataset,
  options: { readonly loss?: Loss; readonly signal?: AbortSignal } = {},
): Promise<Metrics> {
  knownKeys('evaluateAsync', options, ['loss', 'signal']);
  checkSignal('evaluateAsync', options.signal);
  // What fits into one part would be done before the first look at the signal.
  if (options.signal?.aborted) throw aborted('evaluation was stopped', options.signal);
  return inTurns(inParts('evaluateAsync', model, data, options.loss), options.signal);
}

/** Figures that a training shows: they are NaN where scores overflow, which a later epoch may not do any more. */
export async function watch(...given: Parameters<typeof evaluateAsync>): Promise<Metrics> {
  try {
    return await evaluateAsync(...given);
  } catch (error) {
    if (error instanceof XiError && error.code === 'E_NUMERIC')
      return { loss: Number.NaN, accuracy: Number.NaN };
    throw error;
  }
}

/** The scores of sequences from number `first` on. @throws XiError E_NUMERIC that names the first one with an infinite score, or NaN. */
export function finiteScores(where: string, name: string, scores: Tensor, first = 0): Tensor {
  const bad = scores.data.findIndex((score) => !Number.isFinite(score));
  if (bad < 0) return scores;
  const row = first + Math.floor(bad / scores.shape[1]);
  const received = `${scores.data[bad]} for sequence [${row}] of ${name}`;
  throw new XiError('E_NUMERIC', `${where}: expected finite scores, received ${received}`);
}

function* inParts(where: string, model: Model, data: AnyDataset, wanted: Loss | undefined): Parts<Metrics> {
  checkFits(where, checkModel(where, model), data);
  const loss = lossFor(where, data, wanted);
  const { backend, config } = model;
  const count = countOf(data);
  const sum = { loss: 0, correct: 0 };
  for (let start = 0; start < count; start += ROWS) {
    const part = takeDataset(data, start, Math.min(start + ROWS, count));
    const one = borrowing((borrow) => {
      const made = model.score(part.inputs, { lengths: part.lengths });
      const scores = borrow(backend.adopt(finiteScores(where, data.name, made, start).data));
      const answers = hasTargets(part) ? borrow(backend.adopt(part.targets.data)) : part.labels;
      return backend.loss(loss, countOf(part), config.outputs, scores, answers);
    });
    sum.loss += one.loss;
    sum.correct += one.correct;
    if (start + ROWS < count) yield;
  }
  return { loss: sum.loss / count, accuracy: hasTargets(data) ? Number.NaN : sum.correct / count };
}
