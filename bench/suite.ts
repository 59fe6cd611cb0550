import Benchmark from 'benchmark';
import { drawInputs } from '../src/bench/inputs.ts';
import { ownSubjects } from '../src/bench/own.ts';
import { measures } from '../src/bench/subject.ts';
import { operationsOf } from '../src/bench/workloads.ts';
import type { BenchArguments } from './arguments.ts';

/** Larger workloads have too few runs a second to say anything. */
const LARGEST = 3e8;

/**
 * Operations a second by benchmark.js, of our backends on one thread: a familiar view of the small workloads. Medians,
 * peers and peaks side by side are what the other workloads are for.
 */
export async function runSuite({ only, workloads }: BenchArguments): Promise<void> {
  const { subjects, absent } = ownSubjects();
  for (const { subject, reason } of absent) console.log(`${subject} cannot run: ${reason}`);
  for (const workload of workloads) {
    if (operationsOf(workload) > LARGEST || workload.kind === 'maxplus') continue;
    console.log(`\n${workload.name}`);
    const suite = new Benchmark.Suite();
    const inputs = drawInputs(workload);
    for (const subject of subjects) {
      const wanted = only.some((text) => subject.name.includes(text));
      if (
        !wanted ||
        !measures(subject, workload) ||
        subject.threads > 1 ||
        subject.backend?.name === 'reference'
      )
        continue;
      const prepared = await subject.prepare(workload, inputs);
      suite.add(subject.name, () => prepared.round(1), { maxTime: 1 });
    }
    suite.on('cycle', ({ target }: { target: unknown }) => console.log(`  ${target}`));
    suite.run();
  }
}
