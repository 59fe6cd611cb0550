import { describe, expect, it } from 'vitest';
import { gridTensor } from '../../src/analysis/grid.ts';
import { isLeaf, nodesOf } from '../../src/analysis/joins.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { tensor } from '../../src/core/tensor.ts';
import { checkStudy } from '../../src/experiments/rank_config.ts';
import { randomNetwork } from '../../src/experiments/rank_network.ts';
import { RankTally } from '../../src/experiments/rank_tally.ts';
import {
  distributionsCsv,
  histogram,
  studyNetwork,
  studyTasks,
  summarize,
} from '../../src/experiments/ranks.ts';
import { spectrumOf } from '../../src/experiments/spectra.ts';
import { golden } from '../support/golden.ts';
import { refusal } from '../support/models.ts';

const backend = selectBackend({ threads: 1 }).backend;

interface GoldenDistribution {
  readonly M: number;
  readonly T: number;
  readonly L: number;
  readonly R: number;
  readonly shared: boolean;
  readonly n: number;
  readonly 'ranks_1e-10': number[];
  readonly bound_paper_hist: Record<string, number>;
  readonly bound_refined_hist: Record<string, number>;
  readonly mean_rank: number;
  readonly mean_bound_paper: number;
  readonly mean_bound_refined: number;
  readonly mean_rank_by_rtol: Record<string, number>;
}

const moments = (values: readonly number[]) => {
  const { mean, deviation } = histogram(values);
  return { mean, deviation, error: deviation / Math.sqrt(values.length) };
};
const spread = (bins: Record<string, number> | Iterable<readonly [number, number]>) => {
  const pairs = Symbol.iterator in bins ? [...bins] : Object.entries(bins);
  return pairs.flatMap(([value, count]) => new Array<number>(count).fill(Number(value)));
};

/** sup |F − G| √(nm/(n+m)) of two samples: below 1.95 in 999 of 1000 pairs from one distribution (Smirnov 1948). */
function smirnov(ours: readonly number[], theirs: readonly number[]): number {
  const below = (sample: readonly number[], x: number) =>
    sample.filter((value) => value <= x).length / sample.length;
  const values = [...new Set([...ours, ...theirs])];
  const gap = Math.max(...values.map((x) => Math.abs(below(ours, x) - below(theirs, x))));
  return gap * Math.sqrt((ours.length * theirs.length) / (ours.length + theirs.length));
}

/** Networks of ours beside 200 of theirs: the error of a difference is mostly theirs. */
const NETWORKS = 400;

describe('the distribution of ranks', () => {
  const cases = golden<{ cases: GoldenDistribution[] }>('distribution.json').cases;
  it.each(cases.map((one) => [one.R, one.shared ? 'shared' : 'unshared', one] as const))(
    'of rank %d, %s, agrees with the golden statistics within three standard errors',
    (R, _, { M, T, L, shared, n, ...want }) => {
      const study = checkStudy({ M, T, L, shared, ranks: [R], networks: NETWORKS });
      const spectra = Array.from(studyTasks(study), ({ index }) => spectrumOf(backend, study, R, index));
      const records = spectra.map(({ index, rank }) => ({ R, index, rank, gap: null }));
      expect(records[17].rank).toBe(studyNetwork(backend, study, { R, index: 17 }).rank);
      const [found] = summarize(study, records, null);
      const agree = (ours: readonly number[], theirs: readonly number[]) => {
        expect(theirs.length).toBe(n);
        const [x, y] = [moments(ours), moments(theirs)];
        expect(Math.abs(x.mean - y.mean)).toBeLessThan(3 * Math.hypot(x.error, y.error));
        expect(smirnov(ours, theirs)).toBeLessThan(1.95);
        return y.mean;
      };
      const near = (mean: number, golden: number) => expect(mean).toBeCloseTo(golden, 9);
      near(agree(spread(found.rank.bins), want['ranks_1e-10']), want.mean_rank);
      near(agree(spread(found.paper!.bins), spread(want.bound_paper_hist)), want.mean_bound_paper);
      near(agree(spread(found.refined!.bins), spread(want.bound_refined_hist)), want.mean_bound_refined);
      // Of other tolerances there are means alone: the deviation of both samples is ours.
      for (const [rtol, mean] of Object.entries(want.mean_rank_by_rtol)) {
        const ranks = spectra.map(({ values }) => values.filter((value) => value > Number(rtol)).length);
        const { mean: own, deviation } = moments(ranks);
        expect(Math.abs(own - mean)).toBeLessThan(3 * deviation * Math.sqrt(1 / n + 1 / NETWORKS));
      }
    },
  );
});

describe('a study', () => {
  it('finds no numerical rank above the exact one', () => {
    for (const xi of ['rectifier', 'max', 'min', 'product', 'relusum', 'sum'] as const) {
      for (const [M, T, shared] of [
        [3, 4, false],
        [2, 6, true],
        [4, 4, true],
      ] as const) {
        const study = checkStudy({ xi, M, T, shared, ranks: [1, 2, 3], networks: 15, exact: true, seed: M });
        const records = Array.from(studyTasks(study), (task) => studyNetwork(backend, study, task));
        for (const { exact } of summarize(study, records, null)) expect(exact).toMatchObject({ above: 0 });
      }
    }
  });

  it('draws the networks of a recurrent model with features', async () => {
    const { createModel } = await import('../../src/models/model.ts');
    const study = checkStudy({ M: 3, T: 4, L: 2, ranks: [2], seed: 5 });
    const { tree, F } = randomNetwork(study, 2, 7);
    const model = createModel({
      ...{
        kind: 'tt',
        xi: 'rectifier',
        steps: 4,
        inputs: 3,
        outputs: 1,
        rank: 2,
        projection: 2,
        dtype: 'float64',
      },
      ...{ features: { size: 3, activation: 'identity' }, backend },
    });
    const joins = nodesOf(tree.root).flatMap((node) => (isLeaf(node) ? [] : [node]));
    const leaves = nodesOf(tree.root).filter(isLeaf);
    const parameters = Object.entries(model.parameters).map(([name, { shape }]) => {
      const t = Number(name.split('.')[1]);
      const core = joins[t]?.core;
      const identity = Float64Array.from({ length: 9 }, (_, n) => Number(n % 4 === 0));
      if (name === 'features.A') return [name, tensor(identity, shape)];
      if (name === 'features.b') return [name, tensor(new Float64Array(3))];
      if (name.startsWith('C')) return [name, tensor(leaves[t].projection, shape)];
      return [name, tensor(core.form === 'none' ? [] : core.values, shape)];
    });
    model.setParameters(Object.fromEntries(parameters));
    const grid = gridTensor(model, F);
    expect(grid.shape).toEqual([3, 3, 3, 3, 1]);
    const again = randomNetwork(study, 2, 7);
    expect(again).toEqual({ tree, F });
    expect(randomNetwork(study, 2, 8).F).not.toEqual(F);
  });

  it('does not depend on the order of its records, and says where no bound is proven', () => {
    const study = checkStudy({ xi: 'l2', M: 3, T: 4, ranks: [1, 2], networks: 6 });
    const records = Array.from(studyTasks(study), (task) => studyNetwork(backend, study, task));
    const distributions = summarize(study, records, '5');
    expect(summarize(study, [...records].reverse(), '5')).toEqual(distributions);
    for (const { proven, note, paper, refined, figure } of distributions) {
      expect({ proven, refined, figure }).toEqual({ proven: false, refined: null, figure: '5' });
      expect(note).toMatch(
        /no bound on the width is proven.*as the paper does.*no bound and depends on the tol/,
      );
      expect(paper!.bins.reduce((sum, [, count]) => sum + count, 0)).toBe(6);
    }
    const csv = distributionsCsv(distributions).trim().split('\n');
    expect(csv[0]).toBe('figure,xi,M,T,L,R,shared,tolerance,proven,networks,impossible,quantity,value,count');
    expect(csv[1]).toMatch(/^5,l2,3,4,3,1,false,1e-10,false,6,0,rank,\d+,\d+$/);
    expect(csv.some((line) => line.includes('refined'))).toBe(false);
    const [{ note }] = summarize({ ...study, xi: 'logsumexp' }, records, null);
    expect(note).toMatch(/no bound on the width is proven/);
    expect(note).not.toContain('as the paper does');
  });

  it('shows the network of median rank', () => {
    const ranks = [5, 2, 9, 2, 7];
    const records = ranks.flatMap((rank, index) => [
      { R: 1, index, rank, gap: null },
      { R: 2, index, rank: 20 - rank, gap: null },
    ]);
    const study = checkStudy({ M: 20, T: 2, ranks: [1, 2], networks: 5 });
    const median = (some: typeof records, R: number) => {
      const tally = new RankTally(study);
      for (const record of some) tally.add(record);
      return tally.medianNetwork(R);
    };
    expect([median(records, 1), median([...records].reverse(), 2)]).toEqual([0, 0]);
    expect(median(records.slice(0, 8), 1)).toBe(3);
  });

  it('takes no memory for networks that nobody has evaluated', () => {
    const study = checkStudy({ M: 2, T: 2, networks: 10 ** 7 });
    const before = process.memoryUsage().heapUsed;
    const tally = new RankTally(study);
    const tasks = studyTasks(study);
    const first = tasks[Symbol.iterator]().next().value;
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(2 ** 24);
    expect({ first, done: tally.done, total: tally.total }).toEqual({
      first: { R: 1, index: 0 },
      done: 0,
      total: 4 * 10 ** 7,
    });
    // It can be gone through again.
    expect(tasks[Symbol.iterator]().next().value).toEqual(first);
    const ranks = Array.from({ length: 300 }, (_, n) => n + 1);
    expect(() => new RankTally({ ...study, ranks })).toThrow(
      refusal(
        'E_MEMORY',
        /^rank study: expected at most 2147483648 bytes, received 10000000 networks of each of 300 ranks, 6000000000 bytes$/,
      ),
    );
  });

  it('a tally gives the distributions of its records', () => {
    const study = checkStudy({ M: 3, T: 4, ranks: [1, 2], networks: 6, exact: true });
    const records = Array.from(studyTasks(study), (task) => studyNetwork(backend, study, task));
    const tally = new RankTally(study);
    for (const [n, record] of [...records].reverse().entries()) {
      expect([tally.has(record), tally.done]).toEqual([false, n]);
      tally.add(record);
      expect(tally.has(record)).toBe(true);
    }
    expect(tally.distributions('3')).toEqual(summarize(study, records, '3'));
    expect(tally.asks({ R: 3, index: 0 }) || tally.asks({ R: 1, index: 6 })).toBe(false);
  });

  it('has the mean and deviation of a sample, to the last digit in any order', () => {
    const values = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
    const { mean, deviation, bins } = histogram(values);
    expect(mean).toBe(4);
    expect(deviation).toBeCloseTo(Math.sqrt(5.6), 14);
    expect(bins).toEqual([
      [1, 2],
      [2, 1],
      [3, 2],
      [4, 1],
      [5, 3],
      [6, 1],
      [9, 1],
    ]);
    expect(histogram([...values].sort())).toEqual({ mean, deviation, bins });
  });

  it('counts what no width can do', () => {
    const study = checkStudy({ xi: 'sum', M: 2, T: 2, ranks: [1], networks: 3 });
    const record = (index: number, rank: number) => ({ R: 1, index, rank, gap: null });
    const [{ impossible, refined }] = summarize(study, [record(0, 2), record(1, 3), record(2, 3)], null);
    expect({ impossible, bins: refined!.bins }).toEqual({ impossible: 2, bins: [[1, 1]] });
  });

  it.each<[object, RegExp]>([
    [{ xi: 'plus' }, /xi/],
    [{ M: 0 }, /M: expected/],
    [{ ranks: [] }, /ranks/],
    [{ ranks: [1, 1] }, /different ranks/],
    [{ tolerance: 1 }, /tolerance/],
    [{ xi: 'l2', exact: true }, /exact/],
    [{ network: 3 }, /options among/],
  ])('refuses %o', (options, message) => {
    expect(() => checkStudy(options)).toThrow(refusal('E_ARGUMENT', message));
  });

  it('refuses grids that do not fit', () => {
    expect(() => checkStudy({ M: 100, T: 6 })).toThrow(
      refusal('E_MEMORY', /a grid of at most \d+ entries, received 100\^6/),
    );
  });
});
