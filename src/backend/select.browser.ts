import { XiError } from '../core/errors.ts';
import type { Backend, BackendName } from './interface.ts';
import { type PageBackendOptions, PageBackends } from './pages.ts';
import type { ProbeReport } from './probes.ts';
import type { WasmModule } from './wasm_modules.ts';
import { fetched } from './wasm_pages.ts';

// Stands in the place of select.ts in the bundle dist/index.browser.js.

/** Which backend to open in a page. */
export interface PageOptions extends PageBackendOptions {
  /** Where `xitensor.wasm` and `xitensor-relaxed.wasm` are served, if not where the bundler put them. */
  readonly wasmFolder?: string | URL;
}

// Bundlers look for this very expression, and for nothing that computes it. Paths are from the bundle, in dist/.
const ADDRESSES: Readonly<Record<string, () => URL>> = {
  relaxed128: () => new URL('../wasm/xitensor-relaxed.wasm', import.meta.url),
  wasm128: () => new URL('../wasm/xitensor.wasm', import.meta.url),
};

const backends = new PageBackends();

/**
 * Opens a backend: WebAssembly, else the reference. Fetches and compiles the module that the engine runs best; whatever
 * is computed then is synchronous. The first backend opened, but for a reference that stands in, serves models and
 * contractions that name none.
 *
 * @throws XiError E_BACKEND with every backend's reason when none of the preferred can be had.
 */
export async function openBackend(options: PageOptions = {}): Promise<Backend> {
  return backends.open(options, (module) => fetched(addressOf(module, options.wasmFolder)), ['wasmFolder']);
}

/** @throws XiError E_BACKEND where a program does not know its own address, nor that of a page. */
function addressOf({ isa, file }: WasmModule, folder: string | URL | undefined): URL {
  try {
    return folder ? within(folder, file) : ADDRESSES[isa]();
  } catch (cause) {
    const remedy =
      "openBackend takes a wasmFolder or a wasmModule, and 'xitensor/inline' carries the modules within";
    const received = folder ? `'${folder}'` : 'no address of this program';
    throw new XiError('E_BACKEND', `${file}: expected where it is served, received ${received}; ${remedy}`, {
      cause,
    });
  }
}

function within(folder: string | URL, file: string): URL {
  const { location } = globalThis as { location?: { href: string } };
  const base = new URL(`${String(folder).replace(/\/*$/, '')}/`, location?.href);
  return new URL(file.slice(file.lastIndexOf('/') + 1), base);
}

/** What is known of a backend: of WebAssembly more once it was opened. */
export function probeBackend(name: BackendName): ProbeReport {
  return backends.probe(name);
}

/**
 * The backend of models and contractions that name none: the one opened first, but for a reference that stands in.
 *
 * @throws XiError E_BACKEND before {@link openBackend}, since a page cannot load a module synchronously.
 */
export function defaultBackend(): Backend {
  return backends.first;
}
