import type { Backend } from '../backend/interface.ts';
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

/** The rank of a matricization with a tolerance where it can be proven without singular values, else null; and Σ x². */
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
    return { rank, squares: rank === null ? Number.NaN : backend.sumSquares(A) };
  });
}

/** Σ x², to know a tensor again. */
export function sumSquaresOf(backend: Backend, tensor: Tensor): number {
  return borrowing((borrow) => backend.sumSquares(borrow(backend.adopt(float64Of(tensor)))));
}

const float64Of = ({ data }: Tensor) => (data instanceof Float64Array ? data : Float64Array.from(data));

/** The rank of a matrix [m,n] of residues modulo a prime. */
export function rankModuloOf(backend: Backend, { shape: [m, n], data }: Tensor, prime: number): number {
  return borrowing((borrow) => backend.rankModulo(m, n, borrow(backend.adopt(data)), prime));
}
