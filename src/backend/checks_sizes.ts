import { mismatch, type XiError } from '../core/errors.ts';
import type { DType } from '../core/tensor.ts';
import type { Storage } from './interface.ts';

/** Two negative sizes have a product that fits, and a fraction is cut off on the way to the binary. */
export function counts(kernel: string, sizes: object): void {
  // Without a list of the entries: a tiny call is over in a microsecond.
  for (const name in sizes) count(kernel, name, (sizes as Readonly<Record<string, number>>)[name]);
}

/** {@link counts} of an object that the caller made, which may be none or lack some of the sizes. */
export function namedCounts<Name extends string>(
  kernel: string,
  sizes: Readonly<Record<Name, number>>,
  names: readonly Name[],
): void {
  record(kernel, 'sizes', sizes, names);
  for (let n = 0; n < names.length; n++) count(kernel, names[n], sizes[names[n]]);
}

function count(kernel: string, name: string, size: number): void {
  if (!Number.isSafeInteger(size) || size < 0)
    throw mismatch('E_SHAPE', `${kernel} ${name}`, 'a non-negative integer', size);
}

/** Each stride must pass over all that the smaller ones reach: so it is in every permutation of a row-major array. */
export function checkApart(where: string, extents: readonly number[], strides: readonly number[]): void {
  const axes = extents
    .map((extent, axis) => ({ extent, stride: strides[axis] }))
    .filter(({ extent }) => extent > 1);
  axes.sort((p, q) => p.stride - q.stride);
  let reached = 0;
  for (const { extent, stride } of axes) {
    if (stride <= reached) throw mismatch('E_SHAPE', where, 'strides that keep elements apart', strides);
    reached += (extent - 1) * stride;
  }
}

/** An argument that is an object with these parts. */
export function record(kernel: string, name: string, value: unknown, parts: readonly string[]): void {
  if (typeof value !== 'object' || value === null)
    throw mismatch('E_ARGUMENT', `${kernel} ${name}`, `{ ${parts.join(', ')} }`, value);
}

/** The dtype of a storage; @throws XiError E_ARGUMENT for anything else, such as a typed array or a tensor. */
export function storageDtype(kernel: string, name: string, storage: Storage): DType {
  if (isStorage(storage)) return storage.dtype;
  throw noStorage(kernel, name, storage);
}

function isStorage(value: Storage | null | undefined): value is Storage {
  return (value?.dtype === 'float32' || value?.dtype === 'float64') && typeof value.length === 'number';
}

const noStorage = (kernel: string, name: string, value: unknown): XiError =>
  mismatch('E_ARGUMENT', `${kernel} ${name}`, 'a storage (allocate or adopt of the backend)', value);

/** A check that a storage of this kernel has the dtype of the first one, which is called `first`, and that length. */
export function sameDtype(kernel: string, first: string, storage: Storage) {
  const dtype = storageDtype(kernel, first, storage);
  return (name: string, storage: Storage, length: number, atLeast = false): void => {
    const fits = storage?.dtype === dtype && (atLeast ? storage.length >= length : storage.length === length);
    if (!fits)
      throw otherStorage(kernel, name, storage, dtype, `${atLeast ? 'at least ' : ''}${length} elements`);
  };
}

/** Why a storage does not fit. */
export function otherStorage(
  kernel: string,
  name: string,
  storage: Storage,
  dtype: DType,
  length: string,
): XiError {
  if (!isStorage(storage)) return noStorage(kernel, name, storage);
  if (storage.dtype !== dtype) return mismatch('E_DTYPE', `${kernel} ${name}`, dtype, storage.dtype);
  return mismatch('E_SHAPE', `${kernel} ${name}`, length, storage.length);
}
