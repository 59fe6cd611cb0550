import { Command } from 'commander';
import { ownSubjects } from '../bench/own.ts';
import { runBench } from '../bench/run.ts';
import { absenceLine, tableOf } from '../bench/table.ts';
import { chooseWorkloads, GROUPS, type Workload } from '../bench/workloads.ts';
import { integer, XiError } from '../core/errors.ts';
import { nextTurn } from '../core/turns.ts';
import { type BackendChoice, number, printJson, withBackendOptions } from './options.ts';
import { type WorkView, workView } from './progress.ts';

interface Flags extends BackendChoice {
  readonly rounds?: number;
  readonly quick?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

const NOTES = `
A workload is a group (${GROUPS.join(', ')}) or a name
such as 'C1 rectifier f32'; --list prints them. In a round every backend and instruction set takes its turn.
Printed are medians of the rounds, the distance of their quartiles, and the part of the multiply-add peak of
the core, and of the instruction set's own limit, that a thread reaches. On shared machines a timing waits for a
moment in which no other tenant works on the same core. Every result is verified.
The same beside PyTorch, onnxruntime and others: npm run bench, in a clone of the repository.

Examples:
  xitensor bench C1 --quick
  xitensor bench 'C2 rectifier f32' G1 --backend native --threads 4 --rounds 15
  xitensor bench --json > bench.json`;

export function benchCommand(): Command {
  const command = new Command('bench')
    .description(
      'the backends and instruction sets of this machine side by side, beside its multiply-add peak',
    )
    .argument('[workload...]', 'what to measure (default: everything, a few minutes)')
    .option('--rounds <n>', 'rounds of each workload (default: 9, with --quick 3)', number)
    .option('--quick', 'few and short rounds, for a first look')
    .option('--list', 'print the workloads, and measure nothing');
  return withBackendOptions(command)
    .option('--json', 'print one record at the end, and no progress')
    .addHelpText('after', NOTES)
    .action(bench);
}

async function bench(words: readonly string[], flags: Flags): Promise<void> {
  const workloads = chooseWorkloads(words);
  if (flags.list) return list(workloads, flags.json === true);
  const { backend, isa, threads, quick = false } = flags;
  const rounds = integer('--rounds', flags.rounds ?? (quick ? 3 : 9), 1, 1000);
  const own = ownSubjects({ ...(backend && { prefer: [backend] }), isa, threads });
  let view: WorkView | undefined;
  const line = (text: string) => {
    view ??= workView(workloads.length, flags.json === true);
    view.line(text);
  };
  try {
    const pace = { rounds, roundMs: quick ? 8 : 25, patienceMs: quick ? 100 : 1000 };
    const result = await runBench(
      { workloads, ...own, peers: {}, pace },
      {
        begin: line,
        absent: (absence) => line(absenceLine(absence)),
        workload: (name, records) => line(tableOf(name, records)),
        // Between two timings: the bar is drawn while the event loop turns.
        progress: (done, name) => {
          view?.update(done, name);
          return nextTurn();
        },
      },
    );
    if (result.records.length === 0) {
      const names = workloads.map(({ name }) => name).join(', ');
      throw new XiError('E_BACKEND', `nothing that was chosen here does ${names}`);
    }
    if (flags.json) printJson(result);
    const wrong = result.records.filter(({ verified }) => !verified);
    for (const { subject, workload } of wrong)
      process.stderr.write(`xitensor: wrong result of ${subject}, ${workload}\n`);
    if (wrong.length > 0) process.exitCode = 1;
  } finally {
    view?.stop();
  }
}

function list(workloads: readonly Workload[], json: boolean): void {
  if (json) printJson(workloads);
  else for (const { name } of workloads) process.stdout.write(`${name}\n`);
}
