import { MAX_PRIME } from '../core/abi.gen.ts';
import { integer, mismatch, XiError } from '../core/errors.ts';
import { isPrime } from '../core/primes.ts';
import { storageDtype } from './checks_sizes.ts';
import type { LinearAlgebra, Storage } from './interface.ts';

/** The same linear algebra behind a check of sizes, dtype and modulus. */
export function checkedLinearAlgebra(kernels: LinearAlgebra): LinearAlgebra {
  const behind =
    <Rest extends readonly unknown[], Result>(
      name: keyof LinearAlgebra,
      call: (rows: number, cols: number, A: Storage, ...rest: Rest) => Result,
    ) =>
    (rows: number, cols: number, A: Storage, ...rest: Rest): Result => {
      checkMatrix(name, rows, cols, A);
      return call(rows, cols, A, ...rest);
    };
  return {
    singularValues: behind('singularValues', (rows, cols, A, places?: Int32Array | null) => {
      if (places) checkPlaces('singularValues', places, rows, cols);
      return kernels.singularValues(rows, cols, A, places);
    }),
    svd: behind('svd', kernels.svd),
    leftSvd: behind('leftSvd', kernels.leftSvd),
    qr: behind('qr', kernels.qr),
    triangle: behind('triangle', kernels.triangle),
    fullRank: behind('fullRank', (rows, cols, A, bound: number) => {
      if (!(bound >= 0 && bound < Number.POSITIVE_INFINITY))
        throw mismatch('E_ARGUMENT', 'fullRank bound', 'a non-negative number', bound);
      return kernels.fullRank(rows, cols, A, bound);
    }),
    numericalRank: behind('numericalRank', (rows, cols, A, tolerance: number, places?: Int32Array | null) => {
      if (!(tolerance >= 0 && tolerance < 1))
        throw mismatch('E_ARGUMENT', 'numericalRank tolerance', 'a number from 0 and below 1', tolerance);
      if (places) checkPlaces('numericalRank', places, rows, cols);
      return kernels.numericalRank(rows, cols, A, tolerance, places);
    }),
    rankModulo: behind('rankModulo', (rows, cols, A, prime: number) => {
      if (!isPrime(integer('rankModulo prime', prime, 2, MAX_PRIME)))
        throw mismatch('E_ARGUMENT', 'rankModulo prime', 'a prime', prime);
      return kernels.rankModulo(rows, cols, A, prime);
    }),
  };
}

function checkMatrix(kernel: string, rows: number, cols: number, A: Storage): void {
  for (const size of [rows, cols]) {
    if (!Number.isSafeInteger(size) || size < 0)
      throw mismatch('E_SHAPE', `${kernel} rows and cols`, 'non-negative integers', [rows, cols]);
  }
  const dtype = storageDtype(kernel, 'A', A);
  if (dtype !== 'float64') throw mismatch('E_DTYPE', `${kernel} A`, 'float64', dtype);
  if (A.length !== rows * cols) {
    throw new XiError('E_SHAPE', `${kernel} A: expected ${rows} × ${cols} elements, received ${A.length}`);
  }
}

function checkPlaces(kernel: string, places: Int32Array, rows: number, cols: number): void {
  const what = `${kernel} places`;
  if (!(places instanceof Int32Array)) throw mismatch('E_DTYPE', what, 'an Int32Array', places);
  if (places.length !== rows + cols) throw mismatch('E_SHAPE', what, `${rows + cols} places`, places.length);
  const largest = (list: Int32Array) => list.reduce((most, place) => Math.max(most, place), 0);
  const last = largest(places.subarray(0, rows)) + largest(places.subarray(rows));
  const least = places.reduce((smallest, place) => Math.min(smallest, place), 0);
  if (least < 0 || (rows * cols > 0 && last >= rows * cols)) {
    const received = least < 0 ? least : last;
    throw mismatch('E_ARGUMENT', what, `elements from 0 to ${rows * cols - 1}`, received);
  }
}
