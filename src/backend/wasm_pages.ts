import { XiError } from '../core/errors.ts';
import type { Backend } from './interface.ts';
import type { IsaReport } from './probes.ts';
import { openModule } from './wasm.ts';
import { sharedMemoryFor } from './wasm_memory.ts';
import { forMemory, IMPORTS_WITHIN, type WasmModule } from './wasm_modules.ts';
import { type Thread, type Threads, WORK } from './wasm_threads.ts';

interface WebWorker extends Thread {
  onerror: ((event: { readonly message?: string }) => void) | null;
  postMessage(message: unknown): void;
}

/** The globals of a page that Node has not, or not in every version. */
interface Page {
  readonly Worker?: new (url: string) => WebWorker;
  readonly crossOriginIsolated?: boolean;
}
const page = globalThis as unknown as Page;

const REFUSED =
  'one thread: the page refused a worker, as a content security policy without worker-src blob: does';
let blocked = '';

/** Web Workers, where the page has shared memory. */
export const pageThreads: Threads = {
  get refusal() {
    if (blocked) return blocked;
    if (typeof SharedArrayBuffer !== 'function' || page.crossOriginIsolated === false) {
      return 'one thread: the page is not cross-origin isolated, so it has no shared memory';
    }
    return page.Worker ? '' : 'one thread: there are no workers here';
  },
  start(start) {
    const { Blob, URL } = globalThis;
    const url = URL.createObjectURL(
      new Blob([`onmessage = ({ data }) => ${WORK}(data);`], { type: 'text/javascript' }),
    );
    let worker: WebWorker;
    try {
      worker = new page.Worker!(url);
    } catch (cause) {
      blocked = `one thread: the page refused a worker: ${(cause as Error).message}`;
      throw cause;
    } finally {
      URL.revokeObjectURL(url);
    }
    // An error within a worker has a message; a worker that may not be, none.
    worker.onerror = ({ message }) => {
      if (message === undefined) blocked = REFUSED;
    };
    worker.postMessage(start);
    return worker;
  },
};

/** There are none of a module that is handed in, whose memory is not shared. */
export const noThreads: Threads = {
  refusal: 'one thread: a module that is handed in has no shared memory',
  start() {
    throw new XiError('E_BACKEND', this.refusal);
  },
};

/** Where the bytes of a module come from. */
export interface ModuleSource {
  readonly address: string;
  /** Whether it is a file of its own, which may be lost. */
  readonly isFile?: boolean;
  /** Rejects with the reason when they cannot be had. */
  open(): Promise<ReadableStream<Uint8Array>>;
}

/** A module behind an address, asked for as the page's own files are. */
export function fetched(url: URL): ModuleSource {
  return {
    address: url.href,
    isFile: true,
    async open() {
      const response = await fetch(url);
      if (response.ok && response.body) return response.body;
      throw new XiError(
        'E_BACKEND',
        `cannot fetch ${url.href}: ${response.status} ${response.statusText}`.trim(),
      );
    },
  };
}

/** A module that the program carries within, gzip in base64. */
export function unpacked(file: string, packed: string): ModuleSource {
  return {
    address: file,
    async open() {
      const bytes = Uint8Array.from(atob(packed), (character) => character.charCodeAt(0));
      return new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'));
    },
  };
}

/** What helps where a module cannot be loaded, by the reason that the page or the engine gives; nothing against a lack of memory. */
export function remedyOf({ isFile }: ModuleSource, reason: string): string | undefined {
  if (/unsafe-eval|content security policy|\bCSP\b/i.test(reason))
    return "a page with a content security policy needs script-src 'wasm-unsafe-eval'";
  return isFile && /^cannot (fetch|load) /.test(reason)
    ? "where a bundler loses the modules, 'xitensor/inline' carries them within"
    : undefined;
}

const compiled = new Map<string, Promise<WebAssembly.Module>>();

/** Compiles a module while it arrives, once for each kind of memory; what failed may be tried again. */
function compile(source: ModuleSource, shared: boolean): Promise<WebAssembly.Module> {
  const key = `${shared} ${source.address}`;
  let module = compiled.get(key);
  if (!module) {
    module = source.open().then((bytes) => {
      const body = shared ? bytes.pipeThrough(sharing()) : bytes;
      // Not the response itself: servers do not know the type of the file, without which engines refuse it.
      return WebAssembly.compileStreaming(
        new Response(body, { headers: { 'Content-Type': 'application/wasm' } }),
      );
    });
    compiled.set(key, module);
    module.catch(() => compiled.delete(key));
  }
  return module;
}

/** The module for shared memory from bytes that arrive piece by piece: holds back those in which the imports lie. */
function sharing(): TransformStream<Uint8Array, Uint8Array> {
  let head: Uint8Array<ArrayBuffer> | undefined = new Uint8Array(0);
  return new TransformStream({
    transform(chunk, controller) {
      if (!head) return controller.enqueue(chunk);
      const joined: Uint8Array<ArrayBuffer> = new Uint8Array(head.length + chunk.length);
      joined.set(head);
      joined.set(chunk, head.length);
      head = joined;
      if (head.length < IMPORTS_WITHIN) return;
      controller.enqueue(forMemory(head, true));
      head = undefined;
    },
    flush(controller) {
      if (head) controller.enqueue(forMemory(head, true));
    },
  });
}

/**
 * Fetches, compiles and opens a module of the package.
 *
 * @throws XiError E_BACKEND with the reason when it cannot be had.
 */
export async function openInPage(
  { file }: WasmModule,
  source: ModuleSource,
  wanted: number,
): Promise<{ readonly isa: IsaReport; readonly backend: Backend }> {
  const memory = sharedMemoryFor(wanted, pageThreads);
  try {
    return await openModule(await compile(source, memory !== undefined), memory, wanted, pageThreads);
  } catch (cause) {
    if (cause instanceof XiError) throw cause;
    const { message } = cause as Error;
    throw new XiError('E_BACKEND', `cannot load ${file} from ${source.address}: ${message}`, { cause });
  }
}
