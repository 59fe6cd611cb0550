import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { cpFull } from '../../src/decompose/cp.ts';
import { htFull } from '../../src/decompose/ht.ts';
import { fromNamedParts } from '../../src/decompose/named.ts';
import { ttFull } from '../../src/decompose/tt.ts';
import { readSafetensors, writeNpy } from '../../src/io/disk.ts';
import { distance, randomTrain, tensor64 } from '../support/decompose.ts';
import { fails, temporaryFolder, xitensor } from '../support/processes.ts';

let folder: string;
let file: string;
const rng = new Rng(2);
const H = ttFull(randomTrain(new Rng(1), [4, 3, 5, 2], [2, 3, 2]));
beforeAll(async () => {
  folder = temporaryFolder();
  file = join(folder, 'H.npy');
  await writeNpy(file, H);
  await writeNpy(join(folder, 'nan.npy'), tensor64([2, 2], [1, 2, 3, Number.NaN]));
});
afterAll(() => rmSync(folder, { recursive: true }));

const full = async (path: string) => {
  const { tensors, metadata } = await readSafetensors(path);
  const { format, value } = fromNamedParts(path, tensors, metadata);
  if (format === 'tt') return ttFull(value);
  return format === 'ht' ? htFull(value) : cpFull(value);
};

describe('xitensor decompose', () => {
  it.each([
    ['tt', [], [1, 2, 3, 2, 1], ['G.0', 'G.1', 'G.2', 'G.3']],
    ['ht', [], [[2, 3, 4, 2], [3, 3], [1]], ['B.1.0', 'B.1.1', 'B.2.0', 'U.0', 'U.1', 'U.2', 'U.3']],
    ['cp', ['--ranks', '12', '--starts', '2'], 12, ['U.0', 'U.1', 'U.2', 'U.3', 'weights']],
  ] as const)('%s writes parts from which the tensor comes back', async (format, extra, ranks, names) => {
    const out = join(folder, `${format}.safetensors`);
    const args = ['decompose', file, '--format', format, '--out', out, '--json', ...extra];
    const { code, stdout, stderr } = await xitensor(args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const record = JSON.parse(stdout);
    expect(record).toMatchObject({ format, shape: [4, 3, 5, 2], out });
    if (format !== 'ht') expect(record.ranks).toEqual(ranks);
    const { tensors } = await readSafetensors(out);
    expect([...tensors.keys()].sort()).toEqual(names);
    expect(record.parameters).toBe([...tensors.values()].reduce((sum, { data }) => sum + data.length, 0));
    expect(record.compression).toBe(120 / record.parameters);
    expect(distance(await full(out), H)).toBeLessThanOrEqual(record.error + 1e-12);
    expect(record.error).toBeLessThan(format === 'cp' ? 0.05 : 1e-12);
  });

  it('measures the error of a tree, whose bound may exceed 1', async () => {
    const random = tensor64(
      [4, 5, 6, 3],
      new Float64Array(360).map(() => rng.normal()),
    );
    await writeNpy(join(folder, 'random.npy'), random);
    const out = join(folder, 'random.safetensors');
    const args = ['decompose', join(folder, 'random.npy'), '--format', 'ht', '--ranks', '2', '--out', out];
    const { code, stdout } = await xitensor(args);
    expect(code).toBe(0);
    const error = Number(/relative error (\d\.\d{3}e[+-]\d+), /.exec(stdout)?.[1]);
    expect(error).toBeLessThan(1);
    expect(error).toBeCloseTo(distance(await full(out), random), 3);
  });

  it('measures the error of a train too, rounding with it', async () => {
    for (const extra of [[], ['--ranks', '2']]) {
      const out = join(folder, 'train.safetensors');
      const { stdout } = await xitensor(['decompose', file, ...extra, '--out', out, '--json']);
      const { error } = JSON.parse(stdout);
      expect(error).toBeGreaterThan(0);
      expect(error / distance(await full(out), H)).toBeCloseTo(1, 1);
    }
  });

  it('prints ranks, error and compression', async () => {
    const { code, stdout } = await xitensor(['decompose', file, '--eps', '0.3', '--ranks', '2,2,2']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/\[4, 3, 5, 2\] as tt: ranks 1 · \d · 2 · \d · 1\n/);
    expect(stdout).toMatch(
      /relative error \d\.\d{3}e-\d+, \d+ numbers for 120 elements \(compression [\d.]+\), /,
    );
  });

  it.each<[string, () => string[], 1 | 2, RegExp]>([
    ['no file', () => ['decompose'], 2, /missing required argument 'file'/],
    ['an unknown format', () => ['decompose', file, '--format', 'svd'], 2, /Allowed choices are tt, ht, cp/],
    ['a negative eps', () => ['decompose', file, '--eps', '-1'], 2, /eps: expected a non-negative number/],
    [
      'too few ranks',
      () => ['decompose', file, '--ranks', '2,2'],
      2,
      /maxRanks: expected one rank or a list of 3/,
    ],
    [
      'cp without terms',
      () => ['decompose', file, '--format', 'cp'],
      2,
      /--ranks: expected the number of terms/,
    ],
    [
      'an option of another format',
      () => ['decompose', file, '--starts', '2'],
      2,
      /--starts: .*received 'tt'/,
    ],
    ['a missing file', () => ['decompose', join(folder, 'no.npy')], 1, /no\.npy/],
    ['NaN', () => ['decompose', join(folder, 'nan.npy')], 1, /expected finite values, received NaN/],
  ])('refuses %s', async (_, args, code, message) => {
    const out = join(folder, 'never.safetensors');
    await fails([...args(), '--out', out], code, message, folder);
    expect(existsSync(out)).toBe(false);
  });
});
