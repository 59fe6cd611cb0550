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

  /** ‖A − Q B‖ by its elements, in blocks of rows that bound the memory. */
  residual(A: Matrix, Q: Matrix, B: Matrix): number {
    const block = Math.max(1, Math.floor(2 ** 18 / Math.max(1, A.cols)));
    const negated = Q.data.map((value) => -value);
    const { backend } = this;
    return borrowing((borrow) => {
      const right = borrow(backend.adopt(B.data));
      const buffer = borrow(backend.allocate('float64', Math.min(block, A.rows) * A.cols));
      let squares = 0;
      for (let row = 0; row < A.rows; row += block) {
        const count = Math.min(block, A.rows - row);
        const part = buffer.at(0, count * A.cols);
        part.write(A.data.subarray(row * A.cols, (row + count) * A.cols));
        const left = borrow(backend.adopt(negated.subarray(row * Q.cols, (row + count) * Q.cols)));
        const strided = (data: Storage, rowStride: number) => ({ data, rowStride, colStride: 1 });
        backend.matmul(
          count,
          A.cols,
          Q.cols,
          strided(left, Q.cols),
          strided(right, A.cols),
          strided(part, A.cols),
          true,
        );
        squares += backend.sumSquares(part);
      }
      return Math.sqrt(squares);
    });
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
