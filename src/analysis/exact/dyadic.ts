import { HIGH } from '../../core/elementary.ts';

/** Exact numbers with one power of two in common: number n is `integers[n] · 2^exponent`. */
export interface Dyadic {
  readonly integers: readonly bigint[];
  readonly exponent: number;
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** x = mantissa · 2^exponent with an odd integer mantissa of at most 53 bits; 0 is 0 · 2^0. */
export function decompose(x: number): { readonly mantissa: number; readonly exponent: number } {
  if (x === 0) return { mantissa: 0, exponent: 0 };
  double[0] = x;
  const high = halves[HIGH];
  const low = halves[1 - HIGH];
  const biased = (high >>> 20) & 0x7ff;
  const top = (high & 0xfffff) + (biased === 0 ? 0 : 0x100000);
  const zeros = low === 0 ? 32 + trailingZeros(top) : trailingZeros(low);
  const mantissa = (top * 2 ** 32 + low) / 2 ** zeros;
  return { mantissa: x < 0 ? -mantissa : mantissa, exponent: Math.max(biased, 1) - 1075 + zeros };
}

const trailingZeros = (word: number) => 31 - Math.clz32(word & -word);

/** Finite floating-point numbers, exactly. */
export function dyadic(values: ArrayLike<number>): Dyadic {
  const exponent = grainOf(values);
  const integers: bigint[] = [];
  for (let n = 0; n < values.length; n++) {
    const part = decompose(values[n]);
    integers.push(part.mantissa === 0 ? 0n : BigInt(part.mantissa) << BigInt(part.exponent - exponent));
  }
  return { exponent, integers };
}

/** The largest exponent, at most 0, of a power of two that divides all of the values. */
export function grainOf(values: ArrayLike<number>): number {
  let grain = 0;
  for (let n = 0; n < values.length; n++) {
    if (values[n] !== 0) grain = Math.min(grain, decompose(values[n]).exponent);
  }
  return grain;
}

/** The same numbers with a smaller exponent. */
export function rescaled({ integers, exponent }: Dyadic, smaller: number): readonly bigint[] {
  if (smaller === exponent) return integers;
  const shift = BigInt(exponent - smaller);
  return integers.map((n) => n << shift);
}

/** Sign of x·2^xExponent − y·2^yExponent. */
export function compare(x: bigint, xExponent: number, y: bigint, yExponent: number): number {
  const least = Math.min(xExponent, yExponent);
  const difference = (x << BigInt(xExponent - least)) - (y << BigInt(yExponent - least));
  return difference > 0n ? 1 : difference < 0n ? -1 : 0;
}

/** Bits that are kept of a larger integer: enough that cutting it off costs less than rounding to a double does. */
const KEPT_BITS = 96;

/** integer · 2^exponent as a double, and a bound on its error: 0 where it is representable. */
export function toDouble(
  integer: bigint,
  exponent: number,
): { readonly value: number; readonly error: number } {
  if (integer === 0n) return { value: 0, error: 0 };
  const bits = 4 * (integer < 0n ? -integer : integer).toString(16).length;
  const cut = Math.max(0, bits - KEPT_BITS);
  const head = Number(integer >> BigInt(cut));
  const scale = exponent + cut;
  // In two factors, since 2^scale alone may underflow where the product does not.
  const half = Math.trunc(scale / 2);
  const value = head * 2 ** half * 2 ** (scale - half);
  const exact = bits <= 53 && exponent >= -1074;
  return { value, error: exact ? 0 : Math.abs(value) * 2 ** -52 + 2 ** -1073 };
}
