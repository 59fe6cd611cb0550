import { fileURLToPath } from 'node:url';
import { mismatch } from '../core/errors.ts';

/** A path, or a `file:` URL, as `new URL('m.npy', import.meta.url)` makes it. */
export type Path = string | URL;

/**
 * The path of a file or folder; text that begins with `file://` is a URL too.
 *
 * @throws XiError E_ARGUMENT for anything else, among it URLs of the net.
 */
export function pathOf(where: string, path: unknown, expected = 'that of a file, or a file: URL'): string {
  const isUrl = path instanceof URL || (typeof path === 'string' && path.startsWith('file://'));
  try {
    if (isUrl) return fileURLToPath(path);
  } catch {
    throw mismatch('E_ARGUMENT', where, expected, String(path));
  }
  if (typeof path === 'string' && path !== '') return path;
  throw mismatch('E_ARGUMENT', where, expected, path);
}

/** {@link pathOf} of a folder. */
export const folderOf = (where: string, path: unknown): string =>
  pathOf(where, path, 'the path of a folder, or a file: URL');
