import type { Backend, Storage } from '../../src/backend/interface.ts';
import type { DType, FloatArray } from '../../src/core/tensor.ts';

/** One check that every backend and every instruction set must pass; throws when it does not. */
export interface ConformanceCase {
  readonly name: string;
  run(backend: Backend): void;
}

export const EPSILON: Readonly<Record<DType, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

/**
 * Copies values to where a backend reads them. Arrays begin an element behind what the engine allocates, so that no vector of theirs
 * is aligned: an instruction that wants it to be ends the process.
 */
export function put(backend: Backend, dtype: DType, data: ArrayLike<number>): Storage {
  if (backend.name === 'native') {
    const { buffer } = rounded(dtype, [0, ...Array.from(data)]);
    const own = dtype === 'float32' ? new Float32Array(buffer, 4) : new Float64Array(buffer, 8);
    return backend.adopt(own);
  }
  const storage = backend.allocate(dtype, data.length);
  storage.write(data);
  return storage;
}

/** Rounds to the dtype and back, so that both sides of a comparison start from the same numbers. */
export function rounded(dtype: DType, data: ArrayLike<number>): FloatArray {
  return dtype === 'float32' ? Float32Array.from(data) : Float64Array.from(data);
}

/** Tolerances of the manifest for float64; in float32 the same number of rounding errors, 2²⁹ times larger. */
export const TOLERANCE = {
  float64: { value: 1e-11, gradient: 1e-9 },
  float32: { value: 1e-5, gradient: 5e-5 },
} as const;
