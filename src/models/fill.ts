import type { Rng } from '../core/rng.ts';
import type { FloatArray, Tensor } from '../core/tensor.ts';
import type { ModelConfig } from './config.ts';

/** Independent normal numbers of mean 0. */
export function fillNormal(rng: Rng, data: FloatArray, deviation: number): void {
  for (let n = 0; n < data.length; n++) data[n] = rng.normal(deviation);
}

/** Normal numbers less their mean: as weights of a sum they ignore what its terms have in common. */
export function centred(rng: Rng, count: number, deviation: number): Float64Array {
  const values = Float64Array.from({ length: count }, () => rng.normal(deviation));
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  return values.map((value) => value - mean);
}

/**
 * Adds to slice k of a core [L,R,K] what makes `Σ_ij G[i,j,k] (a_i + h_j)` weigh a_i by left[i] and h_j by right[j]. A side
 * whose weights do not sum to 0 also gives the other one that sum, spread evenly.
 */
export function addSeparable(
  data: FloatArray,
  [L, R, K]: readonly number[],
  k: number,
  left: Float64Array,
  right: Float64Array,
): void {
  for (let i = 0; i < L; i++) {
    for (let j = 0; j < R; j++) data[(i * R + j) * K + k] += left[i] / R + right[j] / L;
  }
}

const TANH_OF_1 = 0.7615941559557649;

/**
 * Makes feature 0 the same for every input, so that a weight on it is a constant.
 *
 * @returns its value, σ(1).
 */
export function holdFeature({ features }: ModelConfig, named: Readonly<Record<string, Tensor>>): number {
  const { 'features.A': A, 'features.b': b } = named;
  A.data.fill(0, 0, A.shape[1]);
  b.data[0] = 1;
  return features.activation === 'tanh' ? TANH_OF_1 : 1;
}
