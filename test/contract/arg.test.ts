import { describe, expect, it } from 'vitest';
import { contract } from '../../src/contract/contract.ts';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { brute } from '../support/brute.ts';
import { drawTensor, normal, shapesOf } from '../support/operands.ts';
import { subjects } from '../support/subjects.ts';

describe.each(subjects)('contract.arg on $label', ({ open }) => {
  const backend = open();

  it('is the first maximum', () => {
    const a = tensor([
      [1, 5, 5],
      [7, 2, 7],
    ]);
    const { value, indices } = contract.arg('; ij -> i', [a], { xi: 'sum', reduce: 'max', backend });
    expect([...value.data]).toEqual([5, 7]);
    expect(indices).toEqual({ j: Int32Array.of(1, 0) });
    const least = contract.arg('; ij -> ', [a], { xi: 'sum', reduce: 'min', backend });
    expect([...least.value.data]).toEqual([1]);
    expect(least.indices).toEqual({ i: Int32Array.of(0), j: Int32Array.of(0) });
  });

  it.each([
    ['float32', 'max'],
    ['float64', 'min'],
  ] as const)('is right of more terms than are taken at a time, %s %s', (dtype, reduce) => {
    const sign = reduce === 'max' ? -1 : 1;
    for (const terms of [513, 515, 1030]) {
      for (const best of [0, 5, 11, terms - 1]) {
        const values = Float64Array.from(
          { length: terms },
          (_, k) => sign * (k === best ? 1 : 2 + k / terms),
        );
        const { value, indices } = contract.arg('; k ->', [tensor(values, [terms], dtype)], {
          ...{ xi: 'sum', reduce, backend },
        });
        expect([value.data[0], indices.k[0]]).toEqual([sign, best]);
      }
    }
  });

  it('finds the best path through a chain', () => {
    const rng = new Rng(3);
    const expression = '; a,ab,bc,cd,de -> e';
    const extents = { a: 4, b: 5, c: 6, d: 3, e: 2 };
    const operands = shapesOf(expression, extents).map((shape) => drawTensor(rng, shape, 'float64', normal));
    const { value, indices } = contract.arg(expression, operands, { xi: 'sum', reduce: 'max', backend });
    for (let e = 0; e < 2; e++) {
      const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((label) => indices[label][e]);
      const [p, q, r, s, t] = operands.map(({ data }) => data);
      const along = p[a] + q[a * 5 + b] + r[b * 6 + c] + s[c * 3 + d] + t[d * 2 + e];
      expect(along).toBeCloseTo(value.data[e], 12);
    }
  });

  it.each(XI_NAMES)('leads to a term with the value that won, for %s', (xi) => {
    const rng = new Rng(XI_NAMES.indexOf(xi));
    const cases: [string, Record<string, number>, number][] = [
      ['ijk; bi,bj -> bk', { i: 4, j: 5, k: 3, b: 6 }, 2 ** 26],
      ['; bi,ij,jq -> bq', { i: 4, j: 5, q: 3, b: 6 }, 40],
      ['bk; bi,bj,q -> bk', { i: 4, j: 5, k: 3, b: 6, q: 3 }, 16],
      ['; ij,jk -> ki', { i: 4, j: 5, k: 3 }, 2 ** 26],
    ];
    for (const [expression, extents, maxBytes] of cases) {
      for (const reduce of ['max', 'min'] as const) {
        const operands = shapesOf(expression, extents).map((shape) =>
          drawTensor(rng, shape, 'float64', normal),
        );
        const options = { xi, reduce, maxBytes, backend };
        const { value, indices } = contract.arg(expression, operands, options);
        const want = brute(expression, operands, xi, reduce);
        const output = [...expression.split('-> ')[1]];
        value.data.forEach((got, n) => {
          expect(Math.abs(got - want.data[n])).toBeLessThan(1e-12);
          const at: Record<string, number> = {};
          let rest = n;
          for (const label of [...output].reverse()) {
            at[label] = rest % extents[label];
            rest = Math.floor(rest / extents[label]);
          }
          for (const [label, array] of Object.entries(indices)) at[label] = array[n];
          // The same contraction with every index fixed: a single term.
          const [before] = expression.replaceAll(' ', '').split('->');
          const [weights, joined] = before.split(';');
          const words = [...(weights ? [weights] : []), ...joined.split(',')];
          const scalars = words.map((word, k) => {
            const place = [...word].reduce((so, label) => so * extents[label] + at[label], 0);
            return tensor(operands[k].data.slice(place, place + 1), []);
          });
          const parts = scalars.slice(weights ? 1 : 0);
          const alone = brute(`;${parts.map(() => '').join(',')}->`, parts, xi, reduce).data[0];
          const term = alone + (weights ? scalars[0].data[0] : 0);
          expect(Math.abs(term - got)).toBeLessThan(1e-12);
        });
      }
    }
  });

  it('has no winner where there is no term', () => {
    const empty = tensor(new Float64Array(0), [2, 0]);
    const { value, indices } = contract.arg('; ij -> i', [empty], { xi: 'sum', reduce: 'max', backend });
    expect([...value.data]).toEqual([Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY]);
    expect(indices).toEqual({ j: Int32Array.of(-1, -1) });
  });

  it('needs a reduction that has winners', () => {
    for (const reduce of ['sum', 'logsumexp', undefined] as const)
      expect(() => contract.arg('; i -> ', [tensor([1])], { xi: 'sum', reduce, backend })).toThrow(
        /max, min/,
      );
  });
});
