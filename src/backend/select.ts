import { availableParallelism } from 'node:os';
import { oneOf, XiError } from '../core/errors.ts';
import { BACKEND_NAMES, type Backend, type BackendName } from './interface.ts';
import { probeNative } from './native.ts';
import type { IsaReport, OpenableProbe, Probe } from './probes.ts';
import { probeReference } from './reference.ts';
import {
  type BackendOptions,
  checkWanted,
  nothingUsable,
  pickIsa,
  type Refusal,
  warnIfSlow,
} from './selection.ts';
import { probeWasm } from './wasm_files.ts';

// The backends of Node. The bundle for browsers has select.browser.ts or select.inline.ts in the place of this file.

const PROBES: Readonly<Record<BackendName, () => Probe>> = {
  native: probeNative,
  wasm: probeWasm,
  reference: probeReference,
};

const found = new Map<BackendName, Probe>();

/** Probes a backend, once a process. */
export function probeBackend(name: BackendName): Probe {
  let probe = found.get(name);
  if (!probe) found.set(name, (probe = PROBES[oneOf('backend', name, BACKEND_NAMES)]()));
  return probe;
}

/** What is chosen, and for every backend before it the reason why not. */
export interface Selection {
  readonly backend: Backend;
  readonly refusals: readonly Refusal[];
}

/**
 * Opens the first backend of the preference that can be had.
 *
 * @throws XiError E_BACKEND with every backend's reason when none can; E_ARGUMENT for unknown options.
 */
export function selectBackend(options: BackendOptions = {}): Selection {
  const { XITENSOR_BACKEND: backend, XITENSOR_ISA: isa, XITENSOR_THREADS: threads } = process.env;
  const wanted = checkWanted(options, { backend, isa, threads, cores: availableParallelism() });
  const refusals: Refusal[] = [];
  for (const name of wanted.prefer) {
    const probe = probeBackend(name);
    const chosen = probe.usable ? pickIsa(probe.isas, wanted.isa) : probe.reason;
    if (probe.usable && typeof chosen !== 'string') {
      const backend = openOf(probe, chosen, wanted.threads);
      if (typeof backend === 'string') {
        refusals.push({ name, reason: backend });
        continue;
      }
      if (backend.threads >= wanted.threads || !wanted.allThreads) {
        warnIfSlow(backend, refusals);
        return { backend, refusals };
      }
      const has = backend.threads === 1 ? 'one thread' : `${backend.threads} threads`;
      refusals.push({ name, reason: `it has ${has} here, and ${wanted.threads} are asked for` });
    } else refusals.push({ name, reason: chosen as string });
  }
  const isBroken = wanted.prefer.map(probeBackend).some((probe) => !probe.usable && isRebuilt(probe.reason));
  throw nothingUsable(refusals, isBroken ? 'npm run build makes the binaries anew' : undefined);
}

/** Whether a build helps: not where the engine lacks something or has no memory, nor in a bundle, which has its own remedy. */
const isRebuilt = (reason: string) => !/^(this engine|WebAssembly memory)|--external/.test(reason);

/** The backend, or why it cannot be had now: one more of WebAssembly takes address space. */
function openOf(probe: OpenableProbe, isa: IsaReport, threads: number): Backend | string {
  try {
    return probe.open(isa, threads);
  } catch (cause) {
    if (cause instanceof XiError && cause.code === 'E_BACKEND') return cause.message;
    throw cause;
  }
}

/**
 * Opens a backend: native where a binary fits, else WebAssembly, else the reference.
 *
 * @throws XiError E_BACKEND with every backend's reason when none of the preferred can be had.
 */
export async function openBackend(options: BackendOptions = {}): Promise<Backend> {
  return selectBackend(options).backend;
}

let standard: Backend | undefined;

/** The backend of models and contractions that name none: the best of this process, opened once. */
export function defaultBackend(): Backend {
  standard ??= selectBackend().backend;
  return standard;
}
