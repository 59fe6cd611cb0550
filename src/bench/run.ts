import { BACKEND_NAMES, type Backend } from '../backend/interface.ts';
import { probeBackend, selectBackend } from '../backend/select.ts';
import { pickIsa } from '../backend/selection.ts';
import { XiError } from '../core/errors.ts';
import { machineOf } from './machine.ts';
import { corePeak, measure, type Pace } from './measure.ts';
import type { Absence, BenchRecord, BenchResult } from './records.ts';
import type { Subject } from './subject.ts';
import { type Watch, watchOf } from './watch.ts';
import type { Workload } from './workloads.ts';

export interface BenchPlan {
  readonly workloads: readonly Workload[];
  readonly subjects: readonly Subject[];
  /** Versions of the peers among the subjects. */
  readonly peers: Readonly<Record<string, string>>;
  readonly absent: readonly Absence[];
  readonly pace: Pace;
}

/** What a run tells while it goes on. */
export interface BenchReport {
  begin?(head: string): void;
  absent?(absence: Absence): void;
  workload?(name: string, records: readonly BenchRecord[]): void;
  /** Workloads done, and the part of the present one; waited for between two timings. */
  progress?(done: number, name: string): void | Promise<void>;
}

/** The best of this machine, which knows the peak of a core, whatever is measured. */
function widest(threads: number): Backend {
  for (const name of BACKEND_NAMES) {
    const probe = probeBackend(name);
    const isa = probe.usable ? pickIsa(probe.isas, undefined) : probe.reason;
    if (typeof isa !== 'string') return selectBackend({ prefer: [name], isa: isa.name, threads }).backend;
  }
  throw new XiError('E_BACKEND', 'no backend can be used, not even the reference');
}

/** Who watches the cores, by the threads that compute. */
function watches(core: Backend): (threads: number) => Watch {
  const known = new Map([[1, watchOf(core)]]);
  return (threads) => {
    const watch = known.get(threads) ?? watchOf(widest(threads));
    known.set(threads, watch);
    return watch;
  };
}

/** Measures the peak of a core and then workload after workload, all subjects side by side. Closes the subjects. */
export async function runBench(plan: BenchPlan, report: BenchReport): Promise<BenchResult> {
  const { workloads, subjects, pace } = plan;
  const machine = machineOf(plan.peers);
  const records: BenchRecord[] = [];
  const absent: Absence[] = [];
  const miss = (absence: Absence) => {
    absent.push(absence);
    report.absent?.(absence);
  };
  try {
    const core = widest(1);
    const peak = corePeak(core, pace);
    const { processor, cores, platform, node } = machine;
    report.begin?.(
      `${processor}, ${cores} cores, ${platform}, Node ${node}\n` +
        `FMA peak of a core, float32, ${core.name} ${core.isa}: ${peak.toFixed(1)} GFLOP/s`,
    );
    plan.absent.forEach(miss);
    const watch = watches(core);
    for (const [n, workload] of workloads.entries()) {
      const lines: BenchRecord[] = [];
      await measure(workload, subjects, { backend: core, watch }, pace, {
        record: (record) => lines.push(record),
        absent: miss,
        progress: report.progress && ((part) => report.progress?.(n + part, workload.name)),
      });
      if (lines.length > 0) report.workload?.(workload.name, lines);
      records.push(...lines);
    }
    return { machine, peak, records, absent };
  } finally {
    for (const subject of subjects) await subject.close?.();
  }
}
