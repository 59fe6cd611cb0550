import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { XiError } from '../../src/core/errors.ts';
import { type Tensor, tensor, tokens, zeros } from '../../src/core/tensor.ts';
import { readNpy, writeNpy } from '../../src/io/disk.ts';
import { decodeNpy, encodeNpy } from '../../src/io/npy.ts';
import { refusal } from '../support/models.ts';

/** An .npy file from a header text as it stands and data bytes. */
function file(header: string, data: ArrayLike<number>, version = 1): Uint8Array {
  const length =
    version === 1
      ? [header.length & 255, header.length >> 8]
      : [header.length & 255, header.length >> 8, 0, 0];
  return Uint8Array.from([
    0x93,
    ...Buffer.from('NUMPY'),
    version,
    0,
    ...length,
    ...Buffer.from(header),
    ...Array.from(data),
  ]);
}

const dict = (descr: string, shape: string, fortran = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${fortran}, 'shape': ${shape}, }\n`;

const bytesOf = ({ data }: Tensor) =>
  Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString('hex');

/** Tensors of random bits, NaN payloads and infinities included. */
const anyTensor = fc
  .tuple(
    fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 5 }),
    fc.constantFrom('float32', 'float64'),
    fc.infiniteStream(fc.nat(255)),
  )
  .map(([shape, dtype, stream]) => {
    const out = zeros(shape, dtype as 'float32');
    const raw = new Uint8Array(out.data.buffer);
    for (let n = 0; n < raw.length; n++) raw[n] = stream.next().value;
    return out;
  });

describe('encodeNpy', () => {
  test('writes the bytes that NumPy writes', () => {
    // numpy.save of numpy.array([1, -2, 0.5], '<f4'): a header of 118 bytes, so that the data begin at 128.
    const text = "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }".padEnd(117) + '\n';
    const head = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0, ...Buffer.from(text)];
    const data = [0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f];
    expect([...encodeNpy(tensor(Float32Array.of(1, -2, 0.5)))]).toEqual([...head, ...data]);
  });

  test.each([
    [[], "'shape': (), }"],
    [[0], "'shape': (0,), }"],
    [[2, 0, 3], "'shape': (2, 0, 3), }"],
  ])('shape %j is a Python tuple', (shape, text) => {
    const bytes = encodeNpy(zeros(shape, 'float64'));
    expect(Buffer.from(bytes).toString('latin1')).toContain(text);
    expect(bytes.length % 64).toBe(shape.length === 0 ? 8 : 0);
  });

  test('uses version 2.0 for a header beyond 64 KiB', () => {
    const wide = tensor([7], Array(30_000).fill(1));
    const bytes = encodeNpy(wide);
    expect(bytes[6]).toBe(2);
    expect(bytes.length % 64).toBe(8);
    expect(decodeNpy(bytes, 'wide')).toEqual(wide);
    expect(() => encodeNpy(tensor([7], Array(600_000).fill(1)))).toThrow(refusal('E_SHAPE', /fewer axes/));
  });

  test('copies, and reads views of any offset', () => {
    const memory = Float32Array.of(9, 1, 2, 9);
    const bytes = encodeNpy(tensor(memory.subarray(1, 3)));
    memory.fill(0);
    expect([...decodeNpy(bytes, 'view').data]).toEqual([1, 2]);
    const shifted = new Uint8Array(bytes.length + 1);
    shifted.set(bytes, 1);
    expect([...decodeNpy(shifted.subarray(1), 'shifted').data]).toEqual([1, 2]);
  });

  test('refuses what is no tensor', () => {
    expect(() => encodeNpy(null as never)).toThrow(refusal('E_ARGUMENT', /Tensor/));
    expect(() => encodeNpy({ dtype: 'float32', shape: [3], data: new Float32Array(2) })).toThrow(
      refusal('E_SHAPE', /3 elements/),
    );
    expect(() => encodeNpy({ dtype: 'float64', shape: [2], data: new Float32Array(2) })).toThrow(
      refusal('E_DTYPE', /float32/),
    );
  });
});

describe('decodeNpy', () => {
  test('gives back every tensor bit by bit', () => {
    fc.assert(
      fc.property(anyTensor, (value) => {
        const back = decodeNpy(encodeNpy(value), 'memory');
        expect(back.dtype).toBe(value.dtype);
        expect(back.shape).toEqual(value.shape);
        expect(bytesOf(back)).toBe(bytesOf(value));
      }),
    );
  });

  test.each([
    ['<f4', [0, 0, 0xc0, 0x3f], 'float32', 1.5],
    ['>f4', [0x3f, 0xc0, 0, 0], 'float32', 1.5],
    ['<f8', [0, 0, 0, 0, 0, 0, 0x04, 0xc0], 'float64', -2.5],
    ['>f8', [0xc0, 0x04, 0, 0, 0, 0, 0, 0], 'float64', -2.5],
    ['<f2', [0, 0x3e], 'float32', 1.5],
    ['>f2', [0xbe, 0], 'float32', -1.5],
    ['|b1', [1], 'float64', 1],
    ['|b1', [0], 'float64', 0],
    ['|u1', [255], 'float64', 255],
    ['|i1', [255], 'float64', -1],
    ['<u2', [1, 0x80], 'float64', 32769],
    ['<i2', [1, 0x80], 'float64', -32767],
    ['<u4', [1, 0, 0, 0x80], 'float64', 2147483649],
    ['<i4', [1, 0, 0, 0x80], 'float64', -2147483647],
    ['>i4', [0, 0, 1, 2], 'float64', 258],
    ['<u8', [0, 0, 0, 0, 0, 0, 0x20, 0], 'float64', 2 ** 53],
    ['<i8', [0xfe, 255, 255, 255, 255, 255, 255, 255], 'float64', -2],
    ['<i8', [0, 0, 0, 0, 0, 0, 0xe0, 0xff], 'float64', -(2 ** 53)],
  ])("reads '%s' from bytes %j", (descr, bytes, dtype, expected) => {
    const scalar = decodeNpy(file(dict(descr, '()'), bytes), 'scalar');
    expect(scalar).toMatchObject({ dtype, shape: [] });
    expect([...scalar.data]).toEqual([expected]);
    expect(decodeNpy(file(dict(descr, '(2, 0)'), []), 'empty')).toMatchObject({ dtype, shape: [2, 0] });
  });

  test('refuses integers that float64 does not hold and names the element', () => {
    const beyond = [0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0x20, 0];
    const bytes = file(dict('<u8', '(2,)'), beyond);
    const at = bytes.length - 8;
    expect(() => decodeNpy(bytes, 'big.npy')).toThrow(
      refusal('E_NUMERIC', new RegExp(`big.npy.*9007199254740993 at element 1 \\(byte ${at}\\)`)),
    );
    const below = file(dict('<i8', '()'), [0xff, 255, 255, 255, 255, 255, 0xdf, 255]);
    expect(() => decodeNpy(below, 'low.npy')).toThrow(refusal('E_NUMERIC', /-9007199254740993 at element 0/));
  });

  test('reads every float16 exactly', () => {
    const all = Uint16Array.from({ length: 2 ** 16 }, (_, n) => n);
    const { data } = decodeNpy(file(dict('<f2', '(65536,)'), [...new Uint8Array(all.buffer)]), 'half');
    const value = (bits: number) => data[bits];
    // Smallest and largest subnormal, smallest normal, one and the next, largest (IEEE 754-2019, binary16).
    expect([0x0001, 0x03ff, 0x0400, 0x3c00, 0x3c01, 0x7bff].map(value)).toEqual([
      ...[2 ** -24, 1023 * 2 ** -24, 2 ** -14, 1, 1 + 2 ** -10, 65504],
    ]);
    expect([0x7c00, 0xfc00, 0x7c01].map(value)).toEqual([Infinity, -Infinity, NaN]);
    expect(Object.is(value(0x8000), -0)).toBe(true);
    for (let bits = 1; bits <= 0x7c00; bits++) {
      expect(value(bits)).toBeGreaterThan(value(bits - 1));
      expect(value(bits + 0x8000)).toBe(-value(bits));
    }
  });

  test('takes an ArrayBuffer, and needs no name', () => {
    const { buffer } = encodeNpy(tensor([1, 2]));
    expect(decodeNpy(buffer)).toEqual(tensor([1, 2]));
    expect(() => decodeNpy(buffer.slice(0, 9))).toThrow(refusal('E_FILE', /^npy, byte 9/));
    expect(() => decodeNpy('x' as never)).toThrow(refusal('E_ARGUMENT', /a Uint8Array or an ArrayBuffer/));
  });

  test('reads what encodeNpy writes of tokens, which are int32', () => {
    const words = tokens([
      [3, -1],
      [2 ** 31 - 1, 0],
    ]);
    const bytes = encodeNpy(words);
    expect(Buffer.from(bytes.subarray(10, 40)).toString()).toContain("'<i4'");
    expect(tokens(decodeNpy(bytes))).toEqual(words);
    expect(() => encodeNpy({ ...words, shape: [3] })).toThrow(refusal('E_SHAPE', /3 elements/));
  });

  test('transposes Fortran order', () => {
    // [[0, 1, 2], [3, 4, 5]] stored column by column.
    const matrix = decodeNpy(file(dict('|u1', '(2, 3)', 'True'), [0, 3, 1, 4, 2, 5]), 'fortran');
    expect([...matrix.data]).toEqual([0, 1, 2, 3, 4, 5]);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }), (shape) => {
        const count = shape.reduce((product, extent) => product * extent, 1);
        const values = Array.from({ length: count }, (_, n) => n);
        const tuple = `(${shape.map((extent) => `${extent},`).join('')})`;
        const { data } = decodeNpy(file(dict('|u1', tuple, 'True'), values), 'fortran');
        for (let n = 0; n < count; n++) {
          // The row-major index n, digit by digit, as an index whose first digit runs fastest.
          let [rest, from] = [n, 0];
          for (let axis = shape.length - 1; axis >= 0; axis--) {
            from +=
              (rest % shape[axis]) * shape.slice(0, axis).reduce((product, extent) => product * extent, 1);
            rest = Math.floor(rest / shape[axis]);
          }
          expect(data[n]).toBe(from);
        }
      }),
    );
  });

  test.each([
    `{"shape":(2,),"fortran_order":False,"descr":"|u1"}`,
    `  { 'shape' : ( 2 , ) , 'descr' : '|u1' , 'fortran_order' : False , }   \n`,
    `{'descr': '|u1', 'fortran_order': False, 'shape': (2L,), }`,
    `{'descr': '|u1', 'fortran_order': False, 'shape': (1, 2), }`,
  ])('understands the header %s in each version', (header) => {
    for (const version of [1, 2, 3])
      expect([...decodeNpy(file(header, [3, 4], version), 'x').data]).toEqual([3, 4]);
  });

  test.each([
    ['', /expected '\{'/],
    ["{'descr': '<f4', 'fortran_order': False}", /the keys 'descr', 'fortran_order' and 'shape'/],
    [`${dict('<f4', '()')}x`, /only spaces after the dictionary, received 'x'/],
    [dict('<f4', '(-1,)'), /non-negative integers, received '-1'/],
    [dict('<f4', '(1.5,)'), /header at byte 62/],
    [dict('<f4', '(3)'), /expected ','/],
    [dict('<f4', '[3]'), /expected '\('/],
    [dict('<f4', '(99999999999999999999,)'), /non-negative integers/],
    [dict('<f4', '(9007199254740991, 9007199254740991)'), /bytes of data/],
    [dict('<f4', '(4294967296, 4294967296)'), /bytes of data/],
    [dict('<f4', '(1,)', '0'), /'True' or 'False'/],
    [dict('<f4', '(1,)', 'False, "shape": (1,)'), /once each/],
    ["{'descr': '<f4', '__proto__': (), }", /once each/],
    ["{'descr': '<f4", /header at byte/],
    ["{'descr': __import__('os'), }", /header at byte/],
  ])('refuses the header %s', (header, message) => {
    expect(() => decodeNpy(file(header, [0, 0, 0, 0]), 'bad.npy')).toThrow(refusal('E_FILE', message));
  });

  test.each(['<c8', '|O', '<U3', '|f4', '=f4', '<f16', '<i3', '', 'toString'])(
    "refuses the type '%s'",
    (descr) => {
      expect(() => decodeNpy(file(dict(descr, '()'), []), 'bad.npy')).toThrow(
        refusal('E_DTYPE', /bad.npy: expected one of f8, f4, f2, b1/),
      );
    },
  );

  test('refuses structured types, other magic and versions', () => {
    const structured = "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (), }";
    expect(() => decodeNpy(file(structured, []), 'x')).toThrow(refusal('E_DTYPE', /structured/));
    const good = file(dict('|u1', '()'), [1]);
    expect(() => decodeNpy(good.with(1, 0x6e), 'x')).toThrow(refusal('E_FILE', /byte 1: .*magic/));
    const of = (text: string) => () => decodeNpy(Buffer.from(text.padEnd(20), 'latin1'), 'x');
    const wanted = 'x, byte 0: expected the magic string \\x93NUMPY of an .npy file, received';
    const zip = "'PK\\x03\\x04  ', a zip archive, such as .npz: save the array alone, as np.save does";
    expect(of('PK\x03\x04')).toThrow(`${wanted} ${zip}`);
    expect(of('a,b\n1,2\n')).toThrow(`${wanted} 'a,b\\x0a1,'`);
    expect(of('\x50\0\0\0\0\0\0\0{"w":')).toThrow(
      `${wanted} 'P\\x00\\x00\\x00\\x00\\x00', a safetensors file`,
    );
    expect(() => decodeNpy(good.with(6, 4), 'x')).toThrow(refusal('E_FILE', /version/));
    expect(() => decodeNpy(good.with(7, 1), 'x')).toThrow(refusal('E_FILE', /version/));
    expect(() => decodeNpy(good.with(8, 255), 'x')).toThrow(refusal('E_FILE', /byte 8: .*header/));
  });

  test('refuses a file cut at any byte, and one byte more', () => {
    for (const version of [1, 2]) {
      const whole = file(dict('<f4', '(2,)'), [0, 0, 0, 0, 0, 0, 0, 0], version);
      for (let end = 0; end < whole.length; end++) {
        expect(() => decodeNpy(whole.subarray(0, end), 'cut.npy')).toThrow(refusal('E_FILE', /cut.npy/));
      }
      expect(() => decodeNpy(Uint8Array.from([...whole, 0]), 'long.npy')).toThrow(
        refusal('E_FILE', /expected 8 bytes.*found 9/),
      );
    }
  });

  test('never fails in another way on changed bytes', () => {
    const good = Uint8Array.from(encodeNpy(zeros([2, 3])));
    const decodeOrRefuse = (bytes: Uint8Array) => {
      try {
        decodeNpy(bytes, 'fuzz');
      } catch (error) {
        expect(error).toBeInstanceOf(XiError);
      }
    };
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), decodeOrRefuse), { numRuns: 500 });
    const edits = fc.array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(edits, (list) => {
        const bytes = good.slice();
        for (const [at, byte] of list) bytes[at] = byte;
        decodeOrRefuse(bytes);
      }),
      { numRuns: 2000 },
    );
  });

  test('spends little on a hostile header', () => {
    const axes = `(${'1,'.repeat(300_000)}1000,1000)`;
    const header = Buffer.from(`${' '.repeat(200_000)}${dict('|u1', axes, 'True')}`);
    const bytes = new Uint8Array(12 + header.length + 1_000_000);
    bytes.set(file('', [], 2));
    new DataView(bytes.buffer).setUint32(8, header.length, true);
    bytes.set(header, 12);
    expect(decodeNpy(bytes, 'hostile').shape.length).toBe(300_002);
  }, 5000);
});

describe('files', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'xi-npy-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test('writeNpy and readNpy', async () => {
    const path = join(folder, 'a.npy');
    const value = tensor([
      [1, 2.5],
      [-3, 4],
    ]);
    await writeNpy(path, value);
    expect(await readNpy(path)).toEqual(value);
    expect(await readdir(folder)).toEqual(['a.npy']);
    const url = pathToFileURL(path);
    for (const address of [url, url.href]) {
      await writeNpy(address, value);
      expect(await readNpy(address)).toEqual(value);
    }
    expect(await readdir(folder)).toEqual(['a.npy']);
    const net = new URL('https://example.org/a.npy');
    await expect(readNpy(net)).rejects.toThrow(refusal('E_ARGUMENT', /file: URL, received 'https:/));
    await expect(writeNpy(net, value)).rejects.toThrow(refusal('E_ARGUMENT', /file: URL/));
    await writeFile(path, 'junk');
    await expect(readNpy(path)).rejects.toThrow(refusal('E_FILE', /a\.npy, byte 4/));
    await expect(readNpy(join(folder, 'none.npy'))).rejects.toThrow(refusal('E_FILE', /no such file/));
  });
});
