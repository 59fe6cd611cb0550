import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { XiError } from '../../src/core/errors.ts';
import { tensor, zeros } from '../../src/core/tensor.ts';
import { refusal } from '../support/models.ts';
import { decode, encode, file, info } from '../support/safetensors.ts';

describe('decodeSafetensors of what is no such file', () => {
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
    expect(() => decode(file(header, size))).toThrow(refusal('E_FILE', message));
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
      refusal('E_DTYPE', /tensor 'a' dtype: expected one of F64, F32, F16, BF16, .*received 'F8_E4M3'/),
    );
    expect(() => decode(file('{}', 0, 3n))).toThrow(refusal('E_FILE', /header length up to 2, received 3/));
    expect(() => decode(file('{}', 0, 2n ** 64n - 1n))).toThrow(
      refusal('E_FILE', /received 18446744073709551615/),
    );
    expect(() => decode(file('{}', 0, 0n))).toThrow(refusal('E_FILE', /byte 8/));
    const huge = new Uint8Array(100_000_020).fill(0x20);
    new DataView(huge.buffer).setBigUint64(0, 100_000_001n, true);
    expect(() => decode(huge)).toThrow(refusal('E_FILE', /up to 100000000, received 100000001/));
    expect(() => decode(file(Uint8Array.from([0x7b, 0x22, 0xff, 0x22])))).toThrow(refusal('E_FILE', /UTF-8/));
  });

  test('bears the largest header', () => {
    const padded = file('', 100_000_000).fill(0x20, 8);
    new DataView(padded.buffer).setBigUint64(0, 100_000_000n, true);
    padded.set(Buffer.from('{}'), 8);
    expect(decode(padded).tensors.size).toBe(0);
    padded.fill(0x31, 8).set(Buffer.from('{"a":'), 8);
    expect(() => decode(padded)).toThrow(refusal('E_FILE', /'\}'/));
    padded.fill(0x5c, 8).set(Buffer.from('{"'), 8);
    expect(() => decode(padded)).toThrow(refusal('E_FILE', /a string that ends/));
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
      expect(() => decode(whole.subarray(0, end))).toThrow(refusal('E_FILE', /m\.safetensors/));
    }
    expect(() => decode(Uint8Array.from([...whole, 0]))).toThrow(
      refusal('E_FILE', /expected 16 bytes.*found 17/),
    );
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
