import { mismatch, show, XiError } from '../core/errors.ts';
import {
  allocate,
  anyTensor,
  type DType,
  elementCount,
  type FloatArray,
  type Inputs,
  isTokens,
} from '../core/tensor.ts';

const NATIVE_LITTLE = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

type Reader = (view: DataView, at: number, little: boolean) => number | bigint;

/** How a file stores one number, and what it becomes. */
export interface Element {
  /** NumPy's letter and size; bfloat16 is none of NumPy's. */
  readonly numpy?: string;
  readonly safetensors: string;
  readonly size: number;
  /** The type that holds every value exactly, but integers beyond 2⁵³, which are refused. */
  readonly dtype: DType;
  /** Left out where the bytes are those of an array. */
  readonly read?: Reader;
}

/** Every type that is read. Booleans and integers become float64: float32 holds them up to 2²⁴ only. */
export const ELEMENTS: readonly Element[] = [
  { numpy: 'f8', safetensors: 'F64', size: 8, dtype: 'float64' },
  { numpy: 'f4', safetensors: 'F32', size: 4, dtype: 'float32' },
  { numpy: 'f2', safetensors: 'F16', size: 2, dtype: 'float32', read: readHalf },
  { safetensors: 'BF16', size: 2, dtype: 'float32', read: readBfloat },
  integer('b1', 'BOOL', (view, at) => Number(view.getUint8(at) !== 0)),
  integer('u1', 'U8', (view, at) => view.getUint8(at)),
  integer('i1', 'I8', (view, at) => view.getInt8(at)),
  integer('u2', 'U16', (view, at, little) => view.getUint16(at, little)),
  integer('i2', 'I16', (view, at, little) => view.getInt16(at, little)),
  integer('u4', 'U32', (view, at, little) => view.getUint32(at, little)),
  integer('i4', 'I32', (view, at, little) => view.getInt32(at, little)),
  integer('u8', 'U64', (view, at, little) => view.getBigUint64(at, little)),
  integer('i8', 'I64', (view, at, little) => view.getBigInt64(at, little)),
];

function integer(numpy: string, safetensors: string, read: Reader): Element {
  return { numpy, safetensors, size: Number(numpy.slice(1)), dtype: 'float64', read };
}

/** IEEE binary16: a sign, 5 bits of exponent, 10 of fraction. */
function readHalf(view: DataView, at: number, little: boolean): number {
  const bits = view.getUint16(at, little);
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const sign = bits >> 15 ? -1 : 1;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

const word = new DataView(new ArrayBuffer(4));

/** bfloat16: the upper half of a float32. */
function readBfloat(view: DataView, at: number, little: boolean): number {
  word.setUint32(0, view.getUint16(at, little) << 16);
  return word.getFloat32(0);
}

/**
 * The numbers in bytes of any alignment, whose length must be a multiple of the element size, in memory of their own.
 *
 * @param start where the bytes begin in what `where` names, for messages.
 * @throws XiError E_NUMERIC for an 8-byte integer beyond ±2⁵³.
 */
export function decodeElements(
  bytes: Uint8Array,
  { dtype, size, read }: Element,
  little: boolean,
  where: string,
  start: number,
): FloatArray {
  const out = allocate(dtype, bytes.length / size);
  if (!read) {
    const raw = new Uint8Array(out.buffer);
    raw.set(bytes);
    if (little !== NATIVE_LITTLE) swapBytes(raw, size);
    return out;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let n = 0; n < out.length; n++) {
    const value = read(view, n * size, little);
    if (typeof value === 'bigint' && (value > 2n ** 53n || value < -(2n ** 53n))) {
      const at = `element ${n} (byte ${start + n * size})`;
      throw new XiError(
        'E_NUMERIC',
        `${where}: expected integers within ±2^53, which float64 holds, received ${value} at ${at}`,
      );
    }
    out[n] = Number(value);
  }
  return out;
}

/** The values as little-endian bytes, in memory of their own, so that later changes do not reach a pending write. */
export function littleEndianBytes(data: FloatArray | Int32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  if (!NATIVE_LITTLE) swapBytes(bytes, data.BYTES_PER_ELEMENT);
  return bytes;
}

function swapBytes(bytes: Uint8Array, size: number): void {
  for (let at = 0; at < bytes.length; at += size) {
    for (let low = at, high = at + size - 1; low < high; low++, high--) {
      const byte = bytes[low];
      bytes[low] = bytes[high];
      bytes[high] = byte;
    }
  }
}

/** Checks a tensor, or int32 values of any shape, to be written. @throws XiError as `anyTensor`. */
export function anyArray(where: string, value: unknown): Inputs {
  if (!isTokens(value)) return anyTensor(where, value);
  const count = elementCount(value.shape, where);
  if (count === value.data.length) return value;
  throw mismatch('E_SHAPE', where, `${count} elements for shape ${show(value.shape)}`, value.data.length);
}
