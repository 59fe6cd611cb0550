/** Runs what was called, of a generator its first step. */
export async function outcome(call: () => unknown): Promise<unknown> {
  const result = call() as Partial<AsyncGenerator> | undefined;
  return typeof result?.next === 'function' ? result.next() : result;
}
