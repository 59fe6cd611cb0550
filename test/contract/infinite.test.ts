import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { contract, contractGradient, type XiOption } from '../../src/contract/contract.ts';
import { Rng } from '../../src/core/rng.ts';
import { DTYPES, tensor } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { shapesOf } from '../support/operands.ts';
import { subjects } from '../support/subjects.ts';

const SEED = process.env.XITENSOR_TEST_SEED ? { seed: Number(process.env.XITENSOR_TEST_SEED) } : {};
const reference = selectBackend({ prefer: ['reference'] }).backend;
const INFINITE = Number.POSITIVE_INFINITY;

describe.each(subjects)('gradients beside infinities on $label', ({ open }) => {
  const backend = open();

  it('get 0 from an operator that chooses, whatever the weights', () => {
    const operands = [[-INFINITE], [-1], [2]].map((list) => tensor(list));
    const chosen = (xi: 'relusum' | 'max' | 'min' | 'rectifier') =>
      contractGradient('i; i,i->i', operands, tensor([1]), { xi, backend }).map(({ data }) => data[0]);
    expect(chosen('relusum')).toEqual([2, 0, -INFINITE]);
    expect(chosen('rectifier')).toEqual([2, 0, -INFINITE]);
    expect(chosen('max')).toEqual([2, 0, -INFINITE]);
    expect(chosen('min')).toEqual([-1, -INFINITE, 0]);
  });

  it('are NaN where 0 is multiplied by an infinity', () => {
    const [x, y] = [tensor([[-INFINITE, 1]]), tensor([[1, 1]])];
    const options = { xi: 'product', reduce: 'logsumexp', backend } as const;
    const [dx, dy] = contractGradient('; ai,ai -> a', [x, y], tensor([1]), options);
    expect([...dx.data]).toEqual([0, 1]);
    expect([...dy.data]).toEqual([Number.NaN, 1]);
  });

  it('are those of the definition', () => {
    const extents = { i: 3, j: 4, k: 5, b: 6 };
    const draw = fc.record({
      expression: fc.constantFrom('ijk; bi,bj -> bk', 'ik; i -> k', '; bi,bj,i -> b', 'bk; bi,bj,bk -> b'),
      xi: fc.constantFrom(...XI_NAMES),
      reduce: fc.constantFrom('sum' as const, 'logsumexp' as const),
      dtype: fc.constantFrom(...DTYPES),
      seed: fc.nat(2 ** 31 - 1),
    });
    const expectSame = (own: number, want: number) => {
      if (!Number.isFinite(want)) expect(own).toBe(want);
      else expect(Math.abs(own - want)).toBeLessThanOrEqual(1e-4 * (1 + Math.abs(want)));
    };
    const check = fc.property(draw, ({ expression, xi, reduce, dtype, seed }) => {
      const rng = new Rng(seed);
      const value = () => [-INFINITE, INFINITE, 0, -1, 1, 2, -2, 3][rng.below(8)];
      const operands = shapesOf(expression, extents).map((shape) => {
        const count = shape.reduce((product, extent) => product * extent, 1);
        return tensor(Float64Array.from({ length: count }, value), shape, dtype);
      });
      const out = contract(expression, operands, { xi, reduce, backend: reference });
      const dout = tensor(out.data.map(() => rng.below(5) - 2) as Float64Array, out.shape);
      const [got, want] = [backend, reference].map((on) =>
        contractGradient(expression, operands, dout, { xi, reduce, backend: on }),
      );
      got.forEach(({ data }, n) => void data.forEach((own, at) => void expectSame(own, want[n].data[at])));
    });
    fc.assert(check, { numRuns: 60, ...SEED });
  });

  it('pass through relu where its slope is 1', () => {
    const storage = (...list: number[]) => {
      const made = backend.allocate('float64', list.length);
      made.write(list);
      return made;
    };
    const dy = storage(INFINITE, -INFINITE, 1);
    backend.activateGradient('relu', 3, 1, storage(0, 0, 2), dy, storage(0));
    expect([...dy.read()]).toEqual([0, 0, 1]);
  });
});

it('of both signs may meet in a term that no plan forms, which a function forms', () => {
  const operands = [tensor([INFINITE, 0]), tensor([-INFINITE, 0])];
  const by = (xi: XiOption) => contract('; i,j ->', operands, { xi, reduce: 'max' }).data[0];
  expect(by('sum')).toBe(INFINITE);
  expect(by((x, y) => x + y)).toBeNaN();
});
