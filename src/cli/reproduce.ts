import { availableParallelism, cpus } from 'node:os';
import { isDeepStrictEqual } from 'node:util';
import { Argument, Command } from 'commander';
import { integer, mismatch, XiError } from '../core/errors.ts';
import { misspelt } from '../core/nearest.ts';
import type { MachineRecord } from '../experiments/performance.ts';
import { DATASETS, FOLDED } from '../experiments/performance_plan.ts';
import { RESULTS_FORMAT, type ResultSettings } from '../experiments/results.ts';
import type { Release } from '../io/lock.ts';
import { interruption } from './interruption.ts';
import { type BackendChoice, number, openChosen, printJson, withBackendOptions } from './options.ts';
import { ReproduceData } from './reproduce_data.ts';
import { expressivity } from './reproduce_expressivity.ts';
import { performanceStage } from './reproduce_performance.ts';
import { writeReport } from './reproduce_report.ts';
import type { Session } from './reproduce_session.ts';
import { ResultsFolder } from './results_folder.ts';

const STAGES = ['performance', 'expressivity', 'report'] as const;
type Stage = (typeof STAGES)[number];

interface Flags extends BackendChoice {
  readonly quick?: boolean;
  readonly out: string;
  readonly force?: boolean;
  readonly seed: number;
  readonly seeds?: number;
  readonly data?: string;
  readonly epochs?: number;
  readonly networks?: number;
  readonly workers?: number;
  readonly json?: boolean;
}

const NOTES = `
Every finished training, network and check is kept in the folder, and the same command goes on where it was
stopped, by Ctrl-C or otherwise. The page is report.html in the folder.

Examples:
  xitensor reproduce --quick
  xitensor reproduce --out results --data mnist,spam,splice,cifar10:cifar-10-batches-bin,imdb:aclImdb
  xitensor reproduce report --out results`;

export function reproduceCommand(): Command {
  const command = new Command('reproduce')
    .description("the paper's tables and figures, and a report page; --quick takes about two minutes")
    .addArgument(new Argument('[stages...]', 'what to run (default: all)').choices(STAGES))
    .option('--quick', 'subsets, small ranks and few epochs')
    .option('-o, --out <folder>', 'where results are kept', 'xitensor-results')
    .option('--force', 'begin anew where other results are; write into a folder with other files')
    .option('--seed <n>', 'the first seed of everything', number, 0)
    .option('--seeds <n>', 'seeds of each training (default: 3, quick: 1)', number)
    .option(
      '--data <sources>',
      'data sets with commas between (default: mnist,spam,splice, quick: mnist,splice)',
    )
    .option('--epochs <n>', 'of each training, instead of those of the experiments', number)
    .option('--networks <n>', 'random networks a rank, instead of those of the figures', number)
    .option('--workers <n>', 'threads for random networks (default: the number of cores)', number);
  return withBackendOptions(command)
    .option('--json', 'print one record at the end, and no progress')
    .addHelpText('after', NOTES)
    .action((stages: Stage[], flags: Flags) => reproduce(stages, flags));
}

async function reproduce(given: readonly Stage[], flags: Flags): Promise<void> {
  const stages = given.length === 0 ? STAGES : STAGES.filter((stage) => given.includes(stage));
  const wanted = wantedOf(flags);
  const workers = integer('--workers', flags.workers ?? availableParallelism(), 1, 255);
  const backend = openChosen(flags);
  const { folder, release } = await openFolder(flags, wanted, stages);
  const stop = interruption(() => {
    if (!flags.json) process.stderr.write('\nstopping; the same command goes on from here\n');
  });
  const session: Session = {
    ...{ folder, backend, workers, machine: machineRecord(), quiet: flags.json === true },
    choice: { backend: flags.backend, isa: flags.isa, threads: flags.threads },
    data: new ReproduceData(folder.settings.data),
    signal: stop.signal,
  };
  try {
    if (stages.includes('performance')) await performanceStage(session);
    if (stages.includes('expressivity')) await expressivity(session);
    const page = stages.includes('report') ? await writeReport(session) : undefined;
    if (flags.json)
      printJson({ out: folder.path, stages, quick: wanted.quick, seed: wanted.seed, report: page ?? null });
    else if (page) process.stdout.write(`wrote ${page}\n`);
  } catch (error) {
    if (!(stop.signal.aborted && error instanceof XiError && error.code === 'E_ABORTED')) throw error;
    stop.stopped();
    if (flags.json) printJson({ out: folder.path, stages, stopped: true });
    else process.stdout.write('stopped; the same command goes on from here\n');
  } finally {
    stop.end();
    await release();
  }
}

interface Wanted {
  readonly quick: boolean;
  readonly seed: number;
  readonly seeds: number;
  readonly epochs?: number;
  readonly networks?: number;
  readonly sources: readonly string[];
}

function wantedOf(flags: Flags): Wanted {
  const { quick = false } = flags;
  const seed = integer('--seed', flags.seed, 0, 2 ** 40);
  const seeds = integer('--seeds', flags.seeds ?? (quick ? 1 : 3), 1, 100);
  const sources = (flags.data ?? (quick ? 'mnist,splice' : 'mnist,spam,splice')).split(',');
  const names = sources.map((source) => source.split(':')[0]);
  const unknown = names.find((name) => !DATASETS.includes(name));
  if (unknown !== undefined)
    throw misspelt(
      '--data',
      `some of ${DATASETS.join(', ')}, each with :FOLDER where it needs one`,
      unknown,
      DATASETS,
    );
  if (new Set(names).size < names.length)
    throw mismatch('E_ARGUMENT', '--data', 'every data set once', sources);
  const folded = sources.find((source) => FOLDED.some((name) => source.startsWith(`${name}:`)));
  if (folded !== undefined)
    throw mismatch('E_ARGUMENT', '--data', `${folded.split(':')[0]} whole, as every fold is tested`, folded);
  const { epochs, networks } = flags;
  if (epochs !== undefined) integer('--epochs', epochs, 1, 10_000);
  if (networks !== undefined) integer('--networks', networks, 1, 10 ** 7);
  return { quick, seed, seeds, ...(epochs && { epochs }), ...(networks && { networks }), sources };
}

interface Opened {
  readonly folder: ResultsFolder;
  /** Lets other processes write there. */
  readonly release: Release;
}

/** Goes on with the results in the folder where they are of the same settings. */
async function openFolder(flags: Flags, wanted: Wanted, stages: readonly Stage[]): Promise<Opened> {
  const path = flags.out;
  const onlyReport = stages.every((stage) => stage === 'report');
  const anew = flags.force === true && !onlyReport;
  const found = anew ? undefined : await ResultsFolder.settingsIn(path);
  if (onlyReport) {
    if (!found)
      throw new XiError('E_FILE', `${path}: expected results, found none; xitensor reproduce makes them`);
    // Of a run that goes on it shows what is there: nothing is written but the page.
    return { folder: await ResultsFolder.open(path, found), release: async () => {} };
  }
  if (found) {
    const { format: _format, version: _version, data, ...rest } = found;
    const there: Wanted = { ...rest, sources: data.map(({ source }) => source) };
    const asked = { ...wanted, sources: wanted.sources.map(ReproduceData.absolute) };
    if (isDeepStrictEqual(there, asked)) return openAlone(path, found);
    const other = KEYS.filter((key) => !isDeepStrictEqual(there[key], asked[key]));
    const [wants, has] = [asked, there].map((one) => other.map((key) => word(key, one[key])).join(', '));
    throw new XiError(
      'E_ARGUMENT',
      `--out ${path}: expected a folder for ${wants} (--force begins anew there), received one for ${has}`,
    );
  }
  const { sources, ...rest } = wanted;
  if (!flags.json) process.stdout.write(`reading ${sources.join(', ')} …\n`);
  const data = await ReproduceData.describe(sources);
  const settings: ResultSettings = { format: RESULTS_FORMAT, version: 1, ...rest, data };
  // Not before everything that is wanted was found to be there.
  return openAlone(path, settings, anew);
}

async function openAlone(path: string, settings: ResultSettings, anew = false): Promise<Opened> {
  const release = await ResultsFolder.lock(path);
  try {
    if (anew) await ResultsFolder.clear(path);
    return { folder: await ResultsFolder.open(path, settings), release };
  } catch (error) {
    await release();
    throw error;
  }
}

const KEYS = ['quick', 'seed', 'seeds', 'epochs', 'networks', 'sources'] as const;

function word(key: keyof Wanted, value: Wanted[typeof key]): string {
  if (key === 'quick') return value ? '--quick' : 'no --quick';
  return `--${key === 'sources' ? 'data' : key} ${value ?? 'left out'}`;
}

function machineRecord(): MachineRecord {
  return {
    processor: cpus()[0]?.model.trim() || process.arch,
    cores: availableParallelism(),
    platform: `${process.platform}-${process.arch}`,
    node: process.version,
  };
}
