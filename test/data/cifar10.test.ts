import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadCifar10 } from '../../src/data/cifar10.ts';
import { checkDataset } from '../../src/data/dataset.ts';
import { refusal } from '../support/models.ts';

let folder: string;
const RECORD = 3073;
/** Pixel (y, x) of plane c of image n is a value that names all four. */
const pixel = (n: number, c: number, y: number, x: number) => (n * 97 + c * 61 + y * 7 + x * 3) % 256;
const batch = (first: number, count: number) => {
  const bytes = new Uint8Array(count * RECORD);
  for (let n = 0; n < count; n++) {
    bytes[n * RECORD] = (first + n) % 10;
    for (let at = 0; at < 3072; at++)
      bytes[n * RECORD + 1 + at] = pixel(first + n, at >> 10, (at >> 5) & 31, at & 31);
  }
  return bytes;
};
const load = (options: object = {}) => loadCifar10({ source: folder, split: 'train', ...options });

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'xi-cifar-'));
  for (let n = 1; n <= 5; n++) await writeFile(join(folder, `data_batch_${n}.bin`), batch(3 * n - 3, 3));
  await writeFile(join(folder, 'test_batch.bin'), batch(100, 2));
});
afterEach(() => rm(folder, { recursive: true }));

test('five batches become patches of 8×8 pixels of three colours', async () => {
  const data = await load({ dtype: 'float64' });
  expect(data).toMatchObject({ name: 'cifar10-train', classes: 10, inputs: { shape: [15, 16, 192] } });
  expect(checkDataset('cifar', data)).toBe(data);
  expect([...data.labels]).toEqual(Array.from({ length: 15 }, (_, n) => n % 10));
  expect(data.classNames?.slice(0, 2)).toEqual(['airplane', 'automobile']);
  for (const [n, c, y, x] of [
    [0, 0, 0, 0],
    [7, 1, 13, 30],
    [14, 2, 31, 31],
  ]) {
    const patch = Math.floor(y / 8) * 4 + Math.floor(x / 8);
    const at = (n * 16 + patch) * 192 + ((y % 8) * 8 + (x % 8)) * 3 + c;
    expect(data.inputs.data[at]).toBe(pixel(n, c, y, x) / 255);
  }
});

test('the test part, another patch, a limit across batches', async () => {
  expect((await load({ split: 'test' })).inputs).toMatchObject({ dtype: 'float32', shape: [2, 16, 192] });
  const some = await load({ patch: 16, limit: 4 });
  expect(some.inputs.shape).toEqual([4, 4, 768]);
  expect([...some.labels]).toEqual([0, 1, 2, 3]);
  await rm(join(folder, 'data_batch_3.bin'));
  expect((await load({ limit: 6 })).labels).toHaveLength(6);
});

describe('refuses', () => {
  test.each<[string, Uint8Array, RegExp]>([
    [
      'half a record',
      batch(0, 2).subarray(0, RECORD + 50),
      /data_batch_2\.bin, byte 3073: expected records of 3073/,
    ],
    ['nothing', new Uint8Array(0), /data_batch_2\.bin, byte 0: expected records/],
    [
      'a label beyond 9',
      batch(0, 2).with(RECORD, 10),
      /data_batch_2\.bin, byte 3073: expected a label.*received 10/,
    ],
  ])('a batch with %s', async (_, bytes, message) => {
    await writeFile(join(folder, 'data_batch_2.bin'), bytes);
    await expect(load()).rejects.toThrow(refusal('E_FILE', message));
  });

  test('a batch that is missing', async () => {
    await rm(join(folder, 'test_batch.bin'));
    await expect(load({ split: 'test' })).rejects.toThrow(refusal('E_FILE', /test_batch\.bin: no such file/));
  });

  test.each<[string, object, RegExp]>([
    ['no source', { source: undefined }, /source: expected the path of a folder/],
    ['another patch', { patch: 5 }, /patch: expected a divisor of the sides 32 and 32, received 5/],
    ['another split', { split: 'valid' }, /split: expected one of train, test/],
    ['an unknown option', { batch: 1 }, /received 'batch'/],
  ])('%s', async (_, options, message) => {
    await expect(load(options)).rejects.toThrow(refusal('E_ARGUMENT', message));
  });
});
