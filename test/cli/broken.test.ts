import { cpSync, existsSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeDigits } from '../support/digits.ts';
import { COMMAND, commandFolder, run, xitensor } from '../support/processes.ts';

const { inFolder, fails } = commandFolder();
let model: string;
const DATA = () => ['--data', inFolder('digits'), '--patch', '4'];
const SMALL = ['--rank', '6', '--features', '5', '--batch', '50', '--learning-rate', '0.01'];

beforeAll(async () => {
  writeDigits(inFolder('digits'), { train: 600, test: 150 });
  model = inFolder('m.safetensors');
  const outcome = await xitensor(['train', ...DATA(), ...SMALL, '--epochs', '6', '-o', model, '--json']);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
});

describe('broken files end with status 1 and leave nothing behind', () => {
  it('a model that is missing', async () => {
    await fails(['score', 'none.safetensors'], 1, /cannot read none.safetensors: no such file.*\(E_FILE\)/);
  });

  it('an output in a folder that is missing, before anything is computed', async () => {
    const output = inFolder('none', 'm.safetensors');
    await fails(
      ['train', ...DATA(), ...SMALL, '-o', output],
      1,
      /cannot write .*: no such file or folder \(ENOENT\)/,
    );
  });

  it('an output that is a directory, before anything is computed', async () => {
    for (const args of [
      ['train', ...DATA(), ...SMALL],
      ['score', model, ...DATA()],
    ]) {
      await fails([...args, '-o', inFolder('digits')], 1, /expected a regular file, found a directory/);
      await fails([...args, '-o', inFolder('none/')], 1, /cannot write .*it is a directory/);
    }
  });

  it('an output whose checkpoint would have too long a name, before anything is computed', async () => {
    // 242 bytes, and 25 of the checkpoint; file systems take 255.
    const output = inFolder(`${'m'.repeat(230)}.safetensors`);
    await fails(
      ['train', ...DATA(), ...SMALL, '-o', output],
      1,
      /cannot write .*\.checkpoint\.safetensors: the name is too long \(ENAMETOOLONG\)/,
    );
    expect(readdirSync(inFolder()).sort()).toEqual(['digits', 'm.safetensors']);
  });

  it('an output that is full', async () => {
    const command = (line: string) =>
      run([
        '-e',
        `process.exitCode = require('node:child_process').spawnSync('sh', ['-c', ${JSON.stringify(line)}], { stdio: 'inherit' }).status`,
      ]);
    const info = await command(`"${process.execPath}" "${COMMAND}" info > /dev/full`);
    expect(info.stderr).toMatch(/^xitensor: cannot write to the standard output: ENOSPC.*\(E_FILE\)\n$/);
    expect(info.code).toBe(1);
    // A training has its model all the same.
    const output = inFolder('full.safetensors');
    const words = ['train', ...DATA(), ...SMALL, '--epochs', '1', '-o', output].map((word) => `"${word}"`);
    const train = await command(`"${process.execPath}" "${COMMAND}" ${words.join(' ')} > /dev/full`);
    expect(train.stderr).toMatch(/^xitensor: cannot write to the standard output: ENOSPC.*\n$/);
    expect(train.code).toBe(1);
    expect(existsSync(output)).toBe(true);
    rmSync(output);
  });

  const bytes = () => readFileSync(model);
  /** The model's file with another header; the length before it is adapted. */
  function withHeader(change: (header: Record<string, never>) => unknown): Buffer {
    const length = Number(bytes().readBigUInt64LE(0));
    const header = Buffer.from(JSON.stringify(change(JSON.parse(bytes().toString('utf8', 8, 8 + length)))));
    const head = Buffer.alloc(8);
    head.writeBigUInt64LE(BigInt(header.length));
    return Buffer.concat([head, header, bytes().subarray(8 + length)]);
  }
  type Header = Record<string, { data_offsets: number[]; xitensor: string; shape: number[] }>;
  const edited = (edit: (header: Header) => void) => () =>
    withHeader((header) => {
      edit(header as unknown as Header);
      return header;
    });
  const config = (edit: (config: Record<string, unknown>) => void) =>
    edited(({ __metadata__: metadata }) => {
      const parsed = JSON.parse(metadata.xitensor);
      edit(parsed.config);
      metadata.xitensor = JSON.stringify(parsed);
    });

  it.each<[string, () => Buffer, RegExp]>([
    ['offsets beyond the end', edited((header) => (header['G.0'].data_offsets[1] += 4096)), /'?G\.0'?|byte/],
    [
      'offsets that overlap',
      edited((header) => (header['G.1'].data_offsets = header['G.0'].data_offsets)),
      /G\.1|byte/,
    ],
    ['negative offsets', edited((header) => (header['G.0'].data_offsets[0] = -4)), /G\.0/],
    ['huge offsets', edited((header) => (header['G.0'].data_offsets = [0, 2 ** 60])), /G\.0/],
    ['a huge shape', edited((header) => (header['G.0'].shape = [2 ** 40, 2 ** 40])), /G\.0/],
    ['a header that is longer than the file', () => bytes().fill(0xff, 0, 8), /header length up to \d+/],
    ['nothing', () => Buffer.alloc(0), /at least 8 bytes/],
    ['its first half', () => bytes().subarray(0, bytes().length / 2), /m2\.safetensors/],
    [
      'no configuration',
      edited((header) => delete (header as Partial<Header>).__metadata__),
      /configuration/,
    ],
    ['rank 0', config((c) => (c.rank = [0, 6, 6])), /rank\[0\]: expected an integer from 1/],
    ['an unknown ξ', config((c) => (c.xi = 'plus')), /xi: expected one of/],
    // Were the sizes believed before they are compared, this would take minutes and 4 GB.
    [
      'a configuration of a billion parameters',
      config((c) => (c.rank = [6, 14_000, 14_000])),
      /G\.1: expected shape/,
    ],
    [
      'steps: 1e9',
      config((c) => (c.steps = 1e9)),
      /steps: expected an integer from 1 to 65536, received 1000000000/,
    ],
    [
      'parameters of another network',
      config((c) => (c.steps = 3) && (c.rank = [6, 6])),
      /unknown \['C\.3', 'G\.3'\]/,
    ],
  ])('a model with %s', async (_, make, message) => {
    const path = inFolder('m2.safetensors');
    writeFileSync(path, make());
    await fails(['score', path, ...DATA(), '-o', inFolder('scores.npy')], 1, message);
    rmSync(path);
    expect(readdirSync(inFolder()).sort()).toEqual(['digits', 'm.safetensors']);
  });

  it.each([
    [
      'train-images-idx3-ubyte',
      5000,
      /train-images-idx3-ubyte, byte 16: expected 38400 bytes of data.*received 4984/,
    ],
    ['train-images-idx3-ubyte', 10, /train-images-idx3-ubyte, byte 10: expected 3 extents/],
    [
      't10k-labels-idx1-ubyte',
      100,
      /t10k-labels-idx1-ubyte, byte 8: expected 150 bytes of data.*received 92/,
    ],
  ])('%s cut to %d bytes', async (name, length, message) => {
    const broken = inFolder('broken');
    cpSync(inFolder('digits'), broken, { recursive: true });
    truncateSync(join(broken, name), length);
    const args = ['train', '--data', broken, '--patch', '4', '-o', inFolder('new.safetensors')];
    await fails(args, 1, new RegExp(`${message.source}.*\\(E_FILE\\)`));
    rmSync(broken, { recursive: true });
    expect(readdirSync(inFolder()).sort()).toEqual(['digits', 'm.safetensors']);
  });
});
