import { rmSync, type Stats, writeFileSync } from 'node:fs';
import {
  access,
  constants,
  type FileHandle,
  lstat,
  open,
  readlink,
  realpath,
  rename,
  stat,
  unlink,
} from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { mismatch, XiError } from '../core/errors.ts';
import { type Path, pathOf } from './path.ts';
import { removeStale, temporaryName } from './temporary.ts';

const REASONS = new Map([
  ['ENOENT', 'no such file or folder'],
  ['ENOTDIR', 'a part of the path is not a folder'],
  ['EISDIR', 'it is a directory'],
  ['EEXIST', 'there is a file of that name'],
  ['ENAMETOOLONG', 'the name is too long'],
  ['ELOOP', 'its symbolic links lead in a circle'],
  ['EACCES', 'permission denied'],
  ['EPERM', 'operation not permitted'],
  ['EROFS', 'the file system is read-only'],
  ['ENOSPC', 'no space left on the device'],
  ['EDQUOT', 'disk quota exceeded'],
  ['EFBIG', 'the file would be too large'],
]);

/** E_FILE for a failed system call: `cannot read m.npy: no such file or folder (ENOENT)`, the original as `cause`. */
export function fileError(action: 'read' | 'write' | 'decompress', path: string, cause: unknown): XiError {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code ?? '';
  const reason = REASONS.get(code);
  const text = reason ? `${reason} (${code})` : cause instanceof Error ? cause.message : String(cause);
  return new XiError('E_FILE', `cannot ${action} ${path}: ${text}`, { cause });
}

/** Temporary files that are being written, and locks. */
export const pending = new Set<string>();

/**
 * Makes a file that was not there and is pending from then on: in one turn of the event loop, since a signal between two turns
 * would leave what nobody knows of.
 */
export function createPending(path: string, content = ''): void {
  writeFileSync(path, content, { flag: 'wx' });
  pending.add(path);
}

/** Removes half-written temporary files and locks; for a process that ends at once. */
export function removePending(): void {
  for (const path of pending) rmSync(path, { force: true });
}

/**
 * Checks that {@link writeFileAtomic} could write a file now, for work that takes long before it does.
 *
 * @param inputs what the work reads, which must not be replaced by its result; those that are no files are left out.
 * @throws XiError E_FILE when the path is too long, a directory or a device, or its folder, or that of what it links to, is missing or not writable; E_ARGUMENT
 * when it is one of the inputs, by whatever name.
 */
export async function checkWritable(file: Path, inputs: readonly (string | undefined)[] = []): Promise<void> {
  const path = pathOf('path', file);
  const target = await targetOf(path);
  const identityOf = async (name: string) => {
    const info = await stat(name, { bigint: true }).catch(() => undefined);
    return info && `${info.dev}:${info.ino}`;
  };
  const identity = await identityOf(target);
  for (const input of identity === undefined ? [] : inputs)
    if (input !== undefined && (await identityOf(input)) === identity)
      throw mismatch('E_ARGUMENT', `output ${path}`, 'a file other than the inputs', input);
  try {
    if (path.endsWith('/')) throw Object.assign(new Error(), { code: 'EISDIR' });
    await access(dirname(target), constants.W_OK);
    await lstat(target).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENAMETOOLONG') throw error;
    });
  } catch (cause) {
    throw fileError('write', path, cause);
  }
}

/** Where a path leads through symbolic links; refuses what is there but no regular file. */
async function targetOf(path: string): Promise<string> {
  // By the path itself: /dev/stdout leads to a pipe, of which the link has no more than a number.
  const existing = await stat(path).catch(() => undefined);
  // A rename would replace /dev/null by a regular file, which root is allowed to do.
  if (existing !== undefined && !existing.isFile()) {
    const found = existing.isDirectory() ? 'a directory' : 'a device, pipe or socket';
    throw new XiError('E_FILE', `cannot write ${path}: expected a regular file, found ${found}`);
  }
  return followed(path);
}

/** Where a path leads, also one to a link to what is not there yet. @throws XiError E_FILE for a link to where no file can be. */
async function followed(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ELOOP') throw fileError('write', path, cause);
  }
  const link = await readlink(path).catch(() => undefined);
  if (link === undefined) return path;
  // Not by join, for which `folder/..` is always where it began; of a link to a folder it is elsewhere.
  const next = isAbsolute(link) ? link : `${dirname(path)}/${link}`;
  if ((await stat(dirname(next)).catch(() => undefined)) !== undefined) return followed(next);
  throw new XiError('E_FILE', `cannot write ${path}: expected a link into a folder, found one to ${next}`);
}

/**
 * Replaces a file in one step: after a crash or a failure at any moment `path` holds either all of the old bytes or
 * all of the new ones.
 *
 * The chunks, which may be made while they are written, go one after the other to a temporary file in the same folder, which is flushed to the disk and then
 * renamed; on failure it is removed, and what killed processes left behind in that folder with it. A symbolic link is
 * followed, whether or not the file that it leads to is there; the permissions of an existing file are kept.
 *
 * @throws XiError E_FILE with the path and the system's reason.
 */
export async function writeFileAtomic(
  file: Path,
  chunks: Uint8Array | Uint8Array[] | AsyncIterable<Uint8Array>,
): Promise<void> {
  const path = pathOf('path', file);
  const target = await targetOf(path);
  const mode = (await stat(target).catch(() => undefined))?.mode;
  await removeStale(dirname(target));
  const temporary = join(dirname(target), temporaryName());
  try {
    createPending(temporary);
  } catch (cause) {
    throw fileError('write', path, cause);
  }
  try {
    const handle = await open(temporary, 'r+');
    try {
      if (mode !== undefined) await handle.chmod(mode & 0o777);
      for await (const chunk of chunks instanceof Uint8Array ? [chunks] : chunks)
        await handle.writeFile(chunk);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (cause) {
    await unlink(temporary).catch(() => {});
    // What makes the chunks may read another file.
    throw cause instanceof XiError ? cause : fileError('write', path, cause);
  } finally {
    pending.delete(temporary);
  }
  await syncFolder(dirname(target));
}

const isDevice = (info: Stats): boolean => info.isCharacterDevice() || info.isBlockDevice();

/** What one read asks for: Node's readFile stops at 2 GiB, and a checkpoint may be larger. */
const READ_BYTES = 2 ** 28;

/**
 * The bytes of a whole file, or of a pipe until it is closed.
 *
 * @throws XiError E_FILE when it is missing, a directory, a device, unreadable, or does not fit into memory.
 */
export async function readFileChecked(file: Path): Promise<Uint8Array> {
  const path = pathOf('path', file);
  let handle: FileHandle | undefined;
  try {
    // Before it is opened: some devices do something then, and from others bytes come without an end.
    if (isDevice(await stat(path)))
      throw new XiError('E_FILE', `cannot read ${path}: expected a file or a pipe, found a device`);
    handle = await open(path, 'r');
    const info = await handle.stat();
    // Pipes have no size to go by.
    if (!info.isFile()) return await handle.readFile();
    const bytes = new Uint8Array(info.size);
    let filled = 0;
    while (filled < bytes.length) {
      const length = Math.min(READ_BYTES, bytes.length - filled);
      const { bytesRead } = await handle.read(bytes, filled, length, filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return bytes.subarray(0, filled);
  } catch (cause) {
    throw cause instanceof XiError ? cause : fileError('read', path, cause);
  } finally {
    await handle?.close();
  }
}

/** Makes a rename durable. Windows and some network file systems cannot open a folder; the data are flushed anyway. */
async function syncFolder(folder: string): Promise<void> {
  try {
    const handle = await open(folder, 'r');
    await handle.sync().finally(() => handle.close());
  } catch {}
}
