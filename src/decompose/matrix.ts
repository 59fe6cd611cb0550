import type { Backend, Storage } from '../backend/interface.ts';
import { borrowing } from '../backend/storage.ts';
import { allocate } from '../core/tensor.ts';

/** A row-major matrix in float64. */
export interface Matrix {
  readonly rows: number;
  readonly cols: number;
  readonly data: Float64Array;
}

export function matrix(rows: number, cols: number, data?: Float64Array): Matrix {
  return { rows, cols, data: data ?? (allocate('float64', rows * cols) as Float64Array) };
}

/** The same values as a matrix of other extents. */
export const reshape = ({ data }: Matrix, rows: number, cols: number): Matrix => matrix(rows, cols, data);

export function identity(size: number): Matrix {
  const unit = matrix(size, size);
  for (let n = 0; n < size; n++) unit.data[n * size + n] = 1;
  return unit;
}

/** The first `count` columns. */
export function firstColumns(A: Matrix, count: number): Matrix {
  if (count === A.cols) return A;
  const out = matrix(A.rows, count);
  for (let r = 0; r < A.rows; r++) out.data.set(A.data.subarray(r * A.cols, r * A.cols + count), r * count);
  return out;
}

export const firstRows = (A: Matrix, count: number): Matrix =>
  count === A.rows ? A : matrix(count, A.cols, A.data.slice(0, count * A.cols));

export function transpose(A: Matrix): Matrix {
  const out = matrix(A.cols, A.rows);
  for (let r = 0; r < A.rows; r++) {
    for (let c = 0; c < A.cols; c++) out.data[c * A.rows + r] = A.data[r * A.cols + c];
  }
  return out;
}

/** [left, middle, right] → [middle, left, right]: the matricization of neighbouring modes. */
export function middleFirst(data: Float64Array, left: number, middle: number, right: number): Matrix {
  if (left === 1) return matrix(middle, right, data);
  const out = matrix(middle, left * right);
  for (let l = 0; l < left; l++) {
    for (let m = 0; m < middle; m++) {
      const from = (l * middle + m) * right;
      out.data.set(data.subarray(from, from + right), (m * left + l) * right);
    }
  }
  return out;
}

export function scaleRows(A: Matrix, s: ArrayLike<number>): Matrix {
  return matrix(
    A.rows,
    A.cols,
    A.data.map((value, at) => value * s[Math.floor(at / A.cols)]),
  );
}

/** Elements of a block of rows: two MB. Halves and doubles of it are no faster. */
const BLOCK = 2 ** 18;

/** Products and decompositions of matrices on a backend, with nothing of its memory held afterwards. */
export class Linear {
  readonly backend: Backend;

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** A B; 2·rows·cols·inner operations. */
  multiply(A: Matrix, B: Matrix): Matrix {
    return this.product(A.rows, B.cols, A.cols, A, [A.cols, 1], B, [B.cols, 1]);
  }

  /** Aᵀ B */
  transposedTimes(A: Matrix, B: Matrix): Matrix {
    return this.product(A.cols, B.cols, A.rows, A, [1, A.cols], B, [B.cols, 1]);
  }

  /** A Bᵀ */
  timesTransposed(A: Matrix, B: Matrix): Matrix {
    return this.product(A.rows, B.rows, A.cols, A, [A.cols, 1], B, [1, B.cols]);
  }

  leftSvd(A: Matrix): { U: Matrix; s: Float64Array } {
    const { U, s } = this.with(A, (storage) => this.backend.leftSvd(A.rows, A.cols, storage));
    return { U: matrix(A.rows, s.length, U), s };
  }

  svd(A: Matrix): { U: Matrix; s: Float64Array; Vt: Matrix } {
    const { U, s, Vt } = this.with(A, (storage) => this.backend.svd(A.rows, A.cols, storage));
    return { U: matrix(A.rows, s.length, U), s, Vt: matrix(s.length, A.cols, Vt) };
  }

  qr(A: Matrix): { Q: Matrix; R: Matrix } {
    const { Q, R } = this.with(A, (storage) => this.backend.qr(A.rows, A.cols, storage));
    const k = Math.min(A.rows, A.cols);
    return { Q: matrix(A.rows, k, Q), R: matrix(k, A.cols, R) };
  }

  /** Whether all singular values are proven to exceed `bound`. */
  fullRank(A: Matrix, bound: number): boolean {
    return this.with(A, (storage) => this.backend.fullRank(A.rows, A.cols, storage, bound));
  }

  norm(data: Float64Array): number {
    return Math.sqrt(this.with({ data }, (storage) => this.backend.sumSquares(storage)));
  }

  /**
   * ‖A − Q B‖ by its elements. Without Q that is A Bᵀ, made on the way: blocks of rows that stay in cache come from memory once.
   */
  residual(A: Matrix, B: Matrix, Q?: Matrix): { left: Matrix; residual: number } {
    const { backend } = this;
    const [{ cols }, { rows: r }] = [A, B];
    const left = Q ?? matrix(A.rows, r);
    const most = Math.min(A.rows, Math.max(1, Math.floor(BLOCK / Math.max(1, cols))));
    const strided = (data: Storage, rowStride: number, colStride = 1) => ({ data, rowStride, colStride });
    const squares = borrowing((borrow) => {
      const right = borrow(backend.adopt(B.data));
      const product = borrow(backend.allocate('float64', most * cols));
      let sum = 0;
      for (let row = 0; row < A.rows; row += most) {
        const count = Math.min(most, A.rows - row);
        const of = left.data.subarray(row * r, (row + count) * r);
        sum += borrowing((borrowed) => {
          const part = borrowed(backend.adopt(A.data.subarray(row * cols, (row + count) * cols)));
          const factor = borrowed(backend.adopt(of));
          if (!Q) {
            backend.matmul(
              count,
              r,
              cols,
              strided(part, cols),
              strided(right, 1, cols),
              strided(factor, r),
              false,
            );
            of.set(factor.read());
          }
          const rest = product.at(0, count * cols);
          backend.matmul(
            count,
            cols,
            r,
            strided(factor, r),
            strided(right, cols),
            strided(rest, cols),
            false,
          );
          return backend.sumSquares(part, rest);
        });
      }
      return sum;
    });
    return { left, residual: Math.sqrt(squares) };
  }

  private with<R>({ data }: { data: Float64Array }, work: (storage: Storage) => R): R {
    return borrowing((borrow) => work(borrow(this.backend.adopt(data))));
  }

  private product(
    M: number,
    N: number,
    K: number,
    A: Matrix,
    [aRow, aCol]: readonly [number, number],
    B: Matrix,
    [bRow, bCol]: readonly [number, number],
  ): Matrix {
    const { backend } = this;
    return borrowing((borrow) => {
      const C = backend.allocate('float64', M * N);
      if (M * N * K > 0) {
        const a = borrow(backend.adopt(A.data));
        const b = borrow(backend.adopt(B.data));
        backend.matmul(
          M,
          N,
          K,
          { data: a, rowStride: aRow, colStride: aCol },
          { data: b, rowStride: bRow, colStride: bCol },
          { data: C, rowStride: N, colStride: 1 },
          false,
        );
      }
      return matrix(M, N, C.take() as Float64Array);
    });
  }
}
