import { cpSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, which runs before anything is compiled
import { findRuntime } from '../../scripts/runtimes.mjs';
import { NATIVE_FILE, ROOT, run, start, temporaryFolder } from '../support/processes.ts';

const PACKAGE = 'node_modules/xitensor';
let folder: string;
const inFolder = (...parts: string[]) => join(folder, ...parts);

beforeAll(() => {
  folder = temporaryFolder();
  for (const part of ['dist', 'package.json', 'data', 'wasm', NATIVE_FILE])
    cpSync(join(ROOT, part), inFolder(PACKAGE, part), { recursive: true });
  for (const name of ['commander', 'cli-progress', 'string-width', 'strip-ansi', 'ansi-regex'])
    symlinkSync(join(ROOT, 'node_modules', name), inFolder('node_modules', name));
  for (const name of readdirSync(join(ROOT, 'test/runtimes')))
    if (name.endsWith('.mjs')) cpSync(join(ROOT, 'test/runtimes', name), inFolder(name));
  writeFileSync(inFolder('package.json'), '{ "name": "app", "private": true, "type": "module" }');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The executable; without it the tests fail. */
function runtime(name: string): string {
  const path: string = findRuntime(name);
  if (!path) throw new Error(`expected ${name}, found none: npm run setup -- --runtimes`);
  return path;
}

async function succeed(args: readonly string[], program?: string): Promise<string> {
  const { code, stdout, stderr } = await run(args, { cwd: folder, program });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return stdout;
}

const COMMAND = `${PACKAGE}/dist/cli/main.js`;
const computed = async (args: readonly string[], program?: string) =>
  JSON.parse(await succeed(args, program)) as { name: string; isa: string; threads: number; results: object };

/** What follows the name of a runtime, before the file that it runs; Deno gets the permissions that docs/backends.md names. */
const RUNTIMES: Readonly<Record<string, readonly string[]>> = {
  bun: [],
  deno: ['run', '--no-prompt', '--allow-read', '--allow-write', '--allow-env', '--allow-sys', '--allow-ffi'],
};

describe.each(Object.entries(RUNTIMES))('%s', (name, before) => {
  it.each([
    ['native', '1'],
    ['native', '2'],
    ['wasm', '1'],
    ['wasm', '2'],
  ])('computes the same bits as Node on %s, threads: %s', async (backend, threads) => {
    const args = ['main.mjs', backend, threads];
    const there = await computed([...before, ...args], runtime(name));
    expect(there).toEqual(await computed(args));
    expect(Object.keys(there.results).length).toBeGreaterThan(40);
  });

  it('its command trains the same model', async () => {
    const train = [COMMAND, 'train', '--data', 'splice', '--epochs', '1', '--rank', '4', '--limit', '500'];
    await succeed([...before, ...train, '-o', `${name}.safetensors`], runtime(name));
    await succeed([...train, '-o', `${name}-node.safetensors`]);
    expect(readFileSync(inFolder(`${name}.safetensors`))).toEqual(
      readFileSync(inFolder(`${name}-node.safetensors`)),
    );
  });

  it('its command shares networks among workers', async () => {
    const ranks = [
      COMMAND,
      'ranks',
      '--templates',
      '3',
      '--steps',
      '4',
      '--networks',
      '30',
      '--rank',
      '1,2',
      '--threads',
      '2',
    ];
    await succeed([...before, ...ranks, '--out', `${name}-ranks`], runtime(name));
    await succeed([...ranks, '--out', 'node-ranks']);
    const files = readdirSync(inFolder('node-ranks'));
    expect(readdirSync(inFolder(`${name}-ranks`))).toEqual(files);
    const records = files.filter((file) => file.endsWith('.csv'));
    expect(records.length).toBeGreaterThan(0);
    for (const file of records)
      expect(readFileSync(inFolder(`${name}-ranks`, file), 'utf8')).toBe(
        readFileSync(inFolder('node-ranks', file), 'utf8'),
      );
  });
});

describe('deno, with fewer permissions', () => {
  it('uses WebAssembly where it may load no binary, and says so', async () => {
    const allowed = ['run', '--no-prompt', '--allow-read', '--allow-env', '--allow-sys'];
    const info = JSON.parse(await succeed([...allowed, COMMAND, 'info', '--json'], runtime('deno')));
    expect(info.used.name).toBe('wasm');
    expect(info.because).toMatch(/Requires ffi access/);
  });

  it('needs none for the entry that carries the modules', async () => {
    const source = `import { contract, openBackend, tensor } from 'xitensor/inline';
      const backend = await openBackend({ prefer: ['wasm'] });
      const { data } = contract('ij,jk->ik', [tensor([[1, 2], [3, 4]]), tensor([[1], [1]])], { backend });
      console.log(backend.name, ...data);`;
    writeFileSync(inFolder('inline.mjs'), source);
    expect(await succeed(['run', '--no-prompt', 'inline.mjs'], runtime('deno'))).toBe('wasm 3 7\n');
  });
});

describe('workerd, the runtime of Cloudflare Workers', () => {
  it('computes the same bits as Node on WebAssembly', async () => {
    await build({
      absWorkingDir: folder,
      entryPoints: ['worker.mjs'],
      bundle: true,
      format: 'esm',
      conditions: ['browser'],
      external: ['*.wasm'],
      outfile: inFolder('worker/main.js'),
    });
    const port = await freePort();
    // The date from which on FinalizationRegistry is there.
    writeFileSync(
      inFolder('worker.capnp'),
      `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .worker)],
  sockets = [(name = "http", address = "127.0.0.1:${port}", http = (), service = "main")]
);
const worker :Workerd.Worker = (
  modules = [
    (name = "main.js", esModule = embed "worker/main.js"),
    (name = "xitensor/wasm/xitensor.wasm", wasm = embed "${PACKAGE}/wasm/xitensor.wasm")
  ],
  compatibilityDate = "2025-05-05"
);
`,
    );
    const server = start(['serve', '--verbose', 'worker.capnp'], {
      cwd: folder,
      program: runtime('workerd'),
    });
    try {
      const response = await answer(`http://127.0.0.1:${port}/`);
      expect(await response.json()).toEqual(await computed(['main.mjs', 'wasm', '1']));
    } finally {
      server.child.kill();
      await server.done;
    }
  });
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The answer of a server that is starting. */
async function answer(url: string): Promise<Response> {
  for (let tries = 0; ; tries++) {
    try {
      return await fetch(url);
    } catch (error) {
      if (tries === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}
