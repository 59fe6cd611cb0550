import type { Bins } from '../experiments/ranks.ts';

/** Bars of equal width over whole numbers: from, to, and the part of all that lies between. */
export type Bars = readonly (readonly [from: number, to: number, part: number])[];

/** Steps 1, 2, 5, 10, … of which at most `most` cover a range. */
export function binSize(range: number, most: number): number {
  for (let power = 1; ; power *= 10) {
    for (const size of [power, 2 * power, 5 * power]) if (Math.ceil(range / size) <= most) return size;
  }
}

/** Values a bin for histograms drawn together: as many bins as the root of the number of values, 8 to 24, so that they are not mostly noise. */
export function sizeFor(all: readonly Bins[]): number {
  const values = all.flatMap((bins) => bins.map(([value]) => value));
  if (values.length === 0) return 1;
  const total = Math.max(...all.map((bins) => bins.reduce((sum, [, count]) => sum + count, 0)));
  const most = Math.min(24, Math.max(8, Math.round(Math.sqrt(total))));
  return binSize(Math.max(...values) - Math.min(...values) + 1, most);
}

/** A histogram in bins of `size` values that begin with 1, 1 + size, …; bins between that are empty are there. */
export function binned(bins: Bins, size: number): Bars {
  if (bins.length === 0) return [];
  const total = bins.reduce((sum, [, count]) => sum + count, 0);
  const place = (value: number) => Math.floor((value - 1) / size);
  const [first, last] = [place(bins[0][0]), place(bins[bins.length - 1][0])];
  const counts = new Array<number>(last - first + 1).fill(0);
  for (const [value, count] of bins) counts[place(value) - first] += count;
  return counts.map((count, n) => {
    const from = 1 + (first + n) * size;
    return [from - 0.5, from + size - 0.5, count / total] as const;
  });
}

/** The value in the middle; of an even number the lower of the two. */
export function medianOf(bins: Bins): number {
  const half = bins.reduce((sum, [, count]) => sum + count, 0) / 2;
  let seen = 0;
  for (const [value, count] of bins) {
    seen += count;
    if (seen >= half) return value;
  }
  return Number.NaN;
}
