import { EXACT_XI } from '../../analysis/exact/definition.ts';
import { exactRank } from '../../analysis/exact_rank.ts';
import { gridTensor } from '../../analysis/grid.ts';
import { balancedBipartitions, gridOutput } from '../../analysis/matricize.ts';
import { matricizationRank } from '../../analysis/ranks.ts';
import { tensor } from '../../core/tensor.ts';
import { XI_NAMES, type Xi } from '../../core/xi.gen.ts';
import type { Model } from '../../models/model.ts';
import { widthBound } from '../../theory/bounds.ts';
import { modelOf } from '../../theory/build.ts';
import { featureMap, identity } from '../../theory/features.ts';
import { similarityNetwork } from '../../theory/similarity.ts';
import type { Bench, Check } from './check.ts';
import { oddModes, pick, randomNetwork, randomTensor } from './instances.ts';

const COUNTED = { figure: 'violations', tolerance: 0 } as const;
const PIECES = ['rectifier', 'max', 'min'] as const satisfies readonly Xi[];

export const RANK_CHECKS: readonly Check[] = [
  {
    ...{ ...COUNTED, id: 'theorem-5.2', source: 'Theorem 5.2', instances: 12 },
    statement:
      'the similarity network of ranks ≤ R has exact rank min(M,R)^(T/2) (+ 1 if R < M), so that a shallow one needs exponential width',
    measure: ({ rng, backend }) => {
      const [M, T] = pick(rng, [
        [2, 4],
        [2, 6],
        [3, 4],
        [4, 4],
        [3, 6],
        [5, 4],
      ] as const);
      const R = 1 + rng.below(M + 1);
      const q = Math.min(M, R);
      const model = similarityNetwork({ size: M, rank: R, steps: T, backend });
      const expected = q ** (T / 2) + (R < M ? 1 : 0);
      const { rank } = exactRank(model, identity(M), oddModes(T));
      const bound = widthBound({ xi: 'rectifier', size: M, steps: T, rank });
      const promised = Math.ceil((2 / (M * T)) * q ** (T / 2));
      return Number(rank !== expected || !(bound.refined! >= promised));
    },
  },
  {
    ...{ ...COUNTED, id: 'bound-soundness', source: 'Theorem 5.2, proof; docs/theory.md (d)', instances: 60 },
    statement:
      'no shallow network of width W has a rank from which the bound exceeds W, any bipartition, every ξ with exact ranks',
    measure: (bench, instance) => {
      const { rng } = bench;
      const xi = EXACT_XI[instance % EXACT_XI.length];
      const [M, T] = pick(rng, [
        [2, 4],
        [3, 4],
        [2, 5],
        [4, 3],
      ] as const);
      const width = 1 + rng.below(3);
      const model = randomNetwork(bench, { kind: 'cp', xi, steps: T, inputs: M, outputs: 1, rank: width });
      const rowModes = pick(rng, [...balancedBipartitions(T), [0]]);
      const { rank } = exactRank(model, identity(M), rowModes);
      const { refined, paper, impossible } = widthBound({ xi, size: M, steps: T, rank, rowModes });
      return Number(impossible || refined! > width || paper! > width);
    },
  },
  {
    ...{ ...COUNTED, id: 'extremal-terms', source: 'docs/theory.md (d)', instances: 18 },
    statement: 'one rectifier, max or min term has rank at most k(M−1) + 1, k = ⌊T/2⌋, and attains it',
    measure: ({ rng, backend }, instance) => {
      const xi = PIECES[instance % 3];
      const [M, T] = pick(rng, [
        [2, 4],
        [3, 4],
        [3, 5],
        [4, 4],
        [2, 6],
      ] as const);
      const model = extremalTerm(xi, M, T, backend);
      return Number(exactRank(model, identity(M), oddModes(T)).rank !== Math.floor(T / 2) * (M - 1) + 1);
    },
  },
  {
    ...{ ...COUNTED, id: 'additivity', source: 'docs/theory.md (d)', instances: 30 },
    statement:
      'ξ = sum has only grid tensors of rank at most 2, at every bipartition; so has relusum in shallow networks, in others at the last join',
    measure: (bench, instance) => {
      const kind = (['cp', 'tt', 'ht'] as const)[instance % 3];
      const xi = (['sum', 'relusum'] as const)[Math.floor(instance / 3) % 2];
      const model = randomNetwork(bench, { kind, xi, steps: 4, inputs: 3, outputs: 1, rank: 3 });
      const lastJoin = { cp: [], tt: [3], ht: [0, 1] }[kind];
      const everywhere = xi === 'sum' || kind === 'cp';
      const rowModes = everywhere ? pick(bench.rng, [...balancedBipartitions(4), [0], [3]]) : lastJoin;
      return Number(exactRank(model, identity(3), rowModes).rank > 2);
    },
  },
  {
    ...{ ...COUNTED, id: 'spans', source: 'docs/theory.md (b)', instances: XI_NAMES.length },
    statement:
      'terms span all M^T tensors (M = 2, T = 4: 16 dimensions), those of sum and relusum only T(M−1) + 1 = 5',
    measure: (bench, instance) => {
      const xi = XI_NAMES[instance % XI_NAMES.length];
      // One term of max in 70 is 1 − E_j for a given tuple j, up to terms that see less: 1000 miss one with chance 1e-5.
      const [M, T, width] = [2, 4, 1000];
      const model = randomNetwork(bench, {
        kind: 'cp',
        xi,
        steps: T,
        inputs: M,
        outputs: width,
        rank: width,
      });
      const one = tensor(
        Float64Array.from({ length: width ** 2 }, (_, n) => Number(n % (width + 1) === 0)),
        [width, width],
      );
      model.setParameters({ ...model.parameters, lambda: one });
      const grid = gridTensor(model, identity(M));
      const expected = xi === 'sum' || xi === 'relusum' ? T * (M - 1) + 1 : M ** T;
      const { rank } = matricizationRank(grid, [0, 1, 2, 3], { backend: bench.backend });
      return Number(rank !== expected);
    },
  },
  {
    ...{ ...COUNTED, id: 'no-rank-bound', source: 'docs/theory.md (d)', instances: 8 },
    statement: 'a single l2 or logsumexp term has full matricization rank M^⌊T/2⌋: no rank bound exists',
    measure: (bench, instance) => {
      const xi = (['l2', 'logsumexp'] as const)[instance % 2];
      const M = 2 + (instance % 3);
      const model = randomNetwork(bench, { kind: 'cp', xi, steps: 2, inputs: M, outputs: 1, rank: 1 });
      return Number(
        matricizationRank(gridTensor(model, identity(M)), [0], { backend: bench.backend }).rank !== M,
      );
    },
  },
  {
    ...{ ...COUNTED, id: 'numerical-rank', source: 'docs/theory.md (g)', instances: 120 },
    statement:
      'the numerical rank (tolerance 1e-10) of a network never exceeds the exact one: every kind, every ξ with exact ranks, any bipartition',
    measure: (bench, instance) => {
      const { rng, backend } = bench;
      const kind = (['tt', 'cp', 'ht'] as const)[instance % 3];
      // The rectifier every other time.
      const xi = instance % 2 === 0 ? 'rectifier' : pick(rng, EXACT_XI);
      const [M, steps] = pick(rng, [
        [2, 6],
        [3, 4],
        [4, 4],
        [3, 5],
        [5, 3],
      ] as const);
      const shared = rng.below(3) === 0;
      const sizes = { kind, xi, steps, inputs: M, outputs: 1, rank: 1 + rng.below(5), shared } as const;
      const model = randomNetwork(bench, sizes);
      const templates = randomTensor(rng, [M, M]);
      const rowModes = rng.below(2) === 0 ? oddModes(steps) : pick(rng, balancedBipartitions(steps));
      const grid = gridOutput(gridTensor(model, templates), 0);
      const { rank } = matricizationRank(grid, rowModes, { backend });
      return Number(rank > exactRank(model, templates, rowModes).rank);
    },
  },
];

/**
 * A term of rank k(M−1) + 1: in each mode the minimum 1 and M − 1 larger values, all distinct within rows and within columns, the
 * same set on both sides. min is the mirror image.
 */
function extremalTerm(xi: (typeof PIECES)[number], M: number, T: number, backend: Bench['backend']): Model {
  const sign = xi === 'min' ? -1 : 1;
  const v = Float64Array.from({ length: T * M }, (_, n) => {
    const [t, m] = [Math.floor(n / M), n % M];
    return sign * (m === 0 ? 1 : 2 + Math.floor(t / 2) * (M - 1) + (m - 1));
  });
  const own = { lambda: tensor([[1]]), v: tensor(v, [T, 1, M]) };
  return modelOf({ kind: 'cp', xi, steps: T, outputs: 1, rank: 1 }, own, featureMap(M), { backend });
}
