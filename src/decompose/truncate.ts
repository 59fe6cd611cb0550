import { firstColumns, identity, type Linear, type Matrix, matrix } from './matrix.ts';

/** A ≈ U rest with orthonormal columns of U; `discarded` is the square of the error ‖A − U rest‖. */
export interface Split {
  readonly U: Matrix;
  readonly rest: Matrix;
  readonly discarded: number;
}

/** The smallest rank of at least 1 and at most `most` whose tail is within the threshold, and the square of that tail. */
export function rankFor(
  s: Float64Array,
  threshold: number,
  most: number,
): { rank: number; discarded: number } {
  let rank = s.length;
  let discarded = 0;
  while (rank > 1) {
    const next = discarded + s[rank - 1] ** 2;
    if (rank <= most && Math.sqrt(next) > threshold) break;
    discarded = next;
    rank--;
  }
  return { rank, discarded };
}

/**
 * What rounding makes of singular values that are zero, together: the least threshold for a matrix of so many rows and columns that comes
 * from a tensor of this norm. Some ε times the norm, and it grows with their number; so ranks do not depend on who computes.
 */
const roundingOf = (rows: number, cols: number, norm: number): number =>
  4 * Number.EPSILON * Math.sqrt(Math.min(rows, cols)) * norm;

/** How much may be left out, of a tensor of this norm. */
export interface Threshold {
  readonly value: number;
  readonly norm: number;
}

/** What may be left out of A: at least what rounding is. */
export const thresholdOf = ({ rows, cols }: Matrix, { value, norm }: Threshold): number =>
  Math.max(value, roundingOf(rows, cols, norm));

/** Below this a decomposition costs less than to ask whether it is needed. */
const WORTH_A_PROOF = 2 ** 14;

/**
 * Splits A into the fewest columns that leave at most `threshold` of it in the Frobenius norm, or what rounding is, and never more
 * than `most`.
 *
 * Where all singular values are proven to exceed the threshold, nothing may be left out, and any orthonormal basis
 * does: that of the axes for a wide A, Q of its QR decomposition for a tall one, at a fraction of the cost of an SVD.
 */
export function split(linear: Linear, A: Matrix, allowed: Threshold, most: number): Split {
  const threshold = thresholdOf(A, allowed);
  const small = Math.min(A.rows, A.cols);
  if (most >= small && A.data.length >= WORTH_A_PROOF && linear.fullRank(sample(A), threshold)) {
    if (A.rows <= A.cols) return { U: identity(A.rows), rest: A, discarded: 0 };
    const { Q, R } = linear.qr(A);
    return { U: Q, rest: R, discarded: 0 };
  }
  const { U, s } = linear.leftSvd(A);
  const { rank, discarded } = rankFor(s, threshold, most);
  const kept = firstColumns(U, rank);
  return { U: kept, rest: linear.transposedTimes(kept, A), discarded };
}

/** Of the longer side of a matrix the part that is asked: more rows or columns can only raise its singular values. */
const SAMPLED = 4;

function sample(A: Matrix): Matrix {
  const [small, large] = [Math.min(A.rows, A.cols), Math.max(A.rows, A.cols)];
  const count = SAMPLED * small;
  if (count >= large) return A;
  const step = Math.floor(large / count);
  if (A.rows > A.cols) {
    const rows = matrix(count, A.cols);
    for (let r = 0; r < count; r++)
      rows.data.set(A.data.subarray(r * step * A.cols, (r * step + 1) * A.cols), r * A.cols);
    return rows;
  }
  const columns = matrix(A.rows, count);
  for (let r = 0; r < A.rows; r++) {
    for (let c = 0; c < count; c++) columns.data[r * count + c] = A.data[r * A.cols + c * step];
  }
  return columns;
}
