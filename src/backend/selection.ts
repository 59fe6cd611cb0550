import { BINARY_ISAS } from '../core/abi.gen.ts';
import { integer, knownKeys, mismatch, oneOf, XiError } from '../core/errors.ts';
import { BACKEND_NAMES, type Backend, type BackendName } from './interface.ts';
import type { IsaReport } from './probes.ts';

/** Which backend to open. An option that is not given comes from the environment, where there is one. */
export interface BackendOptions {
  /** Backends to try, in this order; `XITENSOR_BACKEND` (one name), else native, wasm, reference. */
  readonly prefer?: readonly BackendName[];
  /** Instruction set; `XITENSOR_ISA`, else the best that the processor runs. A backend without it is passed over. */
  readonly isa?: string;
  /**
   * Threads to use; `XITENSOR_THREADS`, else as many as there are cores and the backend has. In Node a backend that has fewer than are
   * asked for is passed over; but the variable is a maximum where a program says `prefer` itself, and in a page so is the option.
   * Results do not depend on it.
   */
  readonly threads?: number;
}

/** Why a backend was passed over. */
export interface Refusal {
  readonly name: BackendName;
  readonly reason: string;
}

/** What a platform says where an option is not given. */
export interface Surroundings {
  readonly backend?: string;
  readonly isa?: string;
  readonly threads?: string;
  readonly cores: number;
}

/** The options with every default filled in. */
export interface Wanted {
  readonly prefer: readonly BackendName[];
  readonly isa: string | undefined;
  readonly threads: number;
  /** Whether fewer threads will not do. */
  readonly allThreads: boolean;
}

const MAX_THREADS = 255;

/** The instruction sets of all backends on all processors: another name is a misspelt one, and none that is missing here. */
export const ISA_NAMES: readonly string[] = [...BINARY_ISAS, 'float64'];

/**
 * Checks options and fills in what they leave open; `others` are options that a platform has besides.
 *
 * @throws XiError E_ARGUMENT for unknown options and values, also those of the environment.
 */
export function checkWanted(
  options: BackendOptions,
  around: Surroundings,
  others: readonly string[] = [],
): Wanted {
  knownKeys('openBackend', options, ['prefer', 'isa', 'threads', ...others]);
  const prefer = options.prefer ?? (around.backend ? [around.backend as BackendName] : BACKEND_NAMES);
  const threads = threadsOf(options.threads, around);
  const isa = options.isa ?? (around.isa || undefined);
  if (isa !== undefined)
    oneOf(options.isa === undefined ? 'XITENSOR_ISA' : 'openBackend isa', isa, ISA_NAMES);
  if (!Array.isArray(prefer) || prefer.length === 0) {
    throw mismatch('E_ARGUMENT', 'openBackend prefer', `a list of ${BACKEND_NAMES.join(', ')}`, prefer);
  }
  for (const name of prefer)
    oneOf(options.prefer ? 'openBackend prefer' : 'XITENSOR_BACKEND', name, BACKEND_NAMES);
  const fromVariable = Boolean(around.threads) && options.prefer === undefined;
  const allThreads = options.threads !== undefined || fromVariable;
  return { prefer, isa, threads, allThreads };
}

function threadsOf(option: number | undefined, { threads: variable, cores }: Surroundings): number {
  if (option !== undefined) return integer('openBackend threads', option, 1, MAX_THREADS);
  if (!variable) return Math.min(MAX_THREADS, cores);
  const count = Number(variable);
  if (Number.isInteger(count) && count >= 1 && count <= MAX_THREADS) return count;
  throw mismatch('E_ARGUMENT', 'XITENSOR_THREADS', `an integer from 1 to ${MAX_THREADS}`, variable);
}

/** @throws XiError E_ARGUMENT for anything but a backend, unless it is left out. */
export function checkBackend(where: string, backend: unknown): void {
  const { adopt, contract, joined, matmul } = (backend ?? {}) as Partial<Backend>;
  if (backend === undefined || [adopt, contract, joined, matmul].every((f) => typeof f === 'function'))
    return;
  throw mismatch('E_ARGUMENT', `${where} backend`, 'what openBackend() resolves to', backend);
}

/** The best usable instruction set, or the wanted one; else why there is none. */
export function pickIsa(isas: readonly IsaReport[], wanted: string | undefined): IsaReport | string {
  const candidates = wanted === undefined ? isas : isas.filter((isa) => isa.name === wanted);
  const best = candidates.filter((isa) => isa.usable).sort((x, y) => y.priority - x.priority)[0];
  if (best) return best;
  if (candidates.length > 0) return candidates.map((isa) => `${isa.name}: ${isa.reason}`).join('; ');
  return `it has no instruction set '${wanted}', only ${isas.map((isa) => isa.name).join(', ')}`;
}

const listed = (refusals: readonly Refusal[]) =>
  refusals.map(({ name, reason }) => `\n  ${name}: ${reason}`).join('');

/** E_BACKEND with every backend's reason, and what may help, if there is such a thing. */
export const nothingUsable = (refusals: readonly Refusal[], remedy?: string): XiError =>
  new XiError('E_BACKEND', `no backend can be used:${listed(refusals)}${remedy ? `\n${remedy}` : ''}`);

let hasWarned = false;

/** Whether the reference serves in the place of others, which it does many times slower; says so on the console, once. */
export function warnIfSlow({ name }: Backend, refusals: readonly Refusal[]): boolean {
  const isFallback = name === 'reference' && refusals.length > 0;
  if (isFallback && !hasWarned)
    console.warn(
      `xitensor: the reference backend computes, tens of times slower than the others:${listed(refusals)}`,
    );
  hasWarned ||= isFallback;
  return isFallback;
}
