import { Rng } from '../../src/core/rng.ts';
import { type DType, type Tensor, zeros } from '../../src/core/tensor.ts';
import type { Dataset } from '../../src/data/dataset.ts';

const PATTERNS = [
  [1, 0, 1, 0],
  [0, 1, 0, 1],
];

/** Sequences of noise in which one of two patterns appears at a random step; the class tells which. */
export function patterns(count: number, steps: number, dtype: DType = 'float32', seed = 1): Dataset<Tensor> {
  const rng = new Rng(seed);
  const inputs = zeros([count, steps, 4], dtype);
  for (let n = 0; n < inputs.data.length; n++) inputs.data[n] = 0.2 * rng.normal();
  const labels = Int32Array.from({ length: count }, (_, n) => {
    const label = rng.below(2);
    const at = (n * steps + rng.below(steps)) * 4;
    PATTERNS[label].forEach((value, i) => {
      inputs.data[at + i] += value;
    });
    return label;
  });
  return { name: 'patterns', inputs, labels, classes: 2 };
}
