import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { contractGradient } from '../../src/contract/contract.ts';
import { tensor } from '../../src/core/tensor.ts';
import { subjects } from '../support/subjects.ts';

const reference = selectBackend({ prefer: ['reference'] }).backend;

describe.each(subjects)('gradients at ties inside ξ on $label', ({ open }) => {
  const backend = open();
  const ones = [tensor([1, 1, 1]), tensor([1, 1])];

  it.each(['max', 'min'] as const)('go to one of the operands, on every backend to the same, %s', (xi) => {
    for (const expression of ['; j,i -> ij', '; i,j -> ij', '; j,i -> ji', '; j,i -> ']) {
      for (const reduce of ['sum', 'logsumexp'] as const) {
        const shape = expression.endsWith('> ') ? [] : expression.endsWith('ij') ? [2, 3] : [3, 2];
        const operands = expression.startsWith('; i') ? ones.toReversed() : ones;
        const dout = tensor(new Float64Array(shape.length === 0 ? 1 : 6).fill(1), shape);
        const [own, want] = [backend, reference].map((on) =>
          contractGradient(expression, operands, dout, { xi, reduce, backend: on }),
        );
        const sums = own.map(({ data }) => data.reduce((sum, value) => sum + value, 0));
        const all = reduce === 'logsumexp' && shape.length === 0 ? 1 : 6;
        expect(Math.min(...sums)).toBe(0);
        expect(Math.max(...sums)).toBeCloseTo(all, 12);
        own.forEach(({ data }, n) => {
          data.forEach((value, at) => void expect(value).toBeCloseTo(want[n].data[at], 12));
        });
      }
    }
  });

  it('go to the first operand of the expression under max and min', () => {
    for (const xi of ['max', 'min'] as const) {
      for (const reduce of ['max', 'min'] as const) {
        const dout = tensor(new Float64Array(6).fill(1), [2, 3]);
        const [dx, dy] = contractGradient('; j,i -> ij', ones, dout, { xi, reduce, backend });
        expect([...dx.data, ...dy.data]).toEqual([2, 2, 2, 0, 0]);
      }
    }
  });
});
