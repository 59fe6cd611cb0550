import { mismatch, oneOf, readable, show, XiError } from './errors.ts';
import { asList, flatten, type NestedArray, nestingOf } from './nesting.ts';
import { isNumbers, ours } from './realm.ts';

export type { NestedArray } from './nesting.ts';

/** The two floating-point types that every kernel supports. */
export const DTYPES = ['float32', 'float64'] as const;
/** What values are stored as: IEEE 754 of 32 or 64 bits. */
export type DType = (typeof DTYPES)[number];
/** Values of a tensor. `reduce` is spelt out: the overloads of the two arrays have no call in common. */
export type FloatArray = (Float32Array | Float64Array) & {
  /** What the values combine to, one after the other, from `initial` or the first. */
  reduce(combine: (sum: number, value: number, index: number) => number, initial?: number): number;
};
/** Extents, the slowest axis first; [] is a scalar. */
export type Shape = readonly number[];

/** Row-major values with their shape; owned by the garbage collector, so there is nothing to dispose of. */
export interface Tensor {
  /** Of the values. */
  readonly dtype: DType;
  /** One extent for each axis; none for a single value. */
  readonly shape: Shape;
  /** As many values as the product of the shape, the last axis running fastest. */
  readonly data: FloatArray;
}

/**
 * Tokens [batch, steps], each of which stands for a one-hot row of inputs: what a model does with them equals what it
 * does with the rows [batch, steps, inputs], which nobody makes.
 */
export interface TokenTensor {
  /** Tells tokens from rows of inputs. */
  readonly dtype: 'int32';
  /** [batch, steps]. */
  readonly shape: Shape;
  /** Tokens from 0 to inputs − 1, row by row. */
  readonly data: Int32Array;
}

/** What a model takes: values [batch, steps, inputs] or tokens [batch, steps]. */
export type Inputs = Tensor | TokenTensor;

/** Bytes of an element. */
export const BYTES: Readonly<Record<DType, number>> = { float32: 4, float64: 8 };

const MAX_ELEMENTS = 2 ** 31 - 1;

/** Number of elements of a shape (1 for a scalar); throws E_SHAPE on a negative or fractional extent, E_MEMORY on more than `most`. */
export function elementCount(shape: Shape, where = 'shape', most = MAX_ELEMENTS): number {
  if (!Array.isArray(shape)) throw mismatch('E_SHAPE', where, 'a list of extents', shape);
  let count = 1;
  for (const extent of shape) {
    if (!Number.isInteger(extent) || extent < 0) {
      throw mismatch('E_SHAPE', where, 'non-negative integers', shape);
    }
    count *= extent;
  }
  if (shape.includes(0)) return 0;
  if (count > most) throw mismatch('E_MEMORY', where, `at most ${most} elements`, shape);
  return count;
}

export function allocate(dtype: DType, length: number): FloatArray {
  try {
    return dtype === 'float32' ? new Float32Array(length) : new Float64Array(length);
  } catch (cause) {
    throw new XiError('E_MEMORY', `cannot allocate ${length} elements of ${dtype}`, { cause });
  }
}

export function dtypeOf(data: unknown, where = 'tensor'): DType {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Float64Array) return 'float64';
  throw mismatch('E_DTYPE', where, 'a Float32Array or Float64Array', data);
}

/** A tensor of zeros. */
export function zeros(shape: Shape, dtype: DType = 'float32'): Tensor {
  const data = allocate(oneOf('zeros dtype', dtype, DTYPES), elementCount(shape, 'zeros shape'));
  return { dtype, shape: [...shape], data };
}

/**
 * Makes a tensor from nested arrays, lists of typed arrays, a typed array or another tensor.
 *
 * A typed array of the wanted dtype is used in place, everything else is copied, tensors too. `shape` defaults to the nesting of
 * the arrays or to `[length]`, and one of its extents may be −1, as in NumPy's `reshape`: what the others leave. `dtype` defaults to
 * that of the data, which lists of Float32Arrays alone share; to float64 for other lists.
 *
 * @throws XiError E_SHAPE for ragged arrays or a shape that does not fit, E_DTYPE for other kinds of data.
 */
export function tensor(data: NestedArray | ArrayLike<number> | Tensor, shape?: Shape, dtype?: DType): Tensor {
  const made = tensorOf('tensor', data, shape, dtype);
  const isShared = isTensor(data) && data.data.buffer === made.data.buffer;
  return isShared ? { ...made, data: made.data.slice() } : made;
}

/** {@link tensor} for another function, whose name messages begin with; a tensor of the wanted dtype is used in place. */
export function tensorOf(
  where: string,
  data: NestedArray | ArrayLike<number> | Tensor,
  shape?: Shape,
  dtype?: DType,
): Tensor {
  if (dtype !== undefined && !DTYPES.includes(dtype)) {
    throw mismatch('E_DTYPE', `${where} dtype`, `one of ${DTYPES.join(', ')}`, dtype);
  }
  if (isTensor(data)) {
    elementCount(data.shape, `${where} shape`);
    return tensorOf(where, data.data, shape ?? data.shape, dtype ?? data.dtype);
  }
  let flat: ArrayLike<number>;
  let own: Shape;
  if (ArrayBuffer.isView(data)) {
    flat = ours(data as ArrayLike<number>);
    if (!isNumbers(flat)) throw mismatch('E_DTYPE', where, 'a typed array of numbers', data);
    own = [flat.length];
  } else {
    const lists = asList(where, data, MAX_ELEMENTS);
    own = nestingOf(where, lists);
    flat = flatten(where, lists, own, elementCount(own, where));
  }
  const wanted = completed(where, shape ?? own, flat.length);
  const count = elementCount(wanted, `${where} shape`);
  const finalShape = [...wanted];
  if (count !== flat.length) {
    throw new XiError(
      'E_SHAPE',
      `${where}: shape ${show(finalShape)} holds ${count} elements, the data has ${flat.length}`,
    );
  }
  const isFloat = flat instanceof Float32Array || flat instanceof Float64Array;
  const type = dtype ?? (isFloat ? dtypeOf(flat) : 'float64');
  if (isFloat && dtypeOf(flat) === type) return { dtype: type, shape: finalShape, data: flat as FloatArray };
  const out = allocate(type, count);
  out.set(flat);
  return { dtype: type, shape: finalShape, data: out };
}

/** A shape with what the others leave in the place of one extent −1. */
function completed(where: string, shape: Shape, count: number): Shape {
  const open = Array.isArray(shape) ? shape.indexOf(-1) : -1;
  if (open < 0 || shape.lastIndexOf(-1) !== open) return shape;
  const rest = elementCount([...shape.slice(0, open), ...shape.slice(open + 1)], `${where} shape`);
  if (rest > 0 && count % rest === 0) return shape.map((extent) => (extent === -1 ? count / rest : extent));
  throw mismatch('E_SHAPE', `${where} shape`, `extents that divide ${count} elements beside −1`, shape);
}

/**
 * Makes tokens from nested arrays, a tensor of whole numbers such as `readNpy` gives, or an Int32Array, which is used in place; `shape`
 * defaults to theirs.
 *
 * @throws XiError E_SHAPE for ragged arrays or a shape that does not fit, E_DTYPE for values that are no 32-bit integers.
 */
export function tokens(data: NestedArray | Int32Array | Tensor, shape?: Shape): TokenTensor {
  const list = ours(data);
  if (list instanceof Int32Array) return tokenTensor(list, shape ?? [list.length]);
  const { shape: own, data: values } = tensorOf('tokens', data);
  const whole = Int32Array.from(values);
  const bad = values.findIndex((value, n) => value !== whole[n]);
  if (bad >= 0) throw mismatch('E_DTYPE', `tokens element ${bad}`, 'a 32-bit integer', values[bad]);
  return tokenTensor(whole, shape ?? own);
}

function tokenTensor(data: Int32Array, shape: Shape): TokenTensor {
  if (elementCount(shape, 'tokens shape') !== data.length)
    throw mismatch(
      'E_SHAPE',
      'tokens',
      `${elementCount(shape)} tokens for shape ${show(shape)}`,
      data.length,
    );
  return { dtype: 'int32', shape: [...shape], data };
}

export function isTokens(value: unknown): value is TokenTensor {
  if (!isTensor(value)) return false;
  const { dtype, shape, data } = value as unknown as TokenTensor;
  return dtype === 'int32' && data instanceof Int32Array && Array.isArray(shape);
}

/**
 * Checks tokens that a user hands in: shape [any, steps] (−1: any) and values from 0 to `bound` − 1.
 *
 * @throws XiError E_SHAPE or E_ARGUMENT that names `where`.
 */
export function checkTokens(where: string, value: TokenTensor, steps: number, bound: number): TokenTensor {
  const { shape, data } = value;
  if (shape.length !== 2 || (steps !== -1 && shape[1] !== steps))
    throw mismatch('E_SHAPE', where, `tokens of shape [any, ${steps === -1 ? 'any' : steps}]`, shape);
  tokenTensor(data, shape);
  const bad = data.findIndex((token) => token < 0 || token >= bound);
  if (bad >= 0)
    throw mismatch('E_ARGUMENT', `${where} element ${bad}`, `a token from 0 to ${bound - 1}`, data[bad]);
  return value;
}

export function isTensor(value: unknown): value is Tensor {
  if (typeof value !== 'object' || value === null) return false;
  return ['dtype', 'shape', 'data'].every((part) => part in value && readable(value, part));
}

/**
 * Checks a tensor that a user hands in: dtype, rank, extents (−1 stands for any) and, unless told otherwise, finiteness.
 *
 * @throws XiError E_ARGUMENT, E_DTYPE, E_SHAPE or E_NUMERIC that names `where`.
 */
export function checkTensor(
  where: string,
  value: unknown,
  shape: Shape,
  dtype: DType,
  { finite = true }: { finite?: boolean } = {},
): Tensor {
  if (!isTensor(value)) throw mismatch('E_ARGUMENT', where, 'a Tensor { dtype, shape, data }', value);
  const own = dtypeOf(value.data, where);
  if (own !== value.dtype) throw mismatch('E_DTYPE', where, `the dtype of its data, ${own}`, value.dtype);
  if (own !== dtype) throw otherDtype(where, dtype, own);
  const fits =
    Array.isArray(value.shape) &&
    value.shape.length === shape.length &&
    shape.every((extent, axis) => extent === -1 || extent === value.shape[axis]);
  if (!fits) {
    const wanted = `shape [${shape.map((extent) => (extent === -1 ? 'any' : extent)).join(', ')}]`;
    throw mismatch('E_SHAPE', where, wanted, value.shape);
  }
  const count = elementCount(value.shape, where);
  if (count !== value.data.length) {
    throw mismatch('E_SHAPE', where, `${count} elements for shape ${show(value.shape)}`, value.data.length);
  }
  if (finite) checkFinite(where, value.data);
  return value;
}

/** The refusal of a tensor of another dtype, which says how to convert it. */
export function otherDtype(where: string, wanted: DType, received: unknown): XiError {
  const { message } = mismatch('E_DTYPE', where, wanted, received);
  return new XiError('E_DTYPE', `${message}; tensor(values, shape, '${wanted}') converts`);
}

/**
 * Checks a tensor that a user hands in, of any dtype and shape, for parts that agree; NaN and infinities may be in it unless
 * `finite`.
 *
 * @throws XiError as {@link checkTensor}.
 */
export function anyTensor(where: string, value: unknown, { finite = false } = {}): Tensor {
  if (!isTensor(value)) throw mismatch('E_ARGUMENT', where, 'a Tensor { dtype, shape, data }', value);
  checkList(where, value);
  const anyShape = value.shape.map(() => -1);
  return checkTensor(where, value, anyShape, dtypeOf(value.data, where), { finite });
}

/** @throws XiError E_SHAPE for a tensor whose shape is no list, such as a typed array. */
export function checkList(where: string, { shape }: Tensor): void {
  if (!Array.isArray(shape)) throw mismatch('E_SHAPE', `${where} shape`, 'a list of extents', shape);
}

/** @throws XiError E_NUMERIC that names the first element which is NaN or infinite. */
export function checkFinite(where: string, data: FloatArray): void {
  // 0 · x is NaN where x is not finite. Four sums, because one waits for each addition: 1.35 → 0.59 ms for a million elements.
  let [a, b, c, d] = [0, 0, 0, 0];
  let at = 0;
  for (; at + 4 <= data.length; at += 4) {
    a += data[at] * 0;
    b += data[at + 1] * 0;
    c += data[at + 2] * 0;
    d += data[at + 3] * 0;
  }
  for (; at < data.length; at++) a += data[at] * 0;
  if (a + b + c + d === 0) return;
  const bad = data.findIndex((value) => !Number.isFinite(value));
  throw new XiError('E_NUMERIC', `${where}: expected finite values, received ${data[bad]} at element ${bad}`);
}
