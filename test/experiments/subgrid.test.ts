import { describe, expect, it } from 'vitest';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { chooseSubgrid, sidesOf } from '../../src/experiments/subgrid.ts';
import { widthBound } from '../../src/theory/bounds.ts';
import { subgridBound } from '../../src/theory/subgrid.ts';

describe('the part of the grid', () => {
  it('has many modes with few templates, at most as many rows and columns as wanted', () => {
    const mnist = chooseSubgrid(100, 16, 2048, 0);
    expect(mnist.rowModes).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(sidesOf(mnist)).toEqual({
      ...{ rows: new Array(11).fill(2), columns: [4, 4, 4, 4, 8] },
      ...{ rowCount: 2048, columnCount: 2048 },
    });
    const dna = chooseSubgrid(4, 60, 2048, 0);
    expect(dna.rowModes.length).toBe(49);
    expect(sidesOf(dna)).toMatchObject({ rowCount: 2048, columnCount: 2048 });
    expect(dna.choice.map((list) => list.length).slice(-12)).toEqual(new Array(12).fill(2));
    expect(sidesOf(chooseSubgrid(2, 4, 2048, 0))).toMatchObject({ rowCount: 4, columnCount: 4 });
    expect(sidesOf(chooseSubgrid(1, 1, 1, 0))).toMatchObject({ rowCount: 1, columnCount: 1 });
    for (const list of mnist.choice) expect(new Set(list).size).toBe(list.length);
    const middle = chooseSubgrid(4, 60, 2048, 0, undefined, [19, 41]);
    expect(middle.rowModes).toEqual(Array.from({ length: 30 }, (_, mode) => mode));
    expect(middle.choice.map((list) => list.length)).toEqual([
      ...new Array(19).fill(1),
      ...new Array(22).fill(2),
      ...new Array(19).fill(1),
    ]);
    expect(chooseSubgrid(100, 16, 2048, 0)).toEqual(mnist);
    expect(chooseSubgrid(100, 16, 2048, 1)).not.toEqual(mnist);
  });

  it('gives the bound of the whole grid on the whole grid', () => {
    for (const xi of XI_NAMES) {
      for (const [M, steps, rank] of [
        [3, 4, 7],
        [2, 6, 8],
        [5, 5, 0],
        [4, 3, 2],
        [2, 2, 1],
      ]) {
        const k = Math.floor(steps / 2);
        const sizes = { rows: new Array(k).fill(M), columns: new Array(steps - k).fill(M) };
        expect(subgridBound(xi, rank, sizes)).toMatchObject(widthBound({ xi, size: M, steps, rank }));
      }
    }
  });
});
