import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { mismatch, show, XiError } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { fileError, readFileChecked } from '../io/atomic.ts';

/** Unsigned bytes in row-major order with their shape. */
export interface IdxArray {
  shape: number[];
  data: Uint8Array;
}

const UNSIGNED_BYTE = 0x08;
const MAX_AXES = 4;
/** Twenty times the largest file of MNIST; bounds what a hostile archive may expand to. */
const MAX_UNPACKED = 2 ** 30;

/**
 * The array in the bytes of an IDX file: two zero bytes, the type 0x08, the number of axes (1 to 4), a big-endian u32
 * for each extent, then exactly the data, returned as a view. Source of the format: https://yann.lecun.org/exdb/mnist/
 *
 * @param where names the bytes in messages, usually the path.
 * @throws XiError E_FILE with the byte offset, what was expected and what was found.
 */
export function decodeIdx(bytes: Uint8Array, where: string): IdxArray {
  const refuse = (at: number, expected: string, found: unknown) =>
    mismatch('E_FILE', `${where}, byte ${at}`, expected, found);
  if (bytes.length < 4)
    throw refuse(bytes.length, 'an IDX header of at least 4 bytes', 'the end of the file');
  const [zero, zeroToo, type, axes] = bytes as unknown as [number, number, number, number];
  if (zero !== 0 || zeroToo !== 0) throw refuse(0, 'two zero bytes, as IDX files begin', [zero, zeroToo]);
  if (type !== UNSIGNED_BYTE) throw refuse(2, `type ${UNSIGNED_BYTE}, unsigned bytes`, type);
  if (axes < 1 || axes > MAX_AXES) throw refuse(3, `1 to ${MAX_AXES} axes`, axes);
  const start = 4 + 4 * axes;
  if (bytes.length < start) throw refuse(bytes.length, `${axes} extents of 4 bytes`, 'the end of the file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const size = product(shape);
  if (size !== bytes.length - start) {
    throw refuse(start, `${size} bytes of data for shape ${show(shape)}`, bytes.length - start);
  }
  return { shape, data: bytes.subarray(start) };
}

/**
 * Reads an IDX file; a name that ends in `.gz` is decompressed first.
 *
 * @throws XiError E_FILE when it cannot be read or decompressed or is no IDX file.
 */
export async function readIdx(path: string): Promise<IdxArray> {
  const bytes = await readFileChecked(path);
  return decodeIdx(path.endsWith('.gz') ? await unpack(bytes, path) : bytes, path);
}

async function unpack(bytes: Uint8Array, path: string): Promise<Uint8Array> {
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength: MAX_UNPACKED });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE')
      throw fileError('decompress', path, cause);
    throw new XiError('E_FILE', `cannot decompress ${path}: expected at most ${MAX_UNPACKED} bytes`, {
      cause,
    });
  }
}
