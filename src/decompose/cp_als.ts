import { aborted, checkCallback, checkSignal, integer, mismatch } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { Rng } from '../core/rng.ts';
import type { Tensor } from '../core/tensor.ts';
import { type CP, cpFull, khatriRaoOf } from './cp.ts';
import {
  firstColumns,
  type Linear,
  type Matrix,
  matrix,
  middleFirst,
  scaleRows,
  transpose,
} from './matrix.ts';
import {
  BIGGEST_RANK,
  COMPUTE_KEYS,
  type ComputeOptions,
  checkElements,
  computing,
  type Dense,
  dense,
  tensor64,
} from './options.ts';
import { checkRange, timesPower } from './scale.ts';

/** Rank, starts and stopping of {@link cpAls}. */
export interface CpAlsOptions extends ComputeOptions {
  /** R, the number of terms. */
  readonly rank: number;
  /** Starts, the best of which is returned: one from singular vectors, the others random; 10. */
  readonly starts?: number;
  /** Most sweeps over all factors of one start; 1000. */
  readonly maxSweeps?: number;
  /** A start ends when a sweep lowers the relative error by less than this, or to this; 1e-9. With 0 only rounding ends it, or `maxSweeps`. */
  readonly tolerance?: number;
  /** Of the random starts; 0. */
  readonly seed?: number;
  /** Looked at before the first sweep and after each: E_ABORTED if it was aborted before the call or by `onSweep`, since nothing else runs meanwhile. */
  readonly signal?: AbortSignal;
  /** Told after each sweep. */
  readonly onSweep?: (report: CpAlsSweep) => void;
}

/** A sweep of {@link cpAls} over all factors. */
export interface CpAlsSweep {
  /** The start that it belongs to, from 1. */
  readonly start: number;
  /** Starts there are. */
  readonly starts: number;
  /** From 1 in each start. */
  readonly sweep: number;
  /** Relative error after it, to about 1e-12. */
  readonly error: number;
}

export interface CpAlsResult extends CP {
  /** ‖H − CP‖ / ‖H‖, element by element. */
  readonly error: number;
  /** Sweeps of the best start. */
  readonly sweeps: number;
  /** Relative errors that the starts ended with, element by element; the least is that of the best start. */
  readonly errors: readonly number[];
}

/**
 * A CP approximation by alternating least squares from several starts.
 *
 * `U_t ← X_(t) (⊙_{s≠t} U_s) (∗_{s≠t} U_sᵀU_s)⁺` for t = 1…T, again and again (Kolda & Bader 2009, section 3.4). The error never rises from sweep to
 * sweep, but the limit need not be the best approximation, nor need a best one exist: hence the starts.
 *
 * A sweep costs 2·T·N·R operations for N elements, and below an error of 1e-4, where ‖H‖² − ‖CP‖² cancels, 2·N·R more for that of the elements. The event loop has no turn meanwhile: call it in a worker thread where one must go on.
 *
 * @throws XiError E_NUMERIC for NaN or infinities and where a weight overflows, E_ARGUMENT for wrong options, E_MEMORY before anything is allocated
 * if a product of factors, or a Gram matrix [R, R], exceeds `maxBytes`; E_ABORTED.
 */
export function cpAls(tensor: Tensor, options: CpAlsOptions): CpAlsResult {
  const keys = [...COMPUTE_KEYS, 'rank', 'starts', 'maxSweeps', 'tolerance', 'seed', 'signal', 'onSweep'];
  const { linear, maxBytes } = computing('cpAls', options, keys);
  const { starts = 10, maxSweeps = 1000, tolerance = 1e-9, seed = 0 } = options;
  const R = integer('cpAls rank', options.rank, 1, BIGGEST_RANK);
  integer('cpAls starts', starts, 1, 10_000);
  integer('cpAls maxSweeps', maxSweeps, 1, 1_000_000);
  integer('cpAls seed', seed, 0, Number.MAX_SAFE_INTEGER);
  if (!(typeof tolerance === 'number' && tolerance >= 0))
    throw mismatch('E_ARGUMENT', 'cpAls tolerance', 'a non-negative number', tolerance);
  const { signal, onSweep } = options;
  checkSignal('cpAls', signal);
  checkCallback('cpAls onSweep', onSweep);
  const H = dense('cpAls', tensor, linear, maxBytes);
  checkElements('cpAls product of factors', (product(H.shape) / Math.min(...H.shape)) * R, maxBytes);
  checkElements('cpAls factor', Math.max(...H.shape) * R, maxBytes);
  checkElements('cpAls Gram matrix', R * R, maxBytes);
  const fits = Array.from({ length: starts }, (_, n) => {
    const factors = n === 0 ? leadingVectors(linear, H, R) : randomFactors(H, R, new Rng(seed, n));
    const start = n + 1;
    return new Als(linear, H, R, factors).run(maxSweeps, tolerance, (sweep, error) => {
      if (error !== undefined) onSweep?.({ start, starts, sweep, error });
      if (signal?.aborted)
        throw aborted(`cpAls: stopped after sweep ${sweep} of start ${start} of ${starts}`, signal);
    });
  });
  const best = fits.reduce((x, y) => (y.error < x.error ? y : x));
  const cp = normalized(best.factors, H.exponent);
  checkRange('cpAls', [cp.weights], 'norms of the terms');
  return {
    ...cp,
    error: errorOf(linear, H, cp, maxBytes),
    sweeps: best.sweeps,
    errors: fits.map((fit) => fit.error),
  };
}

const randomFactors = ({ shape }: Dense, R: number, rng: Rng): Matrix[] =>
  shape.map((n) =>
    matrix(
      n,
      R,
      Float64Array.from({ length: n * R }, () => rng.normal()),
    ),
  );

/** The leading left singular vectors of each unfolding, with random columns where there are too few. */
function leadingVectors(linear: Linear, H: Dense, R: number): Matrix[] {
  const random = randomFactors(H, R, new Rng(0));
  return H.shape.map((n, t) => {
    const { U } = linear.leftSvd(modeFirst(H, t));
    const kept = firstColumns(U, Math.min(U.cols, R));
    const out = random[t];
    for (let i = 0; i < n; i++) out.data.set(kept.data.subarray(i * kept.cols, (i + 1) * kept.cols), i * R);
    return out;
  });
}

/** The unfolding [n_t, N/n_t]. */
const modeFirst = ({ shape, data }: Dense, t: number): Matrix =>
  middleFirst(data, product(shape.slice(0, t)), shape[t], product(shape.slice(t + 1)));

/** Relative errors below which ‖H‖² − ‖CP‖² has lost half of its digits. */
const CANCELS = 1e-4;

class Als {
  readonly factors: Matrix[];
  private readonly linear: Linear;
  private readonly H: Dense;
  private readonly R: number;
  private readonly grams: Matrix[];

  constructor(linear: Linear, H: Dense, R: number, factors: Matrix[]) {
    this.linear = linear;
    this.H = H;
    this.R = R;
    this.factors = factors;
    this.grams = factors.map((U) => linear.transposedTimes(U, U));
  }

  /** `tell` is told of each sweep, and of none before the first; it may throw. */
  run(
    maxSweeps: number,
    tolerance: number,
    tell: (sweeps: number, error?: number) => void,
  ): { factors: Matrix[]; error: number; sweeps: number } {
    let error = 1;
    let sweeps = 0;
    tell(0);
    while (sweeps < maxSweeps) {
      const before = error;
      error = this.sweep();
      const isLast = ++sweeps === maxSweeps || before - error < tolerance;
      if (isLast || error < CANCELS) error = this.residual();
      tell(sweeps, error);
      if (before - error < tolerance || error <= tolerance) break;
    }
    return { factors: this.factors, error, sweeps };
  }

  /** The relative error, element by element. */
  private residual(): number {
    const { linear, R, H, factors } = this;
    const last = factors.length - 1;
    const unfolded = matrix(H.data.length / H.shape[last], H.shape[last], H.data);
    const { residual } = linear.residual(
      unfolded,
      transpose(factors[last]),
      khatriRaoOf(factors.slice(0, last), R),
    );
    return H.norm === 0 ? 0 : residual / H.norm;
  }

  /** Updates each factor; returns the relative error after the last, by ‖H‖² − ‖CP‖². */
  private sweep(): number {
    const { linear, R, H } = this;
    let fitted = 0;
    for (let t = 0; t < H.shape.length; t++) {
      const others = matrix(R, R, new Float64Array(R * R).fill(1));
      for (const [s, { data }] of this.grams.entries()) {
        if (s !== t) for (let n = 0; n < data.length; n++) others.data[n] *= data[n];
      }
      const right = this.project(t);
      const U = linear.multiply(right, pseudoInverse(linear, others));
      this.factors[t] = U;
      this.grams[t] = linear.transposedTimes(U, U);
      // For the least squares solution ⟨H, CP⟩ = ‖CP‖².
      fitted = 0;
      for (let n = 0; n < U.data.length; n++) fitted += U.data[n] * right.data[n];
    }
    const square = H.norm ** 2;
    return square === 0 ? 0 : Math.sqrt(Math.max(0, square - fitted) / square);
  }

  /** X_(t) ⊙_{s≠t} U_s [n_t, R]: the modes after t by a product, those before by a sum over their rows. */
  private project(t: number): Matrix {
    const { linear, R } = this;
    const { shape, data } = this.H;
    // Without modes after it, the product would be R times as large as the tensor.
    if (t === shape.length - 1) {
      const unfolded = matrix(data.length / shape[t], shape[t], data);
      return linear.transposedTimes(unfolded, khatriRaoOf(this.factors.slice(0, t), R));
    }
    const after = khatriRaoOf(this.factors.slice(t + 1), R);
    const before = khatriRaoOf(this.factors.slice(0, t), R);
    const n = shape[t];
    const partial = linear.multiply(matrix(data.length / after.rows, after.rows, data), after);
    const out = matrix(n, R);
    for (let row = 0; row < partial.rows; row++) {
      const [l, i] = [Math.floor(row / n), row % n];
      for (let r = 0; r < R; r++) out.data[i * R + r] += partial.data[row * R + r] * before.data[l * R + r];
    }
    return out;
  }
}

/** A⁺ of a symmetric positive semidefinite matrix, where values below 1e-12 of the largest count as zero. */
function pseudoInverse(linear: Linear, A: Matrix): Matrix {
  const { U, s, Vt } = linear.svd(A);
  const inverse = Array.from(s, (value) => (value > 1e-12 * s[0] ? 1 / value : 0));
  return linear.multiply(transpose(Vt), scaleRows(transpose(U), inverse));
}

/** Columns of norm 1, with their norms in the weights, the largest first. A term that vanished has unit vectors and the weight 0. */
function normalized(factors: readonly Matrix[], exponent: number): CP {
  const R = factors[0].cols;
  const columns = factors.map((factor) => Array.from({ length: R }, (_, r) => columnOf(factor, r)));
  const weights = Array.from({ length: R }, (_, r) => columns.reduce((size, of) => size * of[r].norm, 1));
  const order = [...weights.keys()].sort((x, y) => weights[y] - weights[x]);
  return {
    weights: tensor64(
      [R],
      Float64Array.from(order, (r) => timesPower(weights[r], exponent)),
    ),
    factors: factors.map(({ rows }, t) =>
      tensor64(
        [rows, R],
        Float64Array.from(
          { length: rows * R },
          (_, at) => columns[t][order[at % R]].unit[Math.floor(at / R)],
        ),
      ),
    ),
  };
}

/** A column as its norm and a vector of norm 1. It is divided by its largest element first, whose square might vanish. */
function columnOf({ rows, cols, data }: Matrix, r: number): { norm: number; unit: Float64Array } {
  const column = Float64Array.from({ length: rows }, (_, i) => data[i * cols + r]);
  const largest = column.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  if (largest === 0) return { norm: 0, unit: column.fill(1, 0, 1) };
  const part = 2 ** Math.max(-1022, Math.floor(Math.log2(largest)));
  const scaled = column.map((value) => value / part);
  const size = Math.sqrt(scaled.reduce((sum, value) => sum + value * value, 0));
  return { norm: size * part, unit: scaled.map((value) => value / size) };
}

function errorOf(linear: Linear, { data, norm, exponent }: Dense, cp: CP, maxBytes: number): number {
  const full = cpFull(cp, { backend: linear.backend, maxBytes }).data as Float64Array;
  const scale = 2 ** -exponent;
  return norm === 0 ? 0 : linear.norm(data.map((value, at) => value - full[at] * scale)) / norm;
}
