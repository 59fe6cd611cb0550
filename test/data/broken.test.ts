import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { loadArrays } from '../../src/data/arrays.ts';
import { loadCifar10 } from '../../src/data/cifar10.ts';
import { loadCsv } from '../../src/data/csv.ts';
import { loadImdb } from '../../src/data/imdb.ts';
import { loadMnist } from '../../src/data/mnist.ts';
import { loadSpam } from '../../src/data/spam.ts';
import { encodeNpy } from '../../src/io/npy.ts';
import { refusal } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});
afterEach(() => rmSync(folder, { recursive: true }));
const write = (name: string, content: Uint8Array | string) => {
  const path = join(folder, name);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, content);
  return path;
};
/** The message names the file, and where in it. */
const says = (message: RegExp) => refusal('E_FILE', message);
/** Bytes from parts; text is Latin-1. */
const bytes = (...parts: (string | readonly number[] | Uint8Array)[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : Buffer.from(part))),
  );

describe('.npy files', () => {
  const X = encodeNpy(
    tensor(
      Float32Array.from({ length: 12 }, (_, n) => n),
      [2, 3, 2],
    ),
  );
  const Y = encodeNpy(tensor([1, 0]));
  const load = (inputs: Uint8Array, answers: Uint8Array = Y) =>
    loadArrays({ inputs: write('x.npy', inputs), answers: write('y.npy', answers) });
  /** A file with another header, or only a part of it. */
  const headed = (text: string, data: Uint8Array = X.subarray(128)) => {
    const header = `${text}\n`;
    return bytes([0x93], 'NUMPY', [1, 0, header.length, 0], header, data);
  };
  const floats = (values: Float32Array | Float64Array) => new Uint8Array(values.buffer);
  const shaped = (shape: string, order = 'False', descr = '<f4') =>
    `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }`;

  it.each<[string, () => Uint8Array, RegExp]>([
    ['nothing', () => bytes(), /x\.npy, byte 0: expected an \.npy header/],
    ['another magic', () => bytes('PK', X.subarray(2)), /x\.npy, byte 0: expected the magic string/],
    [
      'a magic that breaks off',
      () => bytes(X.subarray(0, 4), 'XY', X.subarray(6)),
      /x\.npy, byte 4: .*magic/,
    ],
    [
      'another version',
      () => bytes(X.subarray(0, 6), [9], X.subarray(7)),
      /x\.npy, byte 6: .*received '9\.0'/,
    ],
    [
      'a header longer than the file',
      () => bytes(X.subarray(0, 8), [255, 255], X.subarray(10)),
      /x\.npy, byte 8/,
    ],
    ['a header that is no dictionary', () => headed('[1, 2]'), /x\.npy, header at byte 10: expected/],
    [
      'a key missing',
      () => headed("{'descr': '<f4', 'shape': (2, 3, 2), }"),
      /x\.npy, header at byte \d+.*'fortran_order'/,
    ],
    ['a negative extent', () => headed(shaped('(-2, 3, 2)')), /x\.npy, header at byte 61: .*received '-2'/],
    [
      'data cut short',
      () => X.subarray(0, X.length - 1),
      /x\.npy: expected 48 bytes of data from byte 128 on.*found 47/,
    ],
    [
      'data that are too long',
      () => bytes(X, [0]),
      /x\.npy: expected 48 bytes of data from byte 128 on.*found 49/,
    ],
    [
      'NaN',
      () => headed(shaped('(2, 3, 2)'), floats(new Float32Array(12).fill(Number.NaN, 7, 8))),
      /x\.npy, element \[1, 0, 1\]: expected a finite number in float32, received NaN/,
    ],
    [
      'infinity, in Fortran order',
      () => headed(shaped('(2, 3, 2)', 'True'), floats(new Float32Array(12).fill(-1 / 0, 7, 8))),
      /x\.npy, element \[1, 0, 1\]: .*received -Infinity/,
    ],
    [
      'more than float32 holds',
      () => headed(shaped('(1, 1, 2)', 'False', '<f8'), floats(Float64Array.of(1, 1e39))),
      /x\.npy, element \[0, 0, 1\]: .*received 1e\+39/,
    ],
  ])('of inputs with %s', async (_, make, message) => {
    await expect(load(make())).rejects.toThrow(says(message));
  });

  it('of complex numbers, of answers that are none', async () => {
    const complex = headed(shaped('(2, 3, 1)', 'False', '<c8'));
    await expect(load(complex)).rejects.toThrow(refusal('E_DTYPE', /x\.npy: expected one of f8, f4.*'<c8'/));
    const targets = tensor([[1], [Number.NaN]]);
    await expect(load(X, encodeNpy(targets))).rejects.toThrow(
      says(/y\.npy, element \[1, 0\]: .*received NaN/),
    );
    await expect(load(X, encodeNpy(tensor([0, 2 ** 40])))).rejects.toThrow(
      says(/y\.npy, element 1: .*whole/),
    );
    await expect(load(X, encodeNpy(tensor([Number.NaN, 1])))).rejects.toThrow(
      says(/y\.npy, element 0: .*NaN/),
    );
  });

  it('in Fortran order are read all the same', async () => {
    const values = Float32Array.of(1, 4, 2, 5, 3, 6);
    const data = await load(headed(shaped('(2, 3, 1)', 'True'), floats(values)));
    expect([...data.inputs.data]).toEqual([1, 2, 3, 4, 5, 6]);
  });
});

describe('tables', () => {
  it.each<[string, string | Uint8Array, object, RegExp]>([
    ['nothing', '', {}, /t\.csv: expected a line of names and rows below it/],
    ['names alone', 'a,label\n', {}, /t\.csv: .*received '1 lines'/],
    [
      'a name that comes twice',
      'a,a,label\n1,2,x\n',
      {},
      /t\.csv, line 1: expected names.*received 'a twice'/,
    ],
    ['too many fields', 'a,label\n1,x\n1,x,2\n', {}, /t\.csv, line 3: expected 2 fields.*'3 fields'/],
    [
      'too few fields, behind a quoted line end',
      'a,label\n1,"x\ny"\n1\n',
      {},
      /t\.csv, line 4: .*'1 fields'/,
    ],
    [
      'a word for a number',
      'a,b,label\n1,2,x\n3,vier,x\n',
      {},
      /t\.csv, line 3, column b: .*received 'vier'/,
    ],
    ['NaN', 'a,label\nNaN,x\n', {}, /t\.csv, line 2, column a: expected a finite number, received 'NaN'/],
    ['more than float32 holds', 'a,label\n1e39,x\n', {}, /t\.csv, line 2, column a: .*received '1e39'/],
    ['a decimal comma', 'a;label\n1,5;x\n', {}, /t\.csv, line 2: expected 1 fields.*'2 fields'/],
    ['no class', 'a,label\n1,\n', {}, /t\.csv, line 2, column label: expected a class/],
    ['half a quote', 'a,label\n"1,x\n', {}, /t\.csv, line 2: expected a field, in quotes/],
    [
      'a byte that is no UTF-8',
      bytes('a,label\n1,', [0xff], '\n'),
      {},
      /t\.csv, byte 10: expected UTF-8, found the byte 255/,
    ],
    ['no such targets', 'a,b\n1,2\n', { targets: ['c'] }, /t\.csv, line 1: expected a column 'c'/],
  ])('with %s', async (_, content, options, message) => {
    await expect(loadCsv(write('t.csv', content), options)).rejects.toThrow(says(message));
  });
});

describe('IDX files', () => {
  const images = bytes([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 4], new Uint8Array(32));
  const labels = bytes([0, 0, 8, 1, 0, 0, 0, 2, 3, 7]);
  const IMAGES = 'train-images-idx3-ubyte';
  const LABELS = 'train-labels-idx1-ubyte';
  it.each<[string, string, Uint8Array, RegExp]>([
    ['no images', IMAGES, bytes(), /images-idx3-ubyte, byte 0: expected an IDX header/],
    [
      'another magic',
      IMAGES,
      bytes('\x1f\x8b', images.subarray(2)),
      /images-idx3-ubyte, byte 0: .*two zero bytes/,
    ],
    [
      'images of floats',
      IMAGES,
      bytes(images.subarray(0, 2), [13], images.subarray(3)),
      /images.*, byte 2: expected type 8/,
    ],
    ['extents cut short', IMAGES, images.subarray(0, 11), /images.*, byte 11: expected 3 extents/],
    [
      'images cut short',
      IMAGES,
      images.subarray(0, 40),
      /images.*, byte 16: expected 32 bytes of data.*received 24/,
    ],
    ['more than its images', IMAGES, bytes(images, [0]), /images.*, byte 16: .*received 33/],
    [
      'images that are not square',
      IMAGES,
      bytes(images.subarray(0, 11), [2, 0, 0, 0, 8], new Uint8Array(32)),
      /images-idx3-ubyte: expected square/,
    ],
    ['labels for images', IMAGES, labels, /images-idx3-ubyte: expected square images.*received \[2\]/],
    [
      'a label beyond 9',
      LABELS,
      bytes(labels.subarray(0, 9), [10]),
      /labels-idx1-ubyte, byte 9: expected labels from 0 to 9, received 10/,
    ],
    ['too few labels', LABELS, bytes([0, 0, 8, 1, 0, 0, 0, 1, 3]), /labels-idx1-ubyte: expected 2 labels/],
    ['labels cut short', LABELS, labels.subarray(0, 9), /labels-idx1-ubyte, byte 8: expected 2 bytes/],
  ])('with %s', async (_, name, content, message) => {
    write(IMAGES, images);
    write(LABELS, labels);
    write(name, content);
    const load = loadMnist({ source: folder, split: 'train', patch: 2 });
    await expect(load).rejects.toThrow(says(message));
  });
});

describe('batches of CIFAR-10', () => {
  const record = (label: number) => bytes([label], new Uint8Array(3072));
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', bytes(), /test_batch\.bin, byte 0: expected records of 3073 bytes/],
    ['a label alone', bytes([1]), /test_batch\.bin, byte 0: .*received '1 bytes at the end'/],
    ['a record cut short', record(1).subarray(0, 3072), /byte 0: .*'3072 bytes at the end'/],
    [
      'a second record cut short',
      bytes(record(1), record(2).subarray(5)),
      /byte 3073: .*'3068 bytes at the end'/,
    ],
    ['one byte more', bytes(record(1), [0]), /byte 3073: .*'1 bytes at the end'/],
    ['a label of 10', record(10), /test_batch\.bin, byte 0: expected a label from 0 to 9, received 10/],
    ['a wrong second label', bytes(record(9), record(255)), /byte 3073: .*received 255/],
    [
      'the records of CIFAR-100, two labels each',
      bytes(...[1, 2].map((n) => bytes([n], record(3)))),
      /byte 6146: .*'2 bytes at the end'/,
    ],
    ['an archive', bytes([0x1f, 0x8b], new Uint8Array(3071)), /byte 0: expected a label.*received 31/],
    ['text', bytes('x'.repeat(3073)), /byte 0: expected a label.*received 120/],
  ])('with %s', async (_, content, message) => {
    write('test_batch.bin', content);
    await expect(loadCifar10({ source: folder, split: 'test' })).rejects.toThrow(says(message));
  });
});

describe('reviews', () => {
  const places = ['train/neg', 'train/pos', 'test/neg', 'test/pos'];
  it.each<[string, () => void, RegExp]>([
    ...places.map((place): [string, () => void, RegExp] => [
      `${place} missing`,
      () => rmSync(join(folder, place), { recursive: true }),
      new RegExp(`cannot read .*${place}: no such file or folder`),
    ]),
    ['a folder without any', () => rmSync(join(folder, 'test/pos/0_9.txt')), /test\/pos: expected reviews/],
    [
      'bytes of another encoding',
      () => write('train/neg/0_1.txt', bytes('sch', [0xf6], 'n')),
      /neg\/0_1\.txt, byte 3: expected UTF-8, found the byte 246/,
    ],
    [
      'a letter cut in half',
      () => write('train/pos/0_9.txt', bytes('ab', [0xe2, 0x82])),
      /pos\/0_9\.txt, byte 2: .*the byte 226/,
    ],
    [
      'UTF-16',
      () => write('train/pos/0_9.txt', bytes([0xff, 0xfe, 0x61, 0])),
      /pos\/0_9\.txt, byte 0: .*the byte 255/,
    ],
    [
      'a folder for a file',
      () => mkdirSync(join(folder, 'test/neg/1_1.txt')),
      /cannot read .*test\/neg\/1_1\.txt: it is a directory/,
    ],
    [
      'a file for a folder',
      () => {
        rmSync(join(folder, 'test/pos'), { recursive: true });
        write('test/pos', '');
      },
      /cannot read .*test\/pos: a part of the path is not a folder/,
    ],
  ])('with %s', async (_, spoil, message) => {
    for (const place of places) write(`${place}/0_9.txt`, 'good film');
    spoil();
    await expect(loadImdb({ source: folder })).rejects.toThrow(says(message));
  });
});

describe('e-mails', () => {
  const FILE = 'data/spam-1/0.json';
  it.each<[string, Uint8Array | string, RegExp]>([
    ['nothing', '', /spam-1\/0\.json: .*end of JSON input/],
    ['JSON cut short', '{"text": "Subject', /spam-1\/0\.json: .*JSON at position \d+/],
    ['plain text', 'Subject: x', /spam-1\/0\.json: Unexpected token/],
    ['a list', '[1, 2]', /0\.json: expected a string under the key 'text', received undefined/],
    ['null', 'null', /0\.json: expected a string under the key 'text', received undefined/],
    ['a number', '{"text": 3}', /0\.json: .*received 3/],
    ['another key', '{"body": "x"}', /0\.json: expected a string under the key 'text'/],
    ['bytes of another encoding', bytes('{"text": "', [0xe4], '"}'), /0\.json, byte 10: expected UTF-8/],
    ['two values', '{"text": "x"}{', /0\.json: .*JSON at position 13/],
    ['a folder without any', 'remove', /data\/spam-1: expected e-mails as \.json, found none/],
  ])('with %s', async (_, content, message) => {
    for (const group of ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2'])
      write(`data/${group}/0.json`, '{"text": "Subject: x\\n\\ny"}');
    if (content === 'remove') rmSync(join(folder, FILE));
    else write(FILE, content);
    await expect(loadSpam({ source: folder })).rejects.toThrow(says(message));
  });
});
