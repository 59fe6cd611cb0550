import { type Matrix, matrix, transpose } from './matrix.ts';
import { timesPower, withPower } from './scale.ts';

/**
 * A matrix of numbers mantissa · 2^exponent, which neither overflow nor vanish: for factors whose products leave the range of float64 on
 * the way to elements that are within it.
 */
export interface Wide {
  readonly rows: number;
  readonly cols: number;
  readonly mantissas: Float64Array;
  readonly exponents: Float64Array;
}

/** 2^−n, down to the least number that there is. */
const NEGATIVE_POWERS = Float64Array.from({ length: 1075 }, (_, n) => 2 ** -n);

function put({ mantissas, exponents }: Wide, at: number, value: number, exponent: number): void {
  const own = value === 0 ? 0 : Math.floor(Math.log2(Math.abs(value)));
  mantissas[at] = timesPower(value, -own);
  exponents[at] = value === 0 ? 0 : own + exponent;
}

function empty(rows: number, cols: number): Wide {
  const [{ data: mantissas }, { data: exponents }] = [matrix(rows, cols), matrix(rows, cols)];
  return { rows, cols, mantissas, exponents };
}

export function wide({ rows, cols, data }: Matrix): Wide {
  const out = empty(rows, cols);
  for (let n = 0; n < data.length; n++) put(out, n, data[n], 0);
  return out;
}

/** The same values as a matrix of other extents. */
export const wideShape = ({ mantissas, exponents }: Wide, rows: number, cols: number): Wide => ({
  ...{ rows, cols, mantissas, exponents },
});

export const wideRow = (A: Wide, row: number): Wide => ({
  ...{ rows: 1, cols: A.cols },
  mantissas: A.mantissas.subarray(row * A.cols, (row + 1) * A.cols),
  exponents: A.exponents.subarray(row * A.cols, (row + 1) * A.cols),
});

/** A B; some ten times the cost of an ordinary product. */
export function wideProduct(A: Wide, B: Wide): Wide {
  const out = empty(A.rows, B.cols);
  for (let i = 0; i < A.rows; i++) {
    for (let j = 0; j < B.cols; j++) {
      let top = Number.NEGATIVE_INFINITY;
      for (let k = 0; k < A.cols; k++) {
        const [a, b] = [i * A.cols + k, k * B.cols + j];
        if (A.mantissas[a] !== 0 && B.mantissas[b] !== 0)
          top = Math.max(top, A.exponents[a] + B.exponents[b]);
      }
      let sum = 0;
      for (let k = 0; k < A.cols; k++) {
        const [a, b] = [i * A.cols + k, k * B.cols + j];
        const below = top - A.exponents[a] - B.exponents[b];
        if (below < NEGATIVE_POWERS.length)
          sum += A.mantissas[a] * B.mantissas[b] * (NEGATIVE_POWERS[below] ?? 0);
      }
      put(out, i * B.cols + j, sum, top);
    }
  }
  return out;
}

export function wideTransposed({ rows, cols, mantissas, exponents }: Wide): Wide {
  const [{ data }, { data: powers }] = [mantissas, exponents].map((part) =>
    transpose(matrix(rows, cols, part)),
  );
  return { rows: cols, cols: rows, mantissas: data, exponents: powers };
}

/** Rows (i, j) of the Khatri–Rao product: out[(i,j),r] = A[i,r] B[j,r]. */
export function wideKhatriRao(A: Wide, B: Wide): Wide {
  const out = empty(A.rows * B.rows, A.cols);
  for (let n = 0; n < out.mantissas.length; n++) {
    const [row, r] = [Math.floor(n / A.cols), n % A.cols];
    const [a, b] = [Math.floor(row / B.rows) * A.cols + r, (row % B.rows) * A.cols + r];
    put(out, n, A.mantissas[a] * B.mantissas[b], A.exponents[a] + B.exponents[b]);
  }
  return out;
}

/**
 * The values in float64.
 *
 * @throws XiError E_NUMERIC where one overflows.
 */
export const narrow = (where: string, { mantissas, exponents }: Wide): Float64Array =>
  mantissas.map((value, n) => withPower(where, value, exponents[n]));
