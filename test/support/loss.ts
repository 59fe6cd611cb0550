import type { FloatArray } from '../../src/core/tensor.ts';

/** What rows of scores add up to, written out in float64 as an oracle for the kernels. */
export interface BatchLoss {
  /** Σ_b −ln softmax(scores[b])[label_b] */
  readonly loss: number;
  readonly correct: number;
}

/**
 * Softmax cross-entropy of scores [B,K] against labels [B], and where `dScores` is given its gradient of the mean:
 * `(softmax(scores[b])[k] − [k = label_b]) / B`.
 */
export function softmaxCrossEntropy(
  scores: FloatArray,
  labels: Int32Array,
  outputs: number,
  dScores?: FloatArray,
): BatchLoss {
  const batch = labels.length;
  let loss = 0;
  let correct = 0;
  for (let b = 0; b < batch; b++) {
    const row = b * outputs;
    let best = 0;
    for (let k = 1; k < outputs; k++) if (scores[row + k] > scores[row + best]) best = k;
    const top = scores[row + best];
    let sum = 0;
    for (let k = 0; k < outputs; k++) sum += Math.exp(scores[row + k] - top);
    const label = labels[b];
    loss += Math.log(sum) + top - scores[row + label];
    if (best === label) correct++;
    if (!dScores) continue;
    for (let k = 0; k < outputs; k++) {
      dScores[row + k] = (Math.exp(scores[row + k] - top) / sum - Number(k === label)) / batch;
    }
  }
  return { loss, correct };
}
