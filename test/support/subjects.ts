import type { Backend } from '../../src/backend/interface.ts';
import { BACKEND_NAMES } from '../../src/backend/interface.ts';
import { probeBackend, selectBackend } from '../../src/backend/select.ts';
import { XiError } from '../../src/core/errors.ts';

/** One backend with one instruction set. */
export interface Subject {
  readonly label: string;
  open(threads?: number): Backend;
}

/** XT_TILES of native/abi.h: tiles take contractions of every size, of which tests have small ones. */
const EVERY_SIZE = 1 << 18;

/** Native, on one instruction set; where that has tiles of its own for float32, they take every size. */
export function openNative(name: string, threads = 1): Backend {
  const probe = probeBackend('native');
  const isa = probe.usable ? probe.isas.find((found) => found.name === name && found.usable) : undefined;
  if (!probe.usable || !isa) throw new XiError('E_BACKEND', `native ${name} cannot be had`);
  return probe.open(isa.tiles?.float32 ? { ...isa, index: isa.index | EVERY_SIZE } : isa, threads);
}

/** Every backend and instruction set that this process can run. */
export const subjects: readonly Subject[] = BACKEND_NAMES.flatMap((name) => {
  const probe = probeBackend(name);
  if (!probe.usable) return [];
  return probe.isas
    .filter((isa) => isa.usable)
    .map((isa) => ({
      label: `${name} ${isa.name}`,
      open: (threads = 2) => {
        if (name === 'native') return openNative(isa.name, threads);
        // The reference has one thread, whatever a test asks of all.
        const most = name === 'reference' ? 1 : threads;
        return selectBackend({ prefer: [name], isa: isa.name, threads: most }).backend;
      },
    }));
});

/** What XITENSOR_REQUIRE asks for: subjects, by their labels, whose absence fails the run. */
export const required: readonly string[] = (process.env.XITENSOR_REQUIRE ?? '').split(',').filter(Boolean);
