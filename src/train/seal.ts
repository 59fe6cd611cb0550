import { createHash } from 'node:crypto';
import { mismatch, XiError } from '../core/errors.ts';
import { littleEndianBytes } from '../io/elements.ts';
import type { SafetensorsContent } from '../io/safetensors.ts';

/** Where the metadata of a checkpoint have the checksum of all else. */
const KEY = 'sha256';

const byName = ([a]: readonly [string, unknown], [b]: readonly [string, unknown]) => (a < b ? -1 : 1);

/** SHA-256 of the metadata, but of the checksum itself, and of names, dtypes, shapes and values of the tensors. */
function checksumOf({ tensors, metadata }: SafetensorsContent): string {
  const hash = createHash('sha256');
  const texts = Object.entries(metadata).filter(([key]) => key !== KEY);
  const named = [...tensors].sort(byName);
  const heads = named.map(([name, { dtype, shape }]) => [name, dtype, shape]);
  hash.update(JSON.stringify([texts.sort(byName), heads]));
  for (const [, { data }] of named) hash.update(littleEndianBytes(data));
  return hash.digest('hex');
}

/** The metadata of a file with the checksum of its content among them. */
export const sealed = (content: SafetensorsContent): Record<string, string> => ({
  ...content.metadata,
  [KEY]: checksumOf(content),
});

/** @throws XiError E_FILE for content without a checksum, or with that of another content. */
export function checkSeal(path: string, content: SafetensorsContent): void {
  const { metadata } = content;
  if (!Object.hasOwn(metadata, KEY)) {
    const expected = `a checksum under the key '${KEY}', which checkpoints of earlier versions lack`;
    throw mismatch('E_FILE', path, expected, 'none');
  }
  if (metadata[KEY] === checksumOf(content)) return;
  const expected = 'the content that its checksum was taken of';
  throw new XiError('E_FILE', `${path}: expected ${expected}, received other: the file has changed since`);
}
