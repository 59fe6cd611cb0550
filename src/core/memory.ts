import { XiError } from './errors.ts';

/** Most bytes that a function allocates for one result unless it is told otherwise; as of a grid tensor. */
export const MOST_BYTES = 2 ** 31;

/**
 * Refuses work before it allocates: an engine without that much memory throws a RangeError, or the system ends the program.
 *
 * @param what needs so many bytes: `shape [9, 9]`.
 * @param options given where the limit is an option of the caller's, which the message then names.
 * @throws XiError E_MEMORY with the size and the limit.
 */
export function checkMemory(
  where: string,
  what: string,
  bytes: number,
  options?: { readonly maxBytes?: number },
): void {
  const limit = options?.maxBytes ?? MOST_BYTES;
  // Not `bytes > limit`, which lets NaN pass.
  if (bytes <= limit) return;
  const expected = `at most ${limit} bytes${options ? ' (maxBytes)' : ''}`;
  throw new XiError('E_MEMORY', `${where}: expected ${expected}, received ${what}, ${bytes} bytes`);
}
