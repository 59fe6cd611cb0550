import { describe, expect, it } from 'vitest';
import { histogram } from '../../src/experiments/ranks.ts';
import { binned, binSize, medianOf, sizeFor } from '../../src/report/bins.ts';
import { samplesOf, sizesOf, wilson } from '../../src/report/samples.ts';
import { DATA, someResults } from '../support/results.ts';

describe('bins', () => {
  it.each([
    [8, 8, 1],
    [9, 8, 2],
    [36, 8, 5],
    [36, 24, 2],
    [1000, 24, 50],
  ])('of %d values at most %d have %d values each', (range, most, size) => {
    expect(binSize(range, most)).toBe(size);
  });

  it('are few where networks are few, and of one value where those are few', () => {
    const over = (values: number, networks: number) =>
      histogram(Array.from({ length: networks }, (_, n) => 1 + (n % values))).bins;
    expect([sizeFor([over(36, 60)]), sizeFor([over(36, 1000)]), sizeFor([over(6, 60), []])]).toEqual([
      5, 2, 1,
    ]);
    expect(sizeFor([[], []])).toBe(1);
  });

  it('begin with 1, touch, and hold everything', () => {
    const { bins } = histogram([1, 2, 2, 5, 11]);
    expect(binned(bins, 5)).toEqual([
      [0.5, 5.5, 0.8],
      [5.5, 10.5, 0],
      [10.5, 15.5, 0.2],
    ]);
    expect(binned(histogram([3, 3]).bins, 1)).toEqual([[2.5, 3.5, 1]]);
    expect(binned([], 5)).toEqual([]);
  });

  it('have a median, the lower of two', () => {
    expect([medianOf(histogram([4, 1, 9]).bins), medianOf(histogram([4, 1, 9, 7]).bins)]).toEqual([4, 4]);
  });
});

describe('samples', () => {
  const [mnist, splice] = DATA;
  const runs = someResults().performance;
  const run = runs.find(({ dataset }) => dataset === 'mnist')!;

  it('are those of the limits, or of the fold', () => {
    expect(sizesOf(run, DATA)).toEqual({ trained: 12000, tested: 5000 });
    expect(sizesOf({ ...run, limit: null, testLimit: 1e9 }, DATA)).toEqual({ trained: 60000, tested: 10000 });
    const folds = [0, 1, 2, 3, 4].map((fold) =>
      sizesOf({ ...run, dataset: 'splice', fold, limit: null, testLimit: null }, DATA),
    );
    expect(folds[0]).toEqual({ trained: splice.train, tested: splice.test });
    expect(folds.reduce((sum, sizes) => sum + sizes!.tested, 0)).toBe(3186);
    expect(sizesOf({ ...run, dataset: 'other' }, DATA)).toBe(null);
  });

  it('are told in words', () => {
    expect(samplesOf(mnist, runs)).toBe('trained on 12,000 of 60,000, tested on 5,000 of 10,000 sequences');
    expect(samplesOf(mnist, [{ ...run, limit: null, testLimit: null }])).toBe(
      'trained on 60,000, tested on 10,000 sequences',
    );
    expect(samplesOf(splice, runs)).toBe('3,186 sequences in 5 folds, each tested once');
    const some = runs.filter(({ fold }) => fold !== null && fold < 2);
    expect(samplesOf(splice, some)).toBe('3,186 sequences in 5 folds, 2 of them tested');
  });

  it.each([
    // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('%d of %d have the interval of Wilson', (right, n, low, high) => {
    const interval = wilson(right / n, n);
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });
});
