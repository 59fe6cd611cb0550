import type { Rng } from '../core/rng.ts';
import type { FloatArray, Tensor } from '../core/tensor.ts';
import type { Xi } from '../core/xi.gen.ts';
import type { HtConfig } from './config.ts';
import { addSeparable, centred, fillNormal, holdFeature } from './fill.ts';
import { fillOperands, fillScores } from './initialize_cp.ts';

/**
 * How a node starts as a linear map of its children. Component 0 of every state rests at a value for which ξ hands the
 * other operand on, so that ξ(left[a], rest) and ξ(rest, right[b]) are what the children say.
 */
interface Start {
  /** The resting value; undefined where ξ is additive and every pair hands both on. */
  readonly rest?: number;
  /** Entry B[0,0,0] that keeps component 0 at rest. */
  readonly keep?: number;
  /** Mean square of ξ(z, rest) for normal z. */
  readonly power: number;
}

// Resting values as in TT networks (initialize_tt.ts).
const STARTS: Readonly<Record<Xi, Start>> = {
  product: { rest: 1, keep: 1, power: 1 },
  rectifier: { rest: 0, keep: 0, power: 0.5 },
  max: { rest: -1, keep: 1, power: 0.75 },
  min: { rest: 1, keep: 1, power: 0.75 },
  sum: { power: 1 },
  relusum: { power: 0.5 },
  logsumexp: { rest: -4, keep: 4 / (4 - Math.LN2), power: 1 },
  l2: { rest: 0, keep: 0, power: 1 },
};

/** Deviation of the entries of B that mix, times √(R_left·R_right). */
const MIXING = 0.1;

/** Fills the leaves and nodes of an HT network. */
export function startHt(rng: Rng, config: HtConfig, named: Readonly<Record<string, Tensor>>): void {
  const W = Object.entries(named).filter(([name]) => name.startsWith('W'));
  const B = Object.entries(named).filter(([name]) => name.startsWith('B'));
  if (config.diagonal) {
    fillOperands(
      rng,
      config,
      named,
      W.map(([, { data }]) => data),
    );
    B.forEach(([, tensor], n) => {
      if (n === B.length - 1) fillScores(rng, config, tensor);
      else fillDiagonal(rng, config, tensor);
    });
    return;
  }
  const { features, rank, init, xi } = config;
  for (const [, { data }] of W) fillNormal(rng, data, 1 / Math.sqrt(features.size));
  const rests = init === 'identity' && features.size > 1 && rank.every((r) => r > 1) && rank.length > 0;
  if (!rests) {
    for (const [, { data, shape }] of B) fillNormal(rng, data, 1 / Math.sqrt(shape[0] * shape[1]));
    return;
  }
  const start = STARTS[xi];
  B.forEach(([, { data, shape }], n) => {
    fillNode(rng, data, shape, start, n === B.length - 1);
  });
  if (start.rest === undefined) return;
  const constant = start.rest === 0 ? 1 : holdFeature(config, named);
  for (const [, { data }] of W) {
    data.fill(0, 0, features.size);
    data[0] = start.rest / constant;
  }
}

function fillNode(
  rng: Rng,
  data: FloatArray,
  [L, R, K]: readonly number[],
  start: Start,
  root: boolean,
): void {
  const at = (a: number, b: number, g: number) => (a * R + b) * K + g;
  const deviation = 1 / Math.sqrt((L + R) * start.power);
  if (start.rest === undefined) {
    // Only the sums of B over a and over b matter.
    for (let g = 0; g < K; g++)
      addSeparable(data, [L, R, K], g, centred(rng, L, deviation), centred(rng, R, deviation));
    return;
  }
  fillNormal(rng, data, MIXING / Math.sqrt(L * R));
  for (let g = 0; g < K; g++) {
    for (let a = 1; a < L; a++) data[at(a, 0, g)] = rng.normal(deviation);
    for (let b = 1; b < R; b++) data[at(0, b, g)] = rng.normal(deviation);
    data[g] = 0;
  }
  if (root) return;
  for (let n = 0; n < data.length; n += K) data[n] = 0;
  data[0] = start.keep ?? 0;
}

/** The identity, or as much of it as there is, so that a component of the root is a fold over the leaves. */
function fillDiagonal(rng: Rng, { init }: HtConfig, { data, shape: [R, K] }: Tensor): void {
  if (init === 'normal') fillNormal(rng, data, 1 / Math.sqrt(R));
  else for (let g = 0; g < K; g++) data[(g % R) * K + g] = 1;
}
