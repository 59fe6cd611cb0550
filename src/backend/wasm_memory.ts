import { XiError } from '../core/errors.ts';
import type { Threads } from './wasm_threads.ts';

// 16 MB to begin with, which the modules ask for. A maximum is address space only, but that may be short too.
const INITIAL_PAGES = 256;
const MAXIMA = [65536, 32768, 16384, 8192];

/** Memory with the largest maximum to be had; none where not even the smallest is. */
function largest(shared: boolean): WebAssembly.Memory | undefined {
  for (const maximum of MAXIMA) {
    try {
      return new WebAssembly.Memory({ initial: INITIAL_PAGES, maximum, shared });
    } catch {
      // the address space is too small for it
    }
  }
  return undefined;
}

/** @throws XiError E_BACKEND where the address space has no room for it. */
export function ownMemory(): WebAssembly.Memory {
  const memory = largest(false);
  if (memory) return memory;
  const expected = 'address space that the engine can reserve for it';
  const received = 'what is left of a space that is limited, as by ulimit -v, or full';
  throw new XiError('E_BACKEND', `WebAssembly memory: expected ${expected}, received ${received}`);
}

/** Shared memory; none, and so one thread, where there is too little address space. */
export function sharedMemoryFor(wanted: number, threads: Threads): WebAssembly.Memory | undefined {
  return wanted === 1 || threads.refusal ? undefined : largest(true);
}
