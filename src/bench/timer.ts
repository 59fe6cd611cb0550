/** Figures of one measured thing: the median of its rounds and how far they lie apart. */
export interface Timing {
  readonly medianMs: number;
  /** Difference of the upper and the lower quartile, relative to the median. */
  readonly spread: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export function timingOf(milliseconds: readonly number[]): Timing {
  const sorted = [...milliseconds].sort((x, y) => x - y);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
  const middle = median(sorted);
  return { medianMs: middle, spread: (at(0.75) - at(0.25)) / middle };
}

/** Milliseconds of one call of `run`. */
export function time(run: () => void): number {
  const start = performance.now();
  run();
  return performance.now() - start;
}
