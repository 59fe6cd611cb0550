import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { XiError } from '../../src/core/errors.ts';
import { decodeIdx, readIdx } from '../../src/data/idx.ts';

const xi = (message: RegExp) =>
  expect.objectContaining({ name: 'XiError', code: 'E_FILE', message: expect.stringMatching(message) });

const MATRIX = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60);

describe('decodeIdx', () => {
  test('reads 1 to 4 axes, empty ones too', () => {
    expect(decodeIdx(MATRIX, 'm')).toEqual({ shape: [2, 3], data: Uint8Array.of(10, 20, 30, 40, 50, 60) });
    expect(decodeIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 255), 'v')).toEqual({
      shape: [1],
      data: Uint8Array.of(255),
    });
    expect(decodeIdx(Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 0), 'e').shape).toEqual([0]);
    const four = [0, 0, 8, 4, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0];
    expect(decodeIdx(Uint8Array.from([...four, ...Array(256).fill(7)]), 'f').shape).toEqual([1, 1, 1, 256]);
  });

  test('reads a view that does not begin at byte 0 of its memory', () => {
    const memory = new Uint8Array(MATRIX.length + 5);
    memory.set(MATRIX, 5);
    expect([...decodeIdx(memory.subarray(5), 'm').data]).toEqual([10, 20, 30, 40, 50, 60]);
  });

  test.each<[string, Uint8Array, RegExp]>([
    ['a first byte', MATRIX.with(0, 1), /bad, byte 0: expected two zero bytes.*received \[1, 0\]/],
    ['a second byte', MATRIX.with(1, 9), /byte 0/],
    ['another type', MATRIX.with(2, 0x0d), /byte 2: expected type 8.*received 13/],
    ['no axes', MATRIX.with(3, 0), /byte 3: expected 1 to 4 axes, received 0/],
    ['five axes', MATRIX.with(3, 5), /byte 3/],
    [
      'a larger extent',
      MATRIX.with(7, 3),
      /byte 12: expected 9 bytes of data for shape \[3, 3\], received 6/,
    ],
    ['absurd extents', MATRIX.slice().fill(255, 4, 12), /byte 12: expected 18446744065119617000 bytes/],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => decodeIdx(bytes, 'bad')).toThrow(xi(message));
  });

  test('refuses a file cut at any byte, and one byte more', () => {
    const whole = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 10, 20, 30, 40, 50, 60);
    for (let end = 0; end < whole.length; end++) {
      expect(() => decodeIdx(whole.subarray(0, end), 'cut')).toThrow(xi(/cut, byte/));
    }
    expect(() => decodeIdx(Uint8Array.from([...whole, 0]), 'long')).toThrow(
      xi(/expected 6 bytes.*received 7/),
    );
  });

  test('never fails in another way', () => {
    const near = fc.tuple(fc.constantFrom(0, 0, 0, 1), fc.constant(0), fc.constantFrom(8, 8, 9), fc.nat(5));
    fc.assert(
      fc.property(near, fc.array(fc.oneof(fc.constant(0), fc.nat(255)), { maxLength: 30 }), (head, rest) => {
        try {
          decodeIdx(Uint8Array.from([...head, ...rest]), 'fuzz');
        } catch (error) {
          expect(error).toBeInstanceOf(XiError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('readIdx', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xi-idx-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('reads plain and compressed files, refuses broken archives', async () => {
    const vector = Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 5, 6);
    const packed = gzipSync(vector);
    await writeFile(join(folder, 'v'), vector);
    await writeFile(join(folder, 'v.gz'), packed);
    for (const name of ['v', 'v.gz']) {
      const { shape, data } = await readIdx(join(folder, name));
      expect([shape, [...data]]).toEqual([[2], [5, 6]]);
    }
    await writeFile(join(folder, 'cut.gz'), packed.subarray(0, -9));
    await expect(readIdx(join(folder, 'cut.gz'))).rejects.toThrow(
      xi(/cannot decompress .*cut\.gz: unexpected end/),
    );
    await writeFile(join(folder, 'plain.gz'), vector);
    await expect(readIdx(join(folder, 'plain.gz'))).rejects.toThrow(xi(/plain\.gz: incorrect header check/));
    await writeFile(join(folder, 'sum.gz'), Uint8Array.from(packed).fill(0, -8, -4));
    await expect(readIdx(join(folder, 'sum.gz'))).rejects.toThrow(xi(/sum\.gz: incorrect data check/));
    await expect(readIdx(join(folder, 'none'))).rejects.toThrow(xi(/no such file/));
  });
});
