import type { Answers, Backend, Loss, Storage } from '../backend/interface.ts';
import { defaultBackend } from '../backend/select.ts';
import { checkBackend } from '../backend/selection.ts';
import { borrowing } from '../backend/storage.ts';
import { knownKeys, mismatch } from '../core/errors.ts';
import { anyTensor, checkTensor, type Tensor } from '../core/tensor.ts';

/** A loss of scores, and what `model.gradients` wants of it. */
export interface LossGradient {
  /** Mean over the rows. */
  readonly loss: number;
  /** Its derivatives with respect to the scores [B,outputs]. */
  readonly dScores: Tensor;
}

/** Where a loss is computed; by default the best backend of this machine. */
export interface LossOptions {
  /** The best of this machine by default. */
  readonly backend?: Backend;
}

/**
 * Softmax cross-entropy of scores [B,outputs] and a class for each row, with its gradient.
 *
 * `L = mean_b (ln Σ_k exp(scores[b,k]) − scores[b,labels[b]])`.
 *
 * @throws XiError E_SHAPE, E_DTYPE or E_NUMERIC for scores and labels that do not fit, E_ARGUMENT for a class that is none.
 */
export function crossEntropy(scores: Tensor, labels: Int32Array, options: LossOptions = {}): LossGradient {
  const [rows, outputs] = checkScores('crossEntropy', scores);
  if (!(labels instanceof Int32Array))
    throw mismatch(
      'E_DTYPE',
      'crossEntropy labels',
      'an Int32Array, as Int32Array.from(labels) makes',
      labels,
    );
  if (labels.length !== rows)
    throw mismatch('E_SHAPE', 'crossEntropy labels', `${rows} labels`, labels.length);
  const bad = labels.findIndex((label) => label < 0 || label >= outputs);
  if (bad >= 0)
    throw mismatch(
      'E_ARGUMENT',
      `crossEntropy labels[${bad}]`,
      `a class from 0 to ${outputs - 1}`,
      labels[bad],
    );
  return gradientOf('softmax', scores, () => labels, options);
}

/**
 * Mean squared error of scores and targets [B,outputs], with its gradient: `L = mean_bk (scores[b,k] − targets[b,k])²`.
 *
 * @throws XiError E_SHAPE, E_DTYPE or E_NUMERIC for tensors that do not fit.
 */
export function meanSquaredError(scores: Tensor, targets: Tensor, options: LossOptions = {}): LossGradient {
  const shape = checkScores('meanSquaredError', scores);
  const { data } = checkTensor('meanSquaredError targets', targets, shape, scores.dtype);
  return gradientOf('mse', scores, (adopt) => adopt(data), options);
}

function checkScores(where: string, scores: Tensor): readonly number[] {
  const { shape } = anyTensor(`${where} scores`, scores, { finite: true });
  if (shape.length === 2 && !shape.includes(0)) return shape;
  throw mismatch('E_SHAPE', `${where} scores`, '[B,outputs], of one row at least', shape);
}

function gradientOf(
  kind: Loss,
  { dtype, shape, data }: Tensor,
  answers: (adopt: (values: Tensor['data']) => Storage) => Answers,
  options: LossOptions,
): LossGradient {
  const where = kind === 'mse' ? 'meanSquaredError' : 'crossEntropy';
  knownKeys(where, options, ['backend']);
  checkBackend(where, options.backend);
  const backend = options.backend ?? defaultBackend();
  const [rows, outputs] = shape;
  return borrowing((borrow) => {
    const adopt = (values: Tensor['data']) => borrow(backend.adopt(values));
    const dScores = borrow(backend.allocate(dtype, data.length));
    const { loss } = backend.loss(kind, rows, outputs, adopt(data), answers(adopt), dScores);
    return { loss: loss / rows, dScores: { dtype, shape: [...shape], data: dScores.read() } };
  });
}
