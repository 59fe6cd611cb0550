import type { FloatArray } from '../core/tensor.ts';
import type { Linear } from './matrix.ts';
import { narrow, type Wide } from './wide.ts';

/** Factors of a sum of products, with how many terms each sum over it has. */
export interface Factor {
  readonly data: FloatArray;
  readonly terms: number;
}

/** Elements that grow by less than 2^this cannot overflow, and what vanishes beside them stays below 2^-570. */
const FINITE = 500;
/** What vanishes, below 2^-1074, and grows by less than this has no place beside any normal number. */
const NO_GROWTH = 20;
/** Beside a norm above this, 2^-570 is nothing. */
const ORDINARY = 2 ** -450;

/**
 * Elements made of factors by ordinary arithmetic, unless their products could overflow, or vanish and count, on the way.
 *
 * @throws XiError E_NUMERIC where an element overflows.
 */
export function elementsOf(
  where: string,
  linear: Linear,
  factors: readonly Factor[],
  ordinary: () => Float64Array,
  wide: () => Wide,
): Float64Array {
  const growth = growthOf(factors);
  if (growth < FINITE) {
    const values = ordinary();
    if (growth < NO_GROWTH || linear.norm(values) > ORDINARY) return values;
  }
  return narrow(where, wide());
}

/** The binary logarithm of what products of parts of the factors, which are 1 or more, add up to at most. */
function growthOf(factors: readonly Factor[]): number {
  let growth = 0;
  for (const { data, terms } of factors) {
    let largest = 0;
    for (const value of data as Float64Array) largest = Math.max(largest, Math.abs(value));
    if (largest === 0) return 0;
    growth += Math.max(0, Math.log2(largest) + Math.log2(Math.max(1, terms)));
  }
  return growth;
}

/** Numbers within 2^±this, of which {@link level} keeps products within the range of float64. */
const MODERATE = 300;
/** A vector whose largest element is beyond 2^±this is divided by a power of two. */
const LEVEL = 20;
/** Products of numbers, one of each factor, that are within 2^±this need no care. */
const HARMLESS = 900;

/**
 * What sums of products of one part of each factor take: nothing, that vectors on the way are kept {@link level}, or numbers of any
 * size.
 */
export type Care = 'none' | 'level' | 'wide';

/** The care that products take, of which each has one number of each factor. */
export function careFor(factors: readonly Factor[]): Care {
  let [shrink, growth] = [0, 0];
  let isModerate = true;
  for (const { data, terms } of factors) {
    let largest = 0;
    let least = Number.POSITIVE_INFINITY;
    for (const value of data as Float64Array) {
      const size = Math.abs(value);
      if (size > largest) largest = size;
      if (size < least && size > 0) least = size;
    }
    if (largest === 0) continue;
    isModerate &&= largest < 2 ** MODERATE && least > 2 ** -MODERATE;
    shrink += Math.max(0, -Math.log2(least));
    growth += Math.max(0, Math.log2(largest) + Math.log2(Math.max(1, terms)));
  }
  if (shrink < HARMLESS && growth < HARMLESS) return 'none';
  return isModerate ? 'level' : 'wide';
}

/**
 * Divides the first elements of a vector by a power of two where the largest is small or large, and returns its exponent. The products of
 * two such vectors and a moderate number neither overflow nor vanish. NaN where elements are too far apart for that.
 */
export function level(values: Float64Array, count: number): number {
  let largest = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let n = 0; n < count; n++) {
    const size = Math.abs(values[n]);
    if (size > largest) largest = size;
    if (size < least && size > 0) least = size;
  }
  if (largest === 0) return 0;
  if (least < largest * 2 ** -MODERATE) return Number.NaN;
  if (largest > 2 ** -LEVEL && largest < 2 ** LEVEL) return 0;
  const exponent = Math.floor(Math.log2(largest));
  const scale = 2 ** -exponent;
  for (let n = 0; n < count; n++) values[n] *= scale;
  return exponent;
}
