import fc from 'fast-check';
import { REDUCTIONS, type Reduction } from '../../src/backend/interface.ts';
import type { Rng } from '../../src/core/rng.ts';
import { type DType, type Tensor, tensor } from '../../src/core/tensor.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';

export type Draw = (rng: Rng) => number;
export const small: Draw = (rng) => rng.below(7) - 3;
export const normal: Draw = (rng) => rng.normal();

export function drawTensor(rng: Rng, shape: readonly number[], dtype: DType, draw: Draw): Tensor {
  const count = shape.reduce((product, extent) => product * extent, 1);
  const values = Float64Array.from({ length: count }, () => draw(rng));
  return tensor(dtype === 'float32' ? Float32Array.from(values) : values, shape);
}

/** Shapes of the inputs of an expression, weights first, for extents by label. */
export function shapesOf(expression: string, extents: Readonly<Record<string, number>>): number[][] {
  const [before] = expression.replaceAll(' ', '').split('->');
  const [weights, rest] = before.includes(';') ? before.split(';') : ['', before];
  return [...(weights ? [weights] : []), ...rest.split(',')].map((word) =>
    [...word].map((label) => extents[label]),
  );
}

export interface RandomContraction {
  readonly expression: string;
  readonly extents: Record<string, number>;
  readonly xi: Xi;
  readonly reduce: Reduction;
  readonly maxBytes: number;
  readonly seed: number;
}

const LABELS = [...'abcde'];

/** Any expression over five labels: 1 to 4 operands of up to 3 axes, weights or none, any output, any extents from 0 on. */
export const anyContraction: fc.Arbitrary<RandomContraction> = fc
  .record({
    weights: fc.array(fc.constantFrom(...LABELS), { maxLength: 4 }),
    words: fc.array(fc.array(fc.constantFrom(...LABELS), { maxLength: 3 }), { minLength: 1, maxLength: 4 }),
    output: fc.shuffledSubarray(LABELS),
    sizes: fc.array(fc.constantFrom(1, 2, 2, 3, 3, 4, 5, 0), { minLength: 5, maxLength: 5 }),
    xi: fc.constantFrom(...XI_NAMES),
    reduce: fc.constantFrom(...REDUCTIONS),
    // Most often everything fits; else what little there is is taken in blocks.
    maxBytes: fc.constantFrom(2 ** 26, 2 ** 26, 100, 0),
    seed: fc.nat(2 ** 31 - 1),
  })
  .map(({ weights, words, output, sizes, ...rest }) => {
    const used = [weights, ...words].flat();
    const out = output.filter((label) => used.includes(label)).join('');
    return {
      expression: `${weights.join('')}; ${words.map((word) => word.join('')).join(',')} -> ${out}`,
      extents: Object.fromEntries(LABELS.map((label, n) => [label, sizes[n]])),
      ...rest,
    };
  });
