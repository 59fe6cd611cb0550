import type { Abi } from '../core/abi.gen.ts';
import { mismatch, XiError } from '../core/errors.ts';
import { lengthOf } from '../core/realm.ts';
import { BYTES, type DType, dtypeOf, type FloatArray } from '../core/tensor.ts';
import { abiKernels, describeBinary } from './abi.ts';
import { checked } from './checks.ts';
import type { Backend, Storage } from './interface.ts';
import type { IsaReport, Probe } from './probes.ts';
import { checkDtype, checkLength, checkPart, checkSame } from './storage.ts';
import { ownMemory, sharedMemoryFor } from './wasm_memory.ts';
import { forMemory, WASM_MODULES, type WasmModule } from './wasm_modules.ts';
import type { Thread, Threads } from './wasm_threads.ts';

// What a kernel keeps on the stack is a tile.
const STACK_BYTES = 2 ** 18;

/** Room for the words of a call; eight operands, the most that there may be, and out with 48 axes each fit, tokens make it grow. */
const WORDS = 1024;

interface Exports extends Abi<number, number> {
  readonly __stack_pointer: WebAssembly.Global;
  readonly __tls_size: WebAssembly.Global;
  readonly memory: WebAssembly.Memory;
  __wasm_call_ctors(): void;
  xt_describe(): number;
  xt_alloc(bytes: number): number;
  xt_free(pointer: number): void;
}

/**
 * Compiles the modules of the package and asks what they can do; an engine without an instruction set is refused its
 * module. `read` gives the bytes of a file of the package, and throws the reason why it cannot.
 */
export function probeModules(read: (file: string) => Uint8Array<ArrayBuffer>, threads: Threads): Probe {
  const source = WASM_MODULES.at(-1)!.file;
  const refuse = (reason: string): Probe => ({ name: 'wasm', usable: false, source, reason });
  if (typeof WebAssembly !== 'object') return refuse('this engine has no WebAssembly');
  const found = WASM_MODULES.map((module, index) => {
    const priority = WASM_MODULES.length - index;
    const program = loadProgram(module, read, threads);
    return typeof program === 'string'
      ? { isa: { name: module.isa, index: 0, usable: false, priority, reason: program } }
      : { isa: { ...program.isa, priority }, program };
  });
  const programs = new Map(found.map(({ isa, program }) => [isa.name, program]));
  const isas = found.map(({ isa }) => isa);
  if (!isas.some(({ usable }) => usable)) return refuse(isas.at(-1)!.reason);
  return {
    name: 'wasm',
    usable: true,
    source: isas.find(({ usable }) => usable) === isas[0] ? WASM_MODULES[0].file : source,
    isas,
    // Also what was noticed later, when threads were started.
    get note() {
      return threads.refusal;
    },
    open: (isa, wanted) => programs.get(isa.name)!.open(isa, wanted),
  };
}

/** A compiled module, once for shared memory and once for other. */
class Program {
  readonly isa: IsaReport;
  private readonly bytes: Uint8Array<ArrayBuffer>;
  private readonly threads: Threads;
  private readonly single: WebAssembly.Module;
  private threaded: WebAssembly.Module | undefined;
  private unused: Instance | undefined;

  constructor(bytes: Uint8Array<ArrayBuffer>, threads: Threads) {
    this.bytes = bytes;
    this.threads = threads;
    this.single = new WebAssembly.Module(forMemory(bytes, false));
    this.unused = this.instantiate(this.single, ownMemory());
    this.isa = this.unused.describe();
  }

  open(isa: IsaReport, wanted: number): Backend {
    const shared = sharedMemoryFor(wanted, this.threads);
    const instance = shared ? this.withThreads(shared) : this.withOne();
    return backendOf(instance, isa, shared ? wanted : 1, this.threads);
  }

  private withThreads(memory: WebAssembly.Memory): Instance {
    this.threaded ??= new WebAssembly.Module(forMemory(this.bytes, true));
    return this.instantiate(this.threaded, memory);
  }

  private withOne(): Instance {
    const instance = this.unused ?? this.instantiate(this.single, ownMemory());
    this.unused = undefined;
    return instance;
  }

  private instantiate(module: WebAssembly.Module, memory: WebAssembly.Memory): Instance {
    const { imports, become } = unborn(module, memory, this.threads);
    return become(new WebAssembly.Instance(module, imports));
  }
}

/**
 * Makes a backend of a module that was compiled elsewhere, for shared memory or for other, without blocking the
 * caller's thread; resolves with what the module says of itself too.
 *
 * @throws XiError E_BACKEND when the module was built from other sources.
 */
export async function openModule(
  module: WebAssembly.Module,
  shared: WebAssembly.Memory | undefined,
  wanted: number,
  threads: Threads,
): Promise<{ readonly isa: IsaReport; readonly backend: Backend }> {
  const { imports, become } = unborn(module, shared ?? ownMemory(), threads);
  const instance = become(await WebAssembly.instantiate(module, imports));
  const isa = instance.describe();
  return { isa, backend: backendOf(instance, isa, shared ? wanted : 1, threads) };
}

function backendOf(instance: Instance, isa: IsaReport, threads: number, host: Threads): Backend {
  return {
    name: 'wasm',
    isa: isa.name,
    // A page may refuse a worker some time after it was asked for one.
    get threads() {
      return host.refusal ? 1 : threads;
    },
    tiles: {},
    allocate: (dtype, length) => instance.allocate(dtype, length),
    adopt: (values) => instance.adopt(values),
    ...checked(abiKernels(instance.binding(), isa, threads)),
  };
}

/** The program of a module, or why it cannot be had. */
function loadProgram(
  { file, needs, probe }: WasmModule,
  read: (file: string) => Uint8Array<ArrayBuffer>,
  threads: Threads,
): Program | string {
  if (!WebAssembly.validate(probe)) return `this engine lacks ${needs}`;
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    bytes = read(file);
  } catch (cause) {
    return (cause as Error).message;
  }
  try {
    return new Program(bytes, threads);
  } catch (cause) {
    if (cause instanceof XiError) return cause.message;
    return `${file} cannot be instantiated: ${(cause as Error).message}`;
  }
}

/** Memory that a storage and its parts share. */
interface Block {
  readonly pointer: number;
  freed: boolean;
}

/** Threads end when the instance whose memory they share is gone. Of the instance they hold the memory alone. */
const threadsOf = new FinalizationRegistry<Thread[]>((threads) => {
  for (const thread of threads) thread.terminate();
});

/** What a module imports, and how its instance becomes ours: the engine makes one at once or by a promise. */
function unborn(module: WebAssembly.Module, memory: WebAssembly.Memory, threads: Threads) {
  let instance: Instance;
  const start_workers = (count: number) => instance.startThreads(count);
  return {
    imports: { env: { memory, start_workers } },
    become: (made: WebAssembly.Instance): Instance => {
      instance = new Instance(module, made.exports as unknown as Exports, threads);
      return instance;
    },
  };
}

/** One instance of a module with its memory. Blocks are freed when no storage refers to them any more. */
class Instance {
  readonly exports: Exports;
  private readonly module: WebAssembly.Module;
  private readonly host: Threads;
  private readonly started: Thread[] = [];
  private readonly blocks: FinalizationRegistry<number>;

  constructor(module: WebAssembly.Module, exports: Exports, host: Threads) {
    this.module = module;
    this.exports = exports;
    this.host = host;
    this.exports.__wasm_call_ctors();
    this.blocks = new FinalizationRegistry((pointer) => this.exports.xt_free(pointer));
    threadsOf.register(this, this.started);
  }

  /** What the module says of itself. */
  describe(): IsaReport {
    const description = describeBinary(this.text(this.exports.xt_describe()));
    if (typeof description === 'string') throw new XiError('E_BACKEND', `the module is ${description}`);
    return description.isas[0];
  }

  /** Called by the first job that is worth sharing. Without a thread its parts are computed here. */
  startThreads(count: number): void {
    const { memory, __tls_size: tls } = this.exports;
    for (let n = 0; n < count; n++) {
      const block = this.exports.xt_alloc(tls.value + STACK_BYTES);
      if (block === 0) return;
      const stack = block + Math.floor((tls.value + STACK_BYTES) / 16) * 16;
      try {
        this.started.push(this.host.start({ module: this.module, memory, stack, tls: block }));
      } catch {
        // Its reason is the refusal of the host.
        this.exports.xt_free(block);
      }
    }
  }

  text(pointer: number): string {
    const bytes = new Uint8Array(this.exports.memory.buffer, pointer);
    // A copy, since TextDecoder refuses shared memory.
    return new TextDecoder().decode(bytes.slice(0, bytes.indexOf(0)));
  }

  allocate(dtype: DType, length: number): WasmStorage {
    const bytes = checkLength(length) * BYTES[checkDtype(dtype)];
    const pointer = bytes < 2 ** 32 - 2 ** 16 ? this.exports.xt_alloc(bytes) >>> 0 : 0;
    if (pointer === 0) {
      const grown = Math.round(this.exports.memory.buffer.byteLength / 2 ** 20);
      const expected = `room for ${bytes} bytes within 4 GiB`;
      const received = `${grown} MiB taken, of which what nobody refers to any more is free once a timer or setImmediate was awaited`;
      throw new XiError('E_MEMORY', `WebAssembly memory: expected ${expected}, received ${received}`);
    }
    const block: Block = { pointer, freed: false };
    this.blocks.register(block, pointer, block);
    const storage = new WasmStorage(this, block, dtype, pointer, length);
    storage.fill(0);
    return storage;
  }

  adopt(values: FloatArray): WasmStorage {
    const storage = this.allocate(dtypeOf(values), lengthOf(values));
    if (storage.length > 0) storage.put(values); // a detached array would throw
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
    let words = this.allocate('float32', WORDS);
    return {
      abi: this.exports as Abi<number, number>,
      null: 0,
      allocate: (dtype: DType, length: number) => this.allocate(dtype, length),
      words: (list: Int32Array): number => {
        if (list.length > words.length) {
          const larger = this.allocate('float32', 2 * list.length);
          words.release();
          words = larger;
        }
        new Int32Array(this.exports.memory.buffer, words.address(), list.length).set(list);
        return words.address();
      },
      noWords: 0,
      pointer: (storage: Storage): number => {
        if (WasmStorage.is(storage) && storage.instance === this) return storage.address();
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

/** Frozen, and told from what inherits of it: a length that is wrong would reach into the memory of others. */
class WasmStorage implements Storage {
  readonly instance: Instance;
  /** Kept so that the memory lives as long as any part of it is referred to. */
  readonly #block: Block;
  readonly dtype: DType;
  private readonly pointer: number;
  readonly length: number;

  static is(storage: Storage): storage is WasmStorage {
    return #block in storage;
  }

  constructor(instance: Instance, block: Block, dtype: DType, pointer: number, length: number) {
    this.instance = instance;
    this.#block = block;
    this.dtype = dtype;
    this.pointer = pointer;
    this.length = length;
    Object.freeze(this);
  }

  at(offset: number, length = this.length - offset): WasmStorage {
    checkPart(offset, length, this.length);
    const pointer = this.pointer + offset * BYTES[this.dtype];
    return new WasmStorage(this.instance, this.#block, this.dtype, pointer, length);
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
    this.put(values);
  }

  put(values: ArrayLike<number>): void {
    this.view().set(values);
  }

  fill(value: number): void {
    this.view().fill(value);
  }

  release(): void {
    this.instance.free(this.#block);
  }

  /** What the memory of a released storage holds belongs to others. */
  address(): number {
    if (this.#block.freed) throw mismatch('E_BACKEND', 'storage', 'one that is in use', 'a released one');
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
