import { mismatch } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import type { Tensor } from '../core/tensor.ts';
import { type IndexTuples, indexTuples } from './indices.ts';
import { type Matrix, matrix } from './matrix.ts';
import { type ComputeOptions, checkElements, checkPart, computing, tensor64 } from './options.ts';
import { careFor, elementsOf, type Factor, level } from './range.ts';
import { withPower } from './scale.ts';
import { narrow, type Wide, wide, wideKhatriRao, wideProduct, wideTransposed } from './wide.ts';

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
 * @throws XiError E_MEMORY before anything is allocated if they exceed `maxBytes`; E_NUMERIC for an element that overflows.
 * Products on the way may be of any size.
 */
export function cpFull(cp: CP, options: ComputeOptions = {}): Tensor {
  const { weights, factors } = cpParts('cpFull', cp);
  const { linear, maxBytes } = computing('cpFull', options);
  const shape = factors.map(({ rows }) => rows);
  checkElements('cpFull', product(shape), maxBytes);
  const half = halfOf(shape);
  for (const side of [shape.slice(0, half), shape.slice(half)])
    checkElements('cpFull', product(side) * weights.length, maxBytes);
  const R = weights.length;
  const ordinary = () => {
    const left = factors.slice(0, half).reduce(khatriRao, matrix(1, R, weights));
    return linear.timesTransposed(left, khatriRaoOf(factors.slice(half), R)).data;
  };
  return tensor64(
    shape,
    elementsOf('cpFull', linear, factorsOf(weights, factors), ordinary, () =>
      wideTerms(weights, factors, half),
    ),
  );
}

const factorsOf = (weights: Float64Array, factors: readonly Matrix[]): Factor[] =>
  [weights, ...factors.map(({ data }) => data)].map((data, n) => ({
    data,
    terms: n === 0 ? weights.length : 1,
  }));

/** All elements, of any size; the terms of as many modes come first. */
function wideTerms(weights: Float64Array, factors: readonly Matrix[], half: number): Wide {
  const left = factors
    .slice(0, half)
    .map(wide)
    .reduce(wideKhatriRao, wide(matrix(1, weights.length, weights)));
  const ones = wide(khatriRaoOf([], weights.length));
  return wideProduct(left, wideTransposed(factors.slice(half).map(wide).reduce(wideKhatriRao, ones)));
}

/**
 * Elements at index tuples [n, T]; n·T·R operations.
 *
 * @throws XiError E_ARGUMENT for indices that the tensor does not have, E_NUMERIC for an element that overflows; products on the way may be of
 * any size.
 */
export function cpEvaluate(cp: CP, indices: IndexTuples): Float64Array {
  const where = 'cpEvaluate';
  const { weights, factors } = cpParts(where, cp);
  const T = factors.length;
  const tuples = indexTuples(
    `${where} indices`,
    indices,
    factors.map(({ rows }) => rows),
  );
  const care = careFor(factorsOf(weights, factors));
  return Float64Array.from({ length: tuples.length / T }, (_, sample) => {
    const rows = factors.map(({ cols, data }, t) => {
      const i = tuples[sample * T + t];
      return data.subarray(i * cols, (i + 1) * cols);
    });
    const terms = weights.slice();
    const leveled = () => (care === 'level' ? level(terms, terms.length) : 0);
    let power = care === 'wide' ? Number.NaN : leveled();
    for (const row of rows) {
      for (let r = 0; r < terms.length; r++) terms[r] *= row[r];
      power += leveled();
    }
    const sum = terms.reduce((total, term) => total + term, 0);
    if (!Number.isNaN(power)) return withPower(where, sum, power);
    // Where ordinary arithmetic might not get it.
    const single = rows.map((row) => matrix(1, row.length, row));
    return narrow(where, wideTerms(weights, single, T))[0];
  });
}
