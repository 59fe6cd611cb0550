import type { Backend } from '../backend/interface.ts';
import { defaultBackend } from '../backend/select.ts';
import { checkBackend } from '../backend/selection.ts';
import { integer, knownKeys, mismatch } from '../core/errors.ts';
import { checkMemory, MOST_BYTES } from '../core/memory.ts';
import { checkFinite, checkTensor, dtypeOf, isTensor, type Shape, type Tensor } from '../core/tensor.ts';
import { Linear } from './matrix.ts';

export const BIGGEST_RANK = 2 ** 31 - 1;
const BIGGEST_BYTES = 2 ** 53;

/** Where a decomposition is computed, and how large it may become. */
export interface ComputeOptions {
  /** Where products and decompositions are computed; by default the best backend of this machine. */
  readonly backend?: Backend;
  /** Most bytes of one array of the result; 2 GiB. More is refused before anything is allocated. */
  readonly maxBytes?: number;
}

/** How much may be cut off: an error, or ranks. */
export interface TruncationOptions extends ComputeOptions {
  /** Largest error relative to the Frobenius norm; 1e-12, and of a float32 tensor √k 2⁻²³ for the k ranks that are cut: less may be rounding. */
  readonly eps?: number;
  /**
   * Most ranks, which take precedence over `eps`: one number for all, or a list of those between two modes (TT), of the leaves and
   * then the inner nodes level by level (HT), or what `ttRanks` or `htRanks` gives of another one.
   */
  readonly maxRanks?: number | readonly number[] | readonly (readonly number[])[];
}

export const COMPUTE_KEYS = ['backend', 'maxBytes'] as const;
export const TRUNCATION_KEYS = [...COMPUTE_KEYS, 'eps', 'maxRanks'] as const;

/** The checked options of a function that does not truncate. */
export function computing(where: string, options: ComputeOptions, keys: readonly string[] = COMPUTE_KEYS) {
  knownKeys(where, options, keys);
  const { maxBytes = MOST_BYTES, backend } = options;
  checkBackend(where, backend);
  integer(`${where} maxBytes`, maxBytes, 0, BIGGEST_BYTES);
  return { linear: new Linear(backend ?? defaultBackend()), maxBytes };
}

/**
 * The error that is allowed where nothing is said. Elements that were rounded to float32 make a tensor of full rank, of which each
 * step leaves out what is below 2⁻²³ of the norm: rounding is at most half of that.
 */
export const defaultEps = (tensor: unknown, steps: number, usual: number): number =>
  isTensor(tensor) && tensor.dtype === 'float32' ? Math.sqrt(Math.max(1, steps)) * 2 ** -23 : usual;

/** The checked options of a function that truncates `count` ranks; `usual` is its error where none is given. */
export function truncation(
  where: string,
  options: TruncationOptions,
  count: number,
  keys: readonly string[] = TRUNCATION_KEYS,
  usual = 1e-12,
) {
  const compute = computing(where, options, keys);
  const { eps = usual, maxRanks = BIGGEST_RANK } = options;
  checkEps(where, eps);
  const list =
    typeof maxRanks === 'number' ? new Array<number>(count).fill(maxRanks) : listed(maxRanks, count);
  if (list?.length !== count)
    throw mismatch('E_ARGUMENT', `${where} maxRanks`, `one rank or a list of ${count}`, maxRanks);
  for (const rank of list) integer(`${where} maxRanks`, rank, 1, BIGGEST_RANK);
  return { ...compute, eps, maxRanks: [...list] };
}

/** The ranks in a list: without those of value 1 that `ttRanks` has at both ends, and `htRanks`, a list a level, at the root. */
function listed(
  ranks: NonNullable<TruncationOptions['maxRanks']>,
  count: number,
): readonly number[] | undefined {
  if (!Array.isArray(ranks)) return undefined;
  const list: readonly number[] = ranks.flat();
  const levels = ranks.some((level) => Array.isArray(level));
  if (levels) return list.length === count + 1 && list.at(-1) === 1 ? list.slice(0, -1) : undefined;
  const ends = list.length === count + 2 && list[0] === 1 && list.at(-1) === 1;
  return ends ? list.slice(1, -1) : list;
}

export function checkEps(where: string, eps: unknown): void {
  if (!(typeof eps === 'number' && eps >= 0 && eps < Number.POSITIVE_INFINITY))
    throw mismatch('E_ARGUMENT', `${where} eps`, 'a non-negative number', eps);
}

/** Refuses an array of `count` float64 elements that does not fit, before it is asked for. */
export function checkElements(where: string, count: number, maxBytes: number): void {
  checkMemory(where, `${count} elements of float64`, 8 * count, { maxBytes });
}

/** A dense tensor to decompose: scaled by a power of two so that its squares neither overflow nor vanish. */
export interface Dense {
  readonly shape: Shape;
  readonly data: Float64Array;
  readonly norm: number;
  /** The values were multiplied by 2^−exponent. */
  readonly exponent: number;
}

/** Checks a tensor of one axis or more with finite values; float64 values are used in place where no scaling is needed. */
export function dense(where: string, value: unknown, linear: Linear, maxBytes: number): Dense {
  if (!isTensor(value) || !Array.isArray(value.shape) || value.shape.length === 0)
    throw mismatch('E_ARGUMENT', where, 'a Tensor of at least one axis', value);
  if (value.shape.includes(0)) throw mismatch('E_SHAPE', where, 'extents of at least 1', value.shape);
  const anyShape = value.shape.map(() => -1);
  const tensor = checkTensor(where, value, anyShape, dtypeOf(value.data, where), { finite: false });
  // What remains of the tensor after a step may be as large as the tensor.
  checkElements(`${where} of shape [${tensor.shape.join(', ')}]`, tensor.data.length, maxBytes);
  const data = tensor.data instanceof Float64Array ? tensor.data : Float64Array.from(tensor.data);
  // A sum of squares that is finite and not tiny tells that all values are finite, at the speed of memory.
  const norm = linear.norm(data);
  if (norm > 1e-100 && norm < 1e150) return { shape: tensor.shape, data, norm, exponent: 0 };
  checkFinite(where, data);
  let largest = 0;
  for (const element of data) largest = Math.max(largest, Math.abs(element));
  if (largest === 0) return { shape: tensor.shape, data, norm: 0, exponent: 0 };
  const exponent = Math.max(-1022, Math.min(1023, Math.floor(Math.log2(largest))));
  const scale = 2 ** -exponent;
  const scaled = data.map((element) => element * scale);
  return { shape: tensor.shape, data: scaled, norm: linear.norm(scaled), exponent };
}

/** A float64 tensor over values. */
export const tensor64 = (shape: Shape, data: Float64Array): Tensor => ({ dtype: 'float64', shape, data });

/** Checks one of the tensors that a decomposition consists of: rank, dtype float64, finite values. */
export function checkPart(where: string, value: unknown, rank: number): Tensor {
  return checkTensor(where, value, new Array<number>(rank).fill(-1), 'float64');
}
