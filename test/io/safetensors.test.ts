import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { XiError, type XiErrorCode } from '../../src/core/errors.ts';
import { type Inputs, type Tensor, tensor, tokens, zeros } from '../../src/core/tensor.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/disk.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';

const xi = (code: XiErrorCode, message: RegExp) =>
  expect.objectContaining({ name: 'XiError', code, message: expect.stringMatching(message) });

/** A file from a header as it stands, its length as told, and `size` data bytes. */
function file(header: string | Uint8Array, size = 0, length?: bigint): Uint8Array {
  const json = Buffer.from(header as string);
  const bytes = new Uint8Array(8 + json.length + size);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

const info = (shape: unknown, begin: unknown, end: unknown, dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
const encode = (tensors: Iterable<[string, Tensor]>, metadata: Record<string, string> = {}) =>
  encodeSafetensors(new Map(tensors), metadata);
const decode = (bytes: Uint8Array) => decodeSafetensors(bytes, 'm.safetensors');
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
        xi('E_ARGUMENT', /^encodeSafetensors: expected tensors by name, in an object or a Map, received/),
      );
    }
    expect(() => encodeSafetensors(one as never)).toThrow(xi('E_ARGUMENT', /tensor 'dtype'/));
  });

  test('copies, so that a pending write does not see later changes', () => {
    const value = tensor(Float32Array.of(1, 2));
    const bytes = encodeSafetensors(new Map([['a', value]]), {});
    value.data.fill(0);
    expect([...decode(bytes).tensors.get('a')!.data]).toEqual([1, 2]);
  });

  test('refuses what the format cannot hold', () => {
    const one = zeros([1]);
    expect(() => encode([['__metadata__', one]])).toThrow(xi('E_ARGUMENT', /other than __metadata__/));
    expect(() => encode([['\ud800', one]])).toThrow(xi('E_ARGUMENT', /whole Unicode/));
    expect(() => encode([[3 as never, one]])).toThrow(xi('E_ARGUMENT', /a string/));
    expect(() => encode([], { k: 1 as never })).toThrow(xi('E_ARGUMENT', /metadata 'k'/));
    expect(() => encode([['a', { ...one, shape: [2] }]])).toThrow(xi('E_SHAPE', /tensor 'a'/));
    expect(() => encode([['a', [1] as never]])).toThrow(xi('E_ARGUMENT', /tensor 'a'/));
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
      xi('E_NUMERIC', /m\.safetensors: tensor 'a': .*2\^53.*element 1 \(byte \d+\)/),
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

  test.each<[string, string, number, RegExp]>([
    ['a list', '[]', 0, /byte 8: .*begins with '\{'/],
    ['a leading space', ' {}', 0, /begins with '\{'/],
    ['an open object', '{', 0, /a string, received 'the end'/],
    ['text after the object', '{}{}', 0, /only spaces/],
    ['a trailing comma', `{"a":${info([1], 0, 4)},}`, 4, /a string, received '\}'/],
    ['a key without quotes', '{a:1}', 0, /a string/],
    ['a control character', '{"a\n":1}', 0, /a valid string/],
    ['a bad escape', '{"\\x":1}', 0, /a valid string/],
    ['an open string', '{"a\\"', 0, /a string that ends/],
    ['a lone surrogate', `{"\\ud800":${info([1], 0, 4)}}`, 4, /whole Unicode/],
    [
      'a tensor twice',
      `{"a":${info([1], 0, 4)},"a":${info([1], 4, 8)}}`,
      8,
      /keys that differ, received '"a"/,
    ],
    [
      'a tensor twice, once escaped',
      `{"a":${info([1], 0, 4)},"\\u0061":${info([1], 4, 8)}}`,
      8,
      /keys that differ/,
    ],
    [
      'a field twice',
      '{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
      4,
      /keys that differ/,
    ],
    ['depth', `{"a":${'['.repeat(100_000)}`, 0, /at most 64 levels/],
    ['a leading zero', '{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}', 4, /expected '\]'/],
    ['metadata as a list', '{"__metadata__":["a"]}', 0, /__metadata__: expected an object/],
    ['metadata with a number', '{"__metadata__":{"k":1}}', 0, /__metadata__ 'k': expected a string/],
    ['a tensor as a number', '{"a":1}', 0, /tensor 'a': expected an object/],
    ['no dtype', '{"a":{"shape":[1],"data_offsets":[0,4]}}', 4, /tensor 'a' dtype: expected a string/],
    ['no shape', '{"a":{"dtype":"F32","data_offsets":[0,4]}}', 4, /tensor 'a' shape/],
    ['no offsets', '{"a":{"dtype":"F32","shape":[1]}}', 4, /tensor 'a' data_offsets/],
    ['a negative extent', `{"a":${info([-1], 0, 4)}}`, 4, /shape: .*received \[-1\]/],
    ['a fraction', `{"a":${info([0.5], 0, 4)}}`, 4, /tensor 'a' shape/],
    ['an exponent', '{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}', 4, /tensor 'a' shape/],
    ['minus zero', '{"a":{"dtype":"F32","shape":[-0],"data_offsets":[0,0]}}', 0, /tensor 'a' shape/],
    ['a huge extent', `{"a":${info([2 ** 60], 0, 4)}}`, 4, /tensor 'a' shape/],
    [
      'an overflowing product',
      `{"a":${info(Array(40).fill(2 ** 50), 0, 4)}}`,
      4,
      /tensor 'a': expected Infinity|bytes for shape/,
    ],
    [
      'a shape that lies',
      `{"a":${info([2], 0, 4)}}`,
      4,
      /expected 8 bytes for shape \[2\] of F32, .* hold 4/,
    ],
    [
      'three offsets',
      '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}',
      4,
      /two non-negative integers/,
    ],
    ['offsets backwards', `{"a":${info([1], 4, 0)}}`, 4, /begin ≤ end/],
    ['offsets beyond the file', `{"a":${info([2], 0, 8)}}`, 4, /data_offsets up to 4, received \[0, 8\]/],
    ['a hole at the start', `{"a":${info([1], 4, 8)}}`, 8, /tensor 'a': expected data from offset 0.*a hole/],
    [
      'a hole between',
      `{"a":${info([1], 0, 4)},"b":${info([1], 8, 12)}}`,
      12,
      /tensor 'b'.*offset 4.*a hole/,
    ],
    ['an overlap', `{"a":${info([2], 0, 8)},"b":${info([1], 4, 8)}}`, 8, /tensor 'b'.*overlaps/],
    ['the same range', `{"a":${info([1], 0, 4)},"b":${info([1], 0, 4)}}`, 4, /tensor 'b'.*overlaps/],
    ['bytes at the end', `{"a":${info([1], 0, 4)}}`, 5, /expected 4 bytes of data after the header, found 5/],
    [
      'an empty tensor within another',
      `{"a":${info([2], 0, 8)},"b":${info([0], 4, 4)}}`,
      8,
      /tensor 'b'.*overlaps/,
    ],
  ])('refuses %s', (_, header, size, message) => {
    expect(() => decode(file(header, size))).toThrow(xi('E_FILE', message));
    expect(() => decode(file(header, size))).toThrow(/m\.safetensors/);
  });

  test('refuses files of other kinds by what they are', () => {
    const of = (text: string) => () => decode(Buffer.from(text.padEnd(40), 'latin1'));
    const wanted = 'm.safetensors: expected a safetensors file, received';
    expect(of('\x93NUMPY\x01\0v\0')).toThrow(`${wanted} an .npy file`);
    expect(of('PK\x03\x04')).toThrow(new RegExp(`${wanted} a zip archive$`));
    expect(of('\x1f\x8b\x08')).toThrow(`${wanted} a gzip file`);
  });

  test('refuses other types, header lengths, UTF-8', () => {
    const quarter = file(`{"a":${info([4], 0, 4, 'F8_E4M3')}}`, 4);
    expect(() => decode(quarter)).toThrow(
      xi('E_DTYPE', /tensor 'a' dtype: expected one of F64, F32, F16, BF16, .*received 'F8_E4M3'/),
    );
    expect(() => decode(file('{}', 0, 3n))).toThrow(xi('E_FILE', /header length up to 2, received 3/));
    expect(() => decode(file('{}', 0, 2n ** 64n - 1n))).toThrow(
      xi('E_FILE', /received 18446744073709551615/),
    );
    expect(() => decode(file('{}', 0, 0n))).toThrow(xi('E_FILE', /byte 8/));
    const huge = new Uint8Array(100_000_020).fill(0x20);
    new DataView(huge.buffer).setBigUint64(0, 100_000_001n, true);
    expect(() => decode(huge)).toThrow(xi('E_FILE', /up to 100000000, received 100000001/));
    expect(() => decode(file(Uint8Array.from([0x7b, 0x22, 0xff, 0x22])))).toThrow(xi('E_FILE', /UTF-8/));
  });

  test('bears the largest header', () => {
    const padded = file('', 100_000_000).fill(0x20, 8);
    new DataView(padded.buffer).setBigUint64(0, 100_000_000n, true);
    padded.set(Buffer.from('{}'), 8);
    expect(decode(padded).tensors.size).toBe(0);
    padded.fill(0x31, 8).set(Buffer.from('{"a":'), 8);
    expect(() => decode(padded)).toThrow(xi('E_FILE', /'\}'/));
    padded.fill(0x5c, 8).set(Buffer.from('{"'), 8);
    expect(() => decode(padded)).toThrow(xi('E_FILE', /a string that ends/));
  }, 30_000);

  const valid = () =>
    encode(
      [
        ['a', tensor(Float32Array.of(1, 2))],
        ['b', tensor([3])],
        ['e', zeros([0, 2])],
      ],
      { k: 'v' },
    );

  test('refuses a file cut at any byte, and one byte more', () => {
    const whole = valid();
    for (let end = 0; end < whole.length; end++) {
      expect(() => decode(whole.subarray(0, end))).toThrow(xi('E_FILE', /m\.safetensors/));
    }
    expect(() => decode(Uint8Array.from([...whole, 0]))).toThrow(xi('E_FILE', /expected 16 bytes.*found 17/));
  });

  test('either decodes or throws XiError on any bytes', () => {
    const decodeOrRefuse = (bytes: Uint8Array) => {
      try {
        decode(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(XiError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), decodeOrRefuse), { numRuns: 500 });
    fc.assert(
      fc.property(fc.json(), fc.nat(20), (json, size) => decodeOrRefuse(file(json, size))),
      { numRuns: 500 },
    );
    const whole = valid();
    const byte = fc.oneof(fc.nat(255), fc.constantFrom(...Buffer.from('{}[]",:\\0123456789-+.eE \n')));
    const edit = fc.record({
      at: fc.nat(whole.length - 1),
      drop: fc.nat(3),
      insert: fc.array(byte, { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 4 }), fc.boolean(), (edits, repair) => {
        const bytes = [...whole];
        for (const { at, drop, insert } of edits) bytes.splice(at, drop, ...insert);
        const changed = Uint8Array.from(bytes);
        // With the old length most edits shift the header off its end; the repaired length reaches the deeper checks.
        if (repair && changed.length >= 24) {
          new DataView(changed.buffer).setBigUint64(0, BigInt(changed.length - 24), true);
        }
        decodeOrRefuse(changed);
      }),
      { numRuns: 3000 },
    );
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
  await expect(readSafetensors(join(folder, 'none'))).rejects.toThrow(xi('E_FILE', /cannot read .*none/));
  await rm(folder, { recursive: true });
});
