import { EXACT_XI } from '../../analysis/exact/definition.ts';
import { exactRank } from '../../analysis/exact_rank.ts';
import { gridTensor } from '../../analysis/grid.ts';
import { balancedBipartitions, gridOutput, oddModes } from '../../analysis/matricize.ts';
import { matricizationRank } from '../../analysis/ranks.ts';
import { widthBound } from '../../theory/bounds.ts';
import { identity } from '../../theory/features.ts';
import { similarityNetwork } from '../../theory/similarity.ts';
import { type Check, COUNTED } from './check.ts';
import { pick, randomNetwork, randomTensor } from './instances.ts';

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
    ...{
      ...COUNTED,
      id: 'bound-soundness',
      source: 'Theorem 5.2, proof; docs/theory.md#bounds-on-the-width',
      instances: 60,
    },
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
    ...{ ...COUNTED, id: 'additivity', source: 'docs/theory.md#bounds-on-the-width', instances: 30 },
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
    ...{ ...COUNTED, id: 'numerical-rank', source: 'docs/ranks.md#tolerance', instances: 120 },
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
