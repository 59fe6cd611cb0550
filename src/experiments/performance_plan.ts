import { XI_NAMES, type Xi } from '../core/xi.gen.ts';
import type { ModelKind } from '../models/config.ts';
import { type DataShape, type PerformanceRun, parameterCount, rankWithin } from './performance.ts';

/** How one data set is trained on. */
interface Recipe {
  readonly features: number;
  readonly rank: number;
  readonly shared: boolean;
  readonly batch: number;
  readonly epochs: number;
  readonly learningRate: number;
  /** Ranks of the recurrent networks of Figure 2. */
  readonly ranks: readonly number[];
  readonly limit?: number;
  readonly testLimit?: number;
}

const IMAGES: Recipe = {
  ...{ features: 32, rank: 64, shared: false, batch: 250, epochs: 10, learningRate: 4e-3 },
  ranks: [4, 8, 16, 32, 64],
};
const TEXTS: Recipe = {
  ...{ features: 50, rank: 50, shared: true, batch: 250, epochs: 20, learningRate: 4e-3 },
  ranks: [2, 4, 8, 16, 32, 50],
};
const DNA: Recipe = {
  ...{ features: 8, rank: 16, shared: false, batch: 50, epochs: 20, learningRate: 4e-3 },
  ranks: [2, 4, 8, 16],
};

/**
 * The paper's sizes (Khrulkov, Hrinchuk & Oseledets 2019, section 6 and appendix B): T = 16, m = 32, R = 64 for images, T = 100,
 * m = 50, R = 50 for texts, Adam on batches of 250. DNA, which it does not have, with sizes of our own.
 */
const FULL: Readonly<Record<string, Recipe>> = {
  mnist: IMAGES,
  cifar10: { ...IMAGES, epochs: 20 },
  imdb: TEXTS,
  // A fifth as many as the reviews: with batches of 250 four hundred steps, too few for a rate that rises over a quarter of them.
  spam: { ...TEXTS, batch: 50 },
  splice: DNA,
};

/** Subsets, small ranks, few epochs: the same experiments in about a minute. */
const QUICK_IMAGES: Recipe = {
  ...{ ...IMAGES, rank: 16, batch: 100, epochs: 3, ranks: [4, 8, 16] },
  ...{ limit: 12_000, testLimit: 5000 },
};
const QUICK_TEXTS: Recipe = {
  ...TEXTS,
  rank: 16,
  // 480 steps; with 60 of them every network says the larger class.
  batch: 25,
  epochs: 6,
  ranks: [4, 8, 16],
  limit: 2000,
  testLimit: 1000,
};
const QUICK: Readonly<Record<string, Recipe>> = {
  mnist: QUICK_IMAGES,
  cifar10: QUICK_IMAGES,
  imdb: QUICK_TEXTS,
  spam: QUICK_TEXTS,
  splice: { ...DNA, rank: 8, epochs: 6, ranks: [2, 4, 8] },
};

export const DATASETS = Object.keys(FULL);
/** Cross-validated, where there is no test part of its own. */
export const FOLDED = ['splice'];
export const FOLDS = 5;
/** With equal numbers of parameters beside the recurrent network. */
const OTHERS: readonly ModelKind[] = ['ht', 'cp'];

export interface PlanSettings {
  readonly quick: boolean;
  readonly seed: number;
  /** Seeds of every training, seed, seed + 1, …; folds have one each. */
  readonly seeds: number;
  /** Instead of the epochs of the recipes. */
  readonly epochs?: number;
  readonly data: readonly (DataShape & { readonly name: string })[];
}

/**
 * All trainings of the performance experiments, in the order in which they run.
 *
 * Table 1: every ξ as recurrent network (TT), tree (HT) and shallow network (CP), the latter two with the largest rank whose parameters are not
 * more than those of the TT. Figure 2: TT of growing rank, with HT and CP of equal budgets, rectifier. Folds: cross-validation of
 * all three.
 */
export function performancePlan(settings: PlanSettings): PerformanceRun[] {
  return settings.data.flatMap((data) => {
    const base = baseRun(settings, data.name);
    const many = (runs: readonly PerformanceRun[]) => withSeeds(runs, settings);
    if (FOLDED.includes(data.name)) return folds(base, data, settings);
    return [...many(table1(base, data, settings.quick)), ...many(figure2(base, data, settings.quick))];
  });
}

/** The recurrent network that is saved, drawn and certified: of Table 1, rectifier, first seed, on a data set that is there. */
export function showcaseRun(settings: PlanSettings): PerformanceRun | undefined {
  const data = settings.data.find(({ name }) => name === 'mnist') ?? settings.data[0];
  if (!data) return undefined;
  return performancePlan({ ...settings, data: [data] }).find(
    ({ kind, xi }) => kind === 'tt' && xi === 'rectifier',
  );
}

function recipeOf(quick: boolean, dataset: string): Recipe {
  return (quick ? QUICK : FULL)[dataset];
}

function baseRun({ quick, seed, ...settings }: PlanSettings, dataset: string): PerformanceRun {
  const { limit = null, testLimit = null, ...recipe } = recipeOf(quick, dataset);
  const { features, rank, shared, batch, learningRate } = recipe;
  const epochs = settings.epochs ?? recipe.epochs;
  return {
    ...{
      experiment: 'table1',
      dataset,
      fold: null,
      kind: 'tt',
      xi: 'rectifier',
      rank,
      features,
      shared,
      seed,
    },
    ...{ epochs, batch, learningRate, schedule: 'cosine', limit, testLimit },
  };
}

/** The same for the other families, with as many parameters as the recurrent network has, or a few less. */
function withBudget(
  run: PerformanceRun,
  data: DataShape,
  kinds: readonly ModelKind[] = OTHERS,
): PerformanceRun[] {
  const budget = parameterCount(run, data);
  return kinds.map((kind) => {
    const other = { ...run, kind };
    return { ...other, rank: rankWithin(other, data, budget) };
  });
}

function table1(base: PerformanceRun, data: DataShape, quick: boolean): PerformanceRun[] {
  const first: Xi[] = ['product', 'rectifier'];
  const order = [...first, ...XI_NAMES.filter((xi) => !first.includes(xi))];
  return order.flatMap((xi) => {
    const run = { ...base, xi };
    // The quick run has the other families for the two operators that the paper is about.
    return [run, ...(quick && !first.includes(xi) ? [] : withBudget(run, data))];
  });
}

function figure2(base: PerformanceRun, data: DataShape, quick: boolean): PerformanceRun[] {
  return recipeOf(quick, base.dataset).ranks.flatMap((rank) => {
    const run: PerformanceRun = { ...base, experiment: 'figure2', rank };
    return [run, ...withBudget(run, data)];
  });
}

function folds(base: PerformanceRun, data: DataShape, { quick }: PlanSettings): PerformanceRun[] {
  const run: PerformanceRun = { ...base, experiment: 'folds' };
  // One core for all steps has a sixtieth of the parameters; at the same rank its cycles tell too few steps apart.
  const shared = { ...run, shared: true, rank: 2 * run.rank };
  const models = [run, ...withBudget(run, data), ...(quick ? [] : [shared])];
  const operators: Xi[] = quick ? ['rectifier'] : ['rectifier', 'product'];
  return operators.flatMap((xi) =>
    models.flatMap((model) => Array.from({ length: FOLDS }, (_, fold) => ({ ...model, xi, fold }))),
  );
}

function withSeeds(runs: readonly PerformanceRun[], { seeds, seed }: PlanSettings): PerformanceRun[] {
  return Array.from({ length: seeds }, (_, n) => runs.map((run) => ({ ...run, seed: seed + n }))).flat();
}
