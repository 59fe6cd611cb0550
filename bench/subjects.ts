import { availableParallelism, cpus } from 'node:os';
import { BACKEND_NAMES, type Backend } from '../src/backend/interface.ts';
import { probeBackend, selectBackend } from '../src/backend/select.ts';

/** A backend with one instruction set and a number of threads, under the name that records carry. */
export interface Subject {
  readonly name: string;
  readonly backend: Backend;
}

/** Everything of ours that this machine can run; what it cannot is printed, not passed over. */
export function ownSubjects(): Subject[] {
  const cores = availableParallelism();
  return BACKEND_NAMES.flatMap((name) => {
    const probe = probeBackend(name);
    if (!probe.usable) {
      console.log(`xitensor/${name} cannot run: ${probe.reason}`);
      return [];
    }
    return probe.isas.flatMap((isa) => {
      if (!isa.usable) console.log(`xitensor/${name}/${isa.name} cannot run: ${isa.reason}`);
      if (!isa.usable) return [];
      const counts = name !== 'reference' && cores > 1 ? [1, cores] : [1];
      return counts.map((threads) => ({
        name: name === 'reference' ? 'xitensor/reference' : `xitensor/${name}/${isa.name}`,
        backend: selectBackend({ prefer: [name], isa: isa.name, threads }).backend,
      }));
    });
  });
}

export function machine() {
  return {
    processor: cpus()[0]?.model.trim() || process.arch,
    cores: availableParallelism(),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
  };
}
