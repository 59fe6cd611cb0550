import { exactRank } from '../../analysis/exact_rank.ts';
import { gridTensor } from '../../analysis/grid.ts';
import { oddModes } from '../../analysis/matricize.ts';
import { matricizationRank } from '../../analysis/ranks.ts';
import { tensor } from '../../core/tensor.ts';
import { XI_NAMES, type Xi } from '../../core/xi.gen.ts';
import type { Model } from '../../models/model.ts';
import { modelOf } from '../../theory/build.ts';
import { featureMap, identity } from '../../theory/features.ts';
import { type Bench, type Check, COUNTED } from './check.ts';
import { pick, randomNetwork } from './instances.ts';

const PIECES = ['rectifier', 'max', 'min'] as const satisfies readonly Xi[];

/**
 * Singular values above this part of the largest are not rounding: an entry of a term is wrong by at most 20 ε of its mode
 * vectors, ‖A‖_F ≤ 4 s_1 for 16 rows, so that evaluation and decomposition together move a singular value by less than 100 ε s_1 (Weyl).
 * What exceeds it is therefore a proof of independence, and what depends lies below it.
 */
const ROUNDING = 2 ** -43;

/** Terms that {@link spannedBy} draws at once, and at most. One of max in 70 is 1 − E_j for a given tuple j: 4000 miss one with chance 1e-24. */
const [TERMS, MOST_TERMS] = [50, 4000];

export const TERM_CHECKS: readonly Check[] = [
  {
    ...{ ...COUNTED, id: 'extremal-terms', source: 'docs/theory.md#bounds-on-the-width', instances: 18 },
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
    ...{ ...COUNTED, id: 'spans', source: 'docs/theory.md#universality', instances: 5 * XI_NAMES.length },
    statement:
      'random terms span all M^T tensors (M = 2, T = 4: 16 dimensions), those of sum and relusum only T(M−1) + 1 = 5',
    measure: (bench, instance) => {
      const xi = XI_NAMES[instance % XI_NAMES.length];
      const [M, T] = [2, 4];
      const expected = xi === 'sum' || xi === 'relusum' ? T * (M - 1) + 1 : M ** T;
      return Number(spannedBy(bench, xi, M, T, expected) !== expected);
    },
  },
  {
    ...{ ...COUNTED, id: 'no-rank-bound', source: 'docs/theory.md#bounds-on-the-width', instances: 40 },
    statement:
      'a single l2 or logsumexp term with T = 2 or 4 whose rows differ, and columns, has full matricization rank M^(T/2), generically',
    measure: (bench, instance) => {
      const xi = (['l2', 'logsumexp'] as const)[instance % 2];
      const [M, T] = pick(bench.rng, [
        [2, 2],
        [3, 2],
        [4, 2],
        [2, 4],
      ] as const);
      const { backend } = bench;
      const grid = gridTensor(apartTerm(bench, xi, M, T), identity(M));
      const { rank } = matricizationRank(grid, oddModes(T), { backend, tolerance: ROUNDING });
      return Number(rank !== M ** (T / 2));
    },
  },
];

/** The dimension that random terms span, drawn until it is the wanted one: that many independent terms are the proof. */
function spannedBy(bench: Bench, xi: Xi, M: number, T: number, wanted: number): number {
  const outputs = TERMS;
  const one = tensor(
    Float64Array.from({ length: outputs ** 2 }, (_, n) => Number(n % (outputs + 1) === 0)),
    [outputs, outputs],
  );
  const terms: number[] = [];
  for (let rank = 0; ; ) {
    const model = randomNetwork(bench, { kind: 'cp', xi, steps: T, inputs: M, outputs, rank: outputs });
    model.setParameters({ ...model.parameters, lambda: one });
    const { data } = gridTensor(model, identity(M));
    for (let r = 0; r < outputs; r++) for (let n = r; n < data.length; n += outputs) terms.push(data[n]);
    const matrix = tensor(Float64Array.from(terms), [terms.length / M ** T, M ** T]);
    rank = matricizationRank(matrix, [0], { backend: bench.backend, tolerance: ROUNDING }).rank;
    if (rank >= wanted || matrix.shape[0] >= MOST_TERMS) return rank;
  }
}

/**
 * A term √(P + Q) or ln(P + Q) whose numbers P of the rows are apart by 1/4 at least, and so are Q of the columns: of equal
 * ones two rows would be equal, and of close ones nearly. Mode n of a side gives the digit of M^n.
 */
function apartTerm({ rng, backend }: Bench, xi: 'l2' | 'logsumexp', M: number, T: number): Model {
  const v = new Float64Array(T * M);
  for (let t = 0; t < T; t++) {
    const turn = rng.below(M);
    for (let m = 0; m < M; m++) {
      const value = (((m + turn) % M) + 0.25 + rng.uniform() / 4) * M ** Math.floor(t / 2);
      v[t * M + m] = xi === 'l2' ? (rng.below(2) === 0 ? 1 : -1) * Math.sqrt(value) : Math.log(value);
    }
  }
  return termOf(xi, M, T, rng.normal(), v, backend);
}

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
  return termOf(xi, M, T, 1, v, backend);
}

/** The network λ ξ(v_1[i_1], …, v_T[i_T]) of one term. */
function termOf(
  xi: Xi,
  M: number,
  T: number,
  lambda: number,
  v: Float64Array,
  backend: Bench['backend'],
): Model {
  const own = { lambda: tensor([[lambda]]), v: tensor(v, [T, 1, M]) };
  return modelOf({ kind: 'cp', xi, steps: T, outputs: 1, rank: 1 }, own, featureMap(M), { backend });
}
