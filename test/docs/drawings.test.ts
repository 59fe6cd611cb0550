import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { createModel } from '../../src/models/model.ts';
import { ISOLATION } from '../support/browser.ts';
import { blocksFor } from '../support/docs.ts';

it('the drawings are what models print', () => {
  const common = { inputs: 49, outputs: 10, features: { size: 32 } };
  const models = [
    createModel({ kind: 'tt', xi: 'rectifier', steps: 16, rank: 64, ...common }),
    createModel({ kind: 'cp', xi: 'max', steps: 16, rank: 1024, ...common }),
    createModel({ kind: 'ht', xi: 'rectifier', steps: 5, rank: 16, ...common }),
  ];
  expect(blocksFor('drawings').map(({ code }) => code.trimEnd())).toEqual(models.map(String));
});

it('the headers that isolate a page are those with which it has threads in test/browser', () => {
  const lines = Object.entries(ISOLATION).map(([name, value]) => `${name}: ${value}`);
  expect(blocksFor('headers').map(({ code }) => code.trim())).toEqual([lines.join('\n')]);
  for (const script of ['scripts/playground.mjs'])
    for (const [name, value] of Object.entries(ISOLATION))
      expect(readFileSync(script, 'utf8')).toContain(`'${name}': '${value}'`);
});

it('the layers of the README are the folders of src/, from the top down, and its commands the commands', () => {
  const [{ code }] = blocksFor('layers');
  const [upper, lower] = code.replaceAll('kernels/*-inl.h', 'kernels/xi-inl.h').split(/^─+$/m);
  const folders = readdirSync('src', { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
  for (const folder of folders) expect(upper, folder).toMatch(new RegExp(`(^| {2,})${folder} `, 'm'));
  const named = [...upper.matchAll(/(?:^| {2,})([a-z]\w+) {2,}/gm)].map(([, name]) => name);
  expect([...named].sort()).toEqual([...folders].sort());
  const [, commands] = /^cli +(.*?) {2,}/.exec(upper) ?? [];
  expect(commands?.split(' · ').sort()).toEqual(COMMANDS.map((make) => make().name()).sort());
  for (const [name] of lower.matchAll(/^[\w/]+\/|[\w/-]+\.(def|h|cc|mjs)\b/gm)) {
    const found = existsSync(name) || existsSync(`native/${name}`) || existsSync(`wasm/${name}`);
    expect(found, name).toBe(true);
  }
});
