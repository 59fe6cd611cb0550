import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/interface.ts';
import { probeBackend, selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import { ROOT, temporaryFolder } from '../support/processes.ts';
import { openNative } from '../support/subjects.ts';

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

  it('comes before all others, and AVX-512 BF16 behind them', () => {
    const order = [...isas].sort((x, y) => y.priority - x.priority).map(({ name }) => name);
    expect([order[0], order.at(-1)]).toEqual(['amx', 'avx512bf16']);
    for (const { name, tiles } of isas)
      if (name !== 'amx' && name !== 'avx512bf16') expect(tiles?.float32).toBeUndefined();
  });

  if (amx?.usable) it('takes the sizes in which it is faster, and leaves the others to AVX-512', sizes);

  function sizes() {
    const byDefault = selectBackend({ prefer: ['native'], threads: 1 }).backend;
    expect(byDefault.isa).toBe('amx');
    const [tiles, vectors] = ['amx', 'avx512'].map((isa) => openNative(isa));
    const bits = (backend: Backend, xi: Xi, [B, L, R, K]: readonly number[]) => {
      const rng = new Rng(5);
      const draw = (length: number) => backend.adopt(Float32Array.from({ length }, () => rng.normal()));
      const [a, h, G, dout] = [draw(B * L), draw(B * R), draw(L * R * K), draw(B * K)];
      const results = [B * K, B * K, B * L, B * R, L * R * K].map((length) =>
        backend.allocate('float32', length),
      );
      const [out, again, da, dh, dG] = results;
      backend.contract(xi, { B, L, R, K }, a, h, G, out);
      backend.contractPacked(xi, B, a, h, backend.packWeights(L, R, K, G), again);
      backend.contractGradient(xi, { B, L, R, K }, { a, h, G, dout }, { da, dh, dG }, false);
      return results.map((storage) => storage.read());
    };
    // [B, L, R, K] around the sizes of native/bf16.h, and which of contraction and gradients are in tiles.
    const cases = [
      [[96, 16, 16, 96], true, true],
      [[95, 16, 16, 96], false, false],
      [[96, 17, 15, 96], false, false],
      [[96, 18, 15, 96], false, true],
      [[96, 16, 16, 95], false, true],
      [[96, 16, 16, 16], false, true],
      [[96, 16, 16, 15], false, false],
    ] as const;
    for (const [shape, contraction, gradients] of cases) {
      const [got, inTiles, inVectors] = [byDefault, tiles, vectors].map((backend) =>
        bits(backend, 'rectifier', shape),
      );
      const expected = inTiles.map((values, n) =>
        (n < 2 ? contraction : gradients) ? values : inVectors[n],
      );
      expect(got, String(shape)).toEqual(expected);
      // And that can be told.
      expect(inTiles[0], String(shape)).not.toEqual(inVectors[0]);
      expect(inTiles[4], String(shape)).not.toEqual(inVectors[4]);
    }
  }
});
