import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join, resolve } from 'node:path';

/** Where process ids mean what they say: this machine, and on Linux this namespace of processes. */
let here: string | undefined;

/** Asked for when a file is written, not before: runtimes with permissions may want to know why. */
const place = (): string =>
  (here ??= createHash('sha256').update(`${hostname()} ${processes()}`).digest('hex').slice(0, 8));

function processes(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return '';
  }
}

const TEMPORARY = /^\.xitensor-(?:([0-9a-f]{8})-(\d+)-)?[0-9a-f-]+\.tmp$/;

/** What a file or folder is called while it is being written; says by which process. */
export const temporaryName = (): string =>
  `.xitensor-${place()}-${process.pid}-${randomBytes(6).toString('hex')}.tmp`;

export const isTemporary = (name: string): boolean => TEMPORARY.test(name);

/** Nobody writes at a file for longer without a byte of it reaching the disk. */
const DAY = 24 * 60 * 60 * 1000;

/** Folders that were looked at: a process that writes a checkpoint a minute need not list its folder each time. */
const swept = new Set<string>();

/**
 * Removes the half-written files and folders in a folder whose processes are gone, once a folder. Of a process elsewhere, on a
 * network drive or in another container, only its silence of a day tells that.
 */
export async function removeStale(folder: string): Promise<void> {
  const path = resolve(folder);
  if (swept.has(path)) return;
  swept.add(path);
  // A folder that cannot be listed can be written to all the same.
  const names = await readdir(path).catch(() => []);
  for (const name of names.filter(isTemporary)) {
    const written = (await stat(join(path, name)).catch(() => undefined))?.mtimeMs;
    if (written === undefined || !isStale(name, written)) continue;
    // Another process may have been faster.
    await rm(join(path, name), { recursive: true, force: true }).catch(() => {});
  }
}

/** The process that a name says to be of; undefined for other names. */
export const ownerOf = (name: string): string | undefined => TEMPORARY.exec(name)?.[2];

/** Whether the process that wrote a name at this time is gone. */
export function isStale(name: string, written: number): boolean {
  if (Date.now() - written > DAY) return true;
  const [, where, id] = TEMPORARY.exec(name) ?? [];
  if (where !== place()) return false;
  const pid = Number(id);
  // Containers give the same ids again: what is older than this process is not its own.
  if (pid === process.pid) return written < Date.now() - 1000 * process.uptime() - 1000;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
