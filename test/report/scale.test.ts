import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aroundLog, ticks } from '../../src/report/scale.ts';

describe('ticks of a logarithmic axis', () => {
  const axis = (low: number, high: number) => ({ label: '', ...aroundLog([low, high]) });

  it('are powers of ten, with 2 and 5 in between where they are few', () => {
    expect(ticks(axis(1e2, 1e8), 10)).toEqual([1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8]);
    expect(ticks(axis(30, 300), 6)).toEqual([50, 100, 200]);
  });

  it('are at steps alike where that leaves less than two', () => {
    expect(ticks(axis(258_050, 390_050), 6)).toEqual([250_000, 300_000, 350_000, 400_000]);
  });

  it('are two at least, inside the axis', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        fc.double({ min: 1, max: 1e4, noNaN: true }),
        (low, ratio) => {
          const own = axis(low, low * ratio);
          const made = ticks(own, 6);
          expect(made.length).toBeGreaterThan(1);
          for (const value of made)
            expect(value >= own.low * 0.999999 && value <= own.high * 1.000001).toBe(true);
        },
      ),
    );
  });
});
