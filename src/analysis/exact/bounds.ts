import type { Combine, Weights } from './tables.ts';
import { checkRange, type Values } from './values.ts';

/** Unit roundoff of float64, and its least number: what a product that underflows is off by, at most. */
const UNIT = 2 ** -53;
const LEAST_EXPONENT = -1074;
const LEAST = 2 ** LEAST_EXPONENT;

/** For each output component: a bound on the error of its double, from the errors of the operands; and its grain. */
export function joinBounds(
  combine: Combine,
  major: Values,
  minor: Values,
  weights: Weights | null,
): { readonly error: Float64Array; readonly grain: number } {
  const K = weights?.K ?? major.width;
  /** Σ|G| times the size of a joined pair, and times its error. */
  const size = new Float64Array(K);
  const carried = new Float64Array(K);
  /** 1 where some pair is not zero, which its size may have become by underflow. */
  const alive = new Uint8Array(K);
  /** Σ|G|, of a product times the minor operand, for the component that is joined: a slope may overflow before it meets a small h. */
  const slope = new Float64Array(K);
  let heaviest = 1;
  for (let j = 0; j < major.width; j++) {
    slope.fill(0);
    for (const i of weights ? weights.partners(j) : [j]) {
      const [a, h] = [minor.top[i], major.top[j]];
      const pair = PAIR[combine](a, minor.error[i], h, major.error[j]);
      const counts = combine === 'product' ? a > 0 && h > 0 : a > 0 || h > 0;
      const from = weights ? weights.at(i, j) : j;
      for (let k = 0; k < (weights ? K : 1); k++) {
        const at = weights ? k : j;
        const weight = weights ? Math.abs(weights.doubles[from + k]) : 1;
        size[at] += weight * pair.size;
        carried[at] += weight * pair.error;
        slope[at] += weight * (combine === 'product' ? a : 1);
        if (counts && weight > 0) alive[at] = 1;
        heaviest = Math.max(heaviest, weight);
      }
    }
    checkRange(slope);
  }
  // Twice, since a sum may be larger than its bound by the rounding of either.
  checkRange(size.map((s) => 2 * s));
  checkRange(carried);
  const joined = combine === 'product' ? major.grain + minor.grain : Math.min(major.grain, minor.grain);
  const grain = joined + (weights?.grain ?? 0);
  const operandsAreExact = [...major.error, ...minor.error].every((e) => e === 0);
  // Every partial sum is a multiple of 2^grain then, and has 53 bits at most.
  const representable = grain >= LEAST_EXPONENT && size.every((s) => s <= 2 ** 52 * 2 ** grain);
  if (operandsAreExact && representable) return { error: new Float64Array(K), grain };
  // A slope or an offset is a sum of at most L products, a value one of R slopes times h and R offsets; every partial sum is at
  // most `size`. Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1.
  const operations = 2 * (minor.width + major.width) + 8;
  const gamma = (operations * UNIT) / (1 - operations * UNIT);
  // What underflows, there or in the sums above, may be multiplied by a weight and by a value afterwards.
  const largest = major.top.reduce((most, top) => Math.max(most, top), 1);
  const underflow = operations * minor.width * major.width * LEAST * heaviest * largest;
  const error = carried.map((c, k) =>
    alive[k] === 0 ? 0 : (c + gamma * size[k]) * (1 + 2 ** -20) + underflow,
  );
  checkRange(error);
  return { error, grain };
}

interface Pair {
  readonly size: number;
  readonly error: number;
}

/** Size and error of a joined pair from those of its operands. */
const PAIR: Readonly<Record<Combine, (a: number, da: number, h: number, dh: number) => Pair>> = {
  max: (a, da, h, dh) => ({ size: Math.max(a, h), error: Math.max(da, dh) }),
  sum: (a, da, h, dh) => ({ size: a + h, error: da + dh }),
  product: (a, da, h, dh) => ({ size: a * h, error: da * h + dh * a + da * dh }),
};
