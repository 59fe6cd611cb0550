import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { contract, outer, type XiOption } from '../../src/contract/contract.ts';
import { tensor } from '../../src/core/tensor.ts';
import { refusal } from '../support/models.ts';

const x = tensor([
  [1, 2],
  [-3, 4],
]);
const y = tensor([5, -6, 7]);

describe('outer with a function', () => {
  it.each<[string, XiOption]>([
    ['of two numbers', (a: number, b: number) => a - 2 * b],
    ['with a unit', { value: (a: number, b: number) => Math.max(a, b), unit: 0 }],
  ])('%s is the contraction without a sum', (_, xi) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const [a, b] = [x, y].map((one) => tensor(one, undefined, dtype));
      expect(outer(a, b, { xi })).toEqual(contract('; ij,k -> ijk', [a, b], { xi }));
    }
  });

  it('refuses what is no operator, no number, or another backend', () => {
    for (const [xi, text] of [
      [undefined, /^outer xi: expected one of product/],
      ['plus', /^outer xi: expected one of product/],
      [3, /^outer xi: expected a name or a function/],
      [() => undefined, /^outer ξ\(1, 5\): expected a number, received undefined/],
    ] as const)
      expect(() => outer(x, y, { xi: xi as never })).toThrow(refusal('E_ARGUMENT', text));
    const { backend } = selectBackend({ prefer: ['wasm'] });
    expect(() => outer(x, y, { xi: () => 1, backend })).toThrow(
      refusal('E_BACKEND', /^outer: expected the reference/),
    );
    expect(() => outer(x, y, { xi: 'sum', reduce: 'max' } as never)).toThrow(
      refusal('E_ARGUMENT', /^outer: expected options among xi, backend/),
    );
  });
});

describe('plans of tensors that no array holds', () => {
  it('count as those of others do', () => {
    const plan = contract.plan('ij,jk->ik', [
      [1e5, 1e5],
      [1e5, 1e5],
    ]);
    expect(plan).toMatchObject({ shape: [1e5, 1e5], flops: 2e15, naiveFlops: 2e15, bytes: 12e10 });
    expect(`${plan}`).toMatch(/^ij,jk->ik/);
    const chain = contract.plan('ab,bc,cd->ad', [
      [1e6, 10],
      [10, 1e6],
      [1e6, 10],
    ]);
    expect(chain).toMatchObject({ flops: 4e8, largest: 100 });
    expect(contract.plan('; i,j -> ij', [[1e7], [1e7]], { xi: 'max' }).shape).toEqual([1e7, 1e7]);
  });

  it('end where doubles do not count them, and execution where arrays end', () => {
    expect(() => contract.plan('i->i', [[2 ** 53]])).toThrow(
      refusal('E_MEMORY', /^contract\.plan shape 0: expected at most 9007199254740991 elements/),
    );
    expect(() => contract.plan('; i,j -> ij', [[1e9], [1e9]], { xi: 'max' })).toThrow(
      refusal('E_MEMORY', /^contract\.plan output: expected at most 9007199254740991 elements/),
    );
    const long = tensor(new Float32Array(50_000));
    contract.plan('; i,j -> ij', [long, long], { xi: 'max' });
    const text = /output: expected at most 2147483647 elements, received \[50000, 50000\]$/;
    for (const xi of ['max', (a: number) => a] as const) {
      expect(() => contract('; i,j -> ij', [long, long], { xi })).toThrow(refusal('E_MEMORY', text));
      expect(() => contract.arg('; i,j -> ij', [long, long], { xi, reduce: 'max' })).toThrow(
        refusal('E_MEMORY', text),
      );
    }
  });
});
