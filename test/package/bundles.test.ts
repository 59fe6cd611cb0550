import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import webpack from 'webpack';
import { probeBackend } from '../../src/backend/select.ts';
import { ROOT, run, temporaryFolder } from '../support/processes.ts';

// Bundles for Node that do not leave the package outside, so that its binaries are elsewhere.

const PROGRAM = `
import { openBackend, probeBackend } from '${join(ROOT, 'src/index.ts')}';
console.warn = () => {};
openBackend().then(({ name }) => console.log([name, ...['native', 'wasm'].map((name) => probeBackend(name).reason)].join('\\n')));`;

describe('a bundle for Node', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
    writeFileSync(join(folder, 'program.mjs'), PROGRAM);
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it.each([
    ['cjs', 'received a program without an address of its own; '],
    ['esm', 'is missing (looked for at /'],
  ] as const)('as %s computes with the reference, and says what to do', async (format, reason) => {
    const outfile = join(folder, format === 'cjs' ? 'bundle.cjs' : 'bundle.mjs');
    const shape = { bundle: true, platform: 'node', format, logLevel: 'silent' } as const;
    await build({ ...shape, entryPoints: [join(folder, 'program.mjs')], outfile });
    const { code, stdout, stderr } = await run([outfile]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [name, native, wasm] = stdout.split('\n');
    expect(name).toBe('reference');
    for (const text of [native, wasm]) {
      expect(text).toContain(reason);
      expect(text).toContain("a bundle for Node leaves 'xitensor' outside (esbuild: --external:xitensor)");
    }
  });

  it('by webpack has no warnings, and the binaries of the package that it was made of', async () => {
    writeFileSync(join(folder, 'packed.mjs'), PROGRAM.replace('src/index.ts', 'dist/index.js'));
    const shape = { mode: 'production', target: 'node', context: folder, entry: './packed.mjs' } as const;
    const compiler = webpack({ ...shape, output: { path: folder, filename: 'packed.cjs' } });
    const stats = await new Promise<webpack.Stats | undefined>((resolve, reject) =>
      compiler?.run((error, result) => (error ? reject(error) : resolve(result))),
    );
    expect(stats?.toJson({ all: false, errors: true, warnings: true })).toMatchObject({
      errors: [],
      warnings: [],
    });
    const { stdout } = await run([join(folder, 'packed.cjs')]);
    expect(stdout.split('\n')[0]).toBe(probeBackend('native').usable ? 'native' : 'wasm');
  });
});
