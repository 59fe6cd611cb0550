import { closeSync, existsSync, fstatSync, openSync, readSync } from 'node:fs';
// Not by its name, by which webpack takes what it loads for a module of the bundle.
import nodeModule from 'node:module';
import { type Abi, POPULATED_BYTES } from '../core/abi.gen.ts';
import { isShared } from '../core/realm.ts';
import type { DType, FloatArray } from '../core/tensor.ts';
import { abiKernels, describeBinary } from './abi.ts';
import { checked } from './checks.ts';
import type { Backend, Storage } from './interface.ts';
import { absence, packagePath } from './package_files.ts';
import type { Probe } from './probes.ts';
import { ArrayStorage, adoptArray, arrayOf } from './storage.ts';

const FILE = `prebuilds/${process.platform}-${process.arch}/xitensor.node`;

interface Addon extends Abi<FloatArray | null, Int32Array | null> {
  xt_describe(): string;
}

/** Looks for the addon of this platform, loads it and asks what it can do. No install script runs for it. */
export function probeNative(): Probe {
  const refuse = (reason: string): Probe => ({ name: 'native', usable: false, source: FILE, reason });
  let addon: Addon;
  try {
    const path = packagePath(FILE);
    if (!existsSync(path))
      return refuse(`there is no binary for ${process.platform}-${process.arch}: ${absence(FILE, path)}`);
    const missing = missingBytes(path);
    if (missing > 0) return refuse(`the binary is truncated: ${missing} bytes are missing at its end`);
    addon = nodeModule.createRequire(path)(path) as Addon;
  } catch (cause) {
    return refuse(`the binary cannot be loaded: ${(cause as Error).message}`);
  }
  if (typeof addon.xt_describe !== 'function') return refuse('the binary is not an xitensor addon');
  const description = describeBinary(addon.xt_describe());
  if (typeof description === 'string') return refuse(`the binary is ${description}`);
  const two = new Float64Array(2);
  const binding = {
    abi: addon,
    null: null,
    allocate: (dtype: DType, length: number) => new ArrayStorage(dtype, length),
    pointer: (storage: Storage) => arrayOf(storage),
    // Of shared memory a copy: what was checked must be what is used.
    words: (list: Int32Array | null) => (list && isShared(list) ? new Int32Array(list) : list),
    noWords: null,
    result: { pointer: two, read: () => [two[0], two[1]] as const },
  };
  return {
    name: 'native',
    usable: true,
    source: FILE,
    isas: description.isas,
    open: (isa, threads): Backend => ({
      name: 'native',
      isa: isa.name,
      threads,
      tiles: isa.tiles ?? {},
      allocate: (dtype, length) => populated(addon, new ArrayStorage(dtype, length)),
      adopt: adoptArray,
      ...checked(abiKernels(binding, isa, threads)),
    }),
  };
}

/** A large array whose pages are asked for at once. */
function populated(addon: Addon, storage: ArrayStorage): ArrayStorage {
  const { data } = storage;
  if (data.byteLength >= POPULATED_BYTES) addon.xt_populate(data, data.byteLength);
  return storage;
}

/**
 * How much of an ELF file is missing at its end, where its section headers lie, or of what the loader maps, should those be
 * damaged. The dynamic loader maps a truncated file without complaint, and the process dies of SIGBUS at the first page that is not there.
 */
function missingBytes(path: string): number {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(64);
    const isElf64 = readSync(file, header) === 64 && header.readUInt32BE(0) === 0x7f454c46 && header[4] === 2;
    if (!isElf64) return 0;
    let end = Number(header.readBigUInt64LE(40)) + header.readUInt16LE(58) * header.readUInt16LE(60);
    const size = header.readUInt16LE(54);
    const segments = Buffer.alloc(size * header.readUInt16LE(56));
    const read = readSync(file, segments, 0, segments.length, Number(header.readBigUInt64LE(32)));
    for (let at = 0; at + 40 <= read && size > 0; at += size)
      end = Math.max(end, Number(segments.readBigUInt64LE(at + 8) + segments.readBigUInt64LE(at + 32)));
    return end - fstatSync(file).size;
  } finally {
    closeSync(file);
  }
}
