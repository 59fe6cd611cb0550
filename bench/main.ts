import { readFileSync } from 'node:fs';
import { ownSubjects } from '../src/bench/own.ts';
import type { BenchResult } from '../src/bench/records.ts';
import { runBench } from '../src/bench/run.ts';
import { absenceLine, tableOf } from '../src/bench/table.ts';
import { writeFileAtomic } from '../src/io/atomic.ts';
import { type BenchArguments, parseArguments, USAGE } from './arguments.ts';
import { openPeers, PEER_NAMES } from './peers/peers.ts';
import { publish, resultJson, writeDocs } from './publish.ts';
import { runSuite } from './suite.ts';
import { checkTargets, targetLines } from './targets.ts';

async function measureAll(options: BenchArguments): Promise<BenchResult> {
  const wanted = (name: string) => options.only.some((text) => name.includes(text));
  const own = ownSubjects();
  const peers = await openPeers(PEER_NAMES.filter(wanted));
  const plan = {
    workloads: options.workloads,
    subjects: [...own.subjects.filter(({ name }) => wanted(name)), ...peers.subjects],
    peers: peers.versions,
    absent: [...own.absent, ...peers.absent].filter(({ subject }) => wanted(subject)),
    pace: options,
  };
  return runBench(plan, {
    begin: (head) => console.log(`\n${head}`),
    absent: (absence) => console.log(absenceLine(absence)),
    workload: (name, records) => console.log(tableOf(name, records)),
  });
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
