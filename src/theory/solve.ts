import { XiError } from '../core/errors.ts';

/** A square matrix in factors. */
export interface Factors {
  /** x with `matrix x = right`. */
  solve(right: ArrayLike<number>): Float64Array;
  /** The condition number ‖A‖₁ ‖A⁻¹‖₁. */
  readonly condition: number;
}

/**
 * LU with partial pivoting of a row-major n×n matrix, 2n³/3 operations; the condition number costs 2n³ more. n is a number of
 * templates here, so that this is never the work that counts.
 *
 * @throws XiError E_NUMERIC when the matrix is singular to working precision.
 */
export function factorize(where: string, matrix: ArrayLike<number>, n: number): Factors {
  const lu = Float64Array.from(matrix);
  const order = Array.from({ length: n }, (_, row) => row);
  for (let p = 0; p < n; p++) {
    let best = p;
    for (let row = p + 1; row < n; row++)
      if (Math.abs(lu[row * n + p]) > Math.abs(lu[best * n + p])) best = row;
    if (!(Math.abs(lu[best * n + p]) > 0)) throw singular(where, Number.POSITIVE_INFINITY);
    if (best !== p) {
      const upper = lu.slice(p * n, (p + 1) * n);
      lu.copyWithin(p * n, best * n, (best + 1) * n);
      lu.set(upper, best * n);
      [order[p], order[best]] = [order[best], order[p]];
    }
    for (let row = p + 1; row < n; row++) {
      const factor = lu[row * n + p] / lu[p * n + p];
      lu[row * n + p] = factor;
      for (let col = p + 1; col < n; col++) lu[row * n + col] -= factor * lu[p * n + col];
    }
  }
  const solve = (right: ArrayLike<number>): Float64Array => substitute(lu, order, right);
  const condition = columnNorm(n, (col, row) => matrix[row * n + col]) * inverseNorm(n, solve);
  if (!(condition * Number.EPSILON < 1)) throw singular(where, condition);
  return { solve, condition };
}

function substitute(lu: Float64Array, order: readonly number[], right: ArrayLike<number>): Float64Array {
  const n = order.length;
  const x = Float64Array.from(order, (row) => right[row]);
  for (let row = 1; row < n; row++) for (let col = 0; col < row; col++) x[row] -= lu[row * n + col] * x[col];
  for (let row = n - 1; row >= 0; row--) {
    for (let col = row + 1; col < n; col++) x[row] -= lu[row * n + col] * x[col];
    x[row] /= lu[row * n + row];
  }
  return x;
}

function inverseNorm(n: number, solve: (right: Float64Array) => Float64Array): number {
  const columns = Array.from({ length: n }, (_, col) => {
    const unit = new Float64Array(n);
    unit[col] = 1;
    return solve(unit);
  });
  return columnNorm(n, (col, row) => columns[col][row]);
}

/** ‖·‖₁, the largest sum of magnitudes of a column. */
function columnNorm(n: number, at: (col: number, row: number) => number): number {
  let norm = 0;
  for (let col = 0; col < n; col++) {
    let sum = 0;
    for (let row = 0; row < n; row++) sum += Math.abs(at(col, row));
    norm = Math.max(norm, sum);
  }
  return norm;
}

const singular = (where: string, condition: number): XiError =>
  new XiError(
    'E_NUMERIC',
    `${where}: expected an invertible matrix, received one of condition ${condition.toPrecision(3)}`,
  );
