import type { ContractSizes, Precision } from '../backend/interface.ts';
import { XiError } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { meant } from '../core/nearest.ts';
import type { DType, FloatArray } from '../core/tensor.ts';
import type { Xi } from '../core/xi.gen.ts';
import type { ModelOptions } from '../models/config.ts';

interface Common {
  /** `GROUP …`: the group is the first word, and a prefix of the name selects it on the command line. */
  readonly name: string;
  readonly dtype: DType;
}

/** `out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j])`; as `gradients` also its three gradients, from a given dout. */
export interface ContractWorkload extends Common {
  readonly kind: 'contract' | 'gradients';
  readonly xi: Xi;
  readonly sizes: ContractSizes;
  /** Below float32: for instruction sets with a tile for it, and no peers. */
  readonly precision?: Exclude<Precision, 'float32'>;
}

/** `C[i,j] = max_k A[i,k] + B[k,j]`, n × n. */
export interface MaxPlusWorkload extends Common {
  readonly kind: 'maxplus';
  readonly n: number;
}

/**
 * The whole grid tensor of a recurrent network with h_0 = 0: step t gives every prefix of templates its M successors,
 * `h_t[(prefix,m),k] = Σ_ij G_t[i,j,k] ξ(a[m,i], h_{t−1}[prefix,j])`; ranks 1, R, …, R, 1.
 */
export interface GridWorkload extends Common {
  readonly kind: 'grid';
  readonly xi: Xi;
  readonly M: number;
  readonly T: number;
  readonly L: number;
  readonly R: number;
}

/** A contraction so small that the way into the kernel is all there is to measure. */
export interface CallWorkload extends Common {
  readonly kind: 'call';
  readonly xi: Xi;
  readonly sizes: ContractSizes;
  /** The method of the backend on storages that are there, or the public `contract` on tensors. */
  readonly way: 'backend' | 'public';
}

/**
 * A network on B examples: `train` is a step of training, forward, softmax cross-entropy, backward and Adam; `score` the
 * scores alone.
 */
export interface ModelWorkload extends Common {
  readonly kind: 'train' | 'score';
  readonly model: ModelOptions;
  readonly B: number;
}

/**
 * One network of the paper's Figure 3: the grid over all M^T sequences and the singular values of its square
 * matricization, which is what peers do of `exact` ones too: those prove the rank, and peers cannot.
 */
export interface RankWorkload extends Common {
  readonly kind: 'rank';
  readonly exact: boolean;
  readonly xi: Xi;
  readonly M: number;
  readonly T: number;
  readonly L: number;
  readonly R: number;
}

/** The tensor train, to a relative error of `eps`, of independent entries or of a tensor whose ranks are `rank`. */
export interface TtSvdWorkload extends Common {
  readonly kind: 'ttsvd';
  readonly shape: readonly number[];
  readonly rank: number | null;
  readonly eps: number;
  /** By random projections, which NumPy has none of: beside it stands what it does without. */
  readonly randomized: boolean;
}

export type AnalysisWorkload = RankWorkload | TtSvdWorkload;

export type Workload =
  | ModelWorkload
  | ContractWorkload
  | MaxPlusWorkload
  | GridWorkload
  | CallWorkload
  | AnalysisWorkload;

/** An array that every subject of a workload is handed. */
export interface Input {
  readonly shape: readonly number[];
  readonly data: FloatArray;
}

export type Inputs = Readonly<Record<string, Input>>;

/**
 * What a subject computed: `out`, of a training its first losses, with gradients `da`, `dh`, `dG` too. The rows of a grid are prefix-major, the first
 * template slowest, unless `lastSlowest` says that the last one is.
 */
export interface Outputs {
  readonly arrays: Readonly<Record<string, FloatArray>>;
  readonly lastSlowest?: boolean;
}

export const isModel = (workload: Workload): workload is ModelWorkload => 'model' in workload;
export const isAnalysis = (workload: Workload): workload is AnalysisWorkload =>
  workload.kind === 'rank' || workload.kind === 'ttsvd';

const C1 = { B: 250, L: 32, R: 64, K: 64 };
const C2 = { B: 256, L: 100, R: 256, K: 256 };
const C3 = { ...C1, B: 1 };
const G1 = { M: 10, T: 6, L: 10, R: 8 };
const IMAGES = {
  steps: 16,
  inputs: 49,
  outputs: 10,
  features: { size: 32 },
  init: 'normal',
  seed: 7,
} as const;
const TINY = { B: 2, L: 2, R: 2, K: 2 };

/** What is measured. Names are fixed: targets and published results refer to them. */
export const WORKLOADS: readonly Workload[] = [
  { name: 'C1 rectifier f32', kind: 'contract', xi: 'rectifier', dtype: 'float32', sizes: C1 },
  { name: 'C1 product f32', kind: 'contract', xi: 'product', dtype: 'float32', sizes: C1 },
  { name: 'C1 logsumexp f32', kind: 'contract', xi: 'logsumexp', dtype: 'float32', sizes: C1 },
  { name: 'C1 l2 f32', kind: 'contract', xi: 'l2', dtype: 'float32', sizes: C1 },
  { name: 'C1 rectifier f32 gradients', kind: 'gradients', xi: 'rectifier', dtype: 'float32', sizes: C1 },
  { name: 'C2 rectifier f32', kind: 'contract', xi: 'rectifier', dtype: 'float32', sizes: C2 },
  ...(['bf16x3', 'bf16'] as const).map((precision) => ({
    ...({ name: `C2 rectifier ${precision}`, kind: 'contract', xi: 'rectifier', dtype: 'float32' } as const),
    ...{ sizes: C2, precision },
  })),
  { name: 'C2 product f32', kind: 'contract', xi: 'product', dtype: 'float32', sizes: C2 },
  { name: 'C2 rectifier f64', kind: 'contract', xi: 'rectifier', dtype: 'float64', sizes: C2 },
  { name: 'C3 rectifier f32', kind: 'contract', xi: 'rectifier', dtype: 'float32', sizes: C3 },
  { name: 'S1 max-plus 1024 f32', kind: 'maxplus', dtype: 'float32', n: 1024 },
  { name: 'G1 grid f64', kind: 'grid', xi: 'rectifier', dtype: 'float64', ...G1 },
  { name: 'G2 grid L64 f64', kind: 'grid', xi: 'rectifier', dtype: 'float64', M: 64, T: 3, L: 64, R: 16 },
  { name: 'G2 grid L128 f64', kind: 'grid', xi: 'rectifier', dtype: 'float64', M: 64, T: 3, L: 128, R: 16 },
  // 1.9 million parameters each.
  ...(
    [
      ['N1 TT step', 'train', { kind: 'tt', rank: 64 }, 250],
      ['N2 CP step', 'train', { kind: 'cp', rank: 3560 }, 250],
      ['N3 HT step', 'train', { kind: 'ht', rank: 51 }, 250],
      ['N4 CP score', 'score', { kind: 'cp', rank: 1024 }, 1000],
    ] as const
  ).map(
    ([name, kind, network, B]): ModelWorkload => ({
      name: `${name} rectifier f32`,
      kind,
      dtype: 'float32',
      model: { ...IMAGES, ...network, xi: 'rectifier' },
      B,
    }),
  ),
  { name: 'R1 rank f64', kind: 'rank', exact: false, xi: 'rectifier', dtype: 'float64', ...G1 },
  { name: 'R2 exact rank f64', kind: 'rank', exact: true, xi: 'rectifier', dtype: 'float64', ...G1 },
  ...(
    [
      ['D1 TT-SVD full f64', { shape: new Array<number>(6).fill(10), rank: null, randomized: false }],
      ['D2 TT-SVD rank 10 f64', { shape: new Array<number>(6).fill(16), rank: 10, randomized: false }],
      ['D3 randomized TT-SVD f64', { shape: new Array<number>(6).fill(16), rank: 10, randomized: true }],
    ] as const
  ).map(
    ([name, tensor]): TtSvdWorkload => ({ name, kind: 'ttsvd', dtype: 'float64', eps: 1e-10, ...tensor }),
  ),
  {
    name: 'boundary backend.contract',
    kind: 'call',
    way: 'backend',
    xi: 'product',
    dtype: 'float32',
    sizes: TINY,
  },
  { name: 'boundary contract()', kind: 'call', way: 'public', xi: 'product', dtype: 'float32', sizes: TINY },
];

/** Groups in the order of the table. */
export const GROUPS: readonly string[] = [...new Set(WORKLOADS.map(({ name }) => name.split(' ')[0]))];

/** Extents of the steps of a grid: rows out of step t, and G_t [L, before, after]. */
export function gridSteps({ M, T, L, R }: Pick<GridWorkload, 'M' | 'T' | 'L' | 'R'>) {
  return Array.from({ length: T }, (_, t) => ({
    prefixes: M ** t,
    sizes: { L, R: t === 0 ? 1 : R, K: t === T - 1 ? 1 : R },
  }));
}

/** Operations of the largest contraction on which plain JavaScript is measured; C2 takes it several seconds. */
export const PATIENCE = 2e8;

/** Floating-point operations of the definition; that a subject gets along with fewer shows as more than the peak. */
export function operationsOf(workload: Workload): number {
  if (workload.kind === 'maxplus') return 2 * workload.n ** 3;
  if (workload.kind === 'grid') {
    return gridSteps(workload).reduce(
      (sum, { prefixes, sizes: { L, R, K } }) => sum + 2 * workload.M * prefixes * L * R * K,
      0,
    );
  }
  if (workload.kind === 'rank') return operationsOfRank(workload);
  if (workload.kind === 'ttsvd') return operationsOfTtSvd(workload);
  if (isModel(workload)) {
    return workload.B * operationsOfModel(workload.model) * (workload.kind === 'train' ? 3 : 1);
  }
  const { B, L, R, K } = workload.sizes;
  return 2 * B * L * R * K * (workload.kind === 'gradients' ? 3 : 1);
}

/** The grid, and what bidiagonalization takes of a square matrix: Golub & Van Loan 2013, section 8.6. */
function operationsOfRank({ M, T, L, R }: RankWorkload): number {
  const grid = gridSteps({ M, T, L, R }).reduce(
    (sum, { prefixes, sizes: { L, R, K } }) => sum + 2 * M * prefixes * L * R * K,
    0,
  );
  const [rows, columns] = [M ** Math.ceil(T / 2), M ** Math.floor(T / 2)];
  return grid + 4 * columns ** 2 * (rows - columns / 3);
}

/** Of each unfolding 6·m·n·min(m,n), an SVD with one side of vectors, the left ranks being the least possible. */
function operationsOfTtSvd({ shape, rank }: TtSvdWorkload): number {
  let [left, rest] = [1, product(shape)];
  return shape.slice(0, -1).reduce((sum, n) => {
    const [rows, columns] = [left * n, rest / n];
    rest = columns;
    left = Math.min(rows, columns, rank ?? rows);
    return sum + 6 * rows * columns * Math.min(rows, columns);
  }, 0);
}

/** Whether its operations are those that any subject does: not of tiny calls, nor of decompositions, where algorithms differ. */
export const hasOperations = (workload: Workload) => workload.kind !== 'call' && !isAnalysis(workload);

/** Multiply-adds of an example's way through features and contractions, times two. */
function operationsOfModel({ kind, steps: T, inputs, outputs, rank, features: { size: M } }: ModelOptions) {
  const R = rank as number;
  const features = 2 * T * M * inputs;
  if (kind === 'cp') return features + 2 * R * (T * M + outputs);
  if (kind === 'tt') return features + 2 * T * M * M + 2 * M * R * (1 + (T - 2) * R + outputs);
  return features + 2 * T * M * R + 2 * R * R * ((T - 2) * R + outputs);
}

/** The workloads whose names begin with one of the words given, or all; `unknown` are the words that fit none. */
export function selectWorkloads(words: readonly string[]): {
  chosen: readonly Workload[];
  unknown: string[];
} {
  const begins = ({ name }: Workload, word: string) =>
    `${name} `.toLowerCase().startsWith(`${word} `.toLowerCase());
  return {
    chosen:
      words.length === 0 ? WORKLOADS : WORKLOADS.filter((workload) => words.some((w) => begins(workload, w))),
    unknown: words.filter((word) => !WORKLOADS.some((workload) => begins(workload, word))),
  };
}

/**
 * As {@link selectWorkloads}, for a command.
 *
 * @throws XiError E_ARGUMENT for a word that fits none, with the one that was probably meant; `others` are words that
 *   the command knows besides.
 */
export function chooseWorkloads(
  words: readonly string[],
  others: readonly string[] = [],
): readonly Workload[] {
  const { chosen, unknown } = selectWorkloads(words);
  if (unknown.length === 0) return chosen;
  const groups = [...GROUPS, ...others];
  const hint = meant(unknown[0], [...groups, ...WORKLOADS.map(({ name }) => name)]);
  throw new XiError(
    'E_ARGUMENT',
    `unknown workload '${unknown[0]}': expected the start of a name in ${groups.join(', ')}${hint}`,
  );
}
