import type { Reduction } from '../backend/interface.ts';
import type { Xi } from '../core/xi.gen.ts';

/** ⊙: weights multiply what is summed and add to what is maximized, minimized or exponentiated. */
export function weighing(reduce: Reduction): Xi {
  return reduce === 'sum' ? 'product' : 'sum';
}

/** What ⊕ over no terms is. */
export const NEUTRAL: Readonly<Record<Reduction, number>> = {
  sum: 0,
  max: Number.NEGATIVE_INFINITY,
  min: Number.POSITIVE_INFINITY,
  logsumexp: Number.NEGATIVE_INFINITY,
};

/** What plans say of that. */
export const NO_TERMS = 'there are no terms: the output is the neutral element of ⊕';

/** Operators for which ξ(u, z) is not z: a lone operand goes through them. */
const CHANGES_ONE: readonly Xi[] = ['rectifier', 'relusum', 'l2'];

export function changesOne(xi: Xi): boolean {
  return CHANGES_ONE.includes(xi);
}

const SEMIRINGS: readonly `${Reduction} ${Xi}`[] = [
  'sum product',
  'max sum',
  'min sum',
  'logsumexp sum',
  'max min',
  'min max',
];

/** Whether ξ distributes over ⊕ in each operand and ⊕ over any index: then operands are joined pair by pair, in any order. */
export function isSemiring(reduce: Reduction, xi: Xi): boolean {
  return SEMIRINGS.includes(`${reduce} ${xi}`);
}

/** (⊕, ξ) with ⊕_q ξ(x_q, y_q) = ξ(⊕_q x_q, ⊕_q y_q), whether or not each operand has q. */
const SEPARABLE: readonly `${Reduction} ${Xi}`[] = ['max max', 'max rectifier', 'min min'];
/** Nondecreasing in each operand, so that the largest operand makes the largest value. */
const MONOTONE: readonly Xi[] = ['max', 'min', 'rectifier', 'sum', 'relusum', 'logsumexp'];

/**
 * Into how many operands ⊕ over an index may be moved: `every` operand that has it, only `one` if no other has it, `none`.
 */
export function absorption(reduce: Reduction, xi: Xi): 'every' | 'one' | 'none' {
  if (SEPARABLE.includes(`${reduce} ${xi}`)) return 'every';
  if (isSemiring(reduce, xi)) return 'one';
  return (reduce === 'max' || reduce === 'min') && MONOTONE.includes(xi) ? 'one' : 'none';
}

/** What the pair allows, in a sentence for the plan. */
export function allowance(reduce: Reduction, xi: Xi, weighted: boolean): string {
  if (isSemiring(reduce, xi)) {
    return !weighted || weighing(reduce) === xi
      ? `(${reduce}, ${xi}) is a semiring: operands are joined pair by pair in the cheapest order`
      : `(${reduce}, ${xi}) is a semiring, but its weights add: terms with weights are formed jointly`;
  }
  const kind = absorption(reduce, xi);
  if (kind === 'every')
    return `${reduce} of ${xi} is ${xi} of ${reduce}: indices that the weights lack are reduced inside operands`;
  if (kind === 'one')
    return `${xi} is nondecreasing: ${reduce} over an index of one operand alone is reduced inside it`;
  return `${xi} does not distribute over ${reduce}: terms are formed jointly, only weights are reduced alone`;
}
