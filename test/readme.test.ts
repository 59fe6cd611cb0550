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
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('has examples of a dozen lines that run as printed', () => {
    const blocks = blocksFor('examples of the README');
    const printed = blocks.map(({ code }) => {
      expect(code.split('\n').filter((line) => line.trim()).length).toBeLessThanOrEqual(12);
      writeFileSync(join(folder, 'example.mjs'), code);
      const { status, stdout, stderr } = spawnSync(process.execPath, ['example.mjs'], {
        cwd: folder,
        encoding: 'utf8',
      });
      expect(status, stderr).toBe(0);
      return stdout.trim().split('\n');
    });
    expect(printed).toHaveLength(2);
    expect(printed[0]).toEqual(['[ 1, 1 ] 10']);
    // As the comment behind it says; instruction sets differ by a few sequences of 638.
    expect(Math.abs(Number(printed[1].at(-1)) - 0.97)).toBeLessThan(0.015);
    expect(readFileSync(join(folder, 'splice.safetensors')).length).toBeGreaterThan(1e5);
  });

  it('names only npm scripts and files that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [, name] of readme.matchAll(/npm run (\w+)/g)) expect(Object.keys(scripts)).toContain(name);
    for (const [, path] of readme.matchAll(/\]\((?!http)([\w./-]+)\)/g))
      expect(() => readFileSync(path)).not.toThrow();
  });
});
