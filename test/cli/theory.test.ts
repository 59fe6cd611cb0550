import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { relativeError } from '../../src/core/distance.ts';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { randomTensor } from '../../src/experiments/checks/instances.ts';
import { writeNpy } from '../../src/io/disk.ts';
import { loadModel } from '../../src/models/disk.ts';
import { identity } from '../../src/theory/features.ts';
import { bruteGrid } from '../support/grids.ts';
import { fails, temporaryFolder, xitensor } from '../support/processes.ts';

let folder: string;
const inFolder = (name: string) => join(folder, name);
const H = randomTensor(new Rng(1), [3, 3, 3]);
beforeAll(async () => {
  folder = temporaryFolder();
  await writeNpy(inFolder('H.npy'), H);
  await writeNpy(
    inFolder('F.npy'),
    tensor([
      [2, 1, 0],
      [0, 3, 1],
      [1, 0, 2],
    ]),
  );
  await writeNpy(
    inFolder('flat.npy'),
    tensor([
      [1, 2, 3],
      [4, 5, 6],
    ]),
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('realize', () => {
  it('says that a network of one step has no ranks', async () => {
    await writeNpy(inFolder('vector.npy'), tensor([1, 2, 4]));
    const { code, stdout } = await xitensor(['realize', inFolder('vector.npy'), '--kind', 'tt']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^TT-ranks of H none$/m);
    expect(stdout).toMatch(/ · ranks none · /);
  });

  it('writes a model whose grid tensor is H, and tells ranks, error and condition', async () => {
    const out = inFolder('m.safetensors');
    const { code, stdout, stderr } = await xitensor([
      ...[
        'realize',
        inFolder('H.npy'),
        '--kind',
        'tt',
        '--xi',
        'rectifier',
        '--features',
        inFolder('F.npy'),
        '-o',
        out,
      ],
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/TT-ranks of H 3, 3\nconstruction 'c1' · ranks 4, 4 · \d+ parameters/);
    expect(stdout).toMatch(
      /error on the grid \d\.\de-1\d of the largest entry, \d\.\de-1\d in the Frobenius norm · condition of the features \d/,
    );
    expect(relativeError(bruteGrid(await loadModel(out), identity(3)).data, H.data)).toBeLessThan(1e-12);
  });

  it('calls the ranks of an approximation used, and gives the error in the norm of --eps', async () => {
    const { stdout } = await xitensor(['realize', inFolder('H.npy'), '--eps', '0.9']);
    expect(stdout).toMatch(/TT-ranks used \d, \d\n/);
    const { errorFrobenius, ttRanks } = JSON.parse(
      (await xitensor(['realize', inFolder('H.npy'), '--eps', '0.9', '--json'])).stdout,
    );
    expect(Math.min(...ttRanks)).toBeLessThan(3);
    expect(errorFrobenius).toBeGreaterThan(1e-3);
    expect(errorFrobenius).toBeLessThanOrEqual(0.9);
  });

  it('writes a model that certify knows the templates of', async () => {
    const out = inFolder('own.safetensors');
    expect(await xitensor(['realize', inFolder('H.npy'), '-o', out])).toMatchObject({ code: 0 });
    const { code, stdout } = await xitensor(['certify', out, '--exact', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).rank).toBe(3);
  });

  it('prints one record', async () => {
    const args = ['realize', inFolder('H.npy'), '--kind', 'cp', '--xi', 'max', '--json'];
    const { code, stdout } = await xitensor(args);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      kind: 'cp',
      xi: 'max',
      variant: 'fibres',
      steps: 3,
      rank: [10],
      condition: 1,
    });
    expect(JSON.parse(stdout).error).toBeLessThan(1e-12);
  });

  it.each<[string, string[], 1 | 2, RegExp]>([
    ['an operator without construction', ['--xi', 'l2'], 2, /no exact construction is known/],
    ['an unknown variant', ['--variant', 'c2'], 2, /--variant/],
    ['features of another size', ['--features', 'flat.npy'], 1, /features F/],
  ])('refuses %s and leaves no file', async (_, args, code, message) => {
    const given = args.map((arg) => (arg.endsWith('.npy') ? inFolder(arg) : arg));
    await fails(
      ['realize', inFolder('H.npy'), ...given, '-o', inFolder('no.safetensors')],
      code,
      message,
      folder,
    );
    expect(existsSync(inFolder('no.safetensors'))).toBe(false);
  });

  it('refuses a tensor of unequal modes', async () => {
    await fails(['realize', inFolder('flat.npy'), '--steps', '2'], 1, /equal modes/, folder);
  });
});

describe('verify', () => {
  it('leaves room after the longest name', async () => {
    const only = ['verify', '--only', 'theorem-5.1-entries+constant', '--instances', '2'];
    expect((await xitensor(only)).stdout).toMatch(
      /^pass {2}theorem-5\.1-entries\+constant {2}relative error/,
    );
  });

  it('prints a figure for each check and one record for all', async () => {
    const shown = await xitensor([
      'verify',
      '--only',
      'lemma-5.1',
      'theorem-5.2',
      'theorem-5.3',
      '--seed',
      '4',
    ]);
    expect(shown).toMatchObject({ code: 0, stderr: '' });
    expect(shown.stdout).toMatch(/^pass {2}lemma-5\.1 +relative error \d\.\de-1\d ≤ 1e-12, 32 instances$/m);
    expect(shown.stdout).toMatch(/^pass {2}theorem-5\.2 +0 violations in 12 instances$/m);
    expect(shown.stdout).toMatch(/all 3 checks pass · seed 4/);
    const { code, stdout } = await xitensor([
      'verify',
      '--only',
      'extremal',
      '--json',
      '--backend',
      'reference',
    ]);
    expect(code).toBe(0);
    const record = JSON.parse(stdout);
    expect(record).toMatchObject({ seed: 0, backend: 'reference', pass: true });
    expect(record.checks).toHaveLength(1);
    expect(record.checks[0]).toMatchObject({
      id: 'extremal-terms',
      figure: 0,
      tolerance: 0,
      instances: 18,
      pass: true,
    });
  });

  it('lists, and refuses unknown checks', async () => {
    const { stdout } = await xitensor(['verify', '--list']);
    expect(stdout).toMatch(/^theorem-5\.3: .*\(Theorem 5\.3\)$/m);
    await fails(
      ['verify', '--only', 'theorem-9'],
      2,
      /beginnings of lemma-5\.1, .*received 'theorem-9'/,
      folder,
    );
  });
});
