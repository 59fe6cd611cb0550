import { checkCallback, checkSignal, integer, mismatch } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';
import type { Shape, Tensor } from '../core/tensor.ts';
import { elementCount } from '../core/tensor.ts';
import { Cross, type ElementFunction } from './cross.ts';
import { Search } from './cross_search.ts';
import { identity } from './matrix.ts';
import { checkElements, TRUNCATION_KEYS, type TruncationOptions, truncation } from './options.ts';
import { core, type TensorTrain } from './tt.ts';

export type { ElementFunction } from './cross.ts';

/** Error, ranks and sweeps of {@link ttCross}. */
export interface TtCrossOptions extends TruncationOptions {
  /** Wanted error at random samples, relative to their root mean square; 1e-10. */
  readonly eps?: number;
  /** Most ranks: one number for all, or a list of those between two modes; 256. */
  readonly maxRanks?: NonNullable<TruncationOptions['maxRanks']>;
  /** Most sweeps in both directions; 10. */
  readonly maxSweeps?: number;
  /** Random index tuples at which the error is estimated, drawn anew for every train; 1000. */
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
  /** At random samples, of the better of the trains on the way there and back. */
  readonly error: number;
  /** Largest rank of that train. */
  readonly rank: number;
  /** How many elements have been asked for. */
  readonly evaluations: number;
}

export interface TtCrossResult extends TensorTrain {
  /**
   * √(Σ (f − TT)² / Σ f²) over random samples that the train was not chosen by: an estimate, not a bound. Over all elements, and so the
   * error itself, where they are at most `samples`, or at most twice as many as were asked for when `eps` was reached.
   */
  readonly error: number;
  /** The largest |f − TT| among them. */
  readonly largest: number;
  /** Whether `error` is within `eps`. */
  readonly converged: boolean;
  /** Sweeps that were done: less than `maxSweeps` without `converged` says that nothing got better any more. */
  readonly sweeps: number;
  /** How many elements were asked for. */
  readonly evaluations: number;
}

/**
 * A tensor train of a function of indices from a few of its elements, by cross interpolation: O(T n² r²) of them a sweep.
 *
 * For neighbouring modes t, t+1 the superblock `f(I_{t−1}, i_t, i_{t+1}, J_{t+2})` is evaluated and cut by an SVD, and maxvol chooses
 * the rows I_t (columns J_{t+1} on the way back) that interpolate it; so ranks adapt (Oseledets & Tyrtyshnikov, Linear Algebra Appl. 432, 2010;
 * Savostyanov & Oseledets, Fast adaptive interpolation, 2011). Nested index sets that lack something keep each other so. Each superblock
 * therefore has more columns (rows on the way back): 4 tuples at random, the kick of TT-Toolbox's `dmrg_cross`, and the 8 at which the
 * train before was wrong by most among samples, or f largest at first. It interpolates these, up to what is cut.
 *
 * It ends when two trains in a row are within `eps`, each at samples of its own, and the ranks grew no more; when one is at all elements;
 * or when three sweeps in a row neither raised a rank nor lowered the error by a tenth. A sweep there confirms what the last sweep claims.
 *
 * The event loop has no turn meanwhile, nor may the function be asynchronous: call it in a worker thread where one must go on.
 *
 * There is no guarantee: a function that is zero, or simpler, at almost all elements can be missed.
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
  const search = new Search(cross, shape, { eps, samples, maxBytes });
  let [sweeps, goesOn] = [0, true];
  while (goesOn && sweeps < maxSweeps) {
    const { better, ...after } = search.sweep();
    goesOn = after.goesOn;
    sweeps++;
    const { error, rank } = better;
    onSweep?.({ sweep: sweeps, maxSweeps, error, rank, evaluations: cross.evaluations });
  }
  const { cores, error, largest } = search.result();
  return { cores, error, largest, converged: error <= eps, sweeps, evaluations: cross.evaluations };
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
    checkElements('ttCross core', rank * rank, maxBytes);
    return core(rank, 1, rank, identity(rank).data);
  });
}
