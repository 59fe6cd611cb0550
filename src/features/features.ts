import type { Activation, Backend, Storage, Strided } from '../backend/interface.ts';

/** A dense matrix of `cols` columns, and its transpose. */
export function dense(data: Storage, cols: number): Strided {
  return { data, rowStride: cols, colStride: 1 };
}
export function transposed(view: Strided): Strided {
  return { data: view.data, rowStride: view.colStride, colStride: view.rowStride };
}

/** Inputs of so many rows: values [rows,N], or a token each, which stands for a one-hot row of N. */
export type InputRows = Storage | Int32Array;

/** Sizes of f(x) = σ(Ax + b): `rows` inputs of size N, features of size M. */
export interface FeatureSizes {
  readonly rows: number;
  readonly N: number;
  readonly M: number;
  readonly activation: Activation;
}

/**
 * `F[r,:] = σ(A x[r,:] + b)`; x [rows,N], A [M,N], b [M], F [rows,M]; 2·rows·N·M operations. Of tokens
 * `F[r,:] = σ(A[:,x[r]] + b)`, which needs rows·M loads instead.
 */
export function featuresForward(
  backend: Backend,
  { rows, N, M, activation }: FeatureSizes,
  x: InputRows,
  A: Storage,
  b: Storage,
  F: Storage,
): void {
  if (x instanceof Int32Array) backend.embed(rows, M, N, x, A, F);
  else backend.matmul(rows, M, N, dense(x, N), transposed(dense(A, N)), dense(F, M), false);
  backend.activate(activation, rows, M, b, F);
}

/** From dF (which it overwrites with the gradient before σ): dA, db and, where wanted, dx, which tokens have not. */
export function featuresBackward(
  backend: Backend,
  { rows, N, M, activation }: FeatureSizes,
  from: { readonly x: InputRows; readonly A: Storage; readonly F: Storage; readonly dF: Storage },
  to: { readonly dA: Storage; readonly db: Storage; readonly dx?: Storage },
): void {
  backend.activateGradient(activation, rows, M, from.F, from.dF, to.db);
  if (from.x instanceof Int32Array) backend.embedGradient(rows, M, N, from.x, from.dF, to.dA);
  else backend.matmul(M, N, rows, transposed(dense(from.dF, M)), dense(from.x, N), dense(to.dA, N), false);
  if (to.dx) backend.matmul(rows, N, M, dense(from.dF, M), dense(from.A, N), dense(to.dx, N), false);
}
