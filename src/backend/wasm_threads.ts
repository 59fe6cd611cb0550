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

/** The workers of a platform. */
export interface Threads {
  /** Why there are none here; '' if there may be. */
  readonly refusal: string;
  /** Starts a thread, which comes up some time later, or never: nothing may wait for it. It keeps no process alive. What throws here is in {@link refusal} from then on. */
  start(start: ThreadStart): Thread;
}

/**
 * The program of a thread: an instance of the same module on the same memory, which takes parts of jobs until it is
 * terminated. As text, so that no bundler has to find another file.
 */
export const WORK = `(({ module, memory, stack, tls }) => {
  const { exports } = new WebAssembly.Instance(module, { env: { memory, start_workers() {} } });
  exports.__stack_pointer.value = stack;
  exports.__wasm_init_tls(tls);
  exports.xt_worker();
})`;
