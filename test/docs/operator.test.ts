import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksFor } from '../support/docs.ts';
import { ROOT, run, temporaryFolder, WASM_FILE } from '../support/processes.ts';

const PARTS = [
  'native',
  'src',
  'scripts',
  'wasm',
  'test',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

const [{ code: row }] = blocksFor('operator');
const name = /^XI\((\w+),/.exec(row)?.[1] ?? '';

/** Runs the cases of the suite that have the operator in their names, on the one module that was compiled and the reference. */
const RUNNER = `
import { selectBackend } from '../src/backend/select.ts';
import { suite } from './conformance/suite.ts';
const own = suite.filter((one) => one.name.split(/[ ,.:_]/).includes('${name}') && !one.name.includes('.json'));
for (const name of ['wasm', 'reference']) {
  const { backend } = selectBackend({ prefer: [name], threads: name === 'wasm' ? 2 : 1 });
  for (const { name: title, run } of own) {
    let error = null;
    try { run(backend); } catch (failure) { error = failure.message; }
    console.log(JSON.stringify({ name: backend.name + ': ' + title, error }));
  }
}`;

describe('a new operator, as docs/extending.md adds it', () => {
  let folder: string;
  const inCopy = (...parts: string[]) => join(folder, ...parts);
  const node = (...args: string[]) => run(args, { cwd: folder });

  beforeAll(() => {
    folder = temporaryFolder();
    for (const part of PARTS) {
      const filter = (path: string) => !path.endsWith('.wasm');
      cpSync(join(ROOT, part), inCopy(part), { recursive: true, filter });
    }
    symlinkSync(join(ROOT, 'node_modules'), inCopy('node_modules'));
    mkdirSync(inCopy('docs'));
    appendFileSync(inCopy('native/xi.def'), row);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('is in the types and the documentation once they are generated', async () => {
    expect(await node('scripts/generate.mjs')).toMatchObject({ code: 0, stdout: '4 files written\n' });
    expect(readFileSync(inCopy('docs/xi.md'), 'utf8')).toContain(`| \`${name}\` | 8 |`);
    expect(readFileSync(inCopy('src/core/xi.gen.ts'), 'utf8')).toContain(`'l2', '${name}'] as const`);
  });

  it('is asked for by the compiler in the files of which the page says so, and no other', {
    timeout: 300_000,
  }, async () => {
    const { stdout } = await node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noEmit');
    const asking = [...stdout.matchAll(/^(src[^(]*)\(.*'(\w+)' is missing/gm)];
    expect(asking.every(([, , missing]) => missing === name)).toBe(true);
    const page = readFileSync('docs/extending.md', 'utf8');
    const told = page.split('\n').filter((line) => /^\| .*; the compiler asks for it \|$/.test(line));
    const named = told.flatMap((line) => [...line.matchAll(/`(src\/[\w/]+\.ts)`/g)].map(([, file]) => file));
    expect(asking.map(([, file]) => file).sort()).toEqual(named.sort());
    expect(stdout.split('\n').filter((line) => line.startsWith('src'))).toHaveLength(named.length);
  });

  // Where set-up found no compiler for WebAssembly there is none now; in CI there must be one.
  const compiles = it.runIf(existsSync(WASM_FILE) || process.env.CI);
  compiles('compiles, and does what every operator must', { timeout: 300_000 }, async () => {
    // One module is enough, and unoptimized it is made in a quarter of the time.
    const script = readFileSync(inCopy('wasm/build.mjs'), 'utf8');
    const quick = script.replace("'-O3'", "'-O0'").replace(/^ *\{ isa: 'relaxed128'.*\n/m, '');
    expect(quick.length).toBeLessThan(script.length - 50);
    writeFileSync(inCopy('wasm/build.mjs'), quick);
    const built = await node('wasm/build.mjs');
    expect(built, built.stderr).toMatchObject({ code: 0 });

    writeFileSync(inCopy('test/runner.ts'), RUNNER);
    const outfile = inCopy('dist/test/runner.mjs');
    const entryPoints = [inCopy('test/runner.ts')];
    await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'error' });
    const ran = await run([outfile], { env: { XITENSOR_TEST_RUNS: '5' } });
    expect(ran, ran.stderr).toMatchObject({ code: 0 });
    const results: { name: string; error: string | null }[] = ran.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(results.filter(({ error }) => error !== null)).toEqual([]);
    for (const backend of ['wasm', 'reference'])
      expect(results.filter((result) => result.name.startsWith(backend)).length).toBeGreaterThan(15);
  });
});
