import type { Backend } from '../backend/interface.ts';
import {
  aborted,
  checkCallback,
  checkSignal,
  integer,
  knownKeys,
  mismatch,
  naming,
  oneOf,
  XiError,
} from '../core/errors.ts';
import { Rng } from '../core/rng.ts';
import { type Tensor, tensor, zeros } from '../core/tensor.ts';
import { XI_NAMES, type Xi } from '../core/xi.gen.ts';
import { checkRange, timesPower } from '../decompose/scale.ts';
import { createModel, type Model } from '../models/model.ts';
import { identity } from '../theory/features.ts';
import { digit, targetOf } from '../theory/target.ts';
import { type Minimum, minimize } from './lbfgs.ts';

/** Operator, width and effort of {@link fitShallow}. */
export interface FitShallowOptions {
  /** The operator of the network. */
  readonly xi: Xi;
  /** R, the width of the network. */
  readonly width: number;
  /** Random starts; 8 by default. */
  readonly starts?: number;
  /** Iterations of L-BFGS from each; 400 by default. */
  readonly iterations?: number;
  /** A relative residual that is good enough to stop; 1e-9 by default. */
  readonly tolerance?: number;
  /** Of the random starts; 0 by default. */
  readonly seed?: number;
  /** T, where the shape of H leaves it open. */
  readonly steps?: number;
  /** Where it is computed; the best of this machine by default. */
  readonly backend?: Backend;
  /** Looked at before the first iteration and after each: E_ABORTED if it was aborted before the call or by `onIteration`, since nothing else runs meanwhile. */
  readonly signal?: AbortSignal;
  /** Told after each iteration. */
  readonly onIteration?: (report: ShallowIteration) => void;
}

/** An iteration of {@link fitShallow}. */
export interface ShallowIteration {
  /** The start that it belongs to, from 1. */
  readonly start: number;
  /** Starts there are at most. */
  readonly starts: number;
  /** From 1 in each start. */
  readonly iteration: number;
  /** Relative residual after it. */
  readonly residual: number;
}

/** The best of several fits. */
export interface ShallowFit {
  /** A network of the width that was asked for. */
  readonly model: Model;
  /** ‖Γ − H‖ / ‖H‖ of the model, which it attains: an upper bound on the least width that reaches this residual. */
  readonly residual: number;
  /** Starts that were needed. */
  readonly starts: number;
}

const KEYS = [
  ...['xi', 'width', 'starts', 'iterations', 'tolerance', 'seed', 'steps', 'backend'],
  ...['signal', 'onIteration'],
];
/** 2²⁴ numbers of one-hot inputs. */
const MAX_INPUTS = 2 ** 24;

/**
 * Fits a shallow network on one-hot templates to a tensor H [M,…,M] or [M,…,M,outputs], from several random starts: all λ and v, least
 * squares, L-BFGS. H is fitted at the size of 1, and λ scaled back, so that its size does not matter. A start costs about 10·M^T·T·width·(M + outputs) operations an iteration. The event
 * loop has no turn meanwhile: call it in a worker thread where one must go on.
 *
 * @throws XiError E_SHAPE for H as `realize`; E_ARGUMENT for options; E_MEMORY beyond 2^24 / (T·M) tuples; E_NUMERIC
 * where λ would overflow; E_ABORTED.
 */
export function fitShallow(H: Tensor, options: FitShallowOptions): ShallowFit {
  const where = 'fitShallow';
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', where, '{ xi, width, … }', options);
  knownKeys(where, options, KEYS);
  const xi = oneOf(`${where} xi`, options.xi, XI_NAMES);
  const width = integer(`${where} width`, options.width, 1, 2 ** 20);
  const starts = integer(`${where} starts`, options.starts ?? 8, 1, 2 ** 20);
  const iterations = integer(`${where} iterations`, options.iterations ?? 400, 1, 2 ** 30);
  const seed = integer(`${where} seed`, options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  const tolerance = options.tolerance ?? 1e-9;
  if (!(tolerance >= 0))
    throw mismatch('E_ARGUMENT', `${where} tolerance`, 'a number of at least 0', tolerance);
  const { signal, onIteration } = options;
  checkSignal(where, signal);
  checkCallback(`${where} onIteration`, onIteration);
  const target = naming(where, () => targetOf(H, options.steps));
  const { M, T, outputs, tuples } = target;
  if (tuples * T * M > MAX_INPUTS)
    throw new XiError('E_MEMORY', `${where}: expected at most 2^24 inputs, received ${M}^${T}·${T}·${M}`);
  const X = zeros([tuples, T, M], 'float64');
  for (let n = 0; n < tuples; n++)
    for (let t = 0; t < T; t++) X.data[(n * T + t) * M + digit(target, n, t)] = 1;
  // The scores are linear in λ for every ξ: a power of two goes into it, and what is fitted has a size that no square leaves.
  const size = target.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const exponent = size > 0 ? Math.floor(Math.log2(size)) : 0;
  const data = target.data.map((value) => timesPower(value, -exponent));
  const norm = Math.sqrt(data.reduce((sum, value) => sum + value * value, 0)) || 1;
  const make = (): Model => {
    const sizes = { kind: 'cp', xi, steps: T, inputs: M, outputs, rank: width } as const;
    const features = { size: M, activation: 'identity' } as const;
    return createModel({ ...sizes, features, dtype: 'float64', backend: options.backend });
  };
  const model = make();
  const split = width * outputs;
  const set = (x: Float64Array, power = 0) => {
    const lambda = x.slice(0, split).map((value) => timesPower(value, power));
    model.setParameters({
      'features.A': identity(M),
      'features.b': zeros([M], 'float64'),
      lambda: checkRange(where, [tensor(lambda, [width, outputs])])[0],
      v: tensor(x.slice(split), [T, width, M]),
    });
  };
  // ½‖Γ − H‖² / ‖H‖².
  const objective = (x: Float64Array) => {
    if (!x.every(Number.isFinite)) return { value: Number.POSITIVE_INFINITY, gradient: x };
    set(x);
    const scores = model.score(X).data;
    const error = zeros([tuples, outputs], 'float64');
    let sum = 0;
    for (let n = 0; n < data.length; n++) {
      const difference = (scores[n] - data[n]) / norm;
      sum += difference * difference;
      error.data[n] = difference / norm;
    }
    const { lambda, v } = model.gradients(X, error).parameters;
    const gradient = new Float64Array(x.length);
    gradient.set(lambda.data);
    gradient.set(v.data, split);
    return { value: sum / 2, gradient };
  };
  const scale = norm / Math.sqrt(data.length);
  let best: Minimum = { x: new Float64Array(split + T * width * M), value: Number.POSITIVE_INFINITY };
  let tried = 0;
  for (; tried < starts && !(best.value <= tolerance ** 2 / 2); tried++) {
    const rng = new Rng(seed, tried, 59);
    const start = Float64Array.from(best.x, (_, n) => rng.normal(n < split ? scale / Math.sqrt(width) : 1));
    const tell = (iteration: number, value: number) => {
      if (iteration > 0)
        onIteration?.({ start: tried + 1, starts, iteration, residual: Math.sqrt(2 * value) });
      if (!signal?.aborted) return;
      throw aborted(
        `${where}: stopped after iteration ${iteration} of start ${tried + 1} of ${starts}`,
        signal,
      );
    };
    const found = minimize(objective, start, { iterations, enough: tolerance ** 2 / 2, tell });
    if (found.value < best.value) best = found;
  }
  set(best.x, exponent);
  // Of what is returned: λ may have lost digits among subnormal numbers.
  const squares = model
    .score(X)
    .data.reduce((sum, score, n) => sum + ((timesPower(score, -exponent) - data[n]) / norm) ** 2, 0);
  return { model, residual: Math.sqrt(squares), starts: tried };
}
