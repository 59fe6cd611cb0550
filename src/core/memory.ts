import { XiError } from './errors.ts';

/** Most bytes that a function allocates for one result unless it is told otherwise; as of a grid tensor. */
export const MOST_BYTES = 2 ** 31;

/**
 * Refuses work before it allocates: an engine without that much memory throws a RangeError, or the system ends the program.
 *
 * @param what who needs so many: `shape [9, 9] needs`.
 * @throws XiError E_MEMORY with the size and the limit.
 */
export function checkBytes(where: string, what: string, bytes: number, limit = MOST_BYTES): void {
  // Not `bytes > limit`, which lets NaN pass.
  if (bytes <= limit) return;
  throw new XiError('E_MEMORY', `${where}: ${what} ${bytes} bytes, the limit is ${limit}`);
}
