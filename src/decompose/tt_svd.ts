import { integer, mismatch } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { Rng } from '../core/rng.ts';
import { isTensor, type Tensor } from '../core/tensor.ts';
import { firstColumns, firstRows, type Linear, type Matrix, matrix, reshape, transpose } from './matrix.ts';
import {
  BIGGEST_RANK,
  type Dense,
  defaultEps,
  dense,
  TRUNCATION_KEYS,
  type TruncationOptions,
  truncation,
} from './options.ts';
import { withScale } from './scale.ts';
import { split, type Threshold } from './truncate.ts';
import { type ApproximateTT, core } from './tt.ts';

/** Truncation of {@link ttSvd}, and whether it may look for a low rank by random projections. */
export interface TtSvdOptions extends TruncationOptions {
  /** Looks for a low rank at the middle cut by random projections first; for large tensors of low rank. */
  readonly randomized?: boolean;
  /** Of the random projections; 0. */
  readonly seed?: number;
}

/**
 * The tensor train of a tensor, by singular value decompositions from left to right.
 *
 * Each of the T−1 steps leaves out at most `eps·‖H‖/√(T−1)`, so that `‖H − TT‖ ≤ eps·‖H‖`; ranks are the least that do,
 * at least 1, and within √(T−1) of the best error for these ranks (Oseledets, SIAM J. Sci. Comput. 33, 2011, Theorem 2.2). All cores
 * but the last are left-orthogonal; below 2^−900, where that one would lose digits, they are so but for a power of two. `error` is √(Σ of what the steps left out)/‖H‖: what the error is, up to rounding of some ε,
 * and with `randomized` at most is.
 *
 * Costs the SVD of each unfolding, about 2·N·n_t·r_{t−1} operations for N elements; where an unfolding is proven to have
 * full rank nothing but the proof. `randomized` costs two passes over H of 2·N·rank operations, and an eighth of one or more for each
 * rank that is tried: some rows of the middle unfolding are sampled until they show no more directions, what these miss of all of it
 * is measured to be below eps/4, and the two halves are decomposed; where it is not, all rows are sampled. From
 * 2^20 elements on this is tried without the option too, and taken where it misses less than eps/100. With the option and
 * `maxRanks` that limits the middle rank, the sample has that rank + 10 and what it misses goes into `error`. A tensor whose
 * rank is more than a quarter of the middle unfolding is decomposed as without the option.
 *
 * @throws XiError E_NUMERIC for NaN or infinities and where a core overflows, E_ARGUMENT for a negative `eps` or wrong ranks, E_MEMORY above `maxBytes`.
 */
export function ttSvd(tensor: Tensor, options: TtSvdOptions = {}): ApproximateTT {
  const count = isTensor(tensor) && Array.isArray(tensor.shape) ? Math.max(0, tensor.shape.length - 1) : 0;
  const keys = [...TRUNCATION_KEYS, 'randomized', 'seed'];
  const { linear, eps, maxRanks, maxBytes } = truncation(
    'ttSvd',
    options,
    count,
    keys,
    defaultEps(tensor, count, 1e-12),
  );
  const seed = integer('ttSvd seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  const { randomized = false } = options;
  if (typeof randomized !== 'boolean')
    throw mismatch('E_ARGUMENT', 'ttSvd randomized', 'true or false', randomized);
  const H = dense('ttSvd', tensor, linear, maxBytes);
  if (H.norm === 0) {
    const zero = H.shape.map((n) => core(1, n, 1, new Float64Array(n)));
    return { cores: zero, error: 0 };
  }
  const middle = randomized
    ? sampleMiddle(linear, H, maxRanks, { seed, slack: eps / 4, part: 1 / 4 })
    : H.data.length >= WORTH_A_SAMPLE
      ? sampleMiddle(linear, H, [], { seed, slack: eps / 100, part: 1 / 16 })
      : undefined;
  const missed = middle ? middle.residual / H.norm : 0;
  // What the middle missed and what the steps leave out add up, by the triangle inequality.
  const value = Math.max(0, ((eps - missed) * H.norm) / Math.sqrt(Math.max(1, count)));
  const train = new Sweep(linear, { value, norm: H.norm }, maxRanks);
  if (middle) {
    const { at, left, right } = middle;
    const rest = train.run(left, H.shape.slice(0, at));
    train.finish(linear.multiply(rest, right), H.shape.slice(at));
  } else train.finish(matrix(1, H.data.length, H.data), H.shape);
  const cores = withScale('ttSvd', train.cores, H.exponent, 'parts of the size of the norm');
  return { cores, error: missed + Math.sqrt(train.discarded) / H.norm };
}

/** Steps from left to right over what is left of a tensor. */
class Sweep {
  readonly cores: Tensor[] = [];
  discarded = 0;
  private readonly linear: Linear;
  private readonly threshold: Threshold;
  private readonly maxRanks: readonly number[];

  constructor(linear: Linear, threshold: Threshold, maxRanks: readonly number[]) {
    this.linear = linear;
    this.threshold = threshold;
    this.maxRanks = maxRanks;
  }

  /** Splits the modes of `shape` off a tensor [r, …shape, rest] and returns what remains, [r′, rest]. */
  run(tensor: Matrix, shape: readonly number[]): Matrix {
    let rest = tensor;
    let left = this.cores.length === 0 ? 1 : this.cores[this.cores.length - 1].shape[2];
    for (const n of shape) {
      const unfolding = reshape(rest, left * n, rest.data.length / (left * n));
      const step = split(this.linear, unfolding, this.threshold, this.maxRanks[this.cores.length]);
      this.cores.push(core(left, n, step.U.cols, step.U.data));
      this.discarded += step.discarded;
      rest = step.rest;
      left = step.U.cols;
    }
    return rest;
  }

  /** All modes of `shape` but the last, which is what remains. */
  finish(tensor: Matrix, shape: readonly number[]): void {
    const { data } = this.run(tensor, shape.slice(0, -1));
    const n = shape[shape.length - 1];
    // A copy, since a train without steps would share the caller's values.
    this.cores.push(core(data.length / n, n, 1, data.slice()));
  }
}

/** H ≈ left · right over the cut before mode `at`, with orthonormal rows of `right`. */
interface Middle {
  readonly at: number;
  readonly left: Matrix;
  readonly right: Matrix;
  readonly residual: number;
}

/** Columns sampled beyond the wanted rank (Halko, Martinsson & Tropp, SIAM Review 53, 2011, section 4.2). */
const OVERSAMPLING = 10;
/** With them 24 columns, whole vectors of every instruction set. */
const FIRST_SAMPLE = 14;

/**
 * Elements from which on a tensor is sampled without being asked: those of low rank cost a third or less, others a few per cent
 * more. What is missed must be so little that the ranks are those that they would be without.
 */
const WORTH_A_SAMPLE = 2 ** 20;

interface Sampling {
  readonly seed: number;
  /** What may be missed in relation to the norm. */
  readonly slack: number;
  /** Of the middle unfolding's smaller side, beyond which a sample is no cheaper than to decompose. */
  readonly part: number;
}

/** Samples the range of the middle unfolding; undefined where too little of it would be found. */
function sampleMiddle(
  linear: Linear,
  { shape, data, norm }: Dense,
  maxRanks: readonly number[],
  { seed, slack, part }: Sampling,
): Middle | undefined {
  if (shape.length < 2) return undefined;
  const sizes = shape.map((_, t) => product(shape.slice(0, t)));
  const longer = (t: number) => Math.max(sizes[t], data.length / sizes[t]);
  const at = sizes.reduce((best, _, t) => (t > 0 && (best === 0 || longer(t) < longer(best)) ? t : best), 0);
  const A = matrix(sizes[at], data.length / sizes[at], data);
  const most = Math.min(A.rows, A.cols);
  const wanted = maxRanks[at - 1] ?? BIGGEST_RANK;
  const isLimited = wanted < BIGGEST_RANK;
  const rng = new Rng(seed, most);
  // Then no sample is enough.
  if (!isLimited && slack === 0) return undefined;
  const missed = (factors: Factors) => missing(linear, A, factors, norm, slack);
  let someMislead = isLimited;
  for (let size = isLimited ? wanted : FIRST_SAMPLE; size + OVERSAMPLING <= most * part; size *= 2) {
    const count = size + OVERSAMPLING;
    if (!someMislead) {
      const { right, tail } = rowSpace(linear, A, count, slack * norm, rng);
      if (tail > HOPELESS * slack * norm) continue;
      const { left, residual } = projectRows(linear, A, right, norm, slack);
      if (residual <= slack * norm) return { at, left, right, residual };
      someMislead = true;
    }
    const sample = linear.multiply(A, random(A.cols, count, rng));
    let sampled = project(linear, A, sample, isLimited ? 0 : slack * norm);
    let residual = missed(sampled);
    if (residual > slack * norm) {
      if (!isLimited) continue;
      // The rank decides, not eps: a power iteration brings the range near the best one. Its values are squares.
      sampled = project(linear, A, linear.timesTransposed(A, sampled.right), 0);
      residual = missed(sampled);
    }
    const { Q: Zt, R } = linear.qr(transpose(sampled.right));
    return { at, left: linear.timesTransposed(sampled.left, R), right: transpose(Zt), residual };
  }
  return undefined;
}

/** A ≈ left · right, where one of both is orthonormal and the other the product of A with it. */
interface Factors {
  readonly left: Matrix;
  readonly right: Matrix;
  /** ‖left · right‖, which is the norm of the other. */
  readonly kept: number;
}

function random(rows: number, cols: number, rng: Rng): Matrix {
  const omega = matrix(rows, cols);
  for (let n = 0; n < omega.data.length; n++) omega.data[n] = rng.uniform() - 0.5;
  return omega;
}

/** Of the rows of a matrix, the part that a sample looks at first, if there are as many for each of its directions. */
const SOME = 1 / 8;
const ROWS_A_DIRECTION = 4;
/** Of what may be missed, how large the tail of such a sample is where a larger one is drawn right away. */
const HOPELESS = 2;

/** An orthonormal basis of the row space of A, and about ‖tail‖_F of what it misses, as far as some of the rows show it. */
function rowSpace(linear: Linear, A: Matrix, count: number, slack: number, rng: Rng) {
  const some = someRows(A, Math.max(Math.ceil(A.rows * SOME), ROWS_A_DIRECTION * count), rng);
  const { s, Vt } = linear.svd(linear.multiply(random(count, some.rows, rng), some));
  // Each combination has the tail of the rows times the deviation of Ω, 1/√12, and in all directions alike.
  const tail = s[s.length - 1] * Math.sqrt((12 * A.rows) / some.rows);
  return { right: firstRows(Vt, counted(s, slack)), tail };
}

function someRows(A: Matrix, count: number, rng: Rng): Matrix {
  if (count >= A.rows) return A;
  const some = matrix(count, A.cols);
  const rows = rng.permutation(A.rows).slice(0, count).sort();
  rows.forEach((row, n) => {
    some.data.set(A.data.subarray(row * A.cols, (row + 1) * A.cols), n * A.cols);
  });
  return some;
}

/** Of what may be missed, how large a direction of a sample is that counts: those that do not could be a hundred. */
const NEGLIGIBLE = 0.01;

/** How many of the descending singular values of a sample count, 1 at least. */
function counted(s: Float64Array, slack: number): number {
  const beyond = s.findIndex((value) => value < NEGLIGIBLE * slack);
  return Math.max(1, beyond < 0 ? s.length : beyond);
}

/** Q QᵀA for an orthonormal basis Q of the columns of Y, without the directions that do not count. */
function project(linear: Linear, A: Matrix, Y: Matrix, slack: number): Factors {
  const { U, s } = linear.leftSvd(Y);
  const left = firstColumns(U, counted(s, slack));
  const right = linear.transposedTimes(left, A);
  return { left, right, kept: linear.norm(right.data) };
}

/** A · rightᵀ for orthonormal rows, and what it misses. */
function projectRows(linear: Linear, A: Matrix, right: Matrix, norm: number, slack: number) {
  if (slack < LEAST_OF_SQUARES) return linear.residual(A, right);
  const left = linear.timesTransposed(A, right);
  return { left, residual: missing(linear, A, { left, right, kept: linear.norm(left.data) }, norm, slack) };
}

/** What a difference of squares can show at least, in relation to the norm. */
const LEAST_OF_SQUARES = 1e-6;

/**
 * ‖A − left · right‖ at least. As √(‖A‖² − kept²) it has an error of about √(n ε)·‖A‖ from cancellation, which decides only if it
 * or what may be missed is far above that; else element by element.
 */
function missing(
  linear: Linear,
  A: Matrix,
  { left, right, kept }: Factors,
  norm: number,
  slack: number,
): number {
  const rounding = (LEAST_OF_SQUARES * norm) ** 2;
  const square = Math.max(0, norm ** 2 - kept ** 2) + rounding;
  if (Math.sqrt(square) <= slack * norm || square > 1e4 * rounding) return Math.sqrt(square);
  return linear.residual(A, right, left).residual;
}
