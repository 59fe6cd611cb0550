import { integer, knownKeys } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';
import { type AnyDataset, checkDataset, countOf, selectDataset } from '../data/dataset.ts';
import { DEFAULT_PLAN } from './options.ts';

/** The order of examples in an epoch, which is counted from 0: a function of seed and epoch alone. */
export const orderOf = (count: number, seed: number, epoch: number): Uint32Array =>
  new Rng(seed, 2, epoch).permutation(count);

/** Size and order of {@link batches}. */
export interface ShuffleOptions {
  /** Examples of a batch, of which the last may have fewer; 250. */
  readonly batch?: number;
  /** 0. */
  readonly seed?: number;
  /** Counted from 1: each has an order of its own; 1. */
  readonly epoch?: number;
}

/**
 * The batches of an epoch, as data sets in memory of their own: the examples in the order in which `fit` takes them in that epoch.
 *
 * @throws XiError E_ARGUMENT for options, and as `fit` for data, at the call.
 */
export function batches<D extends AnyDataset>(data: D, options: ShuffleOptions = {}): Generator<D, void> {
  checkDataset('batches data', data);
  knownKeys('batches', options, ['batch', 'seed', 'epoch']);
  const size = integer('batches batch', options.batch ?? DEFAULT_PLAN.batch, 1, 1e6);
  const seed = integer('batches seed', options.seed ?? DEFAULT_PLAN.seed, 0, Number.MAX_SAFE_INTEGER);
  const epoch = integer('batches epoch', options.epoch ?? 1, 1, 1e6);
  return cut(data, orderOf(countOf(data), seed, epoch - 1), size);
}

function* cut<D extends AnyDataset>(data: D, rows: Uint32Array, size: number): Generator<D, void> {
  for (let at = 0; at < rows.length; at += size) yield selectDataset(data, rows.subarray(at, at + size));
}
