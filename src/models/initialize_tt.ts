import type { Rng } from '../core/rng.ts';
import type { FloatArray, Tensor } from '../core/tensor.ts';
import type { Xi } from '../core/xi.gen.ts';
import type { TtConfig } from './config.ts';
import { addSeparable, centred, fillNormal, holdFeature } from './fill.ts';
import { coreName } from './tt.ts';

/**
 * How a step becomes the identity on its hidden state, or, shared, a permutation of it. Row 0 of the projection is made
 * constantly `rest`, so that ξ(rest, h) hands h on, and hidden unit 0 is kept at `rest`, so that ξ(a, rest) hands a on; all other
 * pairs mix.
 */
interface Start {
  /** The resting value; undefined where ξ is additive and every pair hands both on. */
  readonly rest?: number;
  /** That of hidden unit 0, if it is another. */
  readonly unit?: number;
  /** Entry G[0,0,0] that keeps hidden unit 0 at rest. */
  readonly keep?: number;
}

// What each start means and how well it trains: docs/training.md. The resting values of max and min are first guesses that
// train; others were not tried.
const STARTS: Readonly<Record<Xi, Start>> = {
  product: { rest: 1, keep: 1 },
  rectifier: { rest: 0, keep: 0 },
  max: { rest: -1, keep: 1 },
  min: { rest: 1, keep: 1 },
  sum: {},
  relusum: {},
  // A unit that is pushed above its rest by training grows by `keep` a step: by 1.0046 where the row rests at −8, by 1.21, and over
  // 100 steps 10⁸, where both rest at −4. 0.018… is ln(1 + e⁻⁴), which engines round as they like.
  logsumexp: { rest: -8, unit: -4, keep: 4 / (4 - 0.01814992791780978) },
  l2: { rest: 0, keep: 0 },
};

/** Deviation of the entries of G that mix, times √(L·R). */
const MIXING = 0.1;

/**
 * Factor on the deviation of what a step adds to the hidden state. Independent steps add up like √T: 1 for as many steps as MNIST
 * has patches, for which it was tried, and less for longer sequences, so that the sum does not grow. Those of one core add up, for
 * inputs with a mean, like T: with 4/T the first scores are of order one for 16 to 100 steps (docs/training.md).
 */
function inflow({ steps, shared }: TtConfig): number {
  return Math.min(1, shared ? 4 / steps : Math.sqrt(16 / steps));
}

/**
 * The unit whose state a step hands on to each unit. Weights of its own tell a step where it stands; where all steps share one
 * core, a state that stays in its unit would be a sum over the steps, blind to their order. There the units form cycles of 1, 2, 3,
 * 5, 7, 11, … units, as far as there are units, so that a state's place tells its step modulo each prime, and together modulo their
 * product; the units that are left keep their states. Unit 0 rests.
 */
function sources({ shared }: TtConfig, R: number): Uint32Array {
  const from = Uint32Array.from({ length: R }, (_, k) => k);
  if (!shared) return from;
  let first = 1;
  for (let length = 1; first + length <= R; length = primeAfter(length)) {
    for (let k = first; k < first + length; k++) from[k] = k === first ? first + length - 1 : k - 1;
    first += length;
  }
  return from;
}

function primeAfter(n: number): number {
  for (let p = n + 1; ; p++) {
    let divisor = 2;
    while (divisor * divisor <= p && p % divisor !== 0) divisor++;
    if (divisor * divisor > p) return p;
  }
}

/** Fills the projections and cores of a TT network. */
export function startTt(rng: Rng, config: TtConfig, named: Readonly<Record<string, Tensor>>): void {
  const start = canRest(config) ? STARTS[config.xi] : undefined;
  const [first, last] = [0, config.steps - 1].map((t) => `G.${coreName(config, t)}`);
  for (const [name, { data, shape }] of Object.entries(named)) {
    if (name.startsWith('C.')) fillProjection(rng, data, shape, start);
    else if (!name.startsWith('G.')) continue;
    else if (!start) fillNormal(rng, data, 1 / Math.sqrt(shape[0] * shape[1]));
    else {
      const from = name === first ? undefined : sources(config, shape[1]);
      fillCore(rng, data, shape, start, inflow(config), { from, last: name === last });
    }
  }
  if (!start?.rest) return;
  const constant = holdFeature(config, named);
  for (const [name, { data }] of Object.entries(named)) {
    if (name.startsWith('C.')) data[0] = start.rest / constant;
  }
}

/** A row, a feature and a unit at rest carry nothing: where there is but one of them, nothing would get through. */
function canRest({ init, projection, features, rank }: TtConfig): boolean {
  return init === 'identity' && projection > 1 && features.size > 1 && rank.every((r) => r > 1);
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
  start: Start,
  inflow: number,
  { from, last }: { readonly from: Uint32Array | undefined; readonly last: boolean },
): void {
  const at = (i: number, j: number, k: number) => (i * R + j) * K + k;
  const first = from === undefined;
  if (start.rest === undefined) {
    // Only the sums of G over i and over j matter.
    for (let k = 0; k < K; k++) {
      const inputs = centred(rng, L, inflow / Math.sqrt(L));
      const unit = Float64Array.from({ length: R }, (_, j) => Number(j === from?.[k]));
      addSeparable(data, [L, R, K], k, inputs, last ? centred(rng, R, 1 / Math.sqrt(R)) : unit);
    }
    return;
  }
  fillNormal(rng, data, (first || last ? 1 : MIXING * inflow) / Math.sqrt(L * R));
  for (let k = 0; k < K; k++) {
    for (let i = 0; i < L; i++) data[at(i, 0, k)] = rng.normal(inflow / Math.sqrt(L));
    for (let j = 0; j < R; j++) {
      if (last) data[at(0, j, k)] = rng.normal(1 / Math.sqrt(R));
      else if (!first) data[at(0, j, k)] = Number(j === from[k]);
    }
  }
  if (last) return;
  for (let n = 0; n < data.length; n += K) data[n] = 0;
  // The first core hands on the row alone, at `rest`.
  const { rest, unit = rest } = start;
  data[0] = first ? (rest === 0 ? 0 : unit / rest) : (start.keep ?? 0);
}
