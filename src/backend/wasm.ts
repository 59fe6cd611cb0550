import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Abi } from '../core/abi.gen.ts';
import { mismatch, XiError } from '../core/errors.ts';
import { type DType, dtypeOf, type FloatArray } from '../core/tensor.ts';
import { abiKernels, describeBinary } from './abi.ts';
import { checked } from './checks.ts';
import type { Backend, Probe, Storage } from './interface.ts';
import { checkLength, checkPart, checkSame } from './storage.ts';

const FILE = 'wasm/xitensor.wasm';

// (module (func (result v128) i32.const 0 i8x16.splat)): valid only where the engine has SIMD128.
const SIMD_PROBE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15, 11,
]);

/** Twelve operands and out with 48 axes each, and their extents: more than a plan can have. */
const MOST_WORDS = 1024;

interface Exports extends Abi<number, number> {
  readonly memory: WebAssembly.Memory;
  _initialize?(): void;
  xt_describe(): number;
  xt_alloc(bytes: number): number;
  xt_free(pointer: number): void;
}

/** Compiles wasm/xitensor.wasm and asks what it can do; refuses engines without SIMD128. */
export function probeWasm(): Probe {
  const refuse = (reason: string): Probe => ({ name: 'wasm', usable: false, source: FILE, reason });
  if (typeof WebAssembly !== 'object') return refuse('this engine has no WebAssembly');
  if (!WebAssembly.validate(SIMD_PROBE)) return refuse('this engine has no WebAssembly SIMD128');
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = new Uint8Array(readFileSync(fileURLToPath(new URL(`../../${FILE}`, import.meta.url))));
  } catch (cause) {
    return refuse(
      (cause as NodeJS.ErrnoException).code === 'ENOENT' ? `${FILE} is missing` : (cause as Error).message,
    );
  }
  try {
    const module = new WebAssembly.Module(bytes);
    const first = new Instance(module);
    const description = describeBinary(first.text(first.exports.xt_describe()));
    if (typeof description === 'string') return refuse(`the module is ${description}`);
    let unused: Instance | undefined = first;
    return {
      name: 'wasm',
      usable: true,
      source: FILE,
      isas: description.isas,
      open(isa): Backend {
        const instance = unused ?? new Instance(module);
        unused = undefined;
        return {
          name: 'wasm',
          isa: isa.name,
          threads: 1,
          allocate: (dtype, length) => instance.allocate(dtype, length),
          adopt: (values) => instance.adopt(values),
          ...checked(abiKernels(instance.binding(), isa, 1)),
        };
      },
    };
  } catch (cause) {
    return refuse(`${FILE} cannot be instantiated: ${(cause as Error).message}`);
  }
}

/** Memory that a storage and its parts share. */
interface Block {
  readonly pointer: number;
  freed: boolean;
}

/** One instance of the module with its memory. Blocks are freed when no storage refers to them any more. */
class Instance {
  readonly exports: Exports;
  private readonly blocks: FinalizationRegistry<number>;

  constructor(module: WebAssembly.Module) {
    const imports: WebAssembly.Imports = {};
    for (const { module: space, name } of WebAssembly.Module.imports(module)) {
      imports[space] ??= {};
      // Growth needs no notice, views are made anew at each use; anything else that libc may want means that it gave up.
      imports[space][name] =
        name === 'emscripten_notify_memory_growth'
          ? () => {}
          : () => {
              throw new XiError('E_BACKEND', `the WebAssembly module called ${name}`);
            };
    }
    this.exports = new WebAssembly.Instance(module, imports).exports as unknown as Exports;
    this.exports._initialize?.();
    this.blocks = new FinalizationRegistry((pointer) => this.exports.xt_free(pointer));
  }

  text(pointer: number): string {
    const bytes = new Uint8Array(this.exports.memory.buffer, pointer);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }

  allocate(dtype: DType, length: number): WasmStorage {
    const bytes = checkLength(length) * (dtype === 'float32' ? 4 : 8);
    const pointer = bytes < 2 ** 32 - 2 ** 16 ? this.exports.xt_alloc(bytes) >>> 0 : 0;
    if (pointer === 0)
      throw mismatch('E_MEMORY', 'WebAssembly memory', 'room within 4 GiB', `${bytes} bytes`);
    const block: Block = { pointer, freed: false };
    this.blocks.register(block, pointer, block);
    const storage = new WasmStorage(this, block, dtype, pointer, length);
    storage.fill(0);
    return storage;
  }

  adopt(values: FloatArray): WasmStorage {
    const storage = this.allocate(dtypeOf(values), values.length);
    storage.write(values);
    return storage;
  }

  /** Finalizers run between tasks only, so that a synchronous loop would fill the 4 GiB without this. */
  free(block: Block): void {
    if (block.freed) return;
    block.freed = true;
    this.blocks.unregister(block);
    this.exports.xt_free(block.pointer);
  }

  binding() {
    const two = this.allocate('float64', 2);
    const words = this.allocate('float32', MOST_WORDS);
    return {
      abi: this.exports as Abi<number, number>,
      null: 0,
      words: (list: Int32Array): number => {
        if (list.length > MOST_WORDS)
          throw mismatch('E_ARGUMENT', 'plan', `at most ${MOST_WORDS} words`, list.length);
        new Int32Array(this.exports.memory.buffer, words.address(), list.length).set(list);
        return words.address();
      },
      pointer: (storage: Storage): number => {
        if (storage instanceof WasmStorage && storage.instance === this) return storage.address();
        throw mismatch(
          'E_BACKEND',
          'storage',
          'storage that this backend allocated',
          storage.constructor.name,
        );
      },
      result: {
        pointer: two.address(),
        read: () => {
          const values = two.read();
          return [values[0], values[1]] as const;
        },
      },
    };
  }
}

class WasmStorage implements Storage {
  readonly instance: Instance;
  /** Kept so that the memory lives as long as any part of it is referred to. */
  private readonly block: Block;
  readonly dtype: DType;
  private readonly pointer: number;
  readonly length: number;

  constructor(instance: Instance, block: Block, dtype: DType, pointer: number, length: number) {
    this.instance = instance;
    this.block = block;
    this.dtype = dtype;
    this.pointer = pointer;
    this.length = length;
  }

  at(offset: number, length = this.length - offset): WasmStorage {
    checkPart(offset, length, this.length);
    const pointer = this.pointer + offset * (this.dtype === 'float32' ? 4 : 8);
    return new WasmStorage(this.instance, this.block, this.dtype, pointer, length);
  }

  read(): FloatArray {
    return this.view().slice();
  }

  take(): FloatArray {
    const values = this.read();
    this.release();
    return values;
  }

  write(values: ArrayLike<number>): void {
    checkSame(values.length, this.length);
    this.view().set(values);
  }

  fill(value: number): void {
    this.view().fill(value);
  }

  release(): void {
    this.instance.free(this.block);
  }

  /** What the memory of a released storage holds belongs to others. */
  address(): number {
    if (this.block.freed) throw mismatch('E_BACKEND', 'storage', 'one that is in use', 'a released one');
    return this.pointer;
  }

  /** Valid until the memory grows, so it never leaves this class. */
  private view(): FloatArray {
    const { buffer } = this.instance.exports.memory;
    return this.dtype === 'float32'
      ? new Float32Array(buffer, this.address(), this.length)
      : new Float64Array(buffer, this.address(), this.length);
  }
}
