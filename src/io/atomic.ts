import { randomBytes } from 'node:crypto';
import { type FileHandle, open, readFile, realpath, rename, stat, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { XiError } from '../core/errors.ts';

const REASONS = new Map([
  ['ENOENT', 'no such file or folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EISDIR', 'it is a directory'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space left on the device'],
  ['EDQUOT', 'disk quota exceeded'],
  ['EFBIG', 'the file would be too large'],
  ['ERR_FS_FILE_TOO_LARGE', 'the file is larger than 2 GiB'],
]);

/** E_FILE for a failed system call: `cannot read m.npy: no such file or folder (ENOENT)`, the original as `cause`. */
export function fileError(action: 'read' | 'write' | 'decompress', path: string, cause: unknown): XiError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  const reason = REASONS.get(code);
  const text = reason ? `${reason} (${code})` : cause instanceof Error ? cause.message : String(cause);
  return new XiError('E_FILE', `cannot ${action} ${path}: ${text}`, { cause });
}

/**
 * Replaces a file in one step: after a crash or a failure at any moment `path` holds either all of the old bytes or
 * all of the new ones.
 *
 * The chunks go one after the other to a temporary file in the same folder, which is flushed to the disk and then
 * renamed; on failure it is removed. A symbolic link is followed, the permissions of an existing file are kept.
 *
 * @throws XiError E_FILE with the path and the system's reason.
 */
export async function writeFileAtomic(path: string, chunks: Uint8Array | Uint8Array[]): Promise<void> {
  const target = await realpath(path).catch(() => path);
  const existing = await stat(target).catch(() => undefined);
  // A rename would replace /dev/null by a regular file, which root is allowed to do.
  if (existing !== undefined && !existing.isFile()) {
    const found = existing.isDirectory() ? 'a directory' : 'a device, pipe or socket';
    throw new XiError('E_FILE', `cannot write ${path}: expected a regular file, found ${found}`);
  }
  const temporary = join(dirname(target), `.xitensor-${process.pid}-${randomBytes(6).toString('hex')}.tmp`);
  let handle: FileHandle;
  try {
    handle = await open(temporary, 'wx', (existing?.mode ?? 0o666) & 0o777);
  } catch (cause) {
    throw fileError('write', path, cause);
  }
  try {
    try {
      for (const chunk of Array.isArray(chunks) ? chunks : [chunks]) await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    throw fileError('write', path, cause);
  }
  await syncFolder(dirname(target));
}

/**
 * The bytes of a whole file.
 *
 * @throws XiError E_FILE when it is missing, a directory, unreadable, or larger than Node reads at once (2 GiB).
 */
export async function readFileChecked(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw fileError('read', path, cause);
  }
}

/** Makes a rename durable. Windows and some network file systems cannot open a folder; the data are flushed anyway. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {}
}
