import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/interface.ts';
import { contract, contractGradient } from '../../src/contract/contract.ts';
import { Rng } from '../../src/core/rng.ts';
import { brute } from '../support/brute.ts';
import { anyContraction, drawTensor, shapesOf, small } from '../support/operands.ts';
import { subjects } from '../support/subjects.ts';

const SEED = process.env.XITENSOR_TEST_SEED ? { seed: Number(process.env.XITENSOR_TEST_SEED) } : {};
const options = { xi: 'product', reduce: 'sum' } as const;
const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, n) => sum + value * b[n], 0);

/** Products of matrices are differentiated by products of matrices (src/contract/multilinear.ts): a path of its own on every backend. */
describe.each(subjects)('gradients of sums of products on $label', ({ open }) => {
  const backend = open();

  it('are those of the definition: ⟨dout, ∂out⟩ = Σ ⟨gradient, ∂operand⟩, in small integers exactly', () => {
    const repeated = fc.boolean();
    fc.assert(
      fc.property(anyContraction, repeated, ({ expression, extents, maxBytes, seed }, twice) => {
        const rng = new Rng(seed);
        const operands = shapesOf(expression, extents).map((shape) =>
          drawTensor(rng, shape, 'float64', small),
        );
        // The same tensor given again has gradients of its own at each place.
        if (twice)
          for (let n = 1; n < operands.length; n++)
            if (String(operands[n].shape) === String(operands[0].shape)) operands[n] = operands[0];
        const along = operands.map(({ shape }) => drawTensor(rng, shape, 'float64', small).data);
        const { shape, tangent } = brute(expression, operands, 'product', 'sum', along);
        const dout = drawTensor(rng, shape, 'float64', small);
        const gradients = contractGradient(expression, operands, dout, { ...options, maxBytes, backend });
        expect(gradients.reduce((sum, { data }, n) => sum + dot(data, along[n]), 0)).toBe(
          dot(dout.data, tangent),
        );
      }),
      { numRuns: 200, ...SEED },
    );
  });

  it.each([
    ['; bij,bjk -> bik', { b: 3, i: 17, j: 33, k: 19 }],
    ['; ij,jk,kl -> li', { i: 18, j: 5, k: 37, l: 16 }],
    ['; aib,jba -> jbi', { a: 7, b: 6, i: 15, j: 34 }],
    ['ij; jk,ki -> ', { i: 16, j: 17, k: 18 }],
    // Runs of neighbours along which dout is constant.
    ['ij ->', { i: 40, j: 41 }],
    ['ij,ij ->', { i: 40, j: 41 }],
    ['bij,bij -> b', { b: 3, i: 33, j: 40 }],
    ['bij,bij -> ', { b: 3, i: 33, j: 40 }],
    ['ij,ji ->', { i: 40, j: 41 }],
    ['bij -> b', { b: 3, i: 33, j: 40 }],
    ['ij -> j', { i: 33, j: 40 }],
    ['ij,j -> i', { i: 33, j: 1030 }],
    ['i,j -> ij', { i: 33, j: 1030 }],
    ['ii,i -> i', { i: 33 }],
    ['ij,ij,ij -> i', { i: 17, j: 33 }],
    ['ij,ik,jk -> ', { i: 9, j: 17, k: 8 }],
  ])('%s, beyond a tile', (expression, extents: Record<string, number>) => {
    const rng = new Rng(5);
    const text = expression.includes(';') ? expression : `; ${expression}`;
    const operands = shapesOf(text, extents).map((shape) => drawTensor(rng, shape, 'float32', small));
    const along = operands.map(({ shape }) => drawTensor(rng, shape, 'float32', small).data);
    const { shape, tangent } = brute(text, operands, 'product', 'sum', along);
    const dout = drawTensor(rng, shape, 'float32', small);
    const gradients = contractGradient(text, operands, dout, { ...options, backend });
    expect(gradients.reduce((sum, { data }, n) => sum + dot(data, along[n]), 0)).toBe(
      dot(dout.data, tangent),
    );
  });

  it.each(['ij ->', 'ij,ij ->', 'ij,j -> i', 'ij,jk -> ik', 'ij -> j', 'ij -> ji', 'ij,ij -> ij'])(
    '%s takes no kernel that goes term by term',
    (expression) => {
      const without: Backend = {
        ...backend,
        joinedGradient() {
          throw new Error('term by term');
        },
      };
      const extents = { i: 5, j: 6, k: 7 };
      const operands = shapesOf(expression, extents).map((shape) =>
        drawTensor(new Rng(1), shape, 'float64', small),
      );
      const dout = contract(expression, operands, { backend });
      const want = operands.map((operand) => operand.shape);
      const gradients = contractGradient(expression, operands, dout, { backend: without });
      expect(gradients.map(({ shape }) => shape)).toEqual(want);
    },
  );
});
