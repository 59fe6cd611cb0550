import { Worker } from 'node:worker_threads';
import { XiError } from '../core/errors.ts';

/** Tasks that each worker has at a time: the next one is there when one is done. */
const IN_FLIGHT = 2;

/** What a worker threw has lost its class on the way. */
function revived(error: unknown): unknown {
  const { name, code, message } = error as Partial<XiError>;
  if (name !== 'XiError' || code === undefined || message === undefined) return error;
  return new XiError(code, message, { cause: error });
}

/**
 * Hands tasks to worker threads, of which it makes them one by one, and calls back with each result, in the order in which they are
 * done. A worker is a module that answers each message, a task, with one message, its result.
 */
export async function runWorkers<Task, Result>(
  module: URL,
  workerData: unknown,
  count: number,
  tasks: Iterable<Task>,
  { signal, onResult }: { readonly signal: AbortSignal; readonly onResult: (result: Result) => void },
): Promise<void> {
  const iterator = tasks[Symbol.iterator]();
  let next = iterator.next();
  const workers: Worker[] = [];
  const work = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      let open = 0;
      const more = (): void => {
        while (open < IN_FLIGHT && !next.done && !signal.aborted) {
          worker.postMessage(next.value);
          next = iterator.next();
          open++;
        }
        if (open === 0) resolve();
      };
      worker.on('message', (result: Result) => {
        open--;
        try {
          onResult(result);
        } catch (error) {
          reject(error);
          return;
        }
        more();
      });
      worker.on('error', (error) => reject(revived(error)));
      worker.on('exit', (code) => reject(new Error(`a worker ended with status ${code}`)));
      more();
    });
  try {
    for (let n = 0; n < count && !next.done; n++) workers.push(new Worker(module, { workerData }));
    await Promise.all(workers.map(work));
  } finally {
    for (const worker of workers) worker.removeAllListeners('exit');
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
