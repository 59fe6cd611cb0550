import { XiError } from './errors.ts';

/** Most bytes that a function allocates for one result unless it is told otherwise; engines and browsers give no more than some GiB. */
export const MOST_BYTES = 2 ** 32;

/**
 * Refuses work before it allocates: an engine that has not enough memory throws an error without a cause, or the system ends it.
 *
 * @throws XiError E_MEMORY with the size and the limit.
 */
export function checkBytes(where: string, what: string, bytes: number, limit = MOST_BYTES): void {
  // Not `bytes > limit`, which lets NaN pass.
  if (bytes <= limit) return;
  throw new XiError('E_MEMORY', `${where}: ${what} needs ${bytes} bytes, the limit is ${limit}`);
}
