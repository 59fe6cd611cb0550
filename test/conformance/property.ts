import fc from 'fast-check';
import type { Backend, Storage } from '../../src/backend/interface.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import type { DType } from '../../src/core/tensor.ts';
import { type ConformanceCase, put, rounded } from './case.ts';

export const reference = selectBackend({ prefer: ['reference'] }).backend;

// Emulated processors get fewer draws. The seed is fresh each run and printed by fast-check when a property fails;
// XITENSOR_TEST_SEED repeats it.
const RUNS = Number(process.env.XITENSOR_TEST_RUNS ?? 25);
const SEED = process.env.XITENSOR_TEST_SEED ? { seed: Number(process.env.XITENSOR_TEST_SEED) } : {};

/** Sizes around nothing, one, and the widths of vectors and tiles: 4, 6, 8, 14, 16, 32. */
const size = fc.oneof(
  fc.constantFrom(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 14, 15, 16, 17, 28, 29, 31, 32, 33),
  fc.integer({ min: 0, max: 70 }),
);
const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });

export type Draw = (count: number) => Float64Array;

/** Small integers make every sum exact, so that any order of summation gives the same bits. */
export const integers =
  (rng: Rng): Draw =>
  (count) =>
    Float64Array.from({ length: count }, () => rng.below(9) - 4);
/** −1, 0 and 1, of which even products of sums stay exact. */
export const signs =
  (rng: Rng): Draw =>
  (count) =>
    Float64Array.from({ length: count }, () => rng.below(3) - 1);
export const reals =
  (rng: Rng): Draw =>
  (count) =>
    Float64Array.from({ length: count }, () => rng.normal());

/** The largest difference that is allowed: `terms · ε · scale` where scale is the largest magnitude that was summed, or of what is wanted. */
type Tolerance = number | ((want: number) => number);

/** Compares arrays, exactly where the tolerance is 0. */
export function compare(what: string, actual: Storage, expected: Storage, tolerance: Tolerance): void {
  const [got, want] = [actual.read(), expected.read()];
  for (let n = 0; n < want.length; n++) {
    const same = got[n] === want[n] || (Number.isNaN(got[n]) && Number.isNaN(want[n]));
    const allowed = typeof tolerance === 'number' ? tolerance : tolerance(want[n]);
    if (!(same || Math.abs(got[n] - want[n]) <= allowed))
      throw new Error(`${what}[${n}] is ${got[n]}, reference ${want[n]}, allowed difference ${allowed}`);
  }
}

/** Runs the same kernel on the backend and on the reference, from the same values, and compares what it wrote. */
export function both(
  backend: Backend,
  dtype: DType,
  inputs: readonly ArrayLike<number>[],
  outputs: readonly number[],
  tolerance: Tolerance,
  kernel: (on: Backend, inputs: Storage[], outputs: Storage[]) => void,
): void {
  const results = [backend, reference].map((on) => {
    const from = inputs.map((data) => put(on, dtype, rounded(dtype, data)));
    const to = outputs.map((length) => {
      const storage = on.allocate(dtype, length);
      storage.fill(7); // results must not depend on what was there
      return storage;
    });
    kernel(on, from, to);
    return [...from, ...to];
  });
  for (const [n, storage] of results[0].entries()) compare(`array ${n}`, storage, results[1][n], tolerance);
}

export const largest = (...arrays: ArrayLike<number>[]) =>
  arrays.reduce(
    (product, data) => product * Array.from(data).reduce((top, x) => Math.max(top, Math.abs(x)), 1),
    1,
  );

export function property(
  name: string,
  check: (backend: Backend, extents: number[], rng: Rng) => void,
  extents: number,
): ConformanceCase {
  return {
    name,
    run(backend) {
      const sizes = fc.array(size, { minLength: extents, maxLength: extents });
      fc.assert(
        fc.property(sizes, seed, (drawn, start) => check(backend, drawn, new Rng(start))),
        { numRuns: RUNS, ...SEED },
      );
    },
  };
}
