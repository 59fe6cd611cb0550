// Compiles the kernels to wasm/*.wasm, one module for each instruction set: Clang and wasi-libc alone, no JavaScript glue.
// src/backend/wasm.ts loads them.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import {
  aptInstall,
  have,
  inProject,
  install,
  isMain,
  run,
  scratchPath,
  step,
} from '../scripts/lib/steps.mjs';

const VERSION = 19;
const CLANG = `clang++-${VERSION}`;
const PACKAGES = [
  `clang-${VERSION}`,
  `lld-${VERSION}`,
  'wasi-libc',
  `libc++-${VERSION}-dev-wasm32`,
  `libclang-rt-${VERSION}-dev-wasm32`,
];

/** An engine without an instruction set refuses the whole module, so each has one. */
const MODULES = [
  { isa: 'wasm128', output: 'wasm/xitensor.wasm', flags: ['-msimd128'] },
  { isa: 'relaxed128', output: 'wasm/xitensor-relaxed.wasm', flags: ['-msimd128', '-mrelaxed-simd'] },
];

const TARGET = '--target=wasm32-wasi';

const COMPILE = [
  TARGET,
  '-std=c++17',
  '-O3',
  '-matomics',
  '-mbulk-memory',
  '-Wall',
  '-Wextra',
  '-fvisibility=hidden',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-math-errno',
  // Nothing runs at the exit of a module.
  '-fno-c++-static-destructors',
  // Only the caller's thread initializes statics; workers get kernels and blocks ready-made.
  '-fno-threadsafe-statics',
];

// The linker makes what threads need: memory that JavaScript gives, storage a thread, a stack pointer to set.
const THREAD_EXPORTS = ['__wasm_call_ctors', '__wasm_init_tls', '__tls_size', '__stack_pointer'];
const ALLOCATOR = ['malloc', 'calloc', 'realloc', 'aligned_alloc', 'free'];
const IMPORTS = ['env.memory', 'env.start_workers'];

const LINK = [
  '--no-entry',
  '--import-memory',
  '--export-memory',
  '--shared-memory',
  // wasi-libc was not compiled for threads. The one part of it that would mind, its allocator, is behind a lock.
  '--no-check-features',
  ...ALLOCATOR.map((name) => `--wrap=${name}`),
  // INITIAL_PAGES and MAXIMA of src/backend/wasm.ts are within these.
  `--initial-memory=${2 ** 24}`,
  `--max-memory=${2 ** 32}`,
  '--stack-first',
  '-z',
  `stack-size=${2 ** 20}`,
  '--strip-all',
];

const sources = (isa) => [
  ...readdirSync(inProject('native'))
    .filter((name) => name.endsWith('.cc') && !['addon.cc', 'parallel.cc'].includes(name))
    .sort()
    .map((name) => `native/${name}`),
  `native/kernels/isa_${isa}.cc`,
];

/** The names that native/abi.h declares, the ones for WebAssembly alone among them. */
const abiNames = () =>
  [...readFileSync(inProject('native/abi.h'), 'utf8').matchAll(/^XT_API\b[^(;]*?\b(xt_\w+)\(/gm)].map(
    ([, name]) => name,
  );

/** Compiles, which tells whether all that is imported is given; the engine at hand may lack relaxed SIMD. */
function check(path, names, output) {
  const bytes = readFileSync(path);
  if (!WebAssembly.validate(bytes)) return;
  const module = new WebAssembly.Module(bytes);
  const exports = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  const absent = ['memory', ...names].filter((name) => !exports.has(name));
  if (absent.length > 0) throw new Error(`${output} lacks the exports ${absent.join(', ')}`);
  const imports = WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`);
  const strange = imports.filter((name) => !IMPORTS.includes(name));
  if (strange.length > 0)
    throw new Error(`${output} imports ${strange.join(', ')}, which the loader does not give`);
}

/**
 * Clears the bit that says that the imported memory is shared, as src/backend/wasm_modules.ts sets it for threads: without, the
 * file serves where programs may not compile and there is no shared memory.
 */
function takeUnshared(path) {
  const bytes = readFileSync(path);
  const [SHARED, OTHER] = [3, 1].map((limits) =>
    Buffer.from(['\x06memory', String.fromCharCode(2, limits)].join('')),
  );
  const at = bytes.indexOf(SHARED);
  if (at < 0) throw new Error(`${path} imports no shared memory`);
  OTHER.copy(bytes, at);
  writeFileSync(path, bytes);
}

async function buildModule({ isa, output, flags }) {
  const objects = sources(isa).map((source) => ({
    source,
    object: scratchPath('wasm', isa, `${source.replaceAll('/', '_')}.o`),
  }));
  const compile = ({ source, object }) => run(CLANG, [...COMPILE, ...flags, '-c', source, '-o', object]);
  // The file of the kernels takes nearly all of the time, and the modules are built at once.
  if (cpus().length > 1) await Promise.all(objects.map(compile));
  else for (const one of objects) await compile(one);
  const names = [...abiNames(), ...THREAD_EXPORTS];
  const made = scratchPath('wasm', `${isa}.wasm`);
  // Linking without -O, or Clang looks for a wasm-opt, and an old one does not know relaxed SIMD.
  const link = [...LINK, ...names.map((name) => `--export=${name}`)].map((flag) => `-Wl,${flag}`);
  await run(CLANG, [TARGET, '-nostartfiles', ...link, ...objects.map(({ object }) => object), '-o', made]);
  takeUnshared(made);
  check(made, names, output);
  install(made, inProject(output));
  rmSync(made);
}

const toolsAreThere = () =>
  have(CLANG) &&
  have(`wasm-ld-${VERSION}`) &&
  existsSync(`/usr/lib/llvm-${VERSION}/include/wasm32-wasi/c++/v1`) &&
  existsSync('/usr/include/wasm32-wasi/stdlib.h');

/** Resolves with {} when the modules are there, with { missing } when there is no compiler; rejects if compiling fails. */
export async function buildWasm() {
  if (!toolsAreThere()) {
    const { ok, reason } = await aptInstall(PACKAGES, 'which compile the kernels to WebAssembly');
    if (!ok) {
      return {
        missing: `no Clang ${VERSION} for WebAssembly: ${reason}. Get it with apt-get install ${PACKAGES.join(' ')}`,
      };
    }
  }
  const key = [await run(CLANG, ['--version']), ...COMPILE, ...LINK].join(' ');
  const does = 'compiling the kernels to WebAssembly';
  const outputs = MODULES.map(({ output }) => output);
  await step('wasm', { does, inputs: ['native', 'wasm/build.mjs'], outputs, key }, () =>
    Promise.all(MODULES.map(buildModule)),
  );
  return {};
}

if (isMain(import.meta.url)) {
  try {
    const { missing } = await buildWasm();
    if (missing) console.error(`wasm: ${missing}`);
    process.exitCode = missing ? 1 : 0;
  } catch (error) {
    console.error(`wasm: ${error.message}`);
    process.exitCode = 1;
  }
}
