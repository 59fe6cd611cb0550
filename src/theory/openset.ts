import { integer, knownKeys, mismatch, naming, XiError } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';
import { checkTensor, type Tensor, zeros } from '../core/tensor.ts';
import type { Model } from '../models/model.ts';
import { type Block, block, checkSizes, type Placement, recurrentModel, steps } from './build.ts';
import { evaluate, type FeatureChoice, featureMap } from './features.ts';
import { cores, modelLike, ofKind } from './parts.ts';

/** How far a network lies inside the open set of Theorem 5.3. */
export interface Margins {
  /** `min_{i,m} a_T[i](m) − max(0, max h_{T−1})`: by how much the last input beats every state. */
  readonly selection: number;
  /** The least score on the templates of the last step, ⟨f(x_m), v_T⟩. */
  readonly score: number;
  /** Both are positive: a shallow network of width 1 (an output) has the same grid tensor. */
  readonly inside: boolean;
}

/** 2²⁴ prefixes with their states of float64 take some seconds. */
const MAX_PREFIXES = 2 ** 24;
/** Prefixes whose states are computed at a time. */
const BLOCK = 4096;

/**
 * The margins of a rectifier network on templates [M,N] by which it is in the open set of Theorem 5.3, over all M^(T−1) prefixes.
 *
 * @throws XiError E_ARGUMENT for other models or one step; E_SHAPE for templates that do not fit; E_MEMORY beyond 2^24 prefixes.
 */
export function margins(model: Model, templates: Tensor): Margins {
  const { config } = rectifierTrain('margins', model);
  const T = config.steps;
  const { data, shape } = checkTensor('margins templates', templates, [-1, config.inputs], config.dtype);
  const [M, N] = shape;
  if (M < 1) throw mismatch('E_SHAPE', 'margins templates', 'at least one template', shape);
  if (M ** (T - 1) > MAX_PREFIXES)
    throw new XiError('E_MEMORY', `margins: expected at most 2^24 prefixes, received ${M}^${T - 1}`);
  const { 'features.A': A, 'features.b': b } = model.parameters;
  const F = evaluate(A, b, config.features.activation, templates);
  let highest = 0;
  for (let start = 0; start < M ** (T - 1); start += BLOCK) {
    const rows = Math.min(BLOCK, M ** (T - 1) - start);
    const X = zeros([rows, T, N], config.dtype);
    for (let row = 0; row < rows; row++) {
      let prefix = start + row;
      for (let t = T - 2; t >= 0; t--) {
        const m = prefix % M;
        prefix = Math.floor(prefix / M);
        X.data.set(data.subarray(m * N, (m + 1) * N), (row * T + t) * N);
      }
    }
    for (const value of model.states(X)[T - 2].data) highest = Math.max(highest, value);
  }
  const lowest = leastProjection(cores(model, 'C')[T - 1], F, M);
  const score = leastProjection(lastDirections(model), F, M);
  const selection = lowest - highest;
  return { selection, score, inside: selection > 0 && score > 0 };
}

/**
 * The shallow network that agrees with a network inside the open set of Theorem 5.3: one term an output, v_t = 0 for t < T and
 * `v_T = C_T^T g`, `g_i = Σ_j G_T[i,j,c]`. That it is inside is what {@link margins} finds.
 *
 * @throws XiError E_ARGUMENT for other models or one step.
 */
export function shallowTwin(model: Model): Model {
  const { config } = rectifierTrain('shallowTwin', model);
  const { outputs, steps: T } = config;
  const M = config.features.size;
  const last = lastDirections(model);
  const v = block([T, outputs, M], (t, c, m) => (t === T - 1 ? last.data[c * M + m] : 0));
  const lambda = block([outputs, outputs], (r, c) => Number(r === c));
  return modelLike(model, { kind: 'cp', rank: outputs }, { v, lambda });
}

/** v_T [outputs,M] of each output. */
function lastDirections(model: Model): Block {
  const T = model.config.steps;
  const C = cores(model, 'C')[T - 1];
  const G = cores(model, 'G')[T - 1];
  const [L, R, outputs] = G.shape;
  return block([outputs, C.shape[1]], (c, m) => {
    let sum = 0;
    for (let i = 0; i < L; i++)
      for (let j = 0; j < R; j++) sum += G.data[(i * R + j) * outputs + c] * C.data[i * C.shape[1] + m];
    return sum;
  });
}

/** The least ⟨row, f(x_m)⟩ over all rows and templates. */
function leastProjection(
  { shape: [rows, size], data }: Pick<Tensor, 'shape' | 'data'>,
  F: Float64Array,
  M: number,
): number {
  let least = Number.POSITIVE_INFINITY;
  for (let row = 0; row < rows; row++) {
    for (let m = 0; m < M; m++) {
      let sum = 0;
      for (let n = 0; n < size; n++) sum += data[row * size + n] * F[m * size + n];
      least = Math.min(least, sum);
    }
  }
  return least;
}

function rectifierTrain(where: string, model: Model): Model {
  const { config } = ofKind(where, model, 'tt');
  if (config.xi !== 'rectifier') throw mismatch('E_ARGUMENT', where, 'a network of rectifiers', config.xi);
  if (config.steps < 2) throw mismatch('E_ARGUMENT', where, 'at least two steps', config.steps);
  return model;
}

/** Sizes and distances of {@link openSetNetwork}. */
export interface OpenSetOptions extends Placement {
  /** M, the number of templates. */
  readonly size: number;
  /** T, at least 2. */
  readonly steps: number;
  /** R_1 … R_{T−1}. */
  readonly rank: number;
  /** L; M by default. */
  readonly projection?: number;
  /** Features of the templates; one-hot templates that are their own features by default. */
  readonly features?: FeatureChoice;
  /** Of the weights; 0 by default. */
  readonly seed?: number;
}

/** By how much the last input of {@link openSetNetwork} beats a bound on every state. */
const CLEARANCE = 1;

/**
 * A random rectifier network inside the open set of Theorem 5.3: normal weights up to step T − 1, whose states are below a bound; the
 * last projections are above it, and the rows of G_T have positive sums.
 *
 * @throws XiError E_ARGUMENT for fewer than two steps or sizes below 1; E_MEMORY, before anything is allocated, for a network of more
 * than 2 GiB.
 */
export function openSetNetwork(options: OpenSetOptions): Model {
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', 'openSetNetwork', '{ size, steps, rank }', options);
  const where = 'openSetNetwork';
  knownKeys(where, options, ['size', 'steps', 'rank', 'projection', 'features', 'seed', 'dtype', 'backend']);
  const M = integer(`${where} size`, options.size, 1, 2 ** 20);
  const T = integer(`${where} steps`, options.steps, 2, 2 ** 16);
  const R = integer(`${where} rank`, options.rank, 1, 2 ** 20);
  const L = integer(`${where} projection`, options.projection ?? M, 1, 2 ** 20);
  const sizes = { kind: 'tt', xi: 'rectifier', steps: T, outputs: 1, rank: R, projection: L } as const;
  checkSizes(where, sizes, M);
  const rng = new Rng(integer(`${where} seed`, options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER), 53);
  const normal = (deviation: number) => () => rng.normal(deviation);
  const A = steps(T - 1, () => block([L, M], normal(1)));
  const G = steps(T - 1, (t) => block([L, t === 0 ? 1 : R, R], normal(1 / Math.sqrt(L * (t === 0 ? 1 : R)))));
  const bound = G.reduce((highest, core, t) => stateBound(core, largest(A[t].data, highest)), 0);
  const last = block([L, R, 1], normal(1 / Math.sqrt(L * R)));
  for (let i = 0; i < L; i++) {
    const row = last.data.subarray(i * R, (i + 1) * R);
    if (row.reduce((x, y) => x + y, 0) < 0) for (let j = 0; j < R; j++) row[j] = -row[j];
  }
  const above = block([L, M], () => bound + CLEARANCE + Math.abs(rng.normal()));
  const net = { xi: 'rectifier', A: [...A, above], G: [...G, last] } as const;
  return recurrentModel(
    net,
    naming(where, () => featureMap(M, options.features)),
    options,
  );
}

/** No unit exceeds Σ max(G[·,·,k], 0) times a bound on the rectifiers. */
function stateBound({ shape: [, , K], data }: Block, rectifier: number): number {
  const sums = new Float64Array(K);
  for (const [n, value] of data.entries()) sums[n % K] += Math.max(value, 0);
  return largest(sums, 0) * rectifier;
}

/** The largest of values that may be too many for the arguments of a call. */
const largest = (values: Float64Array, least: number): number =>
  values.reduce((most, value) => Math.max(most, value), least);
