import { mismatch } from '../core/errors.ts';
import type { DType } from '../core/tensor.ts';
import type { Storage } from './interface.ts';

/** Two negative sizes have a product that fits, and a fraction is cut off on the way to the binary. */
export function counts(kernel: string, sizes: object): void {
  // Without a list of the entries: a tiny call is over in a microsecond.
  for (const name in sizes) {
    const size = (sizes as Readonly<Record<string, number>>)[name];
    if (!Number.isSafeInteger(size) || size < 0)
      throw mismatch('E_SHAPE', `${kernel} ${name}`, 'a non-negative integer', size);
  }
}

/** A check that a storage of this kernel has that dtype and length. */
export function sameDtype(kernel: string, dtype: DType) {
  return (name: string, storage: Storage, length: number, atLeast = false): void => {
    if (storage.dtype !== dtype) throw mismatch('E_DTYPE', `${kernel} ${name}`, dtype, storage.dtype);
    if (atLeast ? storage.length < length : storage.length !== length) {
      throw mismatch(
        'E_SHAPE',
        `${kernel} ${name}`,
        `${atLeast ? 'at least ' : ''}${length} elements`,
        storage.length,
      );
    }
  };
}
