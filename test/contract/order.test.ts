import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { contract } from '../../src/contract/contract.ts';
import { tensor, zeros } from '../../src/core/tensor.ts';

const SEED = process.env.XITENSOR_TEST_SEED ? { seed: Number(process.env.XITENSOR_TEST_SEED) } : {};
const { backend } = selectBackend({ prefer: ['reference'] });
const LETTERS = [...'abcdefg'];
type Extents = Readonly<Record<string, number>>;

/** Operations of the cheapest order of pairs and of sums over indices of one operand, each of which is tried. */
function leastFlops(inputs: readonly string[], output: string, extents: Extents): number {
  const size = (labels: Iterable<string>) => [...labels].reduce((so, label) => so * extents[label], 1);
  const known = new Map<string, number>();
  const least = (operands: readonly string[]): number => {
    const key = [...operands].sort().join();
    let best = known.get(key);
    if (best !== undefined) return best;
    best = operands.length === 1 && [...operands[0]].every((label) => output.includes(label)) ? 0 : Infinity;
    for (let a = 0; a < operands.length; a++) {
      for (let b = a; b < operands.length; b++) {
        const rest = operands.filter((_, n) => n !== a && n !== b);
        const joint = [...new Set(operands[a] + operands[b])].sort();
        const left = joint.filter((label) => output.includes(label) || rest.join('').includes(label));
        if (a === b && left.length === joint.length) continue;
        const flops = size(joint) * (Number(a !== b) + Number(left.length < joint.length));
        best = Math.min(best, flops + least([...rest, left.join('')]));
      }
    }
    known.set(key, best);
    return best;
  };
  return least(inputs.map((labels) => [...new Set(labels)].sort().join('')));
}

const shapesFor = (inputs: readonly string[], extents: Extents) =>
  inputs.map((labels) => [...labels].map((label) => extents[label]));

describe('the order of an einsum', () => {
  it('is the cheapest of all, or all at once for a tenth more at most', () => {
    const network = fc.record({
      inputs: fc.array(fc.subarray(LETTERS, { maxLength: 4 }), { minLength: 1, maxLength: 5 }),
      output: fc.subarray(LETTERS, { maxLength: 4 }),
      extents: fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 7, maxLength: 7 }),
    });
    const check = fc.property(network, (drawn) => {
      const inputs = drawn.inputs.map((labels) => labels.join(''));
      const output = drawn.output.filter((label) => inputs.join('').includes(label)).join('');
      const extents = Object.fromEntries(LETTERS.map((label, n) => [label, drawn.extents[n]]));
      // Axes of one element cost nothing; the search must not pay for their reduction.
      const long = (labels: string) => [...labels].filter((label) => extents[label] > 1).join('');
      const least = leastFlops(inputs.map(long), long(output), extents);
      const plan = contract.plan(`${inputs.join()}->${output}`, shapesFor(inputs, extents), {
        ...{ backend, maxBytes: 2 ** 50 },
      });
      const atOnce = plan.steps.some(({ why }) => why === 'in one step');
      expect(plan.flops).toBeGreaterThanOrEqual(least);
      expect(plan.flops).toBeLessThanOrEqual(atOnce ? 1.1 * least : least);
    });
    fc.assert(check, { numRuns: 500, ...SEED });
  });

  it.each([
    ['abe,b->a', { a: 8000, b: 8000, e: 1 }, 128e6, 0],
    ['adeg,df,fg->a', { a: 11, d: 2, e: 1, f: 3, g: 25 }, 1400, 50],
    ['c,ac,->', { a: 1, c: 20 }, 41, 1],
  ])('%s pays nothing for an axis of one element', (text, extents: Extents, flops, largest) => {
    const plan = contract.plan(text, shapesFor(text.split('->')[0].split(','), extents), { backend });
    expect(plan).toMatchObject({ flops, largest, peakBytes: 4 * largest });
    expect(String(plan)).toMatch(/note {4}of extent 1, which no step needs: [ae]$/);
  });
});

describe('an axis of one element', () => {
  const x = tensor([[[1, -0, 3]], [[4, 7, 6]]]);

  it('stays in the output, and is reshaped away, not summed', () => {
    expect(contract('aeb->bae', [x], { backend })).toMatchObject({ shape: [3, 2, 1] });
    const { shape, data } = contract('aeb->ab', [x], { backend });
    expect([shape, [...data]]).toEqual([
      [2, 3],
      [1, -0, 3, 4, 7, 6],
    ]);
    expect(contract.plan('aeb->eab', [x], { backend }).shape).toEqual([1, 2, 3]);
  });

  it('has the index 0 in the term that won, and −1 where there is none', () => {
    const options = { xi: 'sum', reduce: 'max', backend } as const;
    const { value, indices } = contract.arg('; aeb -> a', [x], options);
    expect([[...value.data], indices]).toEqual([[3, 7], { e: Int32Array.of(0, 0), b: Int32Array.of(2, 1) }]);
    const none = contract.arg('; aeb -> a', [zeros([2, 1, 0])], options);
    expect(none.indices).toEqual({ e: Int32Array.of(-1, -1), b: Int32Array.of(-1, -1) });
  });
});
