import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridTensor } from '../../src/analysis/grid.ts';
import { gridOutput, oddModes } from '../../src/analysis/matricize.ts';
import { matricizationRank } from '../../src/analysis/ranks.ts';
import type { Backend } from '../../src/backend/interface.ts';
import { type Tensor, tensor } from '../../src/core/tensor.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { bestWidthBound, widthBound } from '../../src/theory/bounds.ts';
import { modelOf } from '../../src/theory/build.ts';
import { featureMap, identity } from '../../src/theory/features.ts';
import { asTensor, type GoldenArray, golden } from '../support/golden.ts';
import { refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

interface Row {
  readonly xi: Xi;
  readonly M: number;
  readonly T: number;
  readonly rank: number;
  readonly paper: number | null;
  readonly refined: number | null;
  readonly impossible: boolean;
}
interface Shallow {
  readonly xi: Xi;
  readonly M: number;
  readonly T: number;
  readonly rank: number;
}
interface Extremal extends Shallow {
  readonly v: GoldenArray;
  readonly F: GoldenArray;
}
interface RandomShallow extends Shallow {
  readonly W: number;
  readonly cp: { readonly lambda: GoldenArray; readonly v: GoldenArray };
  readonly safe: boolean;
  readonly paper: number;
  readonly refined: number;
}
const { table, extremal_single_terms, random_shallow } = golden<{
  table: Row[];
  extremal_single_terms: Extremal[];
  random_shallow: RandomShallow[];
}>('bounds.json');

/** The numerical rank of a shallow network's grid tensor, odd modes as rows. */
function oddRank({ xi, T, M }: Shallow, lambda: Tensor, v: GoldenArray, F: Tensor, backend: Backend): number {
  const sizes = { kind: 'cp', xi, steps: T, outputs: 1, rank: lambda.shape[0] } as const;
  const model = modelOf(sizes, { lambda, v: asTensor(v, 'float64') }, featureMap(M, F), { backend });
  return matricizationRank(gridOutput(gridTensor(model, identity(M)), 0), oddModes(T), { backend }).rank;
}

describe.each(subjects)('golden networks, $label', ({ open }) => {
  const backend = open();

  it('extremal terms attain k(M−1) + 1', () => {
    expect(extremal_single_terms.length).toBeGreaterThan(8);
    for (const { v, F, ...term } of extremal_single_terms) {
      const rank = oddRank(term, tensor([[1]]), v, asTensor(F, 'float64'), backend);
      expect(rank).toBe(term.rank);
      expect(rank).toBe(Math.floor(term.T / 2) * (term.M - 1) + 1);
      expect(widthBound({ xi: term.xi, size: term.M, steps: term.T, rank }).refined).toBe(1);
    }
  });

  it('random networks of width W have bounds of at most W', () => {
    expect(random_shallow.length).toBeGreaterThan(20);
    for (const { W, cp, safe, paper, refined, ...net } of random_shallow) {
      const lambda = asTensor(cp.lambda, 'float64');
      if (safe) expect(oddRank(net, lambda, cp.v, identity(net.M), backend)).toBe(net.rank);
      const bound = widthBound({ xi: net.xi, size: net.M, steps: net.T, rank: net.rank });
      expect(bound).toEqual({ paper, refined, impossible: false });
      expect(refined).toBeLessThanOrEqual(W);
    }
  });
});

describe('widthBound', () => {
  it.each(XI_NAMES)('gives the golden table, %s', (xi) => {
    const rows = table.filter((row) => row.xi === xi);
    expect(rows.length).toBeGreaterThan(20);
    for (const { M, T, rank, paper, refined, impossible } of rows)
      expect(widthBound({ xi, size: M, steps: T, rank }), `M=${M} T=${T} rank=${rank}`).toEqual({
        paper,
        refined,
        impossible,
      });
  });

  it('is the same for a set of rows and for its complement, and the refined form is the stronger', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...XI_NAMES),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 9 }).chain((steps) =>
          fc.record({
            steps: fc.constant(steps),
            rowModes: fc.subarray(Array.from({ length: steps }, (_, t) => t)),
          }),
        ),
        fc.nat(5000),
        (xi, size, { steps, rowModes }, rank) => {
          const others = Array.from({ length: steps }, (_, t) => t).filter((t) => !rowModes.includes(t));
          const bound = widthBound({ xi, size, steps, rank, rowModes });
          expect(widthBound({ xi, size, steps, rank, rowModes: others })).toEqual(bound);
          expect(bound.impossible).toBe(bound.refined === null);
          if (bound.refined !== null && rowModes.length > 0 && others.length > 0)
            expect(bound.refined).toBeGreaterThanOrEqual(bound.paper!);
        },
      ),
    );
  });

  it.each<[string, object, RegExp]>([
    ['ξ', { xi: 'plus' }, /widthBound xi: expected one of product/],
    ['size', { size: 0 }, /widthBound size/],
    ['steps', { steps: 1.5 }, /widthBound steps/],
    ['rank', { rank: -1 }, /widthBound rank/],
    ['a mode outside', { rowModes: [4] }, /rowModes: expected an integer from 0 to 3, received 4/],
    ['a mode twice', { rowModes: [1, 1] }, /rowModes: expected each mode once, received \[1, 1\]/],
    ['no list of modes', { rowModes: 2 }, /rowModes: expected a list/],
    ['an unknown option', { rows: [1] }, /expected options among xi, size/],
  ])('refuses a wrong %s', (_, wrong, message) => {
    const options = { xi: 'rectifier' as const, size: 3, steps: 4, rank: 2, ...wrong };
    expect(() => widthBound(options)).toThrow(refusal('E_ARGUMENT', message));
  });
});

describe('bestWidthBound', () => {
  const sizes = { xi: 'rectifier', size: 4, steps: 6 } as const;

  it('takes the matricization that gives most, not the one of the largest rank', () => {
    // One row mode: a term has at most 4 distinct rows; three: 10.
    const cuts = [
      { rowModes: [0, 1, 2], rank: 10 },
      { rowModes: [5], rank: 9 },
    ];
    expect(bestWidthBound({ ...sizes, cuts })).toEqual({
      paper: 3,
      refined: 3,
      impossible: false,
      rowModes: [5],
    });
  });

  it('lets impossible win', () => {
    const cuts = [1, 3, 2].map((rank, t) => ({ rowModes: [t], rank }));
    expect(bestWidthBound({ ...sizes, xi: 'sum', cuts })).toMatchObject({ impossible: true, rowModes: [1] });
  });

  it('refuses no matricization', () => {
    expect(() => bestWidthBound({ ...sizes, cuts: [] })).toThrow(
      refusal('E_ARGUMENT', /cuts: expected at least one/),
    );
  });
});
