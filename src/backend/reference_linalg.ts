import { mismatch, XiError } from '../core/errors.ts';
import { checkFinite, type FloatArray } from '../core/tensor.ts';
import type { LinearAlgebra, Storage } from './interface.ts';
import { ArrayStorage, arrayOf } from './storage.ts';

/**
 * Linear algebra by its simplest accurate methods: one-sided Jacobi for singular values (Hestenes 1958; Demmel & Veselić,
 * SIAM J. Matrix Anal. Appl. 13, 1992), unblocked Householder reflectors for QR, elimination on residues for ranks.
 */
export const referenceLinearAlgebra: LinearAlgebra = {
  singularValues(rows, cols, A, places) {
    const matrix = places ? new ArrayStorage('float64', gathered(rows, cols, arrayOf(A), places)) : A;
    return jacobi('singularValues', rows, cols, matrix).s;
  },
  svd: (rows, cols, A) => jacobi('svd', rows, cols, A),

  leftSvd(rows, cols, A) {
    const { U, s } = jacobi('leftSvd', rows, cols, A);
    return { U, s };
  },

  qr: (rows, cols, A) => householder('qr', rows, cols, A),
  triangle: (rows, cols, A) => householder('triangle', rows, cols, A).R,

  fullRank(rows, cols, A, bound) {
    const { s } = jacobi('fullRank', rows, cols, A);
    return s.length === 0 || s[s.length - 1] > bound + (rows + cols) * Number.EPSILON * s[0];
  },

  numericalRank(rows, cols, A) {
    // The values themselves are the simplest method.
    checkFinite('numericalRank A', arrayOf(A));
    return rows * cols === 0 ? 0 : null;
  },

  rankModulo(rows, cols, A, prime) {
    const residues = arrayOf(A).slice();
    for (const value of residues) {
      if (!(Number.isInteger(value) && value >= 0 && value < prime))
        throw mismatch('E_ARGUMENT', 'rankModulo A', `integers in [0, ${prime})`, value);
    }
    let rank = 0;
    for (let column = 0; column < cols && rank < rows; column++) {
      let found = rank;
      while (found < rows && residues[found * cols + column] === 0) found++;
      if (found === rows) continue;
      const pivot = residues.slice(found * cols, (found + 1) * cols);
      residues.copyWithin(found * cols, rank * cols, (rank + 1) * cols);
      const inverse = power(pivot[column], prime - 2, prime);
      for (let row = rank + 1; row < rows; row++) {
        const factor = (residues[row * cols + column] * inverse) % prime;
        for (let n = column; n < cols; n++) {
          const at = row * cols + n;
          residues[at] = (residues[at] + (prime - factor) * pivot[n]) % prime;
        }
      }
      rank++;
    }
    return rank;
  },
};

/** The elements `A[places[i] + places[rows + j]]`. */
function gathered(rows: number, cols: number, A: FloatArray, places: Int32Array): Float64Array {
  return Float64Array.from(
    { length: rows * cols },
    (_, at) => A[places[Math.floor(at / cols)] + places[rows + (at % cols)]],
  );
}

/** value^exponent modulo a prime up to 2²⁶: every product is below 2^53. */
function power(value: number, exponent: number, prime: number): number {
  let result = 1;
  for (let rest = exponent, square = value; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = (result * square) % prime;
    square = (square * square) % prime;
  }
  return result;
}

/** A copy scaled by a power of two to a largest element of size 1, and what takes that back; 1 for a matrix of zeros. */
function scaled(kernel: string, A: Storage): { values: Float64Array; scale: number } {
  const values = Float64Array.from(arrayOf(A));
  checkFinite(`${kernel} A`, values);
  const largest = values.reduce((size, value) => Math.max(size, Math.abs(value)), 0);
  const scale = largest > 0 ? 2 ** Math.max(-1022, Math.min(1022, Math.floor(Math.log2(largest)))) : 1;
  for (let n = 0; n < values.length; n++) values[n] /= scale;
  return { values, scale };
}

/** Rotates pairs of rows of W [k, n] until all are orthogonal, and rows of Z [k, k] with them. */
function orthogonalize(W: Float64Array, k: number, n: number, Z: Float64Array): void {
  const rotate = (rows: Float64Array, length: number, p: number, q: number, c: number, s: number) => {
    for (let i = 0; i < length; i++) {
      const x = rows[p * length + i];
      const y = rows[q * length + i];
      rows[p * length + i] = c * x - s * y;
      rows[q * length + i] = s * x + c * y;
    }
  };
  // Rows of the size of rounding errors never become orthogonal to large ones.
  const noise = (Number.EPSILON * norm(W)) ** 2;
  const tolerance = 4 * Number.EPSILON * Math.sqrt(n);
  for (let sweep = 0; sweep < 60; sweep++) {
    let rotated = false;
    for (let p = 0; p < k; p++) {
      for (let q = p + 1; q < k; q++) {
        let [alpha, beta, gamma] = [0, 0, 0];
        for (let i = 0; i < n; i++) {
          const x = W[p * n + i];
          const y = W[q * n + i];
          alpha += x * x;
          beta += y * y;
          gamma += x * y;
        }
        if (Math.min(alpha, beta) <= noise || !(Math.abs(gamma) > tolerance * Math.sqrt(alpha * beta)))
          continue;
        rotated = true;
        const zeta = (beta - alpha) / (2 * gamma);
        const t = (zeta < 0 ? -1 : 1) / (Math.abs(zeta) + Math.hypot(1, zeta));
        const c = 1 / Math.hypot(1, t);
        rotate(W, n, p, q, c, c * t);
        rotate(Z, k, p, q, c, c * t);
      }
    }
    if (!rotated) return;
  }
  throw new XiError('E_NUMERIC', 'singular values: expected Jacobi rotations to end within 60 sweeps');
}

/** One-sided Jacobi on the shorter side: W = Z A with orthogonal rows, whose lengths are the singular values. */
function jacobi(
  kernel: string,
  rows: number,
  cols: number,
  A: Storage,
): { U: Float64Array; s: Float64Array; Vt: Float64Array } {
  const { values, scale } = scaled(kernel, A);
  const wide = rows <= cols;
  const [k, n] = wide ? [rows, cols] : [cols, rows];
  const W = wide ? values : transpose(values, rows, cols);
  const Z = new Float64Array(k * k);
  for (let i = 0; i < k; i++) Z[i * k + i] = 1;
  orthogonalize(W, k, n, Z);
  const lengths = Array.from({ length: k }, (_, i) => norm(W.subarray(i * n, (i + 1) * n)));
  const order = [...lengths.keys()].sort((x, y) => lengths[y] - lengths[x]);
  const short = new Float64Array(k * k);
  const long = new Float64Array(k * n);
  order.forEach((from, to) => {
    short.set(Z.subarray(from * k, (from + 1) * k), to * k);
    for (let i = 0; i < n; i++) long[to * n + i] = W[from * n + i] / (lengths[from] || 1);
  });
  // Rows that vanished, or are too small for their direction to be known, are completed to an orthonormal set.
  const largest = order.length > 0 ? lengths[order[0]] : 0;
  complete(
    long,
    k,
    n,
    order.map((from) => lengths[from] > 1e-14 * largest),
  );
  const s = Float64Array.from(order, (from) => lengths[from] * scale);
  return wide ? { U: transpose(short, k, k), s, Vt: long } : { U: transpose(long, k, n), s, Vt: short };
}

/** Gives each row of X [k, n] that is not `known` a direction orthogonal to all others, by Gram & Schmidt twice. */
function complete(X: Float64Array, k: number, n: number, known: boolean[]): void {
  for (let row = 0, unit = 0; row < k; row++) {
    const x = X.subarray(row * n, (row + 1) * n);
    while (!known[row]) {
      x.fill(0);
      x[unit++] = 1;
      for (let pass = 0; pass < 2; pass++) {
        for (let other = 0; other < k; other++) {
          if (!known[other]) continue;
          const y = X.subarray(other * n, (other + 1) * n);
          let product = 0;
          for (let i = 0; i < n; i++) product += x[i] * y[i];
          for (let i = 0; i < n; i++) x[i] -= product * y[i];
        }
      }
      const length = norm(x);
      // Some unit vector is at least this far from the span of fewer than n vectors.
      known[row] = length > 0.5 / Math.sqrt(n);
      for (let i = 0; i < n; i++) x[i] /= length || 1;
    }
  }
}

/** ‖x‖ of values of size 1. */
const norm = (x: Float64Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0));

function transpose(A: Float64Array, rows: number, cols: number): Float64Array {
  const out = new Float64Array(A.length);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < cols; c++) out[c * rows + r] = A[r * cols + c];
  }
  return out;
}

function householder(
  kernel: string,
  rows: number,
  cols: number,
  A: Storage,
): { Q: Float64Array; R: Float64Array } {
  const { values, scale } = scaled(kernel, A);
  const k = Math.min(rows, cols);
  const vectors: Float64Array[] = [];
  /** (I − 2 v vᵀ/vᵀv) on rows from `first` on of X [rows, width]. */
  const reflect = (v: Float64Array, first: number, X: Float64Array, width: number): void => {
    const square = v.reduce((sum, x) => sum + x * x, 0);
    for (let c = 0; c < width && square > 0; c++) {
      let product = 0;
      for (let i = 0; i < v.length; i++) product += v[i] * X[(first + i) * width + c];
      for (let i = 0; i < v.length; i++) X[(first + i) * width + c] -= ((2 * product) / square) * v[i];
    }
  };
  for (let j = 0; j < k; j++) {
    const v = Float64Array.from({ length: rows - j }, (_, i) => values[(j + i) * cols + j]);
    v[0] += (v[0] < 0 ? -1 : 1) * norm(v);
    reflect(v, j, values, cols);
    vectors.push(v);
    for (let i = j + 1; i < rows; i++) values[i * cols + j] = 0;
  }
  const Q = new Float64Array(rows * k);
  for (let i = 0; i < k; i++) Q[i * k + i] = 1;
  for (let j = k - 1; j >= 0; j--) reflect(vectors[j], j, Q, k);
  return { Q, R: values.slice(0, k * cols).map((value) => value * scale) };
}
