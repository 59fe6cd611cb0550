import { mismatch } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import type { Tensor } from '../core/tensor.ts';
import { type Matrix, matrix } from './matrix.ts';
import { type ComputeOptions, checkElements, checkPart, computing, tensor64 } from './options.ts';

/**
 * A tensor in canonical polyadic (CP) format: `H[i_1,…,i_T] = Σ_r weights[r] Π_t factors_t[i_t,r]`, factors [n_t, R] in float64
 * with columns of norm 1 (Kolda & Bader, SIAM Review 51, 2009).
 */
export interface CP {
  /** [R], float64. */
  readonly weights: Tensor;
  /** [n_t, R] for each mode, float64, with columns of norm 1. */
  readonly factors: readonly Tensor[];
}

/** Rows (i, j) of the Khatri–Rao product: out[(i,j),r] = A[i,r] B[j,r]. */
function khatriRao(A: Matrix, B: Matrix): Matrix {
  const out = matrix(A.rows * B.rows, A.cols);
  let at = 0;
  for (let i = 0; i < A.rows; i++) {
    for (let j = 0; j < B.rows; j++) {
      for (let r = 0; r < A.cols; r++) out.data[at++] = A.data[i * A.cols + r] * B.data[j * B.cols + r];
    }
  }
  return out;
}

/** The Khatri–Rao product of several; ones for none. */
export const khatriRaoOf = (factors: readonly Matrix[], R: number): Matrix =>
  factors.reduce(khatriRao, matrix(1, R, new Float64Array(R).fill(1)));

export function cpParts(where: string, cp: CP): { weights: Float64Array; factors: Matrix[] } {
  const isOne = typeof cp === 'object' && cp !== null && Array.isArray(cp.factors) && cp.factors.length > 0;
  if (!isOne) throw mismatch('E_ARGUMENT', where, 'a CP tensor { weights, factors }', cp);
  const { data } = checkPart(`${where} weights`, cp.weights, 1);
  // Not by map, which passes over holes.
  const factors = Array.from(cp.factors, (factor, t) => {
    const { shape, data: values } = checkPart(`${where} factor ${t}`, factor, 2);
    if (shape[1] !== data.length)
      throw mismatch('E_SHAPE', `${where} factor ${t}`, `${data.length} columns`, shape);
    return matrix(shape[0], shape[1], values as Float64Array);
  });
  return { weights: data as Float64Array, factors };
}

/** How many modes come first where the two Khatri–Rao products have the fewest rows. */
function halfOf(shape: readonly number[]): number {
  const rows = (half: number) => product(shape.slice(0, half)) + product(shape.slice(half));
  let best = 0;
  for (let half = 1; half <= shape.length; half++) if (rows(half) < rows(best)) best = half;
  return best;
}

/**
 * All elements of a CP tensor, [n_1, …, n_T]; 2·N·R operations.
 *
 * @throws XiError E_MEMORY before anything is allocated if they exceed `maxBytes`.
 */
export function cpFull(cp: CP, options: ComputeOptions = {}): Tensor {
  const { weights, factors } = cpParts('cpFull', cp);
  const { linear, maxBytes } = computing('cpFull', options);
  const shape = factors.map(({ rows }) => rows);
  checkElements('cpFull', product(shape), maxBytes);
  const half = halfOf(shape);
  for (const side of [shape.slice(0, half), shape.slice(half)])
    checkElements('cpFull', product(side) * weights.length, maxBytes);
  const left = factors.slice(0, half).reduce(khatriRao, matrix(1, weights.length, weights));
  const right = khatriRaoOf(factors.slice(half), weights.length);
  return tensor64(shape, linear.timesTransposed(left, right).data);
}
