import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { probeBackend } from '../../src/backend/select.ts';
import { ROOT, temporaryFolder } from '../support/processes.ts';

const compiler = process.env.CXX || 'g++';

/** The code for AMX tiles, its instructions in plain C++: it runs on processors without AMX, and on any architecture. */
describe('AMX tiles, emulated', () => {
  let folder: string;
  let output = '';
  beforeAll(() => {
    folder = temporaryFolder();
    const program = join(folder, 'amx');
    const sources = ['test/native/amx_emulated.cc', 'native/bf16_check.cc'].map((path) => join(ROOT, path));
    const flags = ['-std=c++17', '-O1', '-Wall', '-Wextra', '-Werror'];
    const built = spawnSync(compiler, [...flags, ...sources, '-o', program], { encoding: 'utf8' });
    expect(built.stderr).toBe('');
    output = spawnSync(program, { encoding: 'utf8' }).stdout;
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    'the tiles of AMX compute what is defined',
    'one wrong element is seen',
    'a sum that is not continued is seen',
    'each product is followed by a turn of other work',
    'tiles are given back',
  ])('%s', (check) => expect(output).toContain(`${check}: ok`));
});

const native = probeBackend('native');
// Of x64 alone. A backend that is missing fails here: without it there is no tier to look at.
describe.runIf(process.arch === 'x64')('the tier of AMX', () => {
  const isas = native.usable ? native.isas : [];
  const amx = isas.find(({ name }) => name === 'amx')!;

  it('is there, or says why not', () => {
    if (amx.usable) expect(amx.tiles).toEqual({ float32: 'amx', bf16x3: 'amx', bf16: 'amx' });
    else expect(amx.reason).toMatch(/lacks AMX|does not (save|permit) AMX tiles|failed their self-test/);
  });

  it('comes behind every instruction set that is taken by default', () => {
    const chosen = isas.filter(({ usable }) => usable).sort((x, y) => y.priority - x.priority)[0];
    expect(chosen.tiles?.float32).toBeUndefined();
    for (const { name, tiles } of isas)
      if (name !== 'amx' && name !== 'avx512bf16') expect(tiles?.float32).toBeUndefined();
  });
});
