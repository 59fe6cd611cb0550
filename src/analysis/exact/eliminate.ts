import type { Backend } from '../../backend/interface.ts';
import { borrowing } from '../../backend/storage.ts';
import { atOnce, type Parts } from '../../core/parts.ts';
import { dense } from '../../features/features.ts';
import type { PrimeField } from './modular.ts';

/** The rank of a matrix modulo a prime with what proves it: the square matrix of these rows and columns is not singular. */
export interface Pivots {
  readonly rank: number;
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/** Rows that are updated at a time. */
const ROWS = 256;

/**
 * Gaussian elimination modulo a prime of a matrix [m,n] of residues, which it overwrites. Panels of as many columns as products
 * of residues can be added up exactly in a double; what is right of a panel is updated by the backend's matrix product.
 * O(m n rank).
 */
export function eliminate(...args: Parameters<typeof eliminationParts>): Pivots {
  return atOnce(eliminationParts(...args));
}

/** {@link eliminate} in parts, a panel each. */
export function* eliminationParts(
  backend: Backend,
  field: PrimeField,
  A: Float64Array,
  m: number,
  n: number,
): Parts<Pivots> {
  const order = Int32Array.from({ length: m }, (_, row) => row);
  const columns: number[] = [];
  for (let start = 0; start < n && columns.length < m; start += field.chunk) {
    const end = Math.min(n, start + field.chunk);
    const top = columns.length;
    const multipliers = factorPanel(field, A, n, { start, end, top }, order, columns);
    updateRight(
      backend,
      field,
      A,
      n,
      { end, top, count: columns.length - top, width: end - start },
      multipliers,
    );
    yield;
  }
  const rank = columns.length;
  return { rank, rows: Array.from(order.subarray(0, rank)), columns };
}

/** Eliminates within columns [start, end) of the rows from `top` on; returns −(multipliers) [rows, end − start]. */
function factorPanel(
  field: PrimeField,
  A: Float64Array,
  n: number,
  { start, end, top }: { readonly start: number; readonly end: number; readonly top: number },
  order: Int32Array,
  columns: number[],
): Float64Array {
  const m = order.length;
  const width = end - start;
  const multipliers = new Float64Array((m - top) * width);
  for (let column = start; column < end && columns.length < m; column++) {
    const pivot = columns.length;
    let found = pivot;
    while (found < m && A[found * n + column] === 0) found++;
    if (found === m) continue;
    if (found !== pivot) {
      swap(A, found * n, pivot * n, n);
      swap(multipliers, (found - top) * width, (pivot - top) * width, width);
      [order[found], order[pivot]] = [order[pivot], order[found]];
    }
    const inverse = field.invert(A[pivot * n + column]);
    for (let row = pivot + 1; row < m; row++) {
      const value = A[row * n + column];
      if (value === 0) continue;
      const factor = field.negate(field.multiply(value, inverse));
      multipliers[(row - top) * width + (pivot - top)] = factor;
      for (let c = column; c < end; c++) {
        A[row * n + c] = field.reduce(A[row * n + c] + factor * A[pivot * n + c]);
      }
    }
    columns.push(column);
  }
  return multipliers;
}

/** Applies the `count` pivots of a panel to the columns from `end` on. */
function updateRight(
  backend: Backend,
  field: PrimeField,
  A: Float64Array,
  n: number,
  {
    end,
    top,
    count,
    width,
  }: { readonly end: number; readonly top: number; readonly count: number; readonly width: number },
  multipliers: Float64Array,
): void {
  const right = n - end;
  const rows = multipliers.length / width;
  if (right === 0 || count === 0) return;
  for (let b = 1; b < count; b++) {
    const row = (top + b) * n + end;
    for (let a = 0; a < b; a++) {
      const factor = multipliers[b * width + a];
      if (factor === 0) continue;
      const pivot = (top + a) * n + end;
      for (let c = 0; c < right; c++) A[row + c] += factor * A[pivot + c];
    }
    for (let c = 0; c < right; c++) A[row + c] = field.reduce(A[row + c]);
  }
  borrowing((borrow) => {
    const pivots = new Float64Array(count * right);
    for (let b = 0; b < count; b++) {
      const from = (top + b) * n + end;
      pivots.set(A.subarray(from, from + right), b * right);
    }
    const U = borrow(backend.adopt(pivots));
    const L = borrow(backend.adopt(multipliers));
    for (let first = count; first < rows; first += ROWS) {
      const block = Math.min(ROWS, rows - first);
      const product = borrow(backend.allocate('float64', block * right));
      const left = { data: L.at(first * width), rowStride: width, colStride: 1 };
      backend.matmul(block, right, count, left, dense(U, right), dense(product, right), false);
      const sums = product.take();
      for (let r = 0; r < block; r++) {
        const row = (top + first + r) * n + end;
        const from = r * right;
        for (let c = 0; c < right; c++) A[row + c] = field.reduce(A[row + c] + sums[from + c]);
      }
      product.release();
    }
  });
}

function swap(values: Float64Array, x: number, y: number, length: number): void {
  const kept = values.slice(x, x + length);
  values.copyWithin(x, y, y + length);
  values.set(kept, y);
}
