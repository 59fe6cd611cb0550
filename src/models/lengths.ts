import { integer, knownKeys, mismatch } from '../core/errors.ts';
import { allocate, type FloatArray } from '../core/tensor.ts';
import type { ModelConfig } from './config.ts';
import type { Lengths } from './network.ts';

/** What else may be said of a batch. */
export interface BatchOptions {
  /**
   * Steps of each sequence, from 2 to `steps`; what lies behind them in X is not looked at, but must be finite. For TT
   * networks with shared weights: a sequence of n steps passes the first core, n − 2 times the middle and then the last.
   */
  readonly lengths?: Int32Array;
}

/** The rows of a batch, longest first, as {@link Network} wants them. */
export interface RowOrder {
  readonly rows: Uint32Array;
  readonly lengths: Lengths;
}

/**
 * Checks the lengths of a batch and orders its rows by them; undefined where there are none.
 *
 * @throws XiError E_ARGUMENT for a network that has no such sequences, or a length outside 2 … steps; E_SHAPE for another
 * number of lengths than rows.
 */
export function orderByLength(
  where: string,
  config: ModelConfig,
  options: BatchOptions,
  batch: number,
): RowOrder | undefined {
  knownKeys(where, options, ['lengths']);
  const { lengths } = options;
  if (lengths === undefined) return undefined;
  checkLengths(`${where} lengths`, config, lengths, batch);
  return orderRows(lengths);
}

/** @throws XiError as {@link orderByLength}. */
export function checkLengths(where: string, config: ModelConfig, lengths: Int32Array, batch: number): void {
  const { kind, shared, steps } = config;
  if (kind !== 'tt' || !shared || steps < 2) {
    const received = `${kind}, ${shared ? 'shared' : 'not shared'}, ${steps} steps`;
    const rule = 'none, except for a shared tt network of at least 2 steps';
    throw mismatch('E_ARGUMENT', where, rule, received);
  }
  if (!(lengths instanceof Int32Array))
    throw mismatch('E_ARGUMENT', where, 'an Int32Array, as Int32Array.from(lengths) makes', lengths);
  if (lengths.length !== batch) throw mismatch('E_SHAPE', where, `${batch} lengths`, lengths.length);
  lengths.forEach((length, n) => {
    integer(`${where}[${n}]`, length, 2, steps);
  });
}

/** Longest first, of equally long ones the first first. */
export function orderRows(lengths: Int32Array): RowOrder {
  const rows = Uint32Array.from(lengths, (_, n) => n).sort((m, n) => lengths[n] - lengths[m] || m - n);
  return { rows, lengths: Int32Array.from(rows, (row) => lengths[row]) };
}

/** Rows of `size` values in another order: row n of the result is row rows[n]. */
export function gatherRows<A extends FloatArray | Int32Array>(data: A, rows: Uint32Array, size: number): A {
  const out = emptyLike(data, rows.length * size);
  rows.forEach((row, n) => {
    out.set(data.subarray(row * size, (row + 1) * size), n * size);
  });
  return out;
}

function emptyLike<A extends FloatArray | Int32Array>(data: A, length: number): A {
  if (data instanceof Int32Array) return new Int32Array(length) as A;
  return allocate(data instanceof Float32Array ? 'float32' : 'float64', length) as A;
}

/** The inverse of {@link gatherRows}. */
export function scatterRows(data: FloatArray, rows: Uint32Array, size: number): FloatArray {
  const places = new Uint32Array(rows.length);
  rows.forEach((row, n) => {
    places[row] = n;
  });
  return gatherRows(data, places, size);
}
