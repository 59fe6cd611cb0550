import { ln, sinCos } from './elementary.ts';

/**
 * Seeded random numbers: xoshiro128** (Blackman & Vigna, ACM TOMS 47, 2021), its state filled by SplitMix32 from any
 * number of integer seeds, so that `new Rng(seed, epoch)` is a stream of its own.
 */
export class Rng {
  private s0: number;
  private s1: number;
  private s2: number;
  private s3: number;
  private spare: number | undefined;

  constructor(...seeds: readonly number[]) {
    let state = 0x9e3779b9;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let z = state;
      z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
      z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
      return z ^ (z >>> 16);
    };
    for (const seed of seeds) {
      state = next() ^ (seed >>> 0);
      state = next() ^ Math.floor(seed / 2 ** 32);
    }
    [this.s0, this.s1, this.s2, this.s3] = [next(), next(), next(), next() | 1];
  }

  /** A 32-bit integer. */
  integer(): number {
    const result = Math.imul(rotate(Math.imul(this.s1, 5), 7), 9) >>> 0;
    const shifted = this.s1 << 9;
    this.s2 ^= this.s0;
    this.s3 ^= this.s1;
    this.s1 ^= this.s2;
    this.s0 ^= this.s3;
    this.s2 ^= shifted;
    this.s3 = rotate(this.s3, 11);
    return result;
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    return ((this.integer() >>> 5) * 2 ** 26 + (this.integer() >>> 6)) / 2 ** 53;
  }

  /** Uniform in {0, …, bound − 1}. */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Normal with mean 0 and the given deviation (Box & Muller 1958). */
  normal(deviation = 1): number {
    if (this.spare !== undefined) {
      const value = this.spare * deviation;
      this.spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * ln(1 - this.uniform()));
    const [sin, cos] = sinCos(this.uniform());
    this.spare = radius * sin;
    return radius * cos * deviation;
  }

  /** A random order of 0, …, count − 1 (Fisher & Yates). */
  permutation(count: number): Uint32Array {
    const order = Uint32Array.from({ length: count }, (_, n) => n);
    for (let n = count - 1; n > 0; n--) {
      const other = this.below(n + 1);
      [order[n], order[other]] = [order[other], order[n]];
    }
    return order;
  }
}

function rotate(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
