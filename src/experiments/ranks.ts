import { ExactNetwork } from '../analysis/exact/definition.ts';
import { dyadic } from '../analysis/exact/dyadic.ts';
import { filteredResidues } from '../analysis/exact/filtered.ts';
import { DEFAULT_PRIME } from '../analysis/exact/modular.ts';
import { residueMatrix } from '../analysis/exact_rank.ts';
import { oddModes } from '../analysis/matricize.ts';
import { rankModuloOf } from '../analysis/spectrum.ts';
import type { Backend } from '../backend/interface.ts';
import { checkBackend } from '../backend/selection.ts';
import { integer, mismatch } from '../core/errors.ts';
import { XI } from '../core/xi.gen.ts';
import { widthBound } from '../theory/bounds.ts';
import { MOST_R, type RankStudy, studyOf } from './rank_config.ts';
import { type RandomNetwork, randomNetwork } from './rank_network.ts';
import { allTemplates, networkReport } from './spectra.ts';

/** One network of a study. */
export interface RankTask {
  /** The rank of the recurrent network. */
  readonly R: number;
  /** Its number among those of this R, from 0. */
  readonly index: number;
}

/** Its numerical rank, with the modes 0, 2, 4, … (the odd ones of the paper) as rows. */
export interface RankRecord extends RankTask {
  /** `#{ s_k > tolerance · s_1 }`. */
  readonly rank: number;
  /** `s_rank / s_{rank+1}`; null where nothing is below the cut. */
  readonly gap: number | null;
  /** Rank modulo a prime, of a study with `exact`. */
  readonly exact?: number;
}

/** All networks of a study, in the order in which they are counted; made one by one, as there may be millions. */
export function studyTasks(study: RankStudy): Iterable<RankTask> {
  const { ranks, networks } = studyOf('studyTasks', study);
  return {
    *[Symbol.iterator]() {
      for (const R of ranks) for (let index = 0; index < networks; index++) yield { R, index };
    },
  };
}

/** Evaluates one network; what it computes depends on the study and the task alone. */
export function studyNetwork(backend: Backend, given: RankStudy, task: RankTask): RankRecord {
  checkBackend('studyNetwork', backend ?? null);
  const study = studyOf('studyNetwork', given);
  if (typeof task !== 'object' || task === null)
    throw mismatch('E_ARGUMENT', 'studyNetwork', 'a task { R, index }', task);
  const R = integer('studyNetwork R', task.R, 1, 2 ** 20);
  const index = integer('studyNetwork index', task.index, 0, 10 ** 7);
  const network = randomNetwork(study, R, index);
  // With all singular values: a figure of ranks goes with the gaps that they were counted at.
  const { rank, gap } = networkReport(backend, study, network);
  const exact = study.exact ? { exact: exactRankOf(backend, network, allTemplates(study)) } : {};
  return { R, index, rank, gap: Number.isFinite(gap) ? gap : null, ...exact };
}

function exactRankOf(
  backend: Backend,
  { tree, F }: RandomNetwork,
  choice: readonly (readonly number[])[],
): number {
  const network = new ExactNetwork(tree, dyadic(F.data), F.shape[1], choice);
  const { values } = filteredResidues(network, DEFAULT_PRIME);
  return rankModuloOf(backend, residueMatrix(choice, values, 1, 0, oddModes(choice.length)), DEFAULT_PRIME);
}

/** How often each value occurs, ascending. */
export type Bins = readonly (readonly [value: number, count: number])[];

/** A histogram with its mean and deviation. */
export interface Histogram {
  /** Of the values. */
  readonly mean: number;
  /** Their standard deviation as a sample, with n − 1. */
  readonly deviation: number;
  /** Each value with its count. */
  readonly bins: Bins;
}

/** The distribution for one rank R. */
export interface RankDistribution {
  /** Which figure of the paper it belongs to; null for other studies. */
  readonly figure: string | null;
  /** As the study has it. */
  readonly xi: RankStudy['xi'];
  /** Templates. */
  readonly M: number;
  /** Steps. */
  readonly T: number;
  /** Rows of the projections. */
  readonly L: number;
  /** The rank of the networks. */
  readonly R: number;
  /** As the study has it. */
  readonly shared: boolean;
  /** How many. */
  readonly networks: number;
  /** What ranks were counted at. */
  readonly tolerance: number;
  /** Numerical ranks of the matricizations. */
  readonly rank: Histogram;
  /** Lower bounds on the width of a shallow network, ⌈rank / (M·k)⌉; null where no width suffices. Without `proven` no bounds, but what this formula gives. */
  readonly paper: Histogram | null;
  /** Lower bounds that are larger or equal; null where no width suffices, and without `proven`. */
  readonly refined: Histogram | null;
  /** Networks that no shallow network of any width can match (sum and relusum beyond rank 2). */
  readonly impossible: number;
  /** Whether the bounds are theorems for this ξ. */
  readonly proven: boolean;
  /** Of a study with `exact`: how numerical ranks compare with exact ones. */
  readonly exact?: {
    /** Networks whose numerical rank is above the exact one. */
    readonly above: number;
    /** Networks whose numerical rank is below it. */
    readonly below: number;
  };
  /** What has to be said with the figures; of a ξ without a theorem. */
  readonly note?: string;
}

/** Of the two ξ without a bound the paper has l2 alone. */
const unproven = (xi: RankStudy['xi']): string =>
  `no bound on the width is proven for this ξ: a shallow network of width 1 already has full rank generically. The figures apply the formula of the rectifier${xi === 'l2' ? ', as the paper does' : ''}; what it gives is no bound and depends on the tolerance`;

/** The distributions of a study from the records of its networks, which may come in any order. */
export function summarize(
  given: RankStudy,
  records: readonly RankRecord[],
  figure: string | null,
): RankDistribution[] {
  const counts = new RankCounts(studyOf('summarize', given));
  if (!Array.isArray(records)) throw mismatch('E_ARGUMENT', 'summarize', 'a list of records', records);
  for (const record of records) {
    if (typeof record !== 'object' || record === null)
      throw mismatch('E_ARGUMENT', 'summarize', 'records { R, index, rank, gap }', record);
    integer('summarize R', record.R, 1, MOST_R);
    integer('summarize rank', record.rank, 0, Number.MAX_SAFE_INTEGER);
    if (record.exact !== undefined) integer('summarize exact', record.exact, 0, Number.MAX_SAFE_INTEGER);
    counts.add(record);
  }
  return counts.distributions(figure);
}

/** How often each rank occurs among the networks of each R of a study. */
export class RankCounts {
  private readonly study: RankStudy;
  private readonly of: ReadonlyMap<number, { ranks: Map<number, number>; above: number; below: number }>;

  constructor(study: RankStudy) {
    this.study = study;
    this.of = new Map(study.ranks.map((R) => [R, { ranks: new Map(), above: 0, below: 0 }]));
  }

  /** Counts a record, unless the study has no networks of its R. */
  add({ R, rank, exact }: RankRecord): void {
    const own = this.of.get(R);
    if (own === undefined) return;
    own.ranks.set(rank, (own.ranks.get(rank) ?? 0) + 1);
    if (exact === undefined) return;
    if (rank > exact) own.above++;
    if (rank < exact) own.below++;
  }

  distributions(figure: string | null): RankDistribution[] {
    return this.study.ranks.map((R) => this.distribution(R, figure));
  }

  private distribution(R: number, figure: string | null): RankDistribution {
    const { xi, M, T, L, shared, tolerance, exact } = this.study;
    const { ranks, above, below } = this.of.get(R)!;
    const proven = XI[xi].bound !== 'none';
    const bounds = [...ranks].map(([rank, count]) => ({
      ...{ count, bound: widthBound({ xi: proven ? xi : 'rectifier', size: M, steps: T, rank }) },
    }));
    const some = (which: 'paper' | 'refined') => {
      const known = bounds.flatMap(({ count, bound }) => {
        const value = bound[which];
        return value === null ? [] : [[value, count] as const];
      });
      return known.length > 0 ? histogramOf(known) : null;
    };
    return {
      ...{ figure, xi, M, T, L, R, shared, networks: countOf(ranks), tolerance },
      rank: histogramOf(ranks),
      paper: some('paper'),
      refined: proven ? some('refined') : null,
      impossible: countOf(bounds.map(({ count, bound }) => [0, bound.impossible ? count : 0])),
      proven,
      ...(exact && { exact: { above, below } }),
      ...(proven ? {} : { note: unproven(xi) }),
    };
  }
}

const countOf = (counts: Iterable<readonly [number, number]>): number => {
  let all = 0;
  for (const [, count] of counts) all += count;
  return all;
};

/** The histogram of some values; its deviation is that of a sample, with n − 1. */
export const histogram = (values: readonly number[]): Histogram =>
  histogramOf(values.map((value) => [value, 1]));

/** The histogram of values with how often they occur; a value may come several times. */
function histogramOf(given: Iterable<readonly [value: number, count: number]>): Histogram {
  const counts = new Map<number, number>();
  for (const [value, count] of given) counts.set(value, (counts.get(value) ?? 0) + count);
  const bins = [...counts].sort(([a], [b]) => a - b);
  const all = countOf(bins);
  // Summed bin by bin, so that the order of the values does not show in the last digit.
  const over = (term: (value: number) => number) =>
    bins.reduce((sum, [value, count]) => sum + count * term(value), 0);
  const mean = over((value) => value) / all;
  const squares = over((value) => (value - mean) ** 2);
  return { mean, deviation: Math.sqrt(squares / Math.max(1, all - 1)), bins };
}

const FIELDS = [
  ...(['xi', 'M', 'T', 'L', 'R', 'shared', 'tolerance', 'proven', 'networks', 'impossible'] as const),
];
const QUANTITIES = ['rank', 'paper', 'refined'] as const;

function checkDistribution(n: number, given: RankDistribution): RankDistribution {
  const isPair = (bin: unknown) => Array.isArray(bin) && bin.length === 2 && bin.every(Number.isFinite);
  const isHistogram = (value: unknown) =>
    Array.isArray((value as Histogram)?.bins) && Array.from((value as Histogram).bins).every(isPair);
  const fits =
    typeof given === 'object' &&
    isHistogram(given?.rank) &&
    QUANTITIES.every((quantity) => given[quantity] == null || isHistogram(given[quantity])) &&
    (given.figure == null || typeof given.figure === 'string') &&
    FIELDS.every((field) => ['string', 'number', 'boolean'].includes(typeof given[field]));
  if (fits) return given;
  throw mismatch('E_ARGUMENT', `distributionsCsv distribution ${n}`, 'what summarize returns', given);
}

/** The histograms as CSV, a line for each bin. */
export function distributionsCsv(distributions: readonly RankDistribution[]): string {
  if (!Array.isArray(distributions))
    throw mismatch('E_ARGUMENT', 'distributionsCsv', 'a list of distributions', distributions);
  const all: readonly RankDistribution[] = Array.from(distributions, (d, n) => checkDistribution(n, d));
  const lines = all.flatMap((d) =>
    QUANTITIES.flatMap((quantity) =>
      (d[quantity]?.bins ?? []).map(([value, count]) =>
        [
          d.figure ?? '',
          d.xi,
          d.M,
          d.T,
          d.L,
          d.R,
          d.shared,
          d.tolerance,
          d.proven,
          d.networks,
          d.impossible,
          quantity,
          value,
          count,
        ].join(','),
      ),
    ),
  );
  return [
    'figure,xi,M,T,L,R,shared,tolerance,proven,networks,impossible,quantity,value,count',
    ...lines,
    '',
  ].join('\n');
}
