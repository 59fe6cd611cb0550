import type { Backend, Storage } from '../backend/interface.ts';
import type { DType } from '../core/tensor.ts';

/** Training alternates between a full batch, the last one of an epoch and an evaluation, so three are kept. */
const KEPT = 3;

/** The memory that passes over batches of some size need, made when first wanted and kept for the next pass. */
export class Passes<P> {
  private readonly known: { batch: number; pass: P; storages: Storage[] }[] = [];
  private readonly backend: Backend;
  private readonly dtype: DType;
  private readonly make: (batch: number, allocate: (length: number) => Storage) => P;

  constructor(
    backend: Backend,
    dtype: DType,
    make: (batch: number, allocate: (length: number) => Storage) => P,
  ) {
    this.backend = backend;
    this.dtype = dtype;
    this.make = make;
  }

  of(batch: number): P {
    const found = this.known.find((entry) => entry.batch === batch);
    if (found) return found.pass;
    const storages: Storage[] = [];
    const pass = this.make(batch, (length) => {
      const storage = this.backend.allocate(this.dtype, length);
      storages.push(storage);
      return storage;
    });
    this.known.unshift({ batch, pass, storages });
    for (const old of this.known.splice(KEPT)) for (const storage of old.storages) storage.release();
    return pass;
  }
}
