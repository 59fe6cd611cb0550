import { type Matrix, matrix } from './matrix.ts';

/** Swaps go on while they raise the volume by more than this factor. */
const GAIN = 1.02;

/**
 * Rows of A [m, r], m ≥ r, whose r × r submatrix has a volume that no exchange of one row raises by more than 2 %, and
 * `C = A · A[rows]⁻¹`, elements of which are at most 1.02 in size (Goreinov, Oseledets, Savostyanov, Tyrtyshnikov & Zamarashkin,
 * How to find a good submatrix, 2010); O(m r²) operations. A must have full column rank.
 */
export function maxvol(A: Matrix): { rows: number[]; C: Matrix } {
  const { rows: m, cols: r } = A;
  const work = A.data.slice();
  const rows: number[] = [];
  const taken = new Uint8Array(m);
  // Gauss & Jordan on the columns, with the largest element left in a column as pivot: work ends as A · A[rows]⁻¹.
  for (let c = 0; c < r; c++) {
    let pivot = -1;
    for (let i = 0; i < m; i++) {
      if (!taken[i] && (pivot < 0 || Math.abs(work[i * r + c]) > Math.abs(work[pivot * r + c]))) pivot = i;
    }
    taken[pivot] = 1;
    rows.push(pivot);
    eliminate(work, m, r, pivot, c);
  }
  for (let swap = 0; swap < 4 * r + 100; swap++) {
    let at = 0;
    for (let n = 1; n < work.length; n++) if (Math.abs(work[n]) > Math.abs(work[at])) at = n;
    if (!(Math.abs(work[at]) > GAIN)) break;
    const [i, c] = [Math.floor(at / r), at % r];
    eliminate(work, m, r, i, c);
    rows[c] = i;
  }
  return { rows, C: matrix(m, r, work) };
}

/** Column operations after which row `pivot` is the unit vector of column c. */
function eliminate(work: Float64Array, m: number, r: number, pivot: number, c: number): void {
  const row = work.slice(pivot * r, (pivot + 1) * r);
  for (let i = 0; i < m; i++) {
    const scaled = work[i * r + c] / row[c];
    for (let k = 0; k < r; k++) work[i * r + k] -= k === c ? 0 : scaled * row[k];
    work[i * r + c] = scaled;
  }
}
