import type { Backend } from '../../src/backend/interface.ts';
import { BACKEND_NAMES } from '../../src/backend/interface.ts';
import { probeBackend, selectBackend } from '../../src/backend/select.ts';

/** One backend with one instruction set. */
export interface Subject {
  readonly label: string;
  open(threads?: number): Backend;
}

/** Every backend and instruction set that this process can run. */
export const subjects: readonly Subject[] = BACKEND_NAMES.flatMap((name) => {
  const probe = probeBackend(name);
  if (!probe.usable) return [];
  return probe.isas
    .filter((isa) => isa.usable)
    .map((isa) => ({
      label: `${name} ${isa.name}`,
      // The reference has one thread, whatever a test asks of all.
      open: (threads = 2) =>
        selectBackend({ prefer: [name], isa: isa.name, threads: name === 'reference' ? 1 : threads }).backend,
    }));
});

/** What XITENSOR_REQUIRE asks for: subjects, by their labels, whose absence fails the run. */
export const required: readonly string[] = (process.env.XITENSOR_REQUIRE ?? '').split(',').filter(Boolean);
