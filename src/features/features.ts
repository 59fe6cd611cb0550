import type { Activation, Backend, Storage, Strided } from '../backend/interface.ts';

/** A dense matrix of `cols` columns, and its transpose. */
export function dense(data: Storage, cols: number): Strided {
  return { data, rowStride: cols, colStride: 1 };
}
export function transposed(view: Strided): Strided {
  return { data: view.data, rowStride: view.colStride, colStride: view.rowStride };
}

/** Sizes of f(x) = σ(Ax + b): `rows` inputs of size N, features of size M. */
export interface FeatureSizes {
  readonly rows: number;
  readonly N: number;
  readonly M: number;
  readonly activation: Activation;
}

/** `F[r,:] = σ(A x[r,:] + b)`; x [rows,N], A [M,N], b [M], F [rows,M]; 2·rows·N·M operations. */
export function featuresForward(
  backend: Backend,
  { rows, N, M, activation }: FeatureSizes,
  x: Storage,
  A: Storage,
  b: Storage,
  F: Storage,
): void {
  backend.matmul(rows, M, N, dense(x, N), transposed(dense(A, N)), dense(F, M), false);
  backend.activate(activation, rows, M, b, F);
}

/** From dF (which it overwrites with the gradient before σ): dA, db and, where wanted, dx. */
export function featuresBackward(
  backend: Backend,
  { rows, N, M, activation }: FeatureSizes,
  from: { readonly x: Storage; readonly A: Storage; readonly F: Storage; readonly dF: Storage },
  to: { readonly dA: Storage; readonly db: Storage; readonly dx?: Storage },
): void {
  backend.activateGradient(activation, rows, M, from.F, from.dF, to.db);
  backend.matmul(M, N, rows, transposed(dense(from.dF, M)), dense(from.x, N), dense(to.dA, N), false);
  if (to.dx) backend.matmul(rows, N, M, dense(from.dF, M), dense(from.A, N), dense(to.dx, N), false);
}
