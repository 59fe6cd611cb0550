import type { Backend, BackendName } from './interface.ts';
import { type PageBackendOptions, PageBackends } from './pages.ts';
import type { ProbeReport } from './probes.ts';
import { PACKED_MODULES } from './wasm_packed.ts';
import { unpacked } from './wasm_pages.ts';

export type { PageBackendOptions };

// Stands in the place of select.ts in the bundle dist/index.inline.js, which carries the modules within.

const backends = new PageBackends();

/**
 * Opens a backend: WebAssembly, else the reference. Unpacks and compiles the module that the engine runs best; whatever
 * is computed then is synchronous. The first backend opened, but for a reference that stands in, serves models and
 * contractions that name none.
 *
 * @throws XiError E_BACKEND with every backend's reason when none of the preferred can be had.
 */
export async function openBackend(options: PageBackendOptions = {}): Promise<Backend> {
  return backends.open(options, ({ isa, file }) => unpacked(file, PACKED_MODULES[isa]));
}

/** What is known of a backend: of WebAssembly more once it was opened. */
export function probeBackend(name: BackendName): ProbeReport {
  return backends.probe(name);
}

/**
 * The backend of models and contractions that name none: the one opened first, but for a reference that stands in.
 *
 * @throws XiError E_BACKEND before {@link openBackend}.
 */
export function defaultBackend(): Backend {
  return backends.first;
}
