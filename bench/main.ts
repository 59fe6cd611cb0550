import { readFileSync } from 'node:fs';
import { probeBackend, selectBackend } from '../src/backend/select.ts';
import { writeFileAtomic } from '../src/io/atomic.ts';
import { type BenchArguments, parseArguments, USAGE } from './arguments.ts';
import { machineOf } from './machine.ts';
import { corePeak, measure } from './measure.ts';
import { ownSubjects } from './own.ts';
import { openPeers, PEER_NAMES } from './peers/peers.ts';
import { publish, resultJson, writeDocs } from './publish.ts';
import type { Absence, BenchRecord, BenchResult } from './records.ts';
import { runSuite } from './suite.ts';
import { absenceLine, tableOf } from './table.ts';
import { checkTargets, targetLines } from './targets.ts';

async function measureAll(options: BenchArguments): Promise<BenchResult> {
  const wanted = (name: string) => options.only.some((text) => name.includes(text));
  const own = ownSubjects();
  const peers = await openPeers(PEER_NAMES.filter(wanted));
  const machine = machineOf(peers.versions);
  console.log(`\n${machine.processor}, ${machine.cores} cores, ${machine.platform}, Node ${machine.node}`);
  const core = selectBackend({
    threads: 1,
    ...(probeBackend('native').usable && { prefer: ['native'] }),
  }).backend;
  const peak = corePeak(core, options);
  console.log(`FMA peak of a core, float32, ${core.name} ${core.isa}: ${peak.toFixed(1)} GFLOP/s`);
  const records: BenchRecord[] = [];
  const absent: Absence[] = [];
  const miss = (absence: Absence) => {
    absent.push(absence);
    console.log(absenceLine(absence));
  };
  for (const absence of [...own.absent, ...peers.absent]) if (wanted(absence.subject)) miss(absence);
  const subjects = [...own.subjects.filter(({ name }) => wanted(name)), ...peers.subjects];
  try {
    for (const workload of options.workloads) {
      const lines: BenchRecord[] = [];
      await measure(workload, subjects, core, options, {
        record: (record) => lines.push(record),
        absent: miss,
      });
      if (lines.length > 0) console.log(tableOf(workload.name, lines));
      records.push(...lines);
    }
  } finally {
    for (const subject of subjects) await subject.close?.();
  }
  return { machine, peak, records, absent };
}

async function run(options: BenchArguments): Promise<void> {
  if (options.help) return console.log(USAGE);
  if (options.docs) return writeDocs();
  if (options.suite) return runSuite(options);
  const result: BenchResult = options.from
    ? JSON.parse(readFileSync(options.from, 'utf8'))
    : await measureAll(options);
  const wrong = result.records.filter(({ verified }) => !verified);
  for (const { workload, subject } of wrong) console.error(`wrong result: ${subject}, ${workload}`);
  if (wrong.length > 0) process.exitCode = 1;
  if (options.json) {
    await writeFileAtomic(options.json, new TextEncoder().encode(resultJson(result)));
  }
  if (options.check) {
    const seen = new Set([...result.records, ...result.absent].map(({ workload }) => workload?.slice(0, 7)));
    const outcomes = checkTargets(result).filter(({ workload }) => seen.has(workload.slice(0, 7)));
    console.log(`\n${targetLines(outcomes).join('\n')}`);
    if (outcomes.some(({ met }) => met === false)) process.exitCode = 1;
  }
  if (options.publish) await publish(result);
}

let options: BenchArguments | undefined;
try {
  options = parseArguments(process.argv.slice(2));
} catch (error) {
  console.error(`${(error as Error).message}\nnpm run bench -- --help lists the workloads and options`);
  process.exitCode = 2;
}
try {
  if (options) await run(options);
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
