import { aborted, checkCallback, checkSignal, integer, mismatch, XiError } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';
import type { Shape, Tensor } from '../core/tensor.ts';
import { elementCount } from '../core/tensor.ts';
import { firstColumns, firstRows, identity, type Linear, type Matrix, matrix, transpose } from './matrix.ts';
import { maxvol } from './maxvol.ts';
import { checkMemory, TRUNCATION_KEYS, type TruncationOptions, truncation } from './options.ts';
import { rankFor } from './truncate.ts';
import { core, type TensorTrain, ttEvaluate } from './tt.ts';

/** Elements at index tuples [n, T], row-major: one value for each row. */
export type ElementFunction = (indices: Int32Array) => ArrayLike<number>;

/** Error, ranks and sweeps of {@link ttCross}. */
export interface TtCrossOptions extends TruncationOptions {
  /** Wanted error at random samples, relative to their root mean square; 1e-10. */
  readonly eps?: number;
  /** Most ranks: one number for all, or a list of those between two modes; 256. */
  readonly maxRanks?: TruncationOptions['maxRanks'];
  /** Most sweeps in both directions; 10. */
  readonly maxSweeps?: number;
  /** Random index tuples at which the error is estimated, drawn apart from those that the train is made from; 1000. */
  readonly samples?: number;
  /** Of the first index tuples and of the samples; 0. */
  readonly seed?: number;
  /**
   * Stops before the function is called again with E_ABORTED, if it was aborted before the call, by the function or by `onSweep`:
   * nothing else runs meanwhile.
   */
  readonly signal?: AbortSignal;
  /** Told after each sweep. */
  readonly onSweep?: (report: TtCrossSweep) => void;
}

/** A sweep of {@link ttCross}, there and back. */
export interface TtCrossSweep {
  /** From 1. */
  readonly sweep: number;
  /** Sweeps there are at most. */
  readonly maxSweeps: number;
  /** Of the train after it, at the random samples. */
  readonly error: number;
  /** Largest rank of the train. */
  readonly rank: number;
  /** How many elements have been asked for. */
  readonly evaluations: number;
}

export interface TtCrossResult extends TensorTrain {
  /** √(Σ (f − TT)² / Σ f²) over the random samples: an estimate, not a bound. */
  readonly error: number;
  /** The largest |f − TT| among them. */
  readonly largest: number;
  /** Whether `error` is within `eps`. */
  readonly converged: boolean;
  /** How many elements were asked for. */
  readonly evaluations: number;
}

/**
 * A tensor train of a function of indices from a few of its elements, by cross interpolation: O(T n² r²) of them a sweep.
 *
 * For neighbouring modes t, t+1 the superblock `f(I_{t−1}, i_t, i_{t+1}, J_{t+2})` is evaluated and cut by an SVD, and maxvol chooses
 * the rows I_t (columns J_{t+1} on the way back) that interpolate it; so ranks adapt (Oseledets & Tyrtyshnikov, Linear Algebra Appl. 432, 2010;
 * Savostyanov & Oseledets, Fast adaptive interpolation, 2011).
 *
 * The event loop has no turn meanwhile, nor may the function be asynchronous: call it in a worker thread where one must go on.
 *
 * There is no guarantee: a function that is zero at almost all elements can be missed. `error` is what fresh random samples say.
 *
 * @throws XiError E_NUMERIC if the function returns NaN or an infinity, E_ARGUMENT for wrong options or lengths, E_MEMORY if a
 * superblock exceeds `maxBytes`; E_ABORTED.
 */
export function ttCross(f: ElementFunction, shape: Shape, options: TtCrossOptions = {}): TtCrossResult {
  if (typeof f !== 'function')
    throw mismatch('E_ARGUMENT', 'ttCross f', 'a function of Int32Array [n, T]', f);
  if (!Array.isArray(shape) || shape.length === 0 || shape.some((n) => !(Number.isInteger(n) && n > 0)))
    throw mismatch('E_SHAPE', 'ttCross shape', 'extents of at least 1', shape);
  for (const n of shape) elementCount([n], 'ttCross shape');
  const keys = [...TRUNCATION_KEYS, 'maxSweeps', 'samples', 'seed', 'signal', 'onSweep'];
  const wanted = { ...options, eps: options.eps ?? 1e-10, maxRanks: options.maxRanks ?? 256 };
  const { linear, eps, maxRanks, maxBytes } = truncation('ttCross', wanted, shape.length - 1, keys);
  const { maxSweeps = 10, samples = 1000, seed = 0 } = options;
  integer('ttCross maxSweeps', maxSweeps, 1, 10_000);
  integer('ttCross samples', samples, 1, 10_000_000);
  integer('ttCross seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const { signal, onSweep } = options;
  checkSignal('ttCross', signal);
  checkCallback('ttCross onSweep', onSweep);
  // A mode of extent 1 leaves no choice of rows, and a rank could not grow through it.
  const modes = shape.flatMap((n, t) => (n > 1 ? [t] : []));
  if (modes.length < shape.length && modes.length > 0) {
    // Between two modes that are left there may be several cuts, which all have one rank.
    const between = modes.slice(1).map((to, n) => Math.min(...maxRanks.slice(modes[n], to)));
    const inner = ttCross(
      (few) => f(spread(few, modes, shape.length)),
      modes.map((t) => shape[t]),
      { ...options, maxRanks: between },
    );
    return { ...inner, cores: withUnitModes(inner.cores, shape, maxBytes) };
  }
  const cross = new Cross(f, shape, linear, new Rng(seed), { eps, maxRanks, maxBytes, signal });
  const test = cross.randomIndices(samples);
  const truth = cross.evaluate(test);
  let best: Omit<TtCrossResult, 'converged' | 'evaluations'> | undefined;
  for (let sweep = 0; sweep < maxSweeps; sweep++) {
    const cores = cross.rightwards();
    const found = deviation(truth, ttEvaluate({ cores }, test));
    if (!best || found.error < best.error) best = { cores, ...found };
    const rank = Math.max(...cores.map((one) => one.shape[2]));
    onSweep?.({ sweep: sweep + 1, maxSweeps, error: found.error, rank, evaluations: cross.evaluations });
    if (best.error <= eps) break;
    cross.leftwards();
  }
  const { evaluations } = cross;
  return { ...best!, converged: best!.error <= eps, evaluations };
}

/** Index tuples of some modes as tuples of `count`, 0 at all others. */
function spread(few: Int32Array, modes: readonly number[], count: number): Int32Array {
  const all = new Int32Array((few.length / modes.length) * count);
  for (let n = 0; n < few.length; n++)
    all[Math.floor(n / modes.length) * count + modes[n % modes.length]] = few[n];
  return all;
}

/** A train over the modes of more than one element with those of one in between: identities. */
function withUnitModes(cores: readonly Tensor[], shape: Shape, maxBytes: number): Tensor[] {
  let [next, rank] = [0, 1];
  return shape.map((n) => {
    if (n > 1) {
      rank = cores[next].shape[2];
      return cores[next++];
    }
    checkMemory('ttCross core', rank * rank, maxBytes);
    return core(rank, 1, rank, identity(rank).data);
  });
}

function deviation(truth: Float64Array, found: Float64Array): { error: number; largest: number } {
  let [squares, wrong, largest] = [0, 0, 0];
  const size = truth.reduce((most, value) => Math.max(most, Math.abs(value)), 0) || 1;
  for (const [n, value] of truth.entries()) {
    const difference = Math.abs(value - found[n]);
    squares += (value / size) ** 2;
    wrong += (difference / size) ** 2;
    largest = Math.max(largest, difference);
  }
  return { error: squares > 0 ? Math.sqrt(wrong / squares) : Math.sqrt(wrong), largest };
}

interface Limits {
  readonly eps: number;
  readonly maxRanks: readonly number[];
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

/** Index sets and the function: I_t are tuples of the first t modes, J_t of those from t on, one a row. */
class Cross {
  evaluations = 0;
  private readonly f: ElementFunction;
  private readonly shape: Shape;
  private readonly linear: Linear;
  private readonly rng: Rng;
  private readonly limits: Limits;
  private readonly left: number[][][];
  private readonly right: number[][][];

  constructor(f: ElementFunction, shape: Shape, linear: Linear, rng: Rng, limits: Limits) {
    this.f = f;
    this.shape = shape;
    this.linear = linear;
    this.rng = rng;
    this.limits = limits;
    this.left = shape.map(() => []);
    this.left[0] = [[]];
    // Two random tuples to begin with: one alone may meet zeros only.
    this.right = shape.map((_, t) => this.tuples(2, t));
    this.right.push([[]]);
  }

  private tuples(count: number, from: number): number[][] {
    return Array.from({ length: count }, () => this.shape.slice(from).map((n) => this.rng.below(n)));
  }

  randomIndices(count: number): Int32Array {
    return Int32Array.from(this.tuples(count, 0).flat());
  }

  evaluate(indices: Int32Array): Float64Array {
    const count = indices.length / this.shape.length;
    const { signal } = this.limits;
    if (signal?.aborted) throw aborted(`ttCross: stopped after ${this.evaluations} evaluations`, signal);
    const given = this.f(indices);
    if (given?.length !== count)
      throw mismatch('E_ARGUMENT', 'ttCross f', `${count} values`, given?.length ?? given);
    const values = Float64Array.from(given);
    for (const value of values) {
      if (!Number.isFinite(value))
        throw new XiError('E_NUMERIC', `ttCross f: expected finite values, received ${value}`);
    }
    this.evaluations += count;
    return values;
  }

  /** f over all combinations of left tuples, middle modes [t, t + width) and right tuples, as [left·n, n′·right]. */
  private block(t: number, width: 1 | 2): Matrix {
    const [lefts, rights] = [this.left[t], this.right[t + width]];
    const [n, m] = [this.shape[t], width === 2 ? this.shape[t + 1] : 1];
    const [rows, cols] = [lefts.length * n, m * rights.length];
    checkMemory('ttCross superblock', rows * cols * this.shape.length, this.limits.maxBytes);
    const indices = new Int32Array(rows * cols * this.shape.length);
    let at = 0;
    for (const before of lefts) {
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < m; j++) {
          for (const after of rights) {
            const tuple = width === 2 ? [...before, i, j, ...after] : [...before, i, ...after];
            indices.set(tuple, at);
            at += tuple.length;
          }
        }
      }
    }
    return matrix(rows, cols, this.evaluate(indices));
  }

  /** The SVD of the superblock of modes t and t + 1, cut to its numerical rank. */
  private cut(t: number): { U: Matrix; Vt: Matrix } {
    const { U, s: values, Vt } = this.linear.svd(this.block(t, 2));
    // Beside the largest, since squares of values beyond 1e±154 are no numbers.
    const s = values.map((value) => value / (values[0] || 1));
    const size = Math.sqrt(s.reduce((sum, value) => sum + value * value, 0));
    const steps = Math.sqrt(Math.max(1, this.shape.length - 1));
    // Never below the rounding errors of the elements, whose directions mean nothing.
    const threshold = Math.max(this.limits.eps / (4 * steps), 1e-14) * size;
    const { rank } = rankFor(s, threshold, this.limits.maxRanks[t]);
    return { U: firstColumns(U, rank), Vt: firstRows(Vt, rank) };
  }

  /** Chooses I_1, I_2, … and returns the cores that interpolate there. */
  rightwards(): Tensor[] {
    const cores: Tensor[] = [];
    const { shape } = this;
    for (let t = 0; t + 1 < shape.length; t++) {
      const { rows, C } = maxvol(this.cut(t).U);
      const n = shape[t];
      cores.push(core(this.left[t].length, n, C.cols, C.data));
      this.left[t + 1] = rows.map((row) => [...this.left[t][Math.floor(row / n)], row % n]);
    }
    const last = shape.length - 1;
    const { data } = this.block(last, 1);
    cores.push(core(this.left[last].length, shape[last], 1, data));
    return cores;
  }

  /** Chooses J_T, J_{T−1}, … */
  leftwards(): void {
    for (let t = this.shape.length - 2; t >= 0; t--) {
      const { rows } = maxvol(transpose(this.cut(t).Vt));
      const count = this.right[t + 2].length;
      this.right[t + 1] = rows.map((row) => [Math.floor(row / count), ...this.right[t + 2][row % count]]);
    }
  }
}
