import type { Backend, Storage } from '../backend/interface.ts';
import { borrowing } from '../backend/storage.ts';
import type { Tensor } from '../core/tensor.ts';
import { matricization } from './matricize.ts';

/** The singular values of a matricization, descending, in float64 whatever the dtype of the tensor. */
export function singularValuesOf(
  backend: Backend,
  tensor: Tensor,
  rowModes: readonly number[],
): Float64Array {
  const { rows, cols, places } = matricization(tensor.shape, rowModes);
  return borrowing((borrow) =>
    backend.singularValues(rows, cols, borrow(backend.adopt(float64Of(tensor))), places),
  );
}

/** The rank of a matricization with a tolerance where it can be told without singular values, else null; and what tells the tensor. */
export function numericalRankOf(
  backend: Backend,
  tensor: Tensor,
  rowModes: readonly number[],
  tolerance: number,
) {
  const { rows, cols, places } = matricization(tensor.shape, rowModes);
  return borrowing((borrow) => {
    const A = borrow(backend.adopt(float64Of(tensor)));
    const rank = backend.numericalRank(rows, cols, A, tolerance, places);
    return { rank, print: rank === null ? [] : printOf(backend, rows, cols, A) };
  });
}

/** What a tensor is known by again: sums in which every element has a weight of its own, so that signs and places count too. */
export function fingerprintOf(
  backend: Backend,
  tensor: Tensor,
  rowModes: readonly number[],
): readonly number[] {
  const { rows, cols } = matricization(tensor.shape, rowModes);
  return borrowing((borrow) => printOf(backend, rows, cols, borrow(backend.adopt(float64Of(tensor)))));
}

/** Σ x², and Σ w_r x[r,c] for every c with weights between 1 and 2. */
function printOf(backend: Backend, rows: number, cols: number, A: Storage): readonly number[] {
  return borrowing((borrow) => {
    // Multiples of an irrational number modulo 1 are different, and far from one another.
    const weights = Float64Array.from({ length: rows }, (_, r) => 1 + ((r * GOLDEN) % 1));
    const sums = borrow(backend.allocate('float64', cols));
    const row = { data: borrow(backend.adopt(weights)), rowStride: rows, colStride: 1 };
    const matrix = { data: A, rowStride: cols, colStride: 1 };
    backend.matmul(1, cols, rows, row, matrix, { data: sums, rowStride: cols, colStride: 1 }, false);
    return [backend.sumSquares(A), ...sums.read()];
  });
}

const GOLDEN = (Math.sqrt(5) - 1) / 2;

const float64Of = ({ data }: Tensor) => (data instanceof Float64Array ? data : Float64Array.from(data));

/** The rank of a matrix [m,n] of residues modulo a prime. */
export function rankModuloOf(backend: Backend, { shape: [m, n], data }: Tensor, prime: number): number {
  return borrowing((borrow) => backend.rankModulo(m, n, borrow(backend.adopt(data)), prime));
}
