import type { Backend } from '../backend/interface.ts';
import { borrowing } from '../backend/storage.ts';
import type { Tensor } from '../core/tensor.ts';

/** The singular values of a matrix [m,n], descending, in float64 whatever its dtype. */
export function singularValuesOf(backend: Backend, { shape: [m, n], data }: Tensor): Float64Array {
  const values = data instanceof Float64Array ? data : Float64Array.from(data);
  return borrowing((borrow) => backend.singularValues(m, n, borrow(backend.adopt(values))));
}

/** The rank of a matrix [m,n] of residues modulo a prime. */
export function rankModuloOf(backend: Backend, { shape: [m, n], data }: Tensor, prime: number): number {
  return borrowing((borrow) => backend.rankModulo(m, n, borrow(backend.adopt(data)), prime));
}
