/** Estimates how long work takes from what work of the same kind took. */
export class Pace {
  private readonly done = new Map<string, { work: number; seconds: number }>();

  add(kind: string, work: number, seconds: number): void {
    const before = this.done.get(kind) ?? { work: 0, seconds: 0 };
    this.done.set(kind, { work: before.work + work, seconds: before.seconds + seconds });
  }

  /** Seconds that open work may take; of a kind that was not seen yet as the others, and undefined where none was. */
  left(open: Iterable<{ readonly kind: string; readonly work: number }>): number | undefined {
    const all = { work: 0, seconds: 0 };
    for (const { work, seconds } of this.done.values()) {
      all.work += work;
      all.seconds += seconds;
    }
    if (all.work === 0) return undefined;
    let sum = 0;
    for (const { kind, work } of open) {
      const { seconds, work: unit } = this.done.get(kind) ?? all;
      sum += (work * seconds) / unit;
    }
    return sum;
  }
}
