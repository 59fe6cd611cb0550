import { XiError } from '../core/errors.ts';
import { readFileChecked } from './atomic.ts';

/**
 * The text of a file in UTF-8, without a byte order mark.
 *
 * @throws XiError E_FILE when it cannot be read, or with the offset of the first byte that is not UTF-8.
 */
export async function readText(path: string): Promise<string> {
  const bytes = await readFileChecked(path);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    const bad = firstOtherByte(bytes);
    throw new XiError('E_FILE', `${path}, byte ${bad}: expected UTF-8, found the byte ${bytes[bad]}`, {
      cause,
    });
  }
}

/** Files that are open at once. */
const AT_ONCE = 64;

/** The texts of many files, in their order; see {@link readText}. */
export async function readTexts(paths: readonly string[]): Promise<string[]> {
  const texts: string[] = [];
  for (let start = 0; start < paths.length; start += AT_ONCE) {
    texts.push(...(await Promise.all(paths.slice(start, start + AT_ONCE).map(readText))));
  }
  return texts;
}

/** Decoded with replacements and encoded again, the text differs first where the replacements begin. */
function firstOtherByte(bytes: Uint8Array): number {
  const again = new TextEncoder().encode(new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes));
  const at = bytes.findIndex((byte, n) => byte !== again[n]);
  return at < 0 ? bytes.length - 1 : at;
}
