import { mismatch } from '../core/errors.ts';
import { lengthOf } from '../core/realm.ts';
import { allocate, DTYPES, type DType, dtypeOf, type FloatArray } from '../core/tensor.ts';
import type { Storage } from './interface.ts';

/** Storage in the JavaScript heap: what the addon and the reference work on in place. */
export class ArrayStorage implements Storage {
  readonly dtype: DType;
  data: FloatArray;

  constructor(dtype: DType, data: number | FloatArray) {
    this.dtype = dtype;
    this.data = ArrayBuffer.isView(data) ? data : allocate(checkDtype(dtype), checkLength(data));
  }

  get length(): number {
    return lengthOf(this.data);
  }

  at(offset: number, length = this.length - offset): ArrayStorage {
    checkPart(offset, length, this.length);
    return new ArrayStorage(this.dtype, this.data.subarray(offset, offset + length));
  }

  read(): FloatArray {
    return this.data.slice();
  }

  take(): FloatArray {
    return this.data;
  }

  write(values: ArrayLike<number>): void {
    checkSame(values.length, this.length);
    this.data.set(values);
  }

  fill(value: number): void {
    this.data.fill(value);
  }

  /** The heap looks after itself, even in the middle of a synchronous loop, once nothing refers to the values. */
  release(): void {
    this.data = RELEASED[this.dtype];
  }
}

const RELEASED = { float32: new Float32Array(0), float64: new Float64Array(0) };

/** Storage over a user's own array, which is neither copied nor kept beyond the call. */
export function adoptArray(values: FloatArray): Storage {
  const dtype = dtypeOf(values);
  // A detached array has no elements, and throws where they are asked for.
  return new ArrayStorage(dtype, lengthOf(values) > 0 ? values : RELEASED[dtype]);
}

/** The array behind a storage of the native or the reference backend. */
export function arrayOf(storage: Storage): FloatArray {
  if (storage instanceof ArrayStorage) return storage.data;
  throw mismatch('E_BACKEND', 'storage', 'storage that this backend allocated', storage.constructor.name);
}

/** Anything that is not float32 would be taken for float64. */
export function checkDtype(dtype: DType): DType {
  if (DTYPES.includes(dtype)) return dtype;
  throw mismatch('E_DTYPE', 'storage dtype', `one of ${DTYPES.join(', ')}`, dtype);
}

export function checkLength(length: number): number {
  if (!isCount(length)) throw mismatch('E_SHAPE', 'storage', 'a non-negative number of elements', length);
  return length;
}

const isCount = (value: number) => Number.isSafeInteger(value) && value >= 0;

export function checkPart(offset: number, length: number, whole: number): void {
  if (!(isCount(offset) && isCount(length) && offset + length <= whole)) {
    throw mismatch('E_SHAPE', 'part of a storage', `a range within ${whole} elements`, [
      offset,
      offset + length,
    ]);
  }
}

export function checkSame(received: number, expected: number): void {
  if (received !== expected) throw mismatch('E_SHAPE', 'write to a storage', `${expected} values`, received);
}

/** Calls `work` and releases every storage that it marked with its argument, also when it fails. */
export function borrowing<T>(work: (borrow: (storage: Storage) => Storage) => T): T {
  const borrowed: Storage[] = [];
  try {
    return work((storage) => {
      borrowed.push(storage);
      return storage;
    });
  } finally {
    for (const storage of borrowed) storage.release();
  }
}
