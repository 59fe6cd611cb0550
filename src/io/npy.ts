import { mismatch, show, XiError } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { isBuffer, ours } from '../core/realm.ts';
import { allocate, dtypeOf, type FloatArray, type Inputs, type Shape, type Tensor } from '../core/tensor.ts';
import { anyArray, decodeElements, ELEMENTS, littleEndianBytes } from './elements.ts';
import { kindOfBytes, NPY_MAGIC, textOfBytes, ZIP } from './magic.ts';

/*
 * Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
 *   0  \x93NUMPY   6  major   7  minor   8  header length (u16 in version 1, u32 in 2 and 3)   then the header, the data
 */
const ALIGN = 64;
/** NumPy leaves room to rewrite the first extent in place (numpy.lib.format.GROWTH_AXIS_MAX_DIGITS). */
const GROWTH_DIGITS = 21;
/** No header of a plain array comes near; bounds the work on a hostile file. */
const MAX_HEADER = 2 ** 20;
const TYPES = new Map(ELEMENTS.flatMap((type) => (type.numpy ? [[type.numpy, type]] : [])));
const DESCR = { float32: '<f4', float64: '<f8', int32: '<i4' } as const;

interface Header {
  descr: string;
  fortran: boolean;
  shape: number[];
}

/**
 * Bytes of an `.npy` file: '<f4', '<f8' or, for tokens, '<i4', row-major, header as NumPy writes it (version 2.0 from 64 KiB on).
 *
 * @throws XiError E_ARGUMENT, E_DTYPE or E_SHAPE for what is no tensor.
 */
export function encodeNpy(tensor: Inputs): Uint8Array<ArrayBuffer> {
  return npyBytes('encodeNpy', tensor);
}

/** {@link encodeNpy} for another function, whose name messages begin with. */
export function npyBytes(where: string, tensor: Inputs): Uint8Array<ArrayBuffer> {
  const { dtype, shape, data } = anyArray(where, tensor);
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const room = shape.length > 0 ? Math.max(0, GROWTH_DIGITS - String(shape[0]).length) : 0;
  const text = `{'descr': '${DESCR[dtype]}', 'fortran_order': False, 'shape': ${tuple}, }${' '.repeat(room)}`;
  // One byte for the newline; NumPy pads a full 64 where nothing would be needed.
  const padded = (prefix: number) => {
    const used = prefix + text.length + 1;
    return used + ALIGN - (used % ALIGN);
  };
  const version = padded(10) - 10 < 2 ** 16 ? 1 : 2;
  const prefix = version === 1 ? 10 : 12;
  const start = padded(prefix);
  if (start - prefix > MAX_HEADER) throw mismatch('E_SHAPE', where, 'fewer axes', shape);

  const out = new Uint8Array(start + data.byteLength).fill(0x20, 0, start);
  out.set([...NPY_MAGIC, version, 0]);
  const view = new DataView(out.buffer);
  if (version === 1) view.setUint16(8, start - prefix, true);
  else view.setUint32(8, start - prefix, true);
  out.set(new TextEncoder().encode(text), prefix);
  out[start - 1] = 0x0a;
  out.set(littleEndianBytes(data), start);
  return out;
}

/**
 * The tensor in the bytes of an `.npy` file of version 1.0, 2.0 or 3.0.
 *
 * Types f4 and f8 of either byte order keep their precision, f2 becomes float32, booleans and integers of every size become
 * float64, all of them exactly; Fortran order is transposed to row-major. `tokens(decodeNpy(…))` makes int32 of whole numbers.
 *
 * @param where names the bytes in messages, usually the path.
 * @throws XiError E_FILE (malformed, truncated, trailing bytes), E_DTYPE (other types), E_NUMERIC (an 8-byte integer
 * beyond ±2⁵³).
 */
export function decodeNpy(given: Uint8Array | ArrayBuffer, where = 'npy'): Tensor {
  const bytes = checkBytes('decodeNpy', given, where);
  const { start, header } = readHeader(bytes, where);
  const { descr, fortran, shape } = header;
  const [, order, type] = /^([<>|])([a-zA-Z]\d+)$/.exec(descr) ?? [];
  const element = TYPES.get(type ?? '');
  if (element === undefined || (order === '|' && element.size > 1)) {
    const known = `one of ${[...TYPES.keys()].join(', ')} with a byte order`;
    throw mismatch('E_DTYPE', where, known, descr);
  }
  const { size } = element;
  const count = product(shape);
  if (count * size !== bytes.length - start) {
    const wanted = `${count * size} bytes of data from byte ${start} on (shape ${show(shape)}, '${descr}')`;
    throw new XiError('E_FILE', `${where}: expected ${wanted}, found ${bytes.length - start}`);
  }
  const data = decodeElements(bytes.subarray(start), element, order !== '>', where, start);
  return { dtype: element.dtype, shape, data: fortran ? rowMajor(data, shape) : data };
}

/** Bytes that a user hands in, and how messages call them. @throws XiError E_ARGUMENT for anything but a Uint8Array or an ArrayBuffer, and a text. */
export function checkBytes(where: string, bytes: unknown, name: unknown): Uint8Array {
  if (typeof name !== 'string') throw mismatch('E_ARGUMENT', `${where} where`, 'a name for messages', name);
  const own = isBuffer(bytes) ? new Uint8Array(bytes) : ours(bytes);
  if (own instanceof Uint8Array) return own;
  throw mismatch('E_ARGUMENT', where, 'a Uint8Array or an ArrayBuffer', bytes);
}

/** Reorders values whose first index runs fastest: out[i₀, …, i_n] = data[Σ i_k · Π_{j<k} shape_j]. */
function rowMajor(data: FloatArray, shape: Shape): FloatArray {
  // Without the axes of extent 1 at most 31 are left, whatever a hostile header says.
  const extents = shape.filter((extent) => extent !== 1);
  let stride = 1;
  const strides = extents.map((extent) => (stride *= extent) / extent);
  const index = extents.map(() => 0);
  const out = allocate(dtypeOf(data), data.length);
  let from = 0;
  for (let n = 0; n < out.length; n++) {
    out[n] = data[from];
    for (let axis = extents.length - 1; axis >= 0; axis--) {
      from += strides[axis];
      if (++index[axis] < extents[axis]) break;
      index[axis] = 0;
      from -= strides[axis] * extents[axis];
    }
  }
  return out;
}

function readHeader(bytes: Uint8Array, where: string): { start: number; header: Header } {
  const refuse = (at: number, expected: string, found: unknown) =>
    mismatch('E_FILE', `${where}, byte ${at}`, expected, found);
  if (bytes.length < 10) throw refuse(bytes.length, 'an .npy header', 'the end of the file');
  const wrong = NPY_MAGIC.findIndex((byte, at) => bytes[at] !== byte);
  if (wrong >= 0) {
    const what = kindOfBytes(bytes);
    const hint = what === ZIP ? ', such as .npz: save the array alone, as np.save does' : '';
    const begin = textOfBytes(bytes.subarray(0, NPY_MAGIC.length));
    const received = `'${begin}'${what ? `, ${what}` : ''}${hint}`;
    const expected = 'the magic string \\x93NUMPY of an .npy file';
    throw new XiError('E_FILE', `${where}, byte ${wrong}: expected ${expected}, received ${received}`);
  }
  const [major, minor] = [bytes[6], bytes[7]];
  if (major < 1 || major > 3 || minor !== 0) throw refuse(6, 'version 1.0, 2.0 or 3.0', `${major}.${minor}`);
  const prefix = major === 1 ? 10 : 12;
  if (bytes.length < prefix) throw refuse(bytes.length, 'an .npy header', 'the end of the file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const start = prefix + length;
  const limit = Math.min(MAX_HEADER, bytes.length - prefix);
  if (length > limit) throw refuse(8, `a header of at most ${limit} bytes`, length);
  // Names and types that are understood are ASCII; as Latin-1 a position in the text is a position in the file.
  const codes = Array.from(bytes.subarray(prefix, start), (byte) => String.fromCharCode(byte));
  return { start, header: parseHeader(codes.join(''), where, prefix) };
}

/** Parses `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`: Python literals, keys in any order. */
function parseHeader(text: string, where: string, prefix: number): Header {
  const token = /[ \t\r\n]*('[^'\\]*'|"[^"\\]*"|-?\d+L?|True|False|[{}()[\],:])/y;
  let at = 0;
  const next = (expected: string): string => {
    at = token.lastIndex;
    const found = token.exec(text)?.[1];
    if (found === undefined) throw refuse(expected, text.slice(at).trim());
    return found;
  };
  const refuse = (expected: string, found: unknown) =>
    mismatch('E_FILE', `${where}, header at byte ${prefix + at}`, expected, found);
  const take = <T extends string>(...choices: T[]): T => {
    const expected = choices.map(show).join(' or ');
    const found = next(expected);
    if (!choices.includes(found as T)) throw refuse(expected, found);
    return found as T;
  };

  const extents = (): number[] => {
    const shape: number[] = [];
    take('(');
    for (let found = next('an extent'); found !== ')'; found = next('an extent or )')) {
      // Python 2 wrote 3L for a long integer.
      const extent = /^\d+L?$/.test(found) ? Number.parseInt(found, 10) : Number.NaN;
      if (!Number.isSafeInteger(extent)) throw refuse('extents that are non-negative integers', found);
      shape.push(extent);
      // (3) is a number in Python; a tuple of one has a comma.
      if (shape.length === 1) take(',');
      else if (take(',', ')') === ')') break;
    }
    return shape;
  };
  const readers = new Map<string, () => unknown>([
    ['fortran_order', () => take('True', 'False') === 'True'],
    ['shape', extents],
    [
      'descr',
      () => {
        const found = next('a type');
        if (/^['"]/.test(found)) return found.slice(1, -1);
        throw mismatch(
          'E_DTYPE',
          `${where}, header at byte ${prefix + at}`,
          'a plain type, not a structured one',
          found,
        );
      },
    ],
  ]);

  const values = new Map<string, unknown>();
  take('{');
  for (let found = next('a key'); found !== '}'; found = next('a key or }')) {
    const key = found.slice(1, -1);
    const reader = readers.get(key);
    if (!reader || values.has(key))
      throw refuse("the keys 'descr', 'fortran_order' and 'shape', once each", found);
    take(':');
    values.set(key, reader());
    if (take(',', '}') === '}') break;
  }
  at = token.lastIndex;
  if (text.slice(at).trim() !== '') throw refuse('only spaces after the dictionary', text.slice(at).trim());
  if (values.size !== 3) throw refuse("the keys 'descr', 'fortran_order' and 'shape'", [...values.keys()]);
  return {
    descr: values.get('descr') as string,
    fortran: values.get('fortran_order') as boolean,
    shape: values.get('shape') as number[],
  };
}
