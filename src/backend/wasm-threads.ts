/** What a thread of a WebAssembly memory is started with; cloned on the way. */
export interface ThreadStart {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Where its stack ends, which grows downwards. */
  readonly stack: number;
  /** Where its thread-local storage begins. */
  readonly tls: number;
}

export interface Thread {
  terminate(): unknown;
}

// As text, so that no bundler has to find another file: an instance of the same module on the same memory, which takes
// parts of jobs until it is terminated.
const WORK = `(({ module, memory, stack, tls }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory, start_workers() {} } });
  exports.__stack_pointer.value = stack;
  exports.__wasm_init_tls(tls);
  exports.xt_worker();
})`;

interface WebWorker extends Thread {
  postMessage(message: unknown): void;
}

/** The globals of a page that Node has not, or not in every version. */
interface Page {
  readonly Worker?: new (url: string) => WebWorker;
  readonly crossOriginIsolated?: boolean;
}
const page = globalThis as unknown as Page;

// Not an import, which a bundler for pages would try to resolve. Node has it from 20.16 on.
const nodeThreads = () =>
  globalThis.process?.getBuiltinModule?.('node:worker_threads') as
    | typeof import('node:worker_threads')
    | undefined;

/** Why there are no threads here; '' if there may be. */
export function whyOneThread(): string {
  if (nodeThreads()) return '';
  if (typeof SharedArrayBuffer !== 'function' || page.crossOriginIsolated === false) {
    return 'one thread: the page is not cross-origin isolated, so it has no shared memory';
  }
  return page.Worker ? '' : 'one thread: there are no workers here';
}

/** Starts a thread, which comes up some time later, or never: nothing may wait for it. It keeps no process alive. */
export function startThread(start: ThreadStart): Thread {
  const node = nodeThreads();
  if (node) {
    const source = `${WORK}(require('node:worker_threads').workerData)`;
    const worker = new node.Worker(source, { eval: true, workerData: start, execArgv: [] });
    worker.on('error', () => {});
    worker.unref();
    return worker;
  }
  const { Blob, URL } = globalThis;
  const url = URL.createObjectURL(
    new Blob([`onmessage = ({ data }) => ${WORK}(data);`], { type: 'text/javascript' }),
  );
  const worker = new page.Worker!(url);
  URL.revokeObjectURL(url);
  worker.postMessage(start);
  return worker;
}
