import { type Block, block, negated, type Recurrent, steps } from './build.ts';

/** Constructions of a recurrent network from a linear tensor train. */
export const RECURRENT_VARIANTS = ['c1', 'c0'] as const;
/** Constructions of recurrent networks: ranks r_t + 1 with L = M, or ranks r_t with L = 2M. */
export type RecurrentVariant = (typeof RECURRENT_VARIANTS)[number];

/** A linear tensor train: cores Q_t [r_{t−1}, M, r_t] with r_0 = 1, and a bound on |Q_1[i_1] ⋯ Q_t[i_t]| for each t < T. */
export interface LinearTrain {
  readonly cores: readonly Block[];
  readonly bounds: readonly number[];
}

/**
 * Slack of the shift over the bound on prefix products, so that which operand is selected survives errors of the projections: p
 * lies in [0.25, 2.25] bounds where K = 2.5.
 */
const SLACK = 1.25;

/** One core of the linear train with what its construction needs. */
interface Step {
  readonly M: number;
  /** s_{t−1} and s_t; s_T = 0. */
  readonly s: number;
  readonly next: number;
  readonly last: boolean;
  readonly Q: (j: number, i: number, k: number) => number;
  /** q_ik = Σ_j Q[j,i,k]. */
  readonly q: (i: number, k: number) => number;
  /** Σ_i q_ik. */
  readonly total: (k: number) => number;
  readonly rows: number;
  readonly columns: number;
}

function stepsOf({ cores, bounds }: LinearTrain): Step[] {
  const T = cores.length;
  return cores.map(({ shape: [rows, M, columns], data }, t) => {
    const q = new Float64Array(M * columns);
    const total = new Float64Array(columns);
    for (let n = 0; n < data.length; n++) {
      q[n % (M * columns)] += data[n];
      total[n % columns] += data[n];
    }
    const shift = (at: number) => (at < 0 || at === T - 1 ? 0 : SLACK * bounds[at]);
    return {
      ...{ M, rows, columns, s: shift(t - 1), next: shift(t), last: t === T - 1 },
      Q: (j, i, k) => data[(j * M + i) * columns + k],
      q: (i, k) => q[i * columns + k],
      total: (k) => total[k],
    };
  });
}

/** One value on the diagonal, another off it. */
const diagonal = (on: number, off: number) => (i: number, m: number) => (i === m ? on : off);

/**
 * Theorem C1: a tensor of TT-ranks r_t is the grid tensor of a rectifier network with L = M and R_t = r_t + 1.
 *
 * Hidden unit 0 is 0, unit 1 + k is p_k = g_k + s with the prefix product g. A_t is −K on the diagonal and K off it, so that
 * max(a_i, p, 0) = K(1 − δ_i) + δ_i p: the template that is shown selects p, and z_i = max(a_i, 0, 0) gives δ_i and 1.
 */
function rectifierC1(train: LinearTrain): Recurrent {
  const cores = stepsOf(train).map((step, t) => {
    const { M, s, next, Q, q, total } = step;
    const K = 2 * s;
    const first = (i: number, k: number) => Q(0, i, k) + next;
    const constant = (m: number, k: number) => {
      const selected = (s / K) * (total(k) / (M - 1) - q(m, k));
      return -q(m, k) - selected + next / (K * (M - 1));
    };
    const G = withUnit(step, t, {
      unit: () => 0,
      first,
      constant,
      core: (i, j, k) => Q(j, i, k),
    });
    return { A: block([M, M], t === 0 ? diagonal(1, -1) : diagonal(-K, K)), G };
  });
  return { xi: 'rectifier', A: cores.map(({ A }) => A), G: cores.map(({ G }) => G) };
}

/** The same with max, whose constant unit is −K and which needs no shift. */
function maxC1(train: LinearTrain): Recurrent {
  const cores = stepsOf(train).map((step, t) => {
    const { M, s, next, Q, q, total } = step;
    const K = 2 * s;
    // z_i = max(a_i, −K) = K(2 − 3δ_i) and Σ_i z_i = K(2M − 3).
    const G = withUnit(step, t, {
      unit: () => (t === 0 ? -2 * next : (-2 * next) / (K * (2 * M - 3))),
      first: (i, k) => Q(0, i, k),
      constant: (m, k) => -q(m, k) - ((2 * total(k)) / (2 * M - 3) - q(m, k)) / 3,
      core: (i, j, k) => Q(j, i, k),
    });
    return { A: block([M, M], t === 0 ? diagonal(1, 0) : diagonal(-K, 2 * K)), G };
  });
  return { xi: 'max', A: cores.map(({ A }) => A), G: cores.map(({ G }) => G) };
}

/** A core [M, R_{t−1}, R_t] whose hidden unit 0 is constant, at the first step without a state and at the last without that unit. */
function withUnit(
  { M, rows, columns, last }: Step,
  t: number,
  entry: {
    readonly unit: (m: number) => number;
    readonly first: (i: number, k: number) => number;
    readonly constant: (m: number, k: number) => number;
    readonly core: (i: number, j: number, k: number) => number;
  },
): Block {
  const shift = last ? 0 : 1;
  return block([M, t === 0 ? 1 : rows + 1, columns + shift], (i, j, out) => {
    const k = out - shift;
    if (k < 0) return j === 0 ? entry.unit(i) : 0;
    if (t === 0) return entry.first(i, k);
    return j === 0 ? entry.constant(i, k) : entry.core(i, j - 1, k);
  });
}

/**
 * Theorem C0: with 2M rows R_t = r_t suffices. The rows K(1 + δ_i) beat every state, so that they give δ_i and 1 without a
 * constant hidden unit.
 */
function rectifierC0(train: LinearTrain): Recurrent {
  const cores = stepsOf(train).map((step, t) => {
    const { M, rows, columns, s, next, Q, q, total } = step;
    const K = 2 * s;
    const gamma = (k: number) => next - K * total(k);
    const big = (i: number, k: number) =>
      ((K - s) * q(i, k)) / K + (gamma(k) - (K - s) * total(k)) / (K * (M + 1));
    const G = block([2 * M, rows, columns], (i, j, k) => {
      if (t === 0) return i < M ? Q(0, i, k) + next : 0;
      if (i < M) return Q(j, i, k);
      return j === 0 ? big(i - M, k) : 0;
    });
    const A = block([2 * M, M], (i, m) => {
      if (t === 0) return i >= M ? 0 : i === m ? 1 : -1;
      return i < M ? diagonal(-K, K)(i, m) : diagonal(2 * K, K)(i - M, m);
    });
    return { A, G };
  });
  return { xi: 'rectifier', A: cores.map(({ A }) => A), G: cores.map(({ G }) => G) };
}

/** The recurrent network with ξ = product that a linear tensor train is: A_t = I. */
export function productTrain({ cores }: LinearTrain): Recurrent {
  return {
    xi: 'product',
    A: cores.map(({ shape: [, M] }) => block([M, M], diagonal(1, 0))),
    G: cores.map(({ shape: [rows, M, columns], data }) =>
      block([M, rows, columns], (i, j, k) => data[(j * M + i) * columns + k]),
    ),
  };
}

/** The recurrent network of a variant; min is the mirror image of max on −H. */
export function selectorTrain(
  train: LinearTrain,
  xi: 'rectifier' | 'max' | 'min',
  variant: RecurrentVariant,
): Recurrent {
  if (xi === 'rectifier') return variant === 'c1' ? rectifierC1(train) : rectifierC0(train);
  if (xi === 'max') return maxC1(train);
  const T = train.cores.length;
  const mirrored = steps(T, (t) => (t === T - 1 ? negated(train.cores[t]) : train.cores[t]));
  const { A, G } = maxC1({ ...train, cores: mirrored });
  return { xi, A: A.map(negated), G };
}
