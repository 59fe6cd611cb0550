import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { counted } from '../core/counted.ts';
import { integer, mismatch } from '../core/errors.ts';
import { XI_NAMES } from '../core/xi.gen.ts';
import { ENTRIES, FIGURES, type RankStudy, studyOf } from '../experiments/rank_config.ts';
import type { RankTally } from '../experiments/rank_tally.ts';
import { distributionsCsv, type RankDistribution } from '../experiments/ranks.ts';
import { writeFileAtomic } from '../io/atomic.ts';
import { interruption } from './interruption.ts';
import { type BackendChoice, number, numbers, printJson, withBackendOptions } from './options.ts';
import { type CountView, countView } from './progress.ts';
import { runStudy } from './rank_study.ts';

type Flags = Partial<Omit<RankStudy, 'ranks' | 'M' | 'T' | 'L'>> &
  BackendChoice & {
    readonly templates?: number;
    readonly steps?: number;
    readonly projection?: number;
    readonly rank?: number | number[];
    readonly figure?: keyof typeof FIGURES;
    readonly workers?: number;
    readonly out?: string;
    readonly json?: boolean;
  };

const NOTES = `
Rows are the odd modes, columns the even ones. Results depend on the options and the seed alone, not on
the number of workers. With --out, records.jsonl grows network by network and the same command goes on
where it was stopped, or one with more networks or other ranks; histograms.json and histograms.csv are written
at the end. Without --out, Ctrl-C prints the distributions of the networks that are done, as partial, with exit status 1.

Examples:
  xitensor ranks --figure 3 --out figure3
  xitensor ranks --xi max --templates 4 --steps 4 --rank 1,3 --networks 10000 --exact`;

export function ranksCommand(): Command {
  const command = new Command('ranks')
    .description('distribution of lower bounds on the shallow width over random recurrent networks')
    .addOption(new Option('--figure <n>', "one of the paper's figures").choices(Object.keys(FIGURES)))
    .addOption(new Option('--xi <name>', 'operator ξ (default: rectifier)').choices(XI_NAMES))
    .option('--templates <M>', 'templates, and features (default: 6)', number)
    .option('--steps <T>', 'length of the sequences (default: 6)', number)
    .option('--projection <L>', 'rows of the projections (default: M)', number)
    .option('--rank <R>', 'ranks of the networks (default: 1,2,4,8)', numbers)
    .option('--shared', 'one middle core for all steps but the first and the last')
    .option('--networks <n>', 'networks a rank (default: 1000)', number)
    .addOption(
      new Option(
        '--entries <name>',
        'distribution of C, G and F, mean 0 and variance 1 (default: normal)',
      ).choices(ENTRIES),
    )
    .option('--tolerance <t>', 'singular values above t times the largest count (default: 1e-10)', number)
    .option('--exact', 'compare every numerical rank with the exact one')
    .option('--seed <n>', 'of the networks (default: 0)', number)
    .option('--workers <n>', 'worker threads (default: the number of cores)', number)
    .option('-o, --out <folder>', 'keep records and histograms there, and go on from what is there');
  return withBackendOptions(command)
    .option('--json', 'print one record at the end, and no progress')
    .addHelpText('after', NOTES)
    .action(ranks);
}

/** The options of those keys of a study that have another name on the command line. */
const WRITTEN: Readonly<Record<string, string>> = {
  M: 'templates',
  T: 'steps',
  L: 'projection',
  ranks: 'rank',
};

function studyFor(flags: Flags): RankStudy {
  const preset = flags.figure ? FIGURES[flags.figure] : {};
  const {
    rank,
    templates: M,
    steps: T,
    projection: L,
    xi,
    shared,
    networks,
    entries,
    tolerance,
    exact,
    seed,
  } = flags;
  const own = {
    M,
    T,
    L,
    xi,
    shared,
    networks,
    entries,
    tolerance,
    exact,
    seed,
    ranks: rank === undefined ? rank : [rank].flat(),
  };
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  const twice = Object.keys(preset)
    .filter((key) => key in given)
    .map((key) => `--${WRITTEN[key] ?? key}`);
  if (twice.length > 0)
    throw mismatch('E_ARGUMENT', `--figure ${flags.figure}`, 'no option that the figure decides', twice);
  return studyOf('ranks', { ...preset, ...given });
}

async function ranks(flags: Flags): Promise<void> {
  const study = studyFor(flags);
  const workers = integer('--workers', flags.workers ?? availableParallelism(), 1, 255);
  const { backend, isa, threads } = flags;
  let view: CountView | undefined;
  const onProgress = (done: number, total: number) => {
    view ??= countView('networks', total, done, flags.json === true);
    view.update(done);
  };
  const stop = interruption(() => {
    if (!flags.json) process.stderr.write('\nstopping after the networks that are being evaluated\n');
  });
  const path = flags.out === undefined ? undefined : join(flags.out, 'records.jsonl');
  const started = performance.now();
  const tally = await runStudy(study, {
    ...{ choice: { backend, isa, threads }, workers, signal: stop.signal, path, onProgress },
  }).finally(() => {
    view?.stop();
    stop.end();
  });
  const seconds = (performance.now() - started) / 1000;
  const { done, total } = tally;
  if (done < total) {
    if (flags.out === undefined) return partial(tally, flags, seconds);
    stop.stopped();
    if (flags.json) printJson({ stopped: true, done, total });
    else
      process.stdout.write(
        `stopped after ${done} of ${counted(total, 'network')}; the same command goes on from there\n`,
      );
    return;
  }
  const distributions = tally.distributions(flags.figure ?? null);
  if (flags.out !== undefined) await writeHistograms(flags.out, study, distributions);
  if (flags.json) printJson({ study, distributions, seconds });
  else process.stdout.write(draw(distributions, seconds));
}

/** What is done is all there will be: nothing goes on later from a study without a folder, which has failed then. */
function partial(tally: RankTally, flags: Flags, seconds: number): void {
  const { study, done, total } = tally;
  process.exitCode = 1;
  const begun = tally.distributions(flags.figure ?? null).filter(({ networks }) => networks > 0);
  if (flags.json) printJson({ stopped: true, done, total, study, distributions: begun, seconds });
  else {
    const shown = begun.length > 0 ? draw(begun, seconds) : '';
    process.stdout.write(
      `${shown}partial: stopped after ${done} of ${total} networks, without --out to go on from\n`,
    );
  }
}

async function writeHistograms(
  folder: string,
  study: RankStudy,
  distributions: readonly RankDistribution[],
): Promise<void> {
  const text = new TextEncoder();
  const json = `${JSON.stringify({ study, distributions }, null, 1)}\n`;
  await writeFileAtomic(join(folder, 'histograms.json'), text.encode(json));
  await writeFileAtomic(join(folder, 'histograms.csv'), text.encode(distributionsCsv(distributions)));
}

function draw(distributions: readonly RankDistribution[], seconds: number): string {
  const lines = distributions.map(({ R, networks, rank, paper, refined, impossible, proven, exact }) => {
    const mean = (histogram: typeof paper) => (histogram ? histogram.mean.toFixed(2) : 'none');
    const parts = [
      `R ${R}: ${counted(networks, 'network')}, mean rank ${rank.mean.toFixed(2)} (±${rank.deviation.toFixed(2)})`,
      proven
        ? `mean bound ${mean(paper)} (paper), ${mean(refined)} (refined)`
        : `the paper's formula gives ${mean(paper)} on average, which is no bound`,
      ...(impossible > 0 ? [`${impossible} beyond any width`] : []),
      ...(exact
        ? [`numerical rank above the exact one ${exact.above} times, below ${exact.below} times`]
        : []),
    ];
    return parts.join(', ');
  });
  const [{ tolerance, note }] = distributions;
  return [
    ...lines,
    `singular values above ${tolerance} of the largest; ${seconds.toFixed(1)} s`,
    ...(note ? [note] : []),
    '',
  ].join('\n');
}
