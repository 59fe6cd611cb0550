import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Backend } from '../../src/backend/interface.ts';
import { PageBackends } from '../../src/backend/pages.ts';
import * as ofBrowsers from '../../src/backend/select.browser.ts';
import * as ofInline from '../../src/backend/select.inline.ts';
import type { BackendOptions } from '../../src/backend/selection.ts';
import { forMemory, IMPORTS_WITHIN, WASM_MODULES } from '../../src/backend/wasm_modules.ts';
import { fetched, type ModuleSource, openInPage, unpacked } from '../../src/backend/wasm_pages.ts';
import { decodeModel, encodeModel } from '../../src/models/files.ts';
import { fit as train } from '../../src/train/fit.ts';
import { type Server, serve } from '../support/browser.ts';
import { make, refusal } from '../support/models.ts';
import { patterns } from '../support/patterns.ts';
import { ROOT, temporaryFolder } from '../support/processes.ts';

const ENTRIES = ['browser', 'inline'];
const [RELAXED, SIMD] = WASM_MODULES;

/** What Node has besides, because it needs files or a process. */
const OF_NODE = [
  ...['loadMnist', 'readNpy', 'readSafetensors', 'writeNpy', 'writeSafetensors'],
  ...['loadModel', 'saveModel', 'loadCheckpoint', 'saveCheckpoint'],
  ...['loadArrays', 'loadCifar10', 'loadCsv', 'loadCsvInputs', 'loadImdb', 'loadSpam', 'loadSplice'],
  ...['crossValidateSplice', 'SPLICE_EXPERIMENT'],
].sort();

describe.each(ENTRIES)('dist/index.%s.js', (entry) => {
  const file = join(ROOT, `dist/index.${entry}.js`);

  it('imports nothing, least of all a built-in of Node', async () => {
    const { metafile } = await build({
      ...{ entryPoints: [file], bundle: true, write: false, metafile: true },
      ...{ platform: 'browser', format: 'esm', logLevel: 'silent' },
    });
    expect(Object.values(metafile.inputs).flatMap(({ imports }) => imports)).toEqual([]);
    expect(readFileSync(file, 'utf8')).not.toMatch(/["'`]node:|\brequire\(/);
  });

  it('has every export of Node but those that need files', async () => {
    const [node, page] = await Promise.all([import(join(ROOT, 'dist/index.js')), import(file)]);
    const [all, own] = [node, page].map((module) => Object.keys(module).sort());
    expect(all.filter((name) => !own.includes(name))).toEqual(OF_NODE);
    expect(own.filter((name) => !all.includes(name))).toEqual([]);
  });

  it('says what to do where a backend is needed and none was opened', async () => {
    const { contract, tensor } = await import(file);
    expect(() => contract('; i,i -> ', [tensor([1]), tensor([2])], { xi: 'max' })).toThrow(
      refusal('E_BACKEND', /expected one that `await openBackend\(\)` opened before/),
    );
  });
});

it('what stands in the place of select.ts has what the library asks of it', () => {
  interface Seam {
    openBackend(options: BackendOptions): Promise<Backend>;
    defaultBackend(): Backend;
  }
  const seams: Seam[] = [ofBrowsers, ofInline];
  for (const seam of seams)
    expect(() => seam.defaultBackend()).toThrow(refusal('E_BACKEND', /opened before/));
});

describe('nextTurn() without setImmediate', () => {
  it('lets training go on', async () => {
    vi.stubGlobal('setImmediate', undefined);
    try {
      const epochs = [];
      const training = train(make(), patterns(20, 3), { epochs: 2, batch: 10 });
      for await (const { epoch } of training) epochs.push(epoch);
      expect(epochs).toEqual([1, 2]);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});

describe('decodeModel', () => {
  const model = make({ init: 'normal', seed: 3 });
  const bytes = encodeModel(model);
  const { backend } = model;

  it('takes what encodeModel made, in an ArrayBuffer or at any place of one', () => {
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    for (const form of [bytes, bytes.slice().buffer as ArrayBuffer, shifted.subarray(3)]) {
      const again = decodeModel(form, { backend });
      expect(again.config).toEqual(model.config);
      expect(again.parameters).toEqual(model.parameters);
    }
  });

  it.each<[string, unknown, object, string, RegExp]>([
    [
      'a part',
      bytes.subarray(0, -4),
      { where: 'm' },
      'E_FILE',
      /^m: tensor 'G\.2': expected data_offsets up/,
    ],
    ['text', 'model', {}, 'E_ARGUMENT', /decodeModel: expected a Uint8Array or an ArrayBuffer/],
    ['an unknown option', bytes, { name: 'm' }, 'E_ARGUMENT', /decodeModel: expected options among backend/],
  ])('refuses %s', (_, form, options, code, message) => {
    expect(() => decodeModel(form as Uint8Array, options)).toThrow(refusal(code, message));
  });
});

describe('loading modules', () => {
  let folder: string;
  let server: Server;
  beforeAll(async () => {
    folder = temporaryFolder();
    for (const name of ['whole', 'page', 'stale']) mkdirSync(join(folder, name));
    for (const { file } of WASM_MODULES) {
      const name = file.replace('wasm/', '');
      copyFileSync(join(ROOT, file), join(folder, 'whole', name));
      // What a server of one page answers for every address.
      writeFileSync(join(folder, 'page', name), '<!doctype html><title>app</title>');
    }
    server = await serve(folder, false);
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const from = (part: string) => (module: { file: string }) =>
    fetched(new URL(module.file.replace('wasm', part), server.url));

  it('opens the best module that the engine runs', async () => {
    const backends = new PageBackends();
    expect(backends.probe('wasm')).toMatchObject({
      usable: false,
      reason: expect.stringMatching(/wasm128: not loaded yet/),
    });
    const backend = await backends.open({ threads: 1 }, from('whole'));
    const best = WebAssembly.validate(RELAXED.probe) ? RELAXED : SIMD;
    expect(backend).toMatchObject({ name: 'wasm', isa: best.isa, threads: 1 });
    expect(backends.first).toBe(backend);
    expect(backends.probe('wasm')).toMatchObject({ usable: true });
    expect(backends.probe('native')).toMatchObject({
      usable: false,
      reason: expect.stringMatching(/no native binaries in a page/),
    });
  });

  it('has one thread without workers, and says so', async () => {
    const backends = new PageBackends();
    expect(await backends.open({ threads: 4 }, from('whole'))).toMatchObject({ threads: 1 });
    expect(backends.probe('wasm')).toMatchObject({ note: 'one thread: there are no workers here' });
  });

  it.each([
    ['none', /cannot fetch http:.*\/none\/xitensor\.wasm: 404 Not Found/],
    ['page', /cannot load wasm\/xitensor\.wasm from http:.*\/page\/xitensor\.wasm: .*magic/],
  ])('falls back to the reference where the modules are not to be had (%s)', async (part, reason) => {
    const backends = new PageBackends();
    expect(await backends.open({}, from(part))).toMatchObject({ name: 'reference' });
    expect(backends.probe('wasm')).toMatchObject({ usable: false, reason: expect.stringMatching(reason) });
    const wasm = backends.open({ prefer: ['native', 'wasm'] }, from(part));
    await expect(wasm).rejects.toMatchObject({ code: 'E_BACKEND', message: expect.stringMatching(reason) });
    await expect(wasm).rejects.toThrow(/native: there are no[\s\S]*'xitensor\/inline' carries them within/);
  });

  it.each<[string, BackendOptions, (module: { file: string }) => ModuleSource, RegExp]>([
    [
      'an absent instruction set',
      { prefer: ['wasm'], isa: 'avx2' },
      from('none'),
      /only relaxed128, wasm128$/,
    ],
    ['a backend that pages lack', { prefer: ['native'] }, from('none'), /no native binaries in a page$/],
    [
      'modules within that are broken',
      { prefer: ['wasm'] },
      ({ file }) => unpacked(file, btoa('no gzip')),
      /cannot load wasm\/xitensor\.wasm from (?![\s\S]*inline)/,
    ],
    [
      'a content security policy',
      { prefer: ['wasm'] },
      () => ({
        ...{ address: 'https://localhost/', isFile: true },
        open: () => Promise.reject(new Error("violates … because 'unsafe-eval' is not allowed")),
      }),
      /\na page with a content security policy needs script-src 'wasm-unsafe-eval'$/,
    ],
  ])('names no remedy that does not help against %s', async (_, options, sourceOf, message) => {
    const opened = new PageBackends().open(options, sourceOf);
    await expect(opened).rejects.toMatchObject({
      code: 'E_BACKEND',
      message: expect.stringMatching(message),
    });
  });

  it('tries again what failed before', async () => {
    const backends = new PageBackends();
    await expect(backends.open({ prefer: ['wasm'] }, from('none'))).rejects.toThrow(/404/);
    const backend = await backends.open({ prefer: ['wasm'], isa: SIMD.isa }, from('whole'));
    expect(backend.isa).toBe(SIMD.isa);
    await expect(backends.open({ prefer: ['wasm'], isa: 'avx2' }, from('whole'))).rejects.toThrow(
      /wasm: it has no instruction set 'avx2', only relaxed128, wasm128/,
    );
  });

  it('the address may be chosen by wasmFolder, which only the entry that fetches has', async () => {
    const wasmFolder = new URL('whole', server.url);
    const options = { prefer: ['wasm'], isa: SIMD.isa } as const;
    expect(await ofBrowsers.openBackend({ ...options, wasmFolder })).toMatchObject({ name: 'wasm' });
    expect(await ofBrowsers.openBackend({ ...options, wasmFolder: `${wasmFolder}/` })).toBeDefined();
    const inline = ofInline.openBackend({ wasmFolder } as BackendOptions);
    await expect(inline).rejects.toMatchObject({
      code: 'E_ARGUMENT',
      message: expect.stringMatching(/wasmFolder/),
    });
    await expect(ofBrowsers.openBackend(null as never)).rejects.toMatchObject({ code: 'E_ARGUMENT' });
  });

  it.each(WASM_MODULES)('$isa: its imports lie within the bytes that are held back', ({ file }) => {
    const bytes = new Uint8Array(readFileSync(join(ROOT, file)));
    const [head, rest] = [bytes.slice(0, IMPORTS_WITHIN), bytes.subarray(IMPORTS_WITHIN)];
    const whole = forMemory(bytes, true);
    expect(Buffer.compare(whole, bytes)).not.toBe(0);
    expect(Buffer.compare(whole, Buffer.concat([forMemory(head, true), rest]))).toBe(0);
    expect(Buffer.compare(forMemory(whole, false), bytes)).toBe(0);
    expect(Buffer.compare(forMemory(bytes, false), bytes)).toBe(0);
  });

  it.each([1, 1000, 5000, 1e9])('compiles what arrives in pieces of %d bytes', async (piece) => {
    const bytes = new Uint8Array(readFileSync(join(ROOT, SIMD.file)));
    let at = 0;
    const source: ModuleSource = {
      address: `in pieces of ${piece}`,
      open: async () =>
        new ReadableStream({
          pull(controller) {
            // The first bytes one by one suffice.
            const size = at < 2 * IMPORTS_WITHIN ? piece : 2 ** 16;
            controller.enqueue(bytes.subarray(at, (at += size)));
            if (at >= bytes.length) controller.close();
          },
        }),
    };
    // Of shared memory the bytes are changed on the way. No thread is started for so little.
    vi.stubGlobal('Worker', class {});
    for (const threads of [1, 2]) {
      at = 0;
      const { backend, isa } = await openInPage(SIMD, source, threads);
      expect({ name: isa.name, threads: backend.threads }).toEqual({ name: SIMD.isa, threads });
      const squares = backend.adopt(Float64Array.of(1, 2, 3));
      expect(backend.sumSquares(squares)).toBe(14);
    }
  });

  it('has one thread once a worker could not be made, as under Trusted Types, and says so', async () => {
    vi.resetModules();
    const { PageBackends: Fresh } = await import('../../src/backend/pages.ts');
    const refused = class {
      constructor() {
        throw new TypeError("This document requires 'TrustedScriptURL' assignment.");
      }
    };
    vi.stubGlobal('Worker', refused);
    const backends = new Fresh();
    const backend = await backends.open({ prefer: ['wasm'], isa: SIMD.isa, threads: 2 }, from('whole'));
    const [A, out] = [256 * 256, 256 * 256].map((count) => backend.allocate('float32', count));
    backend.contract('max', { B: 256, L: 16, R: 16, K: 256 }, A.at(0, 4096), A.at(0, 4096), A, out);
    expect(backend.threads).toBe(1);
    expect(backends.probe('wasm')).toMatchObject({
      note: expect.stringMatching(/^one thread: the page refused a worker: .*TrustedScriptURL/),
    });
  });

  it.each([
    ['the browser entry', ofBrowsers],
    ['the inline entry', ofInline],
  ])('takes a module that is compiled already, in %s', async (_, entry) => {
    const wasmModule = new WebAssembly.Module(readFileSync(join(ROOT, SIMD.file)));
    const backend = await entry.openBackend({ prefer: ['wasm'], wasmModule });
    expect([backend.name, backend.isa, backend.threads]).toEqual(['wasm', SIMD.isa, 1]);
    expect(backend.sumSquares(backend.adopt(Float64Array.of(1, 2, 3)))).toBe(14);
    expect(entry.probeBackend('wasm')).toMatchObject({
      usable: true,
      note: expect.stringMatching(/handed in/),
    });
    const refused = (options: object, code: string, message: RegExp) =>
      expect(entry.openBackend({ prefer: ['wasm'], ...options })).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
      });
    await refused({ wasmModule: {} }, 'E_ARGUMENT', /expected a WebAssembly.Module/);
    await refused({ wasmModule, isa: 'relaxed128' }, 'E_BACKEND', /handed in is wasm128/);
    const other = new WebAssembly.Module(Uint8Array.of(0, 97, 115, 109, 1, 0, 0, 0));
    await refused({ wasmModule: other }, 'E_BACKEND', /handed in cannot be used/);
  });

  it('computes with the reference where nothing else can be had, and says so on the console', async () => {
    vi.resetModules();
    const fresh = await import('../../src/backend/select.browser.ts');
    const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const nowhere = 'https://localhost:1/';
    for (let n = 0; n < 2; n++)
      expect(await fresh.openBackend({ wasmFolder: nowhere })).toMatchObject({ name: 'reference' });
    expect(warned.mock.calls).toEqual([
      [expect.stringMatching(/reference backend computes.*\n {2}native: .*\n {2}wasm: /)],
    ]);
  });
});
