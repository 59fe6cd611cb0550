import type { Backend, Storage } from '../../src/backend/interface.ts';
import type { DType, FloatArray } from '../../src/core/tensor.ts';

/** One check that every backend and every instruction set must pass; throws when it does not. */
export interface ConformanceCase {
  readonly name: string;
  run(backend: Backend): void;
}

export const EPSILON: Readonly<Record<DType, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

/** Copies values into a backend's memory. */
export function put(backend: Backend, dtype: DType, data: ArrayLike<number>): Storage {
  const storage = backend.allocate(dtype, data.length);
  storage.write(data);
  return storage;
}

/** Rounds to the dtype and back, so that both sides of a comparison start from the same numbers. */
export function rounded(dtype: DType, data: ArrayLike<number>): FloatArray {
  return dtype === 'float32' ? Float32Array.from(data) : Float64Array.from(data);
}
