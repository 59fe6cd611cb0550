// Compiles the kernels to wasm/xitensor.wasm: a standalone module without JavaScript glue, since the glue of Debian's
// Emscripten 3.1.6 fails on modern Node and src/backend/wasm.ts needs none.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
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

const OUTPUT = 'wasm/xitensor.wasm';

// Memory growth is announced through the only import; the loader then makes new views.
const IMPORTS = ['env.emscripten_notify_memory_growth'];

const COMPILE = [
  '-std=c++17',
  '-O3',
  '-msimd128',
  '-Wall',
  '-Wextra',
  '-fno-exceptions',
  '-fno-rtti',
  '-fno-math-errno',
  // Nothing runs at the exit of a module, and registering destructors for it would import proc_exit.
  '-fno-c++-static-destructors',
];

const LINK = [
  '--no-entry',
  '-sSTANDALONE_WASM',
  '-sALLOW_MEMORY_GROWTH',
  '-sINITIAL_MEMORY=16MB',
  '-sMAXIMUM_MEMORY=4GB',
  // 8 kB smaller than dlmalloc and as fast for the few large blocks that are allocated; both pass 2 GB.
  '-sMALLOC=emmalloc',
];

const sources = () => [
  ...readdirSync(inProject('native'))
    .filter((name) => name.endsWith('.cc') && name !== 'addon.cc')
    .sort()
    .map((name) => `native/${name}`),
  'native/kernels/isa_wasm128.cc',
];

/** The names that native/abi.h declares, the ones for WebAssembly alone among them. */
const abiNames = () =>
  [...readFileSync(inProject('native/abi.h'), 'utf8').matchAll(/^XT_API\b[^(;]*?\b(xt_\w+)\(/gm)].map(
    ([, name]) => name,
  );

function check(path, names) {
  const module = new WebAssembly.Module(readFileSync(path));
  const exports = new Set(WebAssembly.Module.exports(module).map(({ name }) => name));
  const absent = ['memory', ...names].filter((name) => !exports.has(name));
  if (absent.length > 0) throw new Error(`${OUTPUT} lacks the exports ${absent.join(', ')}`);
  const imports = WebAssembly.Module.imports(module).map(({ module, name }) => `${module}.${name}`);
  const strange = imports.filter((name) => !IMPORTS.includes(name));
  if (strange.length > 0)
    throw new Error(`${OUTPUT} imports ${strange.join(', ')}, which the loader does not give`);
}

/** Resolves with {} when the module is there, with { missing } when there is no compiler; rejects if compiling fails. */
export async function buildWasm() {
  if (!have('em++')) {
    const { ok, reason } = await aptInstall(['emscripten'], 'which compiles the kernels to WebAssembly');
    if (!ok) {
      return {
        missing: `no Emscripten (em++): ${reason}. Get it with apt-get install emscripten, or from emscripten.org`,
      };
    }
  }
  const names = abiNames();
  const command = [
    ...COMPILE,
    ...LINK,
    `-sEXPORTED_FUNCTIONS=${names.map((name) => `_${name}`).join(',')}`,
    ...sources(),
  ];
  const key = [await run('em++', ['--version']), ...command].join(' ');
  const does = 'compiling the kernels to WebAssembly';
  await step('wasm', { does, inputs: ['native', 'wasm/build.mjs'], outputs: [OUTPUT], key }, async () => {
    const made = scratchPath('xitensor.wasm');
    await run('em++', [...command, '-o', made]);
    check(made, names);
    install(made, inProject(OUTPUT));
    rmSync(made);
  });
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
