import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createModel } from '../src/models/model.ts';

const blocksOf = (page: string) =>
  [...readFileSync(page, 'utf8').matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language, code]) => ({
    language,
    code,
  }));

const PAGES = ['contraction', 'data', 'decompositions', 'models', 'ranks', 'theory', 'training'].map(
  (name) => `docs/${name}.md`,
);

describe.each(PAGES)('%s', (page) => {
  const blocks = blocksOf(page);
  const examples = blocks.filter(({ language }) => language === 'js').map(({ code }) => code);
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'xitensor-docs-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(resolve('.'), join(folder, 'node_modules/xitensor'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each(examples.map((code, n) => [n + 1, code] as const))('example %d prints what it says', (n, code) => {
    writeFileSync(join(folder, `${n}.mjs`), code);
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${n}.mjs`], {
      cwd: folder,
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    const promised = [...code.matchAll(/console\.log\(.*\/\/ (.*)$/gm)].map(([, line]) => line);
    // A plan is promised by the block behind it.
    const printed = promised.length > 0 ? promised.join('\n') : planBehind(blocks, code);
    expect(stdout.trim()).toBe(printed);
  });
});

function planBehind(blocks: ReturnType<typeof blocksOf>, code: string): string | undefined {
  return blocks[blocks.findIndex((block) => block.code === code) + 1]?.code.trim();
}

it('docs/models.md shows the drawings that models print', () => {
  const drawings = blocksOf('docs/models.md').filter(({ language }) => language === '');
  const common = { inputs: 49, outputs: 10, features: { size: 32 } };
  const models = [
    createModel({ kind: 'cp', xi: 'max', steps: 16, rank: 1024, ...common }),
    createModel({ kind: 'ht', xi: 'rectifier', steps: 5, rank: 16, ...common }),
  ];
  expect(drawings.map(({ code }) => code.trimEnd())).toEqual(models.map(String));
});
