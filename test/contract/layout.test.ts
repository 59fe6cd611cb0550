import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { REDUCTIONS, type Reduction } from '../../src/backend/interface.ts';
import { contract, contractGradient } from '../../src/contract/contract.ts';
import { Rng } from '../../src/core/rng.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { brute } from '../support/brute.ts';
import { drawTensor, normal, shapesOf } from '../support/operands.ts';
import { subjects } from '../support/subjects.ts';

const SEED = process.env.XITENSOR_TEST_SEED ? { seed: Number(process.env.XITENSOR_TEST_SEED) } : {};
const LABELS = [...'bcijklmq'];
/** Patterns at and near that of the fast kernel: weights, operands, output. */
const PATTERNS = [
  ['ijk', 'bi', 'bj', 'bk'],
  ['ijkl', 'bi', 'bj', 'bk', 'bl'],
  ['ijk', 'bci', 'bcj', 'bck'],
  ['ijk', 'bi', 'bj', 'bq', 'bk'],
  ['ijmk', 'bi', 'bjm', 'bk'],
  ['ijkq', 'bi', 'bj', 'bk'],
  ['bk', 'bi', 'bj', 'bk'],
];
interface Draw {
  readonly pattern: string[];
  readonly large: string[];
  readonly turned: boolean;
  readonly xi: Xi;
  readonly reduce: Reduction;
  readonly maxBytes: number;
  readonly seed: number;
}
const kernels = new Set<string>();

describe.each(subjects)('axes in any order on $label', ({ open }) => {
  const backend = open();
  it('give what the definition does, copied for the fast kernel or not, in blocks or not', () => {
    const draws = fc.record({
      pattern: fc.constantFrom(...PATTERNS),
      large: fc.subarray(LABELS, { minLength: 1, maxLength: 2 }),
      turned: fc.boolean(),
      xi: fc.constantFrom(...XI_NAMES),
      reduce: fc.constantFrom('sum' as const, ...REDUCTIONS),
      maxBytes: fc.constantFrom(64, 3000, 20000, 2 ** 26),
      seed: fc.nat(2 ** 31 - 1),
    });
    const check = ({ pattern, large, turned, xi, reduce, maxBytes, seed }: Draw) => {
      const rng = new Rng(seed);
      const extents = Object.fromEntries(
        LABELS.map((label) => [label, large.includes(label) ? 20 + rng.below(40) : 1 + rng.below(4)]),
      );
      const words = pattern.map((word) =>
        turned ? [...rng.permutation(word.length)].map((n) => word[n]).join('') : word,
      );
      const expression = `${words[0]}; ${words.slice(1, -1).join(',')} -> ${words.at(-1)}`;
      const operands = shapesOf(expression, extents).map((shape) =>
        drawTensor(rng, shape, 'float64', normal),
      );
      const options = { xi, reduce, maxBytes, backend };
      kernels.add(contract.plan(expression, operands, options).kernel);
      const tangents = operands.map(({ shape }) => drawTensor(rng, shape, 'float64', normal).data);
      const want = brute(expression, operands, xi, reduce, tangents);
      const got = contract(expression, operands, options);
      got.data.forEach((value, n) => {
        if (value !== want.data[n])
          expect(Math.abs(value - want.data[n]), expression).toBeLessThan(1e-9 * want.scale);
      });
      const dout = drawTensor(rng, want.shape, 'float64', normal);
      let along = 0;
      contractGradient(expression, operands, dout, options).forEach(({ data }, n) => {
        for (let at = 0; at < data.length; at++) along += data[at] * tangents[n][at];
      });
      const exact = want.tangent.reduce((sum, value, n) => sum + value * dout.data[n], 0);
      expect(Math.abs(along - exact), expression).toBeLessThan(
        1e-8 * (want.scale + Math.abs(exact)) * want.terms,
      );
    };
    fc.assert(fc.property(draws, check), { numRuns: 60, ...SEED });
  });
});

it('the draws reach the fast kernel, and joined steps', () => {
  expect([...kernels].sort()).toEqual(expect.arrayContaining(['contract', 'joined']));
});
