import { gridTensor } from '../../analysis/grid.ts';
import { relativeError } from '../../core/distance.ts';
import { type Tensor, tensor } from '../../core/tensor.ts';
import { XI_NAMES, type Xi } from '../../core/xi.gen.ts';
import { identity } from '../../theory/features.ts';
import { oneHotTensor } from '../../theory/onehot.ts';
import { margins, openSetNetwork, shallowTwin } from '../../theory/openset.ts';
import { type RealizeOptions, realization } from '../../theory/realize.ts';
import { shallowToRecurrent } from '../../theory/shallow.ts';
import { addNetworks } from '../../theory/sums.ts';
import { type Bench, type Check, EXACT } from './check.ts';
import { gridError, pick, randomFeatures, randomNetwork, randomTensor } from './instances.ts';

const TENSORS = [
  [2, 3, 1],
  [3, 3, 2],
  [2, 5, 1],
  [3, 4, 1],
  [4, 3, 1],
] as const;

/** A random tensor held by a network, with what is wrong with the grid or the ranks of that network. */
function realized(
  options: Pick<RealizeOptions, 'kind' | 'xi' | 'variant'>,
  excess?: { readonly rank: number; readonly projection: number },
): Check['measure'] {
  return ({ rng, backend }, instance) => {
    const [M, T, outputs] = TENSORS[instance % TENSORS.length];
    const H = randomTensor(rng, [...new Array(T).fill(M), outputs]);
    const features = instance % 2 === 0 ? identity(M) : randomFeatures(rng, M);
    const made = realization(H, { ...options, features, steps: T, backend });
    const { rank, projection } = made.model.config;
    const wanted = made.ttRanks?.map((r) => r + (excess?.rank ?? 0));
    const asPredicted = !excess || (`${rank}` === `${wanted}` && projection === excess.projection * M);
    if (!asPredicted) return Number.POSITIVE_INFINITY;
    return gridError(made.model, made.templates, H.data) / made.condition;
  };
}

const UNIVERSAL = { figure: 'relative error', instances: 20, tolerance: EXACT } as const;
const UNIVERSALITY = 'docs/theory.md#universality';

export const CONSTRUCTION_CHECKS: readonly Check[] = [
  {
    ...{ id: 'lemma-5.1', source: 'Lemma 5.1', figure: 'relative error', instances: 32, tolerance: EXACT },
    statement: 'the grid tensors of two networks add in a network whose ranks add, every ξ, TT and CP',
    measure: (bench, instance) => {
      const { rng } = bench;
      const xi = XI_NAMES[instance % XI_NAMES.length];
      const [M, T] = pick(rng, [
        [2, 4],
        [3, 3],
        [4, 2],
      ] as const);
      const kind = instance < 16 ? 'tt' : 'cp';
      const sizes = { kind, xi, steps: T, inputs: M, outputs: 2 } as const;
      const [p, q] = [2, 3].map((rank) => randomNetwork(bench, { ...sizes, rank }));
      const grids = [p, q].map((model) => gridTensor(model, identity(M)).data);
      return gridError(
        addNetworks(p, q),
        identity(M),
        grids[0].map((value, n) => value + grids[1][n]),
      );
    },
  },
  {
    ...{
      id: 'proposition-A.4',
      source: 'Proposition A.4',
      figure: 'relative error',
      instances: 32,
      tolerance: EXACT,
    },
    statement:
      'a shallow network of width R is a recurrent one of ranks R, a term of it one of unit ranks, every ξ',
    measure: (bench, instance) => {
      const xi = XI_NAMES[instance % XI_NAMES.length];
      const sizes = { kind: 'cp', xi, steps: 4, inputs: 3, outputs: 2 } as const;
      const model = randomNetwork(bench, { ...sizes, rank: instance % 2 === 0 ? 1 : 3 });
      return gridError(shallowToRecurrent(model), identity(3), gridTensor(model, identity(3)).data);
    },
  },
  {
    ...{
      id: 'lemma-5.2',
      source: 'Lemma 5.2',
      figure: 'relative error',
      instances: 16,
      tolerance: EXACT,
    },
    statement: 'a one-hot tensor is a shallow network of width 2 and a recurrent one of ranks 2',
    measure: ({ rng, backend }, instance) => {
      const [M, T] = pick(rng, [
        [2, 4],
        [3, 3],
        [4, 2],
      ] as const);
      const xi = (['rectifier', 'max', 'min', 'product'] as const)[instance % 4];
      const index = Array.from({ length: T }, () => rng.below(M));
      const expected = new Float64Array(M ** T);
      expected[index.reduce((at, m) => at * M + m, 0)] = 1;
      const model = oneHotTensor({ kind: instance < 8 ? 'cp' : 'tt', xi, size: M, index, backend });
      return gridError(model, identity(M), expected);
    },
  },
  ...(['entries', 'entries+constant', 'fibres'] as const).map(
    (variant): Check => ({
      ...UNIVERSAL,
      id: `theorem-5.1-${variant}`,
      source: `Theorem 5.1; ${variant === 'fibres' ? UNIVERSALITY : 'Cohen & Shashua 2016'}`,
      statement: `any tensor is a shallow rectifier network of width ${{ entries: 'M^T', 'entries+constant': 'M^T + 1', fibres: 'M^(T−1) + 1' }[variant]}`,
      measure: realized({ kind: 'cp', xi: 'rectifier', variant }),
    }),
  ),
  {
    ...{ ...UNIVERSAL, id: 'theorem-5.1-c1', source: `Theorem 5.1; ${UNIVERSALITY}` },
    statement: 'any tensor of TT-ranks r_t is a rectifier network with L = M, R_t = r_t + 1',
    measure: realized({ kind: 'tt', xi: 'rectifier', variant: 'c1' }, { rank: 1, projection: 1 }),
  },
  {
    ...{ ...UNIVERSAL, id: 'theorem-5.1-c0', source: `Theorem 5.1; ${UNIVERSALITY}` },
    statement: 'any tensor of TT-ranks r_t is a rectifier network with L = 2M, R_t = r_t',
    measure: realized({ kind: 'tt', xi: 'rectifier', variant: 'c0' }, { rank: 0, projection: 2 }),
  },
  ...(['max', 'min'] as const).map(
    (xi): Check => ({
      ...{ ...UNIVERSAL, id: `universality-${xi}`, source: UNIVERSALITY },
      statement: `any tensor of TT-ranks r_t is a ${xi} network with L = M, R_t = r_t + 1`,
      measure: realized({ kind: 'tt', xi }, { rank: 1, projection: 1 }),
    }),
  ),
  {
    ...{ ...UNIVERSAL, id: 'product', source: 'definition of a tensor train' },
    statement: 'any tensor is a product network whose ranks are its TT-ranks, L = M',
    measure: realized({ kind: 'tt', xi: 'product' }, { rank: 0, projection: 1 }),
  },
  {
    ...{ ...UNIVERSAL, id: 'universality-ht', source: UNIVERSALITY },
    statement: 'any tensor is a full one-hot tree, R_l = M^(2^l), for rectifier, max, min and product',
    measure: (bench, instance) => {
      const xi = pick<Xi>(bench.rng, ['rectifier', 'max', 'min', 'product']);
      return realized({ kind: 'ht', xi })(bench, instance);
    },
  },
  {
    ...{ ...UNIVERSAL, id: 'additive', source: UNIVERSALITY },
    statement:
      'additive tensors are networks with ξ = sum of width 1 and relusum of width at most 2, of every kind',
    measure: (bench, instance) => {
      const { rng, backend } = bench;
      const [M, T] = TENSORS[instance % TENSORS.length];
      const H = additiveTensor(bench, M, T);
      const xi = pick(rng, ['sum', 'relusum'] as const);
      const kind = pick(rng, ['cp', 'tt', 'ht'] as const);
      const { model, templates } = realization(H, { kind, xi, backend });
      if (Math.max(...model.config.rank) > (xi === 'sum' ? 1 : 2)) return Number.POSITIVE_INFINITY;
      return gridError(model, templates, H.data);
    },
  },
  {
    ...{
      id: 'theorem-5.3',
      source: 'Theorem 5.3',
      figure: 'relative error',
      instances: 40,
      tolerance: EXACT,
    },
    statement:
      'networks in an open set equal a shallow network of width 1, and so do perturbed ones with positive margins',
    measure: ({ rng, backend }, instance) => {
      const [M, T] = pick(rng, [
        [2, 4],
        [3, 3],
        [4, 3],
      ] as const);
      const features = randomFeatures(rng, M);
      const model = openSetNetwork({ size: M, steps: T, rank: 3, features, seed: rng.integer(), backend });
      if (!margins(model, identity(M)).inside) return Number.POSITIVE_INFINITY;
      const noise = 10 ** -(2 + (instance % 3) * 2);
      const moved = Object.entries(model.parameters).map(([name, value]): [string, Tensor] => [
        name,
        tensor(
          value.data.map((x) => x * (1 + noise * rng.normal())),
          value.shape,
        ),
      ]);
      model.setParameters(Object.fromEntries(moved));
      // Open says that small perturbations stay inside; how small, the margins say.
      if (!margins(model, identity(M)).inside) return noise > 1e-5 ? 0 : Number.POSITIVE_INFINITY;
      const grid = gridTensor(model, identity(M)).data;
      return relativeError(gridTensor(shallowTwin(model), identity(M)).data, grid);
    },
  },
];

/** Σ_t φ_t(i_t), raised or lowered now and then so that it has one sign. */
function additiveTensor({ rng }: Bench, M: number, T: number): Tensor {
  const phi = randomTensor(rng, [T, M]).data;
  const shift = pick(rng, [-4, 0, 4]) * T;
  const data = Float64Array.from({ length: M ** T }, (_, n) => {
    let value = shift;
    for (let t = T - 1, rest = n; t >= 0; t--, rest = Math.floor(rest / M)) value += phi[t * M + (rest % M)];
    return value;
  });
  return tensor(data, new Array<number>(T).fill(M));
}
