import { XiError } from '../core/errors.ts';
import type { FloatArray, Tensor } from '../core/tensor.ts';

/** Numbers whose squares and products with others of this size neither overflow nor vanish are left as they are. */
const [LEAST, MOST] = [2 ** -100, 2 ** 100];
/** The largest step of {@link timesPower}: 2^±1000 is a normal number. */
const STEP = 1000;

/** x·2^exponent: exact, or the nearest that there is where it is subnormal, and infinite where it overflows. */
export function timesPower(x: number, exponent: number): number {
  let [value, left] = [x, exponent];
  for (; left > STEP; left -= STEP) value *= 2 ** STEP;
  for (; left < -STEP; left += STEP) value *= 2 ** -STEP;
  return value * 2 ** left;
}

/**
 * A number of the size of a tensor.
 *
 * @throws XiError E_NUMERIC where it overflows.
 */
export function withPower(where: string, x: number, exponent: number): number {
  const value = timesPower(x, exponent);
  if (Number.isFinite(value)) return value;
  throw new XiError('E_NUMERIC', `${where}: expected a result within the range of float64, it overflows`);
}

/** Keeps factors of a tensor at ordinary sizes, and the powers of two that they lost. */
export class Powers {
  /** The tensor is 2^lost times what its factors make now. */
  lost = 0;

  /** A factor, or a matrix, divided by a power of two where its largest element is tiny or huge. */
  take<Factor extends { readonly data: FloatArray }>(factor: Factor): Factor {
    const data = factor.data as Float64Array;
    let largest = 0;
    for (const value of data) largest = Math.max(largest, Math.abs(value));
    if (largest === 0 || (largest > LEAST && largest < MOST)) return factor;
    const exponent = Math.floor(Math.log2(largest));
    this.lost += exponent;
    return { ...factor, data: data.map((value) => timesPower(value, -exponent)) };
  }
}

/** Products of two parts whose largest ones are beyond these are made of parts at ordinary sizes. */
const [LEAST_PRODUCT, MOST_PRODUCT] = [2 ** -500, 2 ** 500];

/** Two parts whose elements are multiplied with each other, at ordinary sizes where their products might leave the range. */
export function takeBoth(powers: Powers, a: Tensor, b: Tensor): readonly [Tensor, Tensor] {
  const [x, y] = [a, b].map(({ data }) => {
    let largest = 0;
    for (const value of data as Float64Array) largest = Math.max(largest, Math.abs(value));
    return largest;
  });
  const isOrdinary = x * y > LEAST_PRODUCT && x * y < MOST_PRODUCT;
  return x === 0 || y === 0 || isOrdinary ? [a, b] : [powers.take(a), powers.take(b)];
}

/**
 * Parts whose product is multiplied by 2^exponent: by the last one, or evenly by all where that one would leave the range.
 *
 * @throws XiError E_NUMERIC where they would all leave it.
 */
export function spreadPower(where: string, parts: readonly Tensor[], exponent: number): Tensor[] {
  const last = parts.length - 1;
  const share = Math.abs(exponent) <= STEP / 2 ? 0 : Math.trunc(exponent / parts.length);
  const scaled = parts.map((part, n) => {
    const power = n === last ? exponent - last * share : share;
    return { ...part, data: (part.data as Float64Array).map((value) => timesPower(value, power)) };
  });
  return checkRange(where, scaled);
}

/** Below 2^this the elements of one part would be subnormal, and lose digits, for which others have room. */
const LEAST_OF_ONE = -900;

/**
 * Parts of a tensor that was scaled by 2^−exponent before it was decomposed: the last one takes it back, or all do where that one
 * would lose digits.
 *
 * @throws XiError E_NUMERIC where it overflows.
 */
export function withScale(
  where: string,
  parts: readonly Tensor[],
  exponent: number,
  what?: string,
): Tensor[] {
  // Elements of an ordinary size make no others, and to look at a million of them takes a part of the time.
  if (exponent === 0) return [...parts];
  if (exponent < LEAST_OF_ONE) return spreadPower(where, parts, exponent);
  const [last] = parts.slice(-1);
  const data = (last.data as Float64Array).map((value) => timesPower(value, exponent));
  return checkRange(where, [...parts.slice(0, -1), { ...last, data }], what);
}

/** @throws XiError E_NUMERIC where a part of the result is not finite; `what` says what of it is too large. */
export function checkRange(where: string, parts: readonly Tensor[], what = 'elements'): Tensor[] {
  for (const { data } of parts) {
    if (!(data as Float64Array).every(Number.isFinite))
      throw new XiError('E_NUMERIC', `${where}: expected ${what} within the range of float64, they overflow`);
  }
  return [...parts];
}
