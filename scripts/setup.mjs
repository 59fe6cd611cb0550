// Everything that a fresh clone needs: packages, the addon, the WebAssembly module, dist/. Safe to run at any time: what
// is up to date is left alone.
import { chmodSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildWasm } from '../wasm/build.mjs';
import { ensureChromium } from './chromium.mjs';
import { bundleEntries } from './lib/bundles.mjs';
import {
  have,
  inProject,
  install,
  isMain,
  nodeGyp,
  nodePrefix,
  npm,
  replaceFolder,
  run,
  step,
} from './lib/steps.mjs';
import { buildNeon } from './neon.mjs';
import { ensurePython } from './python.mjs';
import { ensureRuntimes } from './runtimes.mjs';

const HELP = `node scripts/setup.mjs [--build-only] [--pack] [--neon] [--chromium] [--python] [--runtimes]

Installs the npm packages and builds the addon, the WebAssembly module and dist/; does again only what has changed.

  --build-only  leave node_modules alone
  --pack        fail where the addon of this platform or a module is left out, which a package would lack
  --neon        also cross-compile the addon for AArch64 and fetch what runs it under qemu, for the tests
  --chromium    also find or install Chromium, for the tests
  --python      also find or install NumPy and PyTorch, for the tests
  --runtimes    also fetch Bun, Deno and workerd, for the tests
  --help        print this

XITENSOR_NO_APT=1 forbids to install system packages (Clang and wasi-libc; with --neon a cross compiler and qemu-user;
with --chromium Chromium, with --python NumPy and PyTorch).
A part whose tools are missing is left out with its reason: xitensor runs with any of its backends.`;

const readJson = (path) => JSON.parse(readFileSync(inProject(path), 'utf8'));

/** Whether npm's own record of node_modules has every package of the lockfile at its version. */
function packagesAreCurrent() {
  if (!existsSync(inProject('node_modules/.package-lock.json'))) return false;
  const installed = readJson('node_modules/.package-lock.json').packages;
  return Object.entries(readJson('package-lock.json').packages).every(
    ([path, { version, optional }]) =>
      path === '' || (installed[path] ? installed[path].version === version : optional),
  );
}

async function installPackages() {
  if (packagesAreCurrent()) return console.log('packages: up to date');
  console.log('packages: npm ci …');
  const start = performance.now();
  await npm(['ci', '--include=dev', '--no-audit', '--no-fund']);
  console.log(`packages: done in ${((performance.now() - start) / 1000).toFixed(1)} s`);
}

function missingForNative() {
  if (!['x64', 'arm64'].includes(process.arch)) return `there are no native kernels for ${process.arch}`;
  if (process.platform === 'win32') return 'binding.gyp has flags for GCC and Clang only';
  const wanted = {
    'a C++ compiler': [process.env.CXX, 'g++', 'c++', 'clang++'],
    make: ['make', 'gmake'],
    'Python 3': [process.env.PYTHON, 'python3', 'python'],
  };
  const absent = Object.keys(wanted).filter(
    (what) => !wanted[what].some((name) => name && (existsSync(name) || have(name))),
  );
  if (absent.length === 0) return '';
  const get = process.platform === 'darwin' ? 'xcode-select --install' : 'apt-get install g++ make python3';
  return `missing: ${absent.join(', ')}. Get them with ${get}`;
}

async function buildNative() {
  const missing = missingForNative();
  if (missing) return { missing };
  const compiler = process.env.CXX || ['g++', 'c++', 'clang++'].find(have);
  const output = `prebuilds/${process.platform}-${process.arch}/xitensor.node`;
  const [program, ...flags] = compiler.split(' ');
  const key = `${compiler} ${await run(program, [...flags, '--version'])} ${process.version} ${process.env.CXXFLAGS ?? ''}`;
  const does = `compiling the addon with ${compiler}`;
  let headers = '';
  const build = async () => {
    // make compares times, not compilers: objects of another one must go.
    const toolchain = inProject('build/toolchain.txt');
    const same = existsSync(toolchain) && readFileSync(toolchain, 'utf8') === key;
    if (!same) rmSync(inProject('build'), { recursive: true, force: true });
    await nodeGyp(inProject(), ['configure']).catch((error) => {
      if (!nodePrefix()) headers = `no headers of Node beside ${process.execPath}, and no download of them`;
      throw error;
    });
    writeFileSync(toolchain, key);
    await nodeGyp(inProject(), ['build']);
    install(inProject('build/Release/xitensor.node'), inProject(output));
  };
  try {
    await step('native', { does, inputs: ['native', 'binding.gyp'], outputs: [output], key }, build);
  } catch (error) {
    if (!headers) throw error;
    return { missing: `${headers}: ${error.message}` };
  }
  return {};
}

async function buildLibrary() {
  const inputs = [
    ...['src', 'tsconfig.json', 'tsconfig.build.json', 'scripts/lib/bundles.mjs'],
    ...['node_modules/typescript/package.json', 'node_modules/esbuild/package.json'],
    // The inline entry carries them.
    ...['wasm/xitensor.wasm', 'wasm/xitensor-relaxed.wasm'],
  ];
  const does = 'compiling TypeScript, bundling for browsers';
  await step('dist', { does, inputs, outputs: ['dist'] }, async () => {
    // Beside dist/, where maps have the same paths; a file whose source is gone does not live on.
    const made = inProject('dist.part');
    rmSync(made, { recursive: true, force: true });
    const compiler = inProject('node_modules/typescript/bin/tsc');
    await run(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--outDir', made]);
    chmodSync(join(made, 'cli/main.js'), 0o755);
    await bundleEntries(made);
    replaceFolder(made, inProject('dist'));
  });
  return {};
}

/** What only the tests need; each resolves with {} or with { missing: reason }. */
const FOR_TESTS = {
  neon: buildNeon,
  chromium: ensureChromium,
  python: ensurePython,
  runtimes: ensureRuntimes,
};

/**
 * Sets everything up, of what only the tests need the parts whose names are true; resolves with what had to be left out:
 * { missing: { native?, wasm?, neon?, … } }, each a reason. Rejects when something that can be built fails to build.
 */
export async function setup({ buildOnly = false, ...wanted } = {}) {
  const start = performance.now();
  if (!buildOnly) await installPackages();
  // All at once: one slow kernel file alone cannot use a second core, and apt-get waits for the network.
  const wasm = buildWasm();
  const parts = {
    ...Object.fromEntries(Object.entries(FOR_TESTS).filter(([name]) => wanted[name])),
    native: buildNative,
    wasm: () => wasm,
    dist: () => wasm.then(buildLibrary, buildLibrary),
  };
  const results = await Promise.allSettled(Object.values(parts).map((build) => build()));
  const missing = {};
  const failed = [];
  for (const [index, name] of Object.keys(parts).entries()) {
    const { status, value, reason } = results[index];
    if (status === 'rejected') failed.push(`${name}: ${reason.message}`);
    else if (value.missing) missing[name] = value.missing;
  }
  for (const [name, reason] of Object.entries(missing)) console.warn(`${name}: left out, ${reason}`);
  if (failed.length > 0) throw new Error(failed.join('\n\n'));
  console.log(`set-up: ready after ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return { missing };
}

/** @throws Error with every binary that a package would lack, or have from other sources. */
export function refuseIncomplete(missing) {
  const absent = ['native', 'wasm'].filter((name) => missing[name]);
  if (absent.length === 0) return;
  const list = absent.map((name) => `\n  ${name}: ${missing[name]}`).join('');
  throw new Error(
    `package: expected the addon of this platform and both WebAssembly modules, received none of${list}\n` +
      'npm pack --ignore-scripts packs what there is',
  );
}

/** Parses the options of a command, with exit code 2 for what it does not know. */
function options() {
  const boolean = { type: 'boolean', default: false };
  try {
    const names = ['build-only', 'pack', 'help', ...Object.keys(FOR_TESTS)];
    return parseArgs({ options: Object.fromEntries(names.map((name) => [name, boolean])) }).values;
  } catch (error) {
    console.error(`${error.message}\n\n${HELP}`);
    return process.exit(2);
  }
}

if (isMain(import.meta.url)) {
  const { help, 'build-only': buildOnly, pack, ...wanted } = options();
  if (help) console.log(HELP);
  else {
    try {
      const { missing } = await setup({ buildOnly, ...wanted });
      if (pack) refuseIncomplete(missing);
    } catch (error) {
      console.error(`set-up failed\n${error.message}`);
      process.exitCode = 1;
    }
  }
}
