import { describe, expect, it } from 'vitest';
import { contract } from '../../src/contract/contract.ts';
import { DTYPES, tensor } from '../../src/core/tensor.ts';
import { shapesOf } from '../support/operands.ts';
import { subjects } from '../support/subjects.ts';

const INFINITE = Number.POSITIVE_INFINITY;

describe.each(subjects)('copies on $label', ({ open }) => {
  const backend = open();
  it.each(DTYPES)('keep every value, also the sign of a zero, %s', (dtype) => {
    const values = [-0, 0, 1, -INFINITE, INFINITE, -1e-30];
    const x = tensor(values, [2, 3], dtype);
    const [a, b, c, d, e, f] = x.data;
    for (const reduce of ['sum', 'max', 'min', 'logsumexp'] as const) {
      const copy = (expression: string) => [
        ...contract(expression, [x], { xi: 'product', reduce, backend }).data,
      ];
      expect(copy('; ij -> ij')).toEqual([a, b, c, d, e, f]);
      expect(copy('; ij -> ji')).toEqual([a, d, b, e, c, f]);
    }
    expect([...contract('ij->ji', [x], { backend }).data]).toEqual([a, d, b, e, c, f]);
    const square = tensor([-0, 1, 2, -0], [2, 2], dtype);
    expect([...contract('ii->i', [square], { backend }).data]).toEqual([-0, -0]);
  });

  it('keep a NaN that arose before', () => {
    const extents = { k: 70, j: 40, i: 32, b: 512 };
    const operands = shapesOf('kji; ib,jb -> kb', extents).map((shape) =>
      tensor(new Float32Array(shape.reduce((product, extent) => product * extent, 1)), shape),
    );
    operands[1].data.fill(INFINITE);
    const options = { xi: 'max', backend } as const;
    expect(contract.plan('kji; ib,jb -> kb', operands, options).steps.at(-1)!.kernel).toBe('joined');
    expect(contract('kji; ib,jb -> kb', operands, options).data.every(Number.isNaN)).toBe(true);
  });
});
