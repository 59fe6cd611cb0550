import type { Combine, Weights } from './tables.ts';
import { checkRange, type Values } from './values.ts';

/** Unit roundoff of float64. */
const UNIT = 2 ** -53;

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
  for (let j = 0; j < major.width; j++) {
    for (const i of weights ? weights.partners(j) : [j]) {
      const pair = PAIR[combine](minor.top[i], minor.error[i], major.top[j], major.error[j]);
      const from = weights ? weights.at(i, j) : j;
      for (let k = 0; k < (weights ? K : 1); k++) {
        const at = weights ? k : j;
        const weight = weights ? Math.abs(weights.doubles[from + k]) : 1;
        size[at] += weight * pair.size;
        carried[at] += weight * pair.error;
      }
    }
  }
  checkRange(size);
  checkRange(carried);
  const joined = combine === 'product' ? major.grain + minor.grain : Math.min(major.grain, minor.grain);
  const grain = joined + (weights?.grain ?? 0);
  const exact =
    [...major.error, ...minor.error].every((e) => e === 0) && size.every((s) => s <= 2 ** 52 * 2 ** grain);
  if (exact) return { error: new Float64Array(K), grain };
  // A slope or an offset is a sum of at most L products, a value one of R slopes times h and R offsets; every partial sum is at
  // most `size`. Higham 2002, Accuracy and Stability of Numerical Algorithms, section 3.1.
  const operations = 2 * (minor.width + major.width) + 8;
  const gamma = (operations * UNIT) / (1 - operations * UNIT);
  const underflow = operations * minor.width * major.width * 2 ** -1074;
  const error = carried.map((c, k) =>
    size[k] === 0 ? 0 : (c + gamma * size[k]) * (1 + 2 ** -20) + underflow,
  );
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
