import { Rng } from '../core/rng.ts';
import { allocate, elementCount, type FloatArray, type Tensor } from '../core/tensor.ts';
import type { Xi } from '../core/xi.gen.ts';
import type { ModelConfig } from './config.ts';
import type { Layout } from './parameters.ts';

/**
 * How a step becomes the identity on its hidden state. Row 0 of the projection is made constantly `rest`, so that
 * ξ(rest, h) hands h on, and hidden unit 0 is kept at `rest`, so that ξ(a, rest) hands a on; all other pairs mix.
 */
interface Start {
  /** The resting value; undefined where ξ is additive and every pair hands both on. */
  readonly rest?: number;
  /** Entry G[0,0,0] that keeps hidden unit 0 at rest. */
  readonly keep?: number;
  /** What the first hidden unit starts as: rest (true), or the linear map alone. */
  readonly resting?: boolean;
}

// What each start means and how well it trains: docs/training.md. The resting values of max, min and logsumexp are first
// guesses that train; others were not tried.
const STARTS: Readonly<Record<Xi, Start>> = {
  product: { rest: 1 },
  rectifier: { rest: 0, keep: 0, resting: true },
  max: { rest: -1, keep: 1, resting: true },
  min: { rest: 1, keep: 1, resting: true },
  sum: {},
  relusum: {},
  logsumexp: { rest: -4, keep: 4 / (4 - Math.LN2), resting: true },
  l2: { rest: 0, keep: 0, resting: true },
};

/** Deviation of the entries of G that mix, times √(L·R). */
const MIXING = 0.1;

/** Initial values of every parameter, determined by the configuration and its seed. */
export function initialise(config: ModelConfig, layout: Layout): Record<string, Tensor> {
  const rng = new Rng(config.seed, 1);
  const start = canRest(config) ? STARTS[config.xi] : undefined;
  const values = layout.map(([name, shape]): [string, Tensor] => {
    const data = allocate(config.dtype, elementCount(shape));
    const [family] = name.split('.');
    if (name === 'features.A') fillFeatures(rng, data, shape);
    else if (family === 'C') fillProjection(rng, data, shape, start);
    else if (family === 'G')
      fillCore(rng, data, shape, start, name === firstCore(layout), name === lastCore(layout));
    return [name, { dtype: config.dtype, shape, data }];
  });
  const named = Object.fromEntries(values);
  if (start?.rest) addConstantFeature(named, start.rest);
  return named;
}

/** A row, a feature and a unit at rest carry nothing: where there is but one of them, nothing would get through. */
function canRest({ init, projection, features, rank }: ModelConfig): boolean {
  return init === 'identity' && projection > 1 && features.size > 1 && rank.every((r) => r > 1);
}

const firstCore = (layout: Layout) => layout.find(([name]) => name.startsWith('G.'))?.[0];
const lastCore = (layout: Layout) => layout[layout.length - 1][0];

/** He et al. 2015: deviation √(2/N) keeps the scale of rectified features. */
function fillFeatures(rng: Rng, data: FloatArray, [, N]: readonly number[]): void {
  for (let n = 0; n < data.length; n++) data[n] = rng.normal(Math.sqrt(2 / N));
}

function fillProjection(
  rng: Rng,
  data: FloatArray,
  [, M]: readonly number[],
  start: Start | undefined,
): void {
  const pinned = start?.rest === undefined ? 0 : M;
  for (let n = 0; n < data.length; n++) data[n] = n < pinned ? 0 : rng.normal(Math.sqrt(1 / M));
}

function fillCore(
  rng: Rng,
  data: FloatArray,
  [L, R, K]: readonly number[],
  start: Start | undefined,
  first: boolean,
  last: boolean,
): void {
  const at = (i: number, j: number, k: number) => (i * R + j) * K + k;
  const fan = Math.sqrt(L * R);
  if (!start) {
    for (let n = 0; n < data.length; n++) data[n] = rng.normal(1 / fan);
    return;
  }
  for (let n = 0; n < data.length; n++) data[n] = rng.normal((first || last ? 1 : MIXING) / fan);
  if (start.rest === undefined) {
    // Σ_j G[i,j,k] weighs input i, Σ_i G[i,j,k] hidden unit j.
    for (let i = 0; i < L; i++) {
      for (let j = 0; j < R; j++) {
        for (let k = 0; k < K; k++) {
          data[at(i, j, k)] = rng.normal(1 / Math.sqrt(L)) / R + (!last && !first && j === k ? 1 / L : 0);
          if (last) data[at(i, j, k)] += rng.normal(1 / Math.sqrt(R)) / L;
        }
      }
    }
    return;
  }
  for (let k = 0; k < K; k++) {
    for (let i = 0; i < L; i++) data[at(i, 0, k)] = rng.normal(1 / Math.sqrt(L));
    for (let j = 0; j < R; j++) {
      if (last) data[at(0, j, k)] = rng.normal(1 / Math.sqrt(R));
      else if (!first) data[at(0, j, k)] = j === k ? 1 : 0;
    }
  }
  if (last || !start.resting) return;
  for (let n = 0; n < data.length; n += K) data[n] = 0;
  data[0] = first ? Number(start.rest !== 0) : (start.keep ?? 0);
}

/** Feature 0 becomes the constant 1, and row 0 of every projection `rest` times it. */
function addConstantFeature(named: Record<string, Tensor>, rest: number): void {
  const { 'features.A': A, 'features.b': b } = named;
  A.data.fill(0, 0, A.shape[1]);
  b.data[0] = 1;
  for (const [name, { data }] of Object.entries(named)) if (name.startsWith('C.')) data[0] = rest;
}
