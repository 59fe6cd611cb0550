import { parseArgs } from 'node:util';
import { chooseWorkloads, GROUPS, type Workload } from '../src/bench/workloads.ts';
import { integer, XiError } from '../src/core/errors.ts';

export const USAGE = `usage: npm run bench [workload…] [-- options]

Measures xitensor on every backend and instruction set and its peers beside it, in rounds of the same run, and
verifies the results. Peers that are missing are installed for the benchmark alone: packages of npm into
bench/peers/node_modules, PyTorch, NumPy and OpenBLAS from the system's packages (XITENSOR_NO_APT=1 forbids that).

  workload        a group (${GROUPS.join(', ')}) or a name such as 'C1 rectifier'; all without one. 'suite' is a
                  view of operations a second by benchmark.js instead
  --only TEXT     subjects whose name holds TEXT, such as avx512, wasm or torch; several with commas
  --rounds N      rounds of each workload (default 15)
  --quick         5 short rounds
  --json FILE     write { machine, peak, records, absent }
  --check         compare with the targets; exit status 1 if one is missed
  --publish       write bench/results/ and make docs/performance.md of it
  --from FILE     use the records of such a file instead of measuring
  --docs          make docs/performance.md and the README's table of bench/results/
  --help          print this

Exit status: 0 done, 1 a wrong result or a missed target, 2 bad arguments.
`;

export interface BenchArguments {
  readonly help: boolean;
  readonly suite: boolean;
  readonly workloads: readonly Workload[];
  readonly only: readonly string[];
  readonly rounds: number;
  readonly roundMs: number;
  readonly patienceMs: number;
  readonly json?: string;
  readonly from?: string;
  readonly check: boolean;
  readonly publish: boolean;
  readonly docs: boolean;
}

/** Reads the command line. @throws XiError E_ARGUMENT naming what it does not know. */
export function parseArguments(args: readonly string[]): BenchArguments {
  const flag = { type: 'boolean', default: false } as const;
  const text = { type: 'string' } as const;
  let parsed: ReturnType<typeof parse>;
  const parse = () =>
    parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { ...flag, short: 'h' },
        quick: flag,
        check: flag,
        publish: flag,
        docs: flag,
        only: text,
        rounds: text,
        json: text,
        from: text,
      },
    });
  try {
    parsed = parse();
  } catch (error) {
    throw new XiError('E_ARGUMENT', (error as Error).message.split('\n')[0]);
  }
  const { values, positionals } = parsed;
  const words = positionals.filter((word) => word !== 'suite');
  return {
    help: values.help,
    suite: positionals.includes('suite'),
    workloads: chooseWorkloads(words, ['suite']),
    only: (values.only ?? '').split(',').map((part) => part.trim()),
    rounds:
      values.rounds === undefined
        ? values.quick
          ? 5
          : 15
        : integer('--rounds', Number(values.rounds), 1, 1000),
    roundMs: values.quick ? 15 : 40,
    patienceMs: values.quick ? 200 : 2000,
    json: values.json,
    from: values.from,
    check: values.check,
    publish: values.publish,
    docs: values.docs,
  };
}
