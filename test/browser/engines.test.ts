import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build as esbuild } from 'esbuild';
import type { Browser } from 'playwright-core';
import { build as vite, createServer as viteServer } from 'vite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import webpack from 'webpack';
import { encodeModel } from '../../src/models/files.ts';
import { launch, openPage, type Server, serve } from '../support/browser.ts';
import { make } from '../support/models.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';

const ISAS = ['wasm128', 'relaxed128'];

interface Outcome {
  readonly isa: string;
  readonly threads: number;
  readonly note: string;
  readonly results: Readonly<Record<string, string>>;
}

/** What is written into the app's folder, whose page each bundler makes another bundle of. */
const app = (entry: string, options = '{}') => `
import * as xitensor from '${entry}';
import { computeAll } from './work.mjs';
window.outcome = (async () => {
  const bytes = await (await fetch('/model.safetensors')).arrayBuffer();
  return computeAll(xitensor, ${JSON.stringify(ISAS)}, bytes, ${options});
})();
`;
const html = (script: string) =>
  `<!doctype html><html lang="en"><title>app</title><link rel="icon" href="data:,"><script type="module" src="${script}"></script></html>`;

const EXAMPLE =
  /## In a browser[\s\S]*?```js\n([\s\S]*?)```/.exec(
    readFileSync(join(ROOT, 'docs/backends.md'), 'utf8'),
  )?.[1] ?? '';

let folder: string;
let browser: Browser;
let wanted: Outcome[];
const inFolder = (...parts: string[]) => join(folder, ...parts);

/** The folder that is served, with what does not depend on the bundler. */
function site(name: string, script = './app.js'): string {
  const path = inFolder('sites', name);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'index.html'), html(script));
  cpSync(inFolder('model.safetensors'), join(path, 'model.safetensors'));
  return path;
}

const bundleWithEsbuild = (entry: string, path: string) =>
  esbuild({
    entryPoints: [inFolder(entry)],
    outfile: join(path, 'app.js'),
    bundle: true,
    format: 'esm',
    minify: true,
    logLevel: 'silent',
  });

const BUNDLES: Readonly<Record<string, () => Promise<string>>> = {
  async 'esbuild, xitensor/inline'() {
    const path = site('esbuild-inline');
    await bundleWithEsbuild('inline.mjs', path);
    return path;
  },
  async 'esbuild, the modules copied to wasmFolder'() {
    const path = site('esbuild-folder');
    await bundleWithEsbuild('folder.mjs', path);
    cpSync(join(ROOT, 'wasm'), join(path, 'modules'), { recursive: true });
    return path;
  },
  async vite() {
    const path = inFolder('sites/vite');
    await vite({
      root: folder,
      configFile: false,
      logLevel: 'error',
      publicDir: false,
      build: {
        outDir: path,
        emptyOutDir: true,
        rollupOptions: { input: [inFolder('index.html'), inFolder('docs.html')] },
      },
    });
    cpSync(inFolder('model.safetensors'), join(path, 'model.safetensors'));
    return path;
  },
  async webpack() {
    const path = site('webpack');
    const compiler = webpack({
      mode: 'production',
      context: folder,
      entry: inFolder('app.mjs'),
      output: { path, filename: 'app.js' },
      performance: false,
    });
    await new Promise<void>((resolve, reject) => {
      compiler!.run((error, stats) => {
        if (error || stats?.hasErrors() || stats?.hasWarnings())
          reject(error ?? new Error(stats?.toString()));
        else resolve();
      });
    });
    return path;
  },
};

/** The client of Vite has to be told a port, so that 0 does not do. */
async function freePort(): Promise<number> {
  const server = await serve(folder, false);
  server.close();
  return Number(new URL(server.url).port);
}

/** One page must give the bits of Node, whatever its threads, and complain of nothing. */
async function check(url: string, isolated: boolean): Promise<void> {
  const { page, complaints } = await openPage(browser, url);
  const outcomes = (await page.evaluate('window.outcome')) as Outcome[];
  expect(complaints).toEqual([]);
  expect(await page.evaluate('crossOriginIsolated')).toBe(isolated);
  expect(outcomes.map(({ isa, results }) => ({ isa, results }))).toEqual(
    wanted.map(({ isa, results }) => ({ isa, results })),
  );
  expect(outcomes.map(({ threads }) => threads)).toEqual(isolated ? [1, 2, 1, 2] : [1, 1, 1, 1]);
  // Of two threads the page's own is one.
  await expect.poll(() => page.workers().length, { timeout: 10_000 }).toBe(isolated ? ISAS.length : 0);
  await page.close();
  const note = isolated
    ? ''
    : 'one thread: the page is not cross-origin isolated, so it has no shared memory';
  for (const outcome of outcomes) expect(outcome.note).toBe(note);
}

describe('bundles', () => {
  beforeAll(async () => {
    folder = temporaryFolder();
    const installed = inFolder('node_modules/xitensor');
    for (const part of ['package.json', 'dist', 'wasm']) {
      cpSync(join(ROOT, part), join(installed, part), { recursive: true });
    }
    cpSync(join(ROOT, 'test/browser/work.mjs'), inFolder('work.mjs'));
    writeFileSync(inFolder('package.json'), '{ "name": "app", "private": true, "type": "module" }');
    writeFileSync(inFolder('model.safetensors'), encodeModel(make({ init: 'normal' })));
    writeFileSync(inFolder('app.mjs'), app('xitensor'));
    writeFileSync(inFolder('inline.mjs'), app('xitensor/inline'));
    writeFileSync(inFolder('folder.mjs'), app('xitensor', "{ wasmFolder: '/modules' }"));
    writeFileSync(inFolder('index.html'), html('./app.mjs'));
    writeFileSync(inFolder('docs.html'), html('./docs.mjs'));
    writeFileSync(inFolder('docs.mjs'), EXAMPLE);
    writeFileSync(
      inFolder('node.mjs'),
      `import { readFileSync } from 'node:fs';
       import * as xitensor from 'xitensor';
       import { computeAll } from './work.mjs';
       console.log(JSON.stringify(await computeAll(xitensor, ${JSON.stringify(ISAS)}, readFileSync('model.safetensors'))));`,
    );
    const flags =
      Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-wasm-relaxed-simd'] : [];
    const { code, stdout, stderr } = await run([...flags, 'node.mjs'], { cwd: folder });
    if (code !== 0) throw new Error(stderr);
    wanted = JSON.parse(stdout);
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  it('Node computes the same with one thread and with two', () => {
    expect(wanted.map(({ threads }) => threads)).toEqual([1, 2, 1, 2]);
    for (const n of [0, 2]) expect(wanted[n].results).toEqual(wanted[n + 1].results);
    expect(wanted[0].results).not.toEqual(wanted[2].results);
  });

  describe.each(Object.keys(BUNDLES))('%s', (name) => {
    let servers: Record<'true' | 'false', Server>;
    beforeAll(async () => {
      const path = await BUNDLES[name]();
      servers = { true: await serve(path, true), false: await serve(path, false) };
    });
    afterAll(() => {
      for (const server of Object.values(servers)) server.close();
    });
    it.each(['true', 'false'] as const)('computes the bits of Node, isolated: %s', async (isolated) => {
      await check(servers[isolated].url, isolated === 'true');
    });
  });

  it('counts one thread where a content security policy refuses workers', async () => {
    const path = site('policy');
    writeFileSync(
      inFolder('policy.mjs'),
      `import { contract, openBackend, probeBackend, zeros } from 'xitensor/inline';
       const backend = await openBackend({ prefer: ['wasm'], threads: 2 });
       window.before = backend.threads;
       contract('; ik,kj -> ij', [zeros([200, 200]), zeros([200, 200])], { xi: 'product', backend });
       window.after = () => [backend.threads, probeBackend('wasm').note];`,
    );
    await bundleWithEsbuild('policy.mjs', path);
    const policy = `<meta http-equiv="Content-Security-Policy" content="script-src 'self' 'wasm-unsafe-eval'">`;
    writeFileSync(join(path, 'index.html'), html('./app.js').replace('<title>', `${policy}<title>`));
    const server = await serve(path, true);
    const page = await browser.newPage();
    try {
      await page.goto(server.url);
      await expect.poll(() => page.evaluate('typeof window.after')).toBe('function');
      expect(await page.evaluate('window.before')).toBe(2);
      await expect
        .poll(() => page.evaluate('window.after()'))
        .toEqual([1, expect.stringMatching(/worker-src/)]);
    } finally {
      await page.close();
      server.close();
    }
  });

  it('the example of docs/backends.md prints what it says', async () => {
    const server = await serve(inFolder('sites/vite'), false);
    const page = await browser.newPage();
    try {
      const printed = page.waitForEvent('console');
      await page.goto(`${server.url}docs.html`);
      expect((await printed).text()).toBe(/console\.log\(.*\/\/ (.*)/.exec(EXAMPLE)?.[1]);
    } finally {
      await page.close();
      server.close();
    }
  });

  it("Vite's development server, which bundles dependencies beforehand", async () => {
    const server = await viteServer({
      ...{ root: folder, configFile: false, logLevel: 'error', publicDir: false },
      server: { host: '127.0.0.1', port: await freePort(), watch: null },
    });
    await server.listen();
    try {
      await check(server.resolvedUrls!.local[0], false);
    } finally {
      await server.close();
    }
  });
});
