import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const text = readFileSync('docs/contraction.md', 'utf8');
const blocks = [...text.matchAll(/```(\w*)\n([\s\S]*?)```/g)].map(([, language, code]) => ({
  language,
  code,
}));
const examples = blocks.filter(({ language }) => language === 'js').map(({ code }) => code);

describe('docs/contraction.md', () => {
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
    const printed = promised.length > 0 ? promised.join('\n') : planBehind(code);
    expect(stdout.trim()).toBe(printed);
  });
});

function planBehind(code: string): string | undefined {
  return blocks[blocks.findIndex((block) => block.code === code) + 1]?.code.trim();
}
