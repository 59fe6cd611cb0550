import { selectBackend } from '../../src/backend/select.ts';
import type { Rng } from '../../src/core/rng.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { TensorTrain } from '../../src/decompose/tt.ts';
import type { GoldenArray } from './golden.ts';

/** One backend of each kind: what runs above the kernels is the same for all instruction sets. */
export const backends = (['native', 'wasm', 'reference'] as const).map((name) => ({
  name,
  open: () => selectBackend({ prefer: [name] }).backend,
}));

export const tensor64 = (shape: readonly number[], data: ArrayLike<number>): Tensor => ({
  dtype: 'float64',
  shape,
  data: Float64Array.from(data),
});

export const ofGolden = ({ shape, data }: GoldenArray): Tensor => tensor64(shape, data.map(Number));

export const randomTensor = (rng: Rng, shape: readonly number[]): Tensor =>
  tensor64(
    shape,
    Array.from({ length: shape.reduce((count, n) => count * n, 1) }, () => rng.normal()),
  );

/** A train with these inner ranks and normal cores. */
export function randomTrain(rng: Rng, shape: readonly number[], ranks: readonly number[]): TensorTrain {
  const all = [1, ...ranks, 1];
  return { cores: shape.map((n, t) => randomTensor(rng, [all[t], n, all[t + 1]])) };
}

/** ‖a − b‖ / ‖b‖, ‖a‖ where b is zero. */
export function distance(a: Tensor, b: Tensor): number {
  if (String(a.shape) !== String(b.shape)) throw new Error(`shapes ${a.shape} and ${b.shape} differ`);
  let [squares, wrong] = [0, 0];
  for (let n = 0; n < a.data.length; n++) {
    squares += b.data[n] ** 2;
    wrong += (a.data[n] - b.data[n]) ** 2;
  }
  return Math.sqrt(wrong / (squares || 1));
}

/** Every index tuple of a shape, in row-major order. */
export function allIndices(shape: readonly number[]): Int32Array {
  const count = shape.reduce((size, n) => size * n, 1);
  const out = new Int32Array(count * shape.length);
  for (let row = 0; row < count; row++) {
    for (let axis = shape.length - 1, rest = row; axis >= 0; axis--) {
      out[row * shape.length + axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
  }
  return out;
}

export function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let n = 0; n < values.length; n++) sum += values[n];
  return sum;
}
