import type { Abi } from '../core/abi.gen.ts';
import type { DType } from '../core/tensor.ts';
import type { Storage } from './interface.ts';

/** How one binary is reached: its functions, and what a pointer is to it. */
export interface AbiBinding<Pointer, Words> {
  readonly abi: Abi<Pointer, Words>;
  readonly null: Pointer;
  allocate(dtype: DType, length: number): Storage;
  pointer(storage: Storage): Pointer;
  /** Integers that the next call reads. */
  words(list: Int32Array): Words;
  readonly noWords: Words;
  /** Two float64 values that a call writes to. */
  readonly result: { readonly pointer: Pointer; read(): readonly [number, number] };
}
