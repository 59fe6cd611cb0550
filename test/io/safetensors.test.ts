import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Inputs, type Tensor, tensor, tokens, zeros } from '../../src/core/tensor.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/disk.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';
import { refusal } from '../support/models.ts';
import { decode, encode, file, info } from '../support/safetensors.ts';

const bytesOf = ({ data }: Tensor) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

const anyTensor = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 4 }),
    fc.constantFrom('float32' as const, 'float64' as const),
    fc.infiniteStream(fc.nat(255)),
  )
  .map(([shape, dtype, stream]) => {
    const out = zeros(shape, dtype);
    const raw = new Uint8Array(out.data.buffer);
    for (let n = 0; n < raw.length; n++) raw[n] = stream.next().value;
    return out;
  });
const anyName = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 8 }),
  fc.constantFrom('__proto__', 'constructor', 'toString', '', '"', '\\', '\u2028'),
);

describe('encodeSafetensors', () => {
  test('writes these bytes', () => {
    const header = '{"__metadata__":{"k":"v"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}';
    const head = [0x50, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from(header), 0x20];
    expect(head.length).toBe(8 + 0x50);
    expect([...encode([['a', tensor(Float32Array.of(1, -2))]], { k: 'v' })]).toEqual([
      ...head,
      ...[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0],
    ]);
    expect([...encode([])]).toEqual([8, 0, 0, 0, 0, 0, 0, 0, ...Buffer.from('{}      ')]);
  });

  test('puts float64 first, keeps the order otherwise, aligns the data', () => {
    const bytes = encode([
      ['z', zeros([3], 'float32')],
      ['b', zeros([2], 'float64')],
      ['a', zeros([], 'float32')],
      ['c', zeros([1], 'float64')],
    ]);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(Buffer.from(bytes.subarray(8, 8 + length)).toString());
    expect(
      Object.entries<{ data_offsets: number[] }>(header).map(([name, { data_offsets }]) => [
        name,
        ...data_offsets,
      ]),
    ).toEqual([
      ['b', 0, 16],
      ['c', 16, 24],
      ['z', 24, 36],
      ['a', 36, 40],
    ]);
  });

  test('takes an object as a Map, and refuses what has no names', () => {
    const [one, two] = [tensor(Float32Array.of(1, -2)), zeros([3], 'float64')];
    const bytes = encodeSafetensors({ one, two }, { k: 'v' });
    expect(bytes).toEqual(
      encode(
        [
          ['one', one],
          ['two', two],
        ],
        { k: 'v' },
      ),
    );
    for (const wrong of [[one], null, undefined, 3, 'ab', one.data]) {
      expect(() => encodeSafetensors(wrong as never)).toThrow(
        refusal(
          'E_ARGUMENT',
          /^encodeSafetensors: expected tensors by name, in an object or a Map, received/,
        ),
      );
    }
    expect(() => encodeSafetensors(one as never)).toThrow(refusal('E_ARGUMENT', /tensor 'dtype'/));
  });

  test('copies, so that a pending write does not see later changes', () => {
    const value = tensor(Float32Array.of(1, 2));
    const bytes = encodeSafetensors(new Map([['a', value]]), {});
    value.data.fill(0);
    expect([...decode(bytes).tensors.get('a')!.data]).toEqual([1, 2]);
  });

  test('refuses what the format cannot hold', () => {
    const one = zeros([1]);
    expect(() => encode([['__metadata__', one]])).toThrow(refusal('E_ARGUMENT', /other than __metadata__/));
    expect(() => encode([['\ud800', one]])).toThrow(refusal('E_ARGUMENT', /whole Unicode/));
    expect(() => encode([[3 as never, one]])).toThrow(refusal('E_ARGUMENT', /a string/));
    expect(() => encode([], { k: 1 as never })).toThrow(refusal('E_ARGUMENT', /metadata 'k'/));
    expect(() => encode([['a', { ...one, shape: [2] }]])).toThrow(refusal('E_SHAPE', /tensor 'a'/));
    expect(() => encode([['a', [1] as never]])).toThrow(refusal('E_ARGUMENT', /tensor 'a'/));
  });
});

describe('decodeSafetensors', () => {
  test('gives back every tensor bit by bit, any name, any metadata', () => {
    const named = fc.uniqueArray(fc.tuple(anyName, anyTensor), { selector: ([name]) => name, maxLength: 5 });
    const pairs = fc.array(fc.tuple(anyName, fc.string({ unit: 'binary' })), { maxLength: 4 });
    fc.assert(
      fc.property(named, pairs, (list, metadata) => {
        const back = decode(encode(list, Object.fromEntries(metadata)));
        expect(new Set(back.tensors.keys())).toEqual(new Set(list.map(([name]) => name)));
        for (const [name, value] of list) {
          const found = back.tensors.get(name)!;
          expect([found.dtype, [...found.shape], bytesOf(found)]).toEqual([
            value.dtype,
            [...value.shape],
            bytesOf(value),
          ]);
        }
        expect(Object.entries(back.metadata)).toEqual(Object.entries(Object.fromEntries(metadata)));
      }),
    );
  });

  test.each<[string, number[], 'float32' | 'float64', number[]]>([
    ['F16', [0, 0x3c, 1, 0], 'float32', [1, 2 ** -24]],
    ['BF16', [0x80, 0x3f, 0x49, 0xc0], 'float32', [1, -3.140625]],
    ['BF16', [0x80, 0x7f, 1, 0], 'float32', [Infinity, 2 ** -133]],
    ['BOOL', [1, 0], 'float64', [1, 0]],
    ['U8', [255, 1], 'float64', [255, 1]],
    ['I8', [255, 1], 'float64', [-1, 1]],
    ['U16', [1, 0x80, 2, 0], 'float64', [32769, 2]],
    ['I16', [1, 0x80, 2, 0], 'float64', [-32767, 2]],
    ['U32', [1, 0, 0, 0x80, 2, 0, 0, 0], 'float64', [2147483649, 2]],
    ['I32', [1, 0, 0, 0x80, 2, 0, 0, 0], 'float64', [-2147483647, 2]],
    ['U64', [0, 0, 0, 0, 0, 0, 0x20, 0, 1, 0, 0, 0, 0, 0, 0, 0], 'float64', [2 ** 53, 1]],
    ['I64', [254, 255, 255, 255, 255, 255, 255, 255, 1, 0, 0, 0, 0, 0, 0, 0], 'float64', [-2, 1]],
  ])('reads %s from bytes %j', (type, data, dtype, expected) => {
    const bytes = file(`{"a":${info([2], 0, data.length, type)}}`, data.length);
    bytes.set(data, bytes.length - data.length);
    const a = decode(bytes).tensors.get('a')!;
    expect(a).toMatchObject({ dtype, shape: [2] });
    expect([...a.data]).toEqual(expected);
  });

  test('refuses integers that float64 does not hold', () => {
    const bytes = file(`{"a":${info([2], 0, 16, 'I64')}}`, 16);
    bytes.fill(0x7f, bytes.length - 8);
    expect(() => decode(bytes)).toThrow(
      refusal('E_NUMERIC', /m\.safetensors: tensor 'a': .*2\^53.*element 1 \(byte \d+\)/),
    );
  });

  test('takes what encodeSafetensors gives, as bytes or as their buffer', () => {
    const words = tokens([[1, -2]]);
    const named = new Map<string, Inputs>([
      ['words', words],
      ['x', tensor([0.5])],
    ]);
    const bytes = encodeSafetensors(named, { k: 'v' });
    for (const given of [bytes, bytes.buffer]) {
      const { tensors, metadata } = decodeSafetensors(given);
      expect(tensors.get('x')).toEqual(tensor([0.5]));
      expect(tokens(tensors.get('words')!)).toEqual(words);
      expect({ ...metadata }).toEqual({ k: 'v' });
    }
    expect(Buffer.from(bytes).toString('latin1')).toContain('"words":{"dtype":"I32"');
  });

  test('names of Object.prototype are ordinary names', () => {
    const metadata = JSON.parse('{"__proto__":"x","constructor":"y"}');
    const back = decode(encode([['__proto__', tensor([1])]], metadata));
    expect([...back.tensors.get('__proto__')!.data]).toEqual([1]);
    expect(Object.entries(back.metadata)).toEqual(Object.entries(metadata));
    expect(back.metadata.toString).toBeUndefined();
    expect(({} as Record<string, unknown>).x).toBeUndefined();
  });

  test('data are copies, whatever their alignment in the file', () => {
    const bytes = file(`{"a":${info([1], 0, 8, 'F64')}}`, 8);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    shifted.set([0, 0, 0, 0, 0, 0, 0xf0, 0x3f], shifted.length - 8);
    const { tensors } = decode(shifted.subarray(3));
    shifted.fill(0);
    expect([...tensors.get('a')!.data]).toEqual([1]);
  });

  test('accepts what the official reader accepts', () => {
    const spaced = `{ "b" :\t${info([2], 4, 12)} ,\n"e":${info([0, 3], 4, 4)},"a":${info([], 0, 4)} }  \r\n`;
    expect([...decode(file(spaced, 12)).tensors.keys()]).toEqual(['b', 'e', 'a']);
    const extra = '{"a":{"extra":[{"x":-1.5e3}],"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    expect(decode(file(extra, 4)).tensors.size).toBe(1);
    expect(decode(file('{"__metadata__":{}}')).tensors.size).toBe(0);
    expect(decode(file('{"\\u0061\\"\\\\":' + info([1], 0, 4) + '}', 4)).tensors.has('a"\\')).toBe(true);
  });
});

test('writeSafetensors and readSafetensors', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'xi-safetensors-'));
  const path = join(folder, 'm.safetensors');
  const tensors = new Map([
    ['G.0', tensor([[1, 2]], undefined, 'float32')],
    ['C.first', tensor([3])],
  ]);
  await writeSafetensors(path, tensors, { kind: 'tt' });
  const back = await readSafetensors(path);
  expect(back.metadata).toEqual({ kind: 'tt' });
  expect(Object.fromEntries(back.tensors)).toEqual(Object.fromEntries(tensors));
  expect(await readdir(folder)).toEqual(['m.safetensors']);
  await expect(readSafetensors(join(folder, 'none'))).rejects.toThrow(
    refusal('E_FILE', /cannot read .*none/),
  );
  await rm(folder, { recursive: true });
});
