/** How `.npy` files begin: \x93NUMPY. */
export const NPY_MAGIC: readonly number[] = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

export const ZIP = 'a zip archive';

/** What begins like the files of others. */
const OTHERS: readonly (readonly [begin: readonly number[], what: string])[] = [
  [NPY_MAGIC, 'an .npy file'],
  [[0x50, 0x4b, 0x03, 0x04], ZIP],
  [[0x1f, 0x8b], 'a gzip file'],
];

/** What a file is that begins so, where it can be told. */
export function kindOfBytes(bytes: Uint8Array): string | undefined {
  if (bytes[8] === 0x7b && bytes[9] === 0x22 && bytes[7] === 0) return 'a safetensors file';
  return OTHERS.find(([begin]) => begin.every((byte, at) => bytes[at] === byte))?.[1];
}

/** Bytes as text, those that are no printable ASCII as \xNN. */
export const textOfBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`,
  ).join('');
