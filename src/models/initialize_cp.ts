import { ln } from '../core/elementary.ts';
import type { Rng } from '../core/rng.ts';
import type { FloatArray, Tensor } from '../core/tensor.ts';
import type { Xi } from '../core/xi.gen.ts';
import type { ModelConfig } from './config.ts';
import { centred, fillNormal, holdFeature } from './fill.ts';

/** How the operands z_t = ⟨v[t,r], f(x_t)⟩ of a fold over T steps start: `offset + deviation · N(0, 1)`. */
interface Operands {
  readonly offset: number;
  readonly deviation: number;
}

// The largest of T normal numbers is near √(2 ln T), ln Σ e^z near ln T + 1/2: offsets against that keep the fold near 0.
const extreme = (T: number) => Math.sqrt(2 * ln(T));
// Shared operands deviate from 1 together.
const OPERANDS: Readonly<Record<Xi, (T: number, shared: boolean) => Operands>> = {
  product: (T, shared) => ({ offset: 1, deviation: shared ? 1 / T : 0.5 / Math.sqrt(T) }),
  rectifier: (T) => ({ offset: -extreme(T) / 2, deviation: 1 }),
  max: (T) => ({ offset: -extreme(T), deviation: 1 }),
  min: (T) => ({ offset: extreme(T), deviation: 1 }),
  sum: (T) => ({ offset: 0, deviation: 1 / Math.sqrt(T) }),
  relusum: (T) => ({ offset: 0, deviation: 1 / Math.sqrt(T) }),
  logsumexp: (T) => ({ offset: -ln(T), deviation: 1 }),
  l2: () => ({ offset: 0, deviation: 1 }),
};

/** Fills the directions and weights of a CP network. */
export function startCp(rng: Rng, config: ModelConfig, named: Readonly<Record<string, Tensor>>): void {
  const { lambda, v } = named;
  fillOperands(rng, config, named, [v.data]);
  fillScores(rng, config, lambda);
}

/** Fills the vectors whose products with the features are the operands of folds over all steps. */
export function fillOperands(
  rng: Rng,
  config: ModelConfig,
  named: Readonly<Record<string, Tensor>>,
  vectors: readonly FloatArray[],
): void {
  const { init, xi, steps, features, shared } = config;
  const M = features.size;
  const normal = init === 'normal' || M === 1;
  const { offset, deviation } = normal ? { offset: 0, deviation: 1 } : OPERANDS[xi](steps, shared);
  for (const data of vectors) fillNormal(rng, data, deviation / Math.sqrt(M));
  if (offset === 0) return;
  const constant = holdFeature(config, named);
  for (const data of vectors) for (let n = 0; n < data.length; n += M) data[n] = offset / constant;
}

/** Weights of folds for each output; of mean 0 over the folds, so that what these have in common cancels. */
export function fillScores(rng: Rng, { init }: ModelConfig, { data, shape: [terms, outputs] }: Tensor): void {
  const deviation = 1 / Math.sqrt(terms);
  if (init === 'normal' || terms === 1) {
    fillNormal(rng, data, deviation);
    return;
  }
  for (let c = 0; c < outputs; c++) {
    centred(rng, terms, deviation).forEach((weight, r) => {
      data[r * outputs + c] = weight;
    });
  }
}
