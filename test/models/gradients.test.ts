import fc from 'fast-check';
import { describe, it } from 'vitest';
import { ACTIVATIONS, type Backend } from '../../src/backend/interface.ts';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, zeros } from '../../src/core/tensor.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import type { ModelKind } from '../../src/models/config.ts';
import { createModel } from '../../src/models/model.ts';
import { subjects } from '../support/subjects.ts';

const extent = fc.integer({ min: 1, max: 3 });
const VARIANTS = ['cp', 'tt', 'ht', 'ht diagonal'] as const;
const network = fc.record({
  variant: fc.constantFrom(...VARIANTS),
  steps: fc.integer({ min: 1, max: 5 }),
  inputs: extent,
  outputs: extent,
  rank: fc.array(extent, { minLength: 4, maxLength: 4 }),
  lengths: fc.option(fc.array(fc.nat(), { minLength: 3, maxLength: 3 })),
  projection: fc.integer({ min: 1, max: 4 }),
  size: extent,
  activation: fc.constantFrom(...ACTIVATIONS),
  shared: fc.boolean(),
  batch: extent,
  seed: fc.nat(2 ** 31),
});
type Network = typeof network extends fc.Arbitrary<infer T> ? T : never;

function random(rng: Rng, shape: readonly number[]): Tensor {
  const out = zeros(shape, 'float64');
  for (let n = 0; n < out.data.length; n++) out.data[n] = rng.normal();
  return out;
}

/** Central differences err by 1e-10 with the first step and by 1e-9 with the second, times curvature. */
const STEPS = [1e-5, 1e-7];
const TOLERANCE = 1e-6;
/** One-sided differences that disagree by more lie on two sides of a kink; curvature up to 100 makes less. */
const JUMP = 1e-3;

/**
 * Compares every derivative of L = Σ w·score with central differences of two steps: a kink of max, min or relu that
 * lies within one is hardly ever within the other.
 *
 * @returns how many derivatives were compared and how many lay at a kink.
 */
function compare(backend: Backend, xi: Xi, net: Network): [compared: number, kinks: number] {
  const { variant, steps, inputs, outputs, size, activation, shared, batch, seed } = net;
  const [kind, diagonal] = variant.split(' ') as [ModelKind, string?];
  const ranks = { cp: 1, tt: steps - 1, ht: Math.ceil(Math.log2(steps)) };
  const model = createModel({
    ...{ kind, xi, steps, inputs, outputs, shared, dtype: 'float64', backend },
    rank: shared || diagonal ? net.rank[0] : net.rank.slice(0, ranks[kind]),
    projection: kind === 'tt' ? net.projection : undefined,
    diagonal: diagonal !== undefined,
    features: { size, activation },
  });
  const varying = net.lengths && kind === 'tt' && shared && steps > 1;
  const options = varying
    ? { lengths: Int32Array.from(net.lengths!.slice(0, batch), (length) => 2 + (length % (steps - 1))) }
    : {};
  const rng = new Rng(seed);
  const parameters = Object.fromEntries(
    Object.entries(model.parameters).map(([name, { shape }]) => [name, random(rng, shape)]),
  );
  model.setParameters(parameters);
  const X = random(rng, [batch, steps, inputs]);
  const w = random(rng, [batch, outputs]);
  const gradients = model.gradients(X, w, options);
  const loss = () =>
    Array.from(model.score(X, options).data).reduce((sum, score, n) => sum + w.data[n] * score, 0);
  const centre = loss();
  let [compared, kinks] = [0, 0];
  const entries = [
    ...Object.entries(parameters).map(([name, t]) => [name, t, gradients.parameters[name], true] as const),
    ['inputs', X, gradients.inputs, false] as const,
  ];
  for (const [name, { data }, { data: gradient }, isParameter] of entries) {
    for (let n = 0; n < data.length; n++) {
      const value = data[n];
      const at = (moved: number) => {
        data[n] = moved;
        if (isParameter) model.setParameters(parameters);
        return loss();
      };
      const differences = STEPS.map((step) => {
        const [forward, backward] = [(at(value + step) - centre) / step, (centre - at(value - step)) / step];
        const scale = 1 + Math.abs(forward) + Math.abs(backward) + Math.abs(centre);
        const central = (forward + backward) / 2;
        return {
          central,
          kink: Math.abs(forward - backward) > JUMP * scale,
          close: Math.abs(central - gradient[n]) <= TOLERANCE * scale,
        };
      });
      at(value);
      if (differences.some(({ close }) => close)) compared++;
      else if (differences.some(({ kink }) => kink)) kinks++;
      else {
        const values = differences.map((difference) => difference.central).join(' and ');
        throw new Error(`∂/∂${name}[${n}] is ${gradient[n]}, central differences are ${values}`);
      }
    }
  }
  return [compared, kinks];
}

describe.each(subjects)('gradients are what central differences say, $label', ({ open }) => {
  it.each(XI_NAMES)('%s', (xi) => {
    const backend = open();
    let [compared, kinks] = [0, 0];
    fc.assert(
      fc.property(network, (net) => {
        const [c, k] = compare(backend, xi, net);
        compared += c;
        kinks += k;
      }),
      { numRuns: 30 },
    );
    if (kinks > compared / 20)
      throw new Error(`${kinks} kinks beside ${compared} derivatives: nothing was compared`);
  });
});
