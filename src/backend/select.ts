import { availableParallelism } from 'node:os';
import { integer, knownKeys, mismatch, oneOf, XiError } from '../core/errors.ts';
import { BACKEND_NAMES, type Backend, type BackendName, type IsaReport, type Probe } from './interface.ts';
import { probeNative } from './native.ts';
import { probeReference } from './reference.ts';
import { probeWasm } from './wasm-files.ts';

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

/** Which backend to open. An option that is not given comes from the environment. */
export interface BackendOptions {
  /** Backends to try, in this order; `XITENSOR_BACKEND` (one name), else native, wasm, reference. */
  readonly prefer?: readonly BackendName[];
  /** Instruction set; `XITENSOR_ISA`, else the best that the processor runs. A backend without it is passed over. */
  readonly isa?: string;
  /** Most threads to use; `XITENSOR_THREADS`, else the number of cores. Results do not depend on it. */
  readonly threads?: number;
}

/** What is chosen, and for every backend before it the reason why not. */
export interface Selection {
  readonly backend: Backend;
  readonly refusals: readonly { readonly name: BackendName; readonly reason: string }[];
}

/**
 * Opens the first backend of the preference that can be had.
 *
 * @throws XiError E_BACKEND with every backend's reason when none can; E_ARGUMENT for unknown options.
 */
export function selectBackend(options: BackendOptions = {}): Selection {
  knownKeys('openBackend', options, ['prefer', 'isa', 'threads']);
  const { XITENSOR_BACKEND, XITENSOR_ISA, XITENSOR_THREADS } = process.env;
  const prefer = options.prefer ?? (XITENSOR_BACKEND ? [XITENSOR_BACKEND as BackendName] : BACKEND_NAMES);
  const wanted = options.isa ?? (XITENSOR_ISA || undefined);
  const threads = threadsOf(options.threads, XITENSOR_THREADS);
  if (!Array.isArray(prefer) || prefer.length === 0) {
    throw mismatch('E_ARGUMENT', 'prefer', `a list of ${BACKEND_NAMES.join(', ')}`, prefer);
  }
  for (const name of prefer) oneOf(options.prefer ? 'prefer' : 'XITENSOR_BACKEND', name, BACKEND_NAMES);
  const refusals: { name: BackendName; reason: string }[] = [];
  for (const name of prefer) {
    const probe = probeBackend(name);
    const isa = probe.usable ? pickIsa(probe.isas, wanted) : probe.reason;
    if (probe.usable && typeof isa !== 'string') return { backend: probe.open(isa, threads), refusals };
    refusals.push({ name, reason: isa as string });
  }
  const reasons = refusals.map(({ name, reason }) => `\n  ${name}: ${reason}`).join('');
  throw new XiError('E_BACKEND', `no backend can be used:${reasons}\nnpm run build makes the binaries anew`);
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

const MAX_THREADS = 255;

function threadsOf(option: number | undefined, variable: string | undefined): number {
  if (option !== undefined) return integer('threads', option, 1, MAX_THREADS);
  if (!variable) return Math.min(MAX_THREADS, availableParallelism());
  const count = Number(variable);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_THREADS) return count;
  throw mismatch('E_ARGUMENT', 'XITENSOR_THREADS', `an integer from 1 to ${MAX_THREADS}`, variable);
}

function pickIsa(isas: readonly IsaReport[], wanted: string | undefined): IsaReport | string {
  const candidates = wanted === undefined ? isas : isas.filter((isa) => isa.name === wanted);
  const best = candidates.filter((isa) => isa.usable).sort((x, y) => y.priority - x.priority)[0];
  if (best) return best;
  if (candidates.length > 0) return candidates.map((isa) => `${isa.name}: ${isa.reason}`).join('; ');
  return `it has no instruction set '${wanted}', only ${isas.map((isa) => isa.name).join(', ')}`;
}
