import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rankOf } from '../../src/analysis/ranks.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { XI, type Xi } from '../../src/core/xi.gen.ts';
import { subgridBound } from '../../src/theory/subgrid.ts';

const backend = selectBackend({ threads: 1 }).backend;
const PIECES = (['rectifier', 'max', 'min'] as const).filter((xi) => XI[xi].bound === 'pieces');

/** ξ over one choice a mode, for every choice, the first mode slowest. */
const sideOf = (xi: Xi, z: readonly (readonly number[])[]): readonly number[] =>
  z.reduce(
    (rows, list) => rows.flatMap((row) => list.map((value) => XI[xi].value(row, value))),
    [XI[xi].unit],
  );

/** The rank of a sum of `width` terms ξ(p(row), q(column)) whose values come from `draw`. */
function rankOfTerms(
  xi: Xi,
  [rows, columns]: readonly (readonly number[])[],
  width: number,
  rng: Rng,
  draw: () => number,
): number {
  const sum = Array.from({ length: width }, () => {
    const [p, q] = [rows, columns].map((sizes) =>
      sideOf(
        xi,
        sizes.map((size) => Array.from({ length: size }, draw)),
      ),
    );
    const weight = rng.normal();
    return p.flatMap((x) => q.map((y) => weight * XI[xi].value(x, y)));
  }).reduce((total, term) => total.map((value, n) => value + term[n]));
  const count = (sizes: readonly number[]) => sizes.reduce((x, y) => x * y, 1);
  return rankOf(backend, tensor(Float64Array.from(sum), [count(rows), count(columns)]), [0], 1e-10).rank;
}

describe('the bound on all terms together', () => {
  const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 5 });

  it('is at most the width of any shallow network on any part of a grid', () => {
    fc.assert(
      fc.property(
        ...[fc.constantFrom(...PIECES), sizes, sizes, fc.integer({ min: 1, max: 12 })],
        ...[fc.boolean(), fc.nat()],
        (xi, rows, columns, width, few, seed) => {
          const rng = new Rng(seed);
          // Few different values make ties, in which a box loses several templates at once.
          const draw = () => (few ? rng.below(5) - 1 : rng.normal());
          const rank = rankOfTerms(xi, [rows, columns], width, rng, draw);
          const { paper, refined, joint } = subgridBound(xi, rank, { rows, columns });
          expect(joint).toBeLessThanOrEqual(width);
          expect(joint).toBeGreaterThanOrEqual(refined!);
          expect(refined).toBeGreaterThanOrEqual(paper!);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is attained: by two and three terms over few modes there is no better bound on ranks', () => {
    for (const [side, width, rank] of [
      [[2, 2, 2, 2, 2], 1, 6],
      [[2, 2, 2, 2, 2], 2, 11],
      [[2, 2, 2, 2, 2], 3, 16],
      [[3, 3, 3], 2, 13],
      [[2, 3, 3, 2], 2, 13],
      [[4, 3, 3], 2, 15],
    ] as const) {
      const most = Math.max(
        ...Array.from({ length: 60 }, (_, seed) => {
          const rng = new Rng(seed, width);
          return rankOfTerms('rectifier', [side, side], width, rng, extremal(side, rng));
        }),
      );
      expect(most).toBe(rank);
      expect(subgridBound('rectifier', rank, { rows: side, columns: side }).joint).toBe(width);
      expect(subgridBound('rectifier', rank + 1, { rows: side, columns: side }).joint).toBe(width + 1);
    }
  });

  it('is that of the page for 2048 rows of two templates a step', () => {
    const binary = { rows: new Array(11).fill(2), columns: [4, 4, 4, 4, 8] };
    expect(subgridBound('rectifier', 2048, binary)).toEqual({
      ...{ paper: 94, refined: 171, joint: 227, impossible: false },
    });
    expect(subgridBound('product', 2048, binary).joint).toBe(2048);
    expect(subgridBound('sum', 3, binary).joint).toBeNull();
    expect(subgridBound('l2', 2048, binary).joint).toBe(1);
    expect(subgridBound('rectifier', 0, binary).joint).toBe(0);
  });
});

/** Values of a term of most rank: at each mode a common least one and others that occur nowhere else, those of columns between those of rows. */
function extremal(side: readonly number[], rng: Rng): () => number {
  let left: number[] = [];
  let shift = 0.5;
  return () => {
    if (left.length === 0) {
      shift = 0.5 - shift;
      const order = [...rng.permutation(side.reduce((sum, size) => sum + size - 1, 0))];
      left = side.flatMap((size) => {
        const values = [0, ...order.splice(0, size - 1).map((n) => n + 1)];
        // Which template has the least value differs from term to term.
        return [...rng.permutation(size)].map((m) => values[m] + shift);
      });
    }
    return left.shift()!;
  };
}
