import { MAX_PRIME } from '../../core/abi.gen.ts';
import { integer, mismatch } from '../../core/errors.ts';
import { isPrime } from '../../core/primes.ts';
import { Rng } from '../../core/rng.ts';
import { decompose } from './dyadic.ts';

/**
 * The largest prime below 2²⁴. Products of two residues have 48 bits, so that 31 of them are added up in a double before
 * anything is reduced; that a determinant which is not 0 vanishes modulo it has a chance of about 2⁻²⁴.
 */
export const DEFAULT_PRIME = 16_777_213;

/** The prime to compute with: the given one, one that depends on a seed, or {@link DEFAULT_PRIME}. */
export function choosePrime(where: string, prime?: number, seed?: number): number {
  if (prime !== undefined && seed !== undefined)
    throw mismatch('E_ARGUMENT', where, 'a prime or a seed that chooses one', { prime, seed });
  if (prime !== undefined) {
    integer(`${where} prime`, prime, 3, MAX_PRIME);
    if (!isPrime(prime)) throw mismatch('E_ARGUMENT', `${where} prime`, 'a prime', prime);
    return prime;
  }
  if (seed === undefined) return DEFAULT_PRIME;
  integer(`${where} seed`, seed, 0, Number.MAX_SAFE_INTEGER);
  const rng = new Rng(seed, 24);
  for (;;) {
    const candidate = 2 ** 23 + rng.below(2 ** 23);
    if (isPrime(candidate)) return candidate;
  }
}

/** Arithmetic modulo an odd prime below 2²⁶; residues are doubles in [0, p). */
export class PrimeField {
  readonly p: number;
  /** Products of two residues, each with a residue beside it, that can be added to a residue within 2⁵³. */
  readonly chunk: number;
  private readonly inverse: number;
  private readonly powers = new Map<number, number>();

  constructor(p: number) {
    this.p = p;
    this.inverse = 1 / p;
    this.chunk = Math.floor((2 ** 53 - 2 * p) / (p * p + p));
  }

  /** x mod p for an integer 0 ≤ x ≤ 2⁵³ − p; the quotient may be off by one, which the remainder shows. */
  reduce(x: number): number {
    const r = x - Math.floor(x * this.inverse) * this.p;
    return r < 0 ? r + this.p : r >= this.p ? r - this.p : r;
  }

  multiply(x: number, y: number): number {
    return this.reduce(x * y);
  }

  add(x: number, y: number): number {
    const sum = x + y;
    return sum >= this.p ? sum - this.p : sum;
  }

  negate(x: number): number {
    return x === 0 ? 0 : this.p - x;
  }

  power(base: number, exponent: number): number {
    let result = 1;
    for (
      let e = exponent, square = base;
      e > 0;
      e = Math.floor(e / 2), square = this.multiply(square, square)
    ) {
      if (e % 2 === 1) result = this.multiply(result, square);
    }
    return result;
  }

  invert(x: number): number {
    return this.power(x, this.p - 2);
  }

  /** 2^exponent, also for negative exponents: 2 has an inverse, so that dyadic numbers have residues. */
  powerOfTwo(exponent: number): number {
    let power = this.powers.get(exponent);
    if (power === undefined) {
      power = exponent < 0 ? this.invert(this.power(2, -exponent)) : this.power(2, exponent);
      this.powers.set(exponent, power);
    }
    return power;
  }

  /** The residue of a finite double. */
  ofDouble(x: number): number {
    const { mantissa, exponent } = decompose(x);
    const size = this.multiply(Math.abs(mantissa) % this.p, this.powerOfTwo(exponent));
    return mantissa < 0 ? this.negate(size) : size;
  }

  ofDyadic(integer: bigint, exponent: number): number {
    const remainder = Number(integer % BigInt(this.p));
    return this.multiply(remainder < 0 ? remainder + this.p : remainder, this.powerOfTwo(exponent));
  }
}
