/** What a module of the package is, and what an engine must have to run it. */
export interface WasmModule {
  readonly isa: string;
  readonly file: string;
  readonly needs: string;
  /** A module of a few bytes that is valid only where the engine has the instruction set. */
  readonly probe: Uint8Array<ArrayBuffer>;
}

const HEADER = [0, 97, 115, 109, 1, 0, 0, 0];

/** The modules, best first: an engine refuses a module whole for one instruction that it lacks, so each set has one. */
export const WASM_MODULES: readonly WasmModule[] = [
  {
    isa: 'relaxed128',
    file: 'wasm/xitensor-relaxed.wasm',
    needs: 'WebAssembly relaxed SIMD',
    // (func (param v128 v128 v128) (result v128) local.get 0 local.get 1 local.get 2 f32x4.relaxed_madd)
    probe: new Uint8Array(
      [HEADER, [1, 8, 1, 96, 3, 123, 123, 123, 1, 123, 3, 2, 1, 0], [10, 13, 1, 11, 0, 32, 0], [32, 1, 32, 2]]
        .flat()
        .concat(253, 133, 2, 11),
    ),
  },
  {
    isa: 'wasm128',
    file: 'wasm/xitensor.wasm',
    needs: 'WebAssembly SIMD128',
    // (func (result v128) i32.const 0 i8x16.splat)
    probe: new Uint8Array(
      [HEADER, [1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0], [10, 8, 1, 6, 0, 65, 0, 253, 15, 11]].flat(),
    ),
  },
];

const IMPORT_SECTION = 2;
const KIND_FUNCTION = 0;
const KIND_MEMORY = 2;
const SHARED = 2;

/** Bytes from the beginning within which every module has its imports, behind the types of its functions. */
export const IMPORTS_WITHIN = 2 ** 12;

/**
 * The same module for memory that is shared or not, which differs in one bit: that of the limits of the memory it imports.
 * Atomic instructions work on either, and nobody waits where there is one thread. The first {@link IMPORTS_WITHIN} bytes do for it.
 * The files are for memory that is not, so that they can be used as they are where there are no threads.
 *
 * @see https://webassembly.github.io/spec/core/binary/modules.html#import-section
 */
export function forMemory(module: Uint8Array<ArrayBuffer>, shared: boolean): Uint8Array<ArrayBuffer> {
  const bytes = module.slice();
  let at = HEADER.length;
  const number = () => {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = bytes[at++];
      value += (byte & 127) * factor;
      if (!(byte & 128)) return value;
    }
  };
  const skip = (count: number) => {
    at += count;
  };
  while (at < bytes.length) {
    const section = bytes[at++];
    const size = number();
    if (section !== IMPORT_SECTION) {
      skip(size);
      continue;
    }
    for (let imports = number(); imports > 0; imports--) {
      skip(number()); // the name of the module
      skip(number()); // and that in it
      const kind = bytes[at++];
      if (kind === KIND_MEMORY) bytes[at] = shared ? bytes[at] | SHARED : bytes[at] & ~SHARED;
      if (kind !== KIND_FUNCTION) return bytes;
      number(); // its type
    }
  }
  return bytes;
}
