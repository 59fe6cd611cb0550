import type { Xi } from '../core/xi.gen.ts';
import { block, negated, type Shallow, steps } from './build.ts';
import { complementWeights, roundedUp, totals } from './rounding.ts';
import { digit, type Target } from './target.ts';

/** How a shallow network holds any tensor. */
export const SHALLOW_VARIANTS = ['entries', 'entries+constant', 'fibres'] as const;
/** Constructions of shallow networks; docs/theory.md compares their widths. */
export type ShallowVariant = (typeof SHALLOW_VARIANTS)[number];

/** One minus a one-hot: what a term sees in mode t, 0 for template `index` and 1 for all others. */
const except = (index: number, m: number): number => (m === index ? 0 : 1);

/**
 * Width M^T + 1 (Theorem 5.1; Cohen & Shashua 2016): `H = S·1 − Σ_j H_j (1 − E_j)` with S = ΣH, where max_t(1 − δ(i_t, j_t)) = 1 − E_j is one
 * term for each index tuple j, and the constant 1 another.
 */
function entriesAndConstant(target: Target): Shallow {
  const { M, T, tuples, outputs, data } = target;
  const total = totals(target);
  return {
    xi: 'rectifier',
    A: steps(T, (t) => block([tuples + 1, M], (r, m) => (r === tuples ? 1 : except(digit(target, r, t), m)))),
    lambda: block([tuples + 1, outputs], (r, c) =>
      r === tuples ? total[c].sum + total[c].rest : -data[r * outputs + c],
    ),
  };
}

/** Width M^T: `H = Σ_j λ_j (1 − E_j)` ({@link complementWeights}). */
function entries(target: Target): Shallow {
  const { M, T, tuples, outputs } = target;
  return {
    xi: 'rectifier',
    A: steps(T, (t) => block([tuples, M], (r, m) => except(digit(target, r, t), m))),
    lambda: block([tuples, outputs], complementWeights(target)),
  };
}

/**
 * Width M^(T−1) + 1: with H raised by s to be non-negative and K its maximum, the term of a prefix j sees
 * K(1 − δ(i_t, j_t)) for t < T and K − H[j,i_T] at the end, and is K − E_j(prefix)·H[j,·]. So `H = Σ_j (K − term_j) − s`.
 * Several outputs have terms of their own and the constant in common. s and K have few digits, so that all but one of the numbers
 * that add up are exact, and the constant is in the middle, so that no sum before or after it exceeds K·M^(T−1)/2: the error is at
 * most ε·K·M^(T−1)/2, which is 1.1 ε M^(T−1) max|H|.
 */
function fibres(target: Target): Shallow {
  const { M, T, outputs, data } = target;
  const prefixes = M ** (T - 1);
  const width = outputs * prefixes + 1;
  const at = (prefix: number, m: number, c: number) => data[(prefix * M + m) * outputs + c];
  const { shift, top } = ranges(target);
  const constant = Math.floor(prefixes / 2) * outputs;
  const ofTerm = (r: number) => {
    const n = r < constant ? r : r - 1;
    return { prefix: Math.floor(n / outputs), c: n % outputs };
  };
  const last = block([width, M], (r, m) => {
    const { prefix, c } = ofTerm(r);
    return r === constant ? 1 : top[c] - (at(prefix, m, c) + shift[c]);
  });
  const earlier = (t: number) =>
    block([width, M], (r, m) => {
      const { prefix, c } = ofTerm(r);
      return r === constant ? 1 : top[c] * except(digit({ M, T: T - 1 }, prefix, t), m);
    });
  return {
    xi: 'rectifier',
    A: steps(T, (t) => (t === T - 1 ? last : earlier(t))),
    lambda: block([width, outputs], (r, c) =>
      r === constant ? top[c] * prefixes - shift[c] : ofTerm(r).c === c ? -1 : 0,
    ),
  };
}

const RECTIFIER: Readonly<Record<ShallowVariant, (target: Target) => Shallow>> = {
  entries,
  'entries+constant': entriesAndConstant,
  fibres,
};

/** Parameters of a shallow network of a variant. */
export function shallowSize({ M, T, outputs }: Target, variant: ShallowVariant): number {
  const width = variant === 'fibres' ? outputs * M ** (T - 1) + 1 : M ** T + (variant === 'entries' ? 0 : 1);
  return width * (T * M + outputs);
}

/**
 * Any tensor as a shallow network of rectifiers, maxima or minima. What the terms see is not negative, so that max needs no zero
 * beside it; the minimum of negated operands is the negated maximum.
 */
export function shallowPieces(
  target: Target,
  xi: Extract<Xi, 'rectifier' | 'max' | 'min'>,
  variant: ShallowVariant,
): Shallow {
  const net = RECTIFIER[variant](target);
  return xi === 'min' ? { xi, A: net.A.map(negated), lambda: negated(net.lambda) } : { ...net, xi };
}

/** Any tensor as a shallow product network of width M^(T−1): one outer product of one-hot vectors and a fibre each. */
export function shallowProduct({ M, T, outputs, data }: Target): Shallow {
  const prefixes = M ** (T - 1);
  const width = outputs * prefixes;
  return {
    xi: 'product',
    A: steps(T, (t) =>
      block([width, M], (r, m) => {
        const prefix = r % prefixes;
        if (t < T - 1) return 1 - except(digit({ M, T: T - 1 }, prefix, t), m);
        return data[(prefix * M + m) * outputs + Math.floor(r / prefixes)];
      }),
    ),
    lambda: block([width, outputs], (r, c) => (Math.floor(r / prefixes) === c ? 1 : 0)),
  };
}

/** For each output by how much it must be raised to be non-negative, if at all, and what it is not above then; of few digits. */
function ranges({ outputs, data }: Target): { shift: Float64Array; top: Float64Array } {
  const shift = new Float64Array(outputs);
  const top = new Float64Array(outputs);
  for (const [n, value] of data.entries()) shift[n % outputs] = Math.max(shift[n % outputs], -value);
  for (const [c, value] of shift.entries()) shift[c] = roundedUp(value, 8);
  for (const [n, value] of data.entries())
    top[n % outputs] = Math.max(top[n % outputs], value + shift[n % outputs]);
  return { shift, top: top.map((value) => roundedUp(value, 8)) };
}
