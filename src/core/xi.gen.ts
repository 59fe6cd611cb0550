// Made by scripts/generate.mjs from native/xi.def and native/abi.h. Do not edit.
import {
  beats,
  hypot,
  hypotWeight,
  logaddexp,
  logaddexpWeight,
  max,
  min,
  one,
  positive,
  wins,
  zero,
} from './scalar.ts';

/** What a matricization rank says about the width of a shallow network with this ξ. */
export type BoundKind = 'rank' | 'pieces' | 'additive' | 'none';

/** One binary operator ξ: the row of the table, with its value and partial derivatives as functions of numbers. */
export interface XiRow {
  /** As options take it. */
  readonly name: Xi;
  /** As the C ABI takes it. */
  readonly id: number;
  /** The value in words of mathematics. */
  readonly formula: string;
  /** u with ξ(u, x) = x, or what comes nearest to it; folds start from it. */
  readonly unit: number;
  /** What the derivatives are where ξ has none. */
  readonly ties: string;
  /** Error of `value` in ε of the dtype, relative to max(1, |x|, |y|, |x·y|). */
  readonly tolerance: number;
  /** Which bound on the width holds. */
  readonly bound: BoundKind;
  /** ξ(x, y). */
  value(x: number, y: number): number;
  /** ∂ξ/∂x. */
  dx(x: number, y: number): number;
  /** ∂ξ/∂y. */
  dy(x: number, y: number): number;
}

/** Names of the operators, in the order of the table. */
export const XI_NAMES = ['product', 'rectifier', 'max', 'min', 'sum', 'relusum', 'logsumexp', 'l2'] as const;
/** Name of an operator ξ; {@link XI} has its formula, unit and derivatives. */
export type Xi = (typeof XI_NAMES)[number];

/** The eight operators, by name. */
export const XI: Readonly<Record<Xi, XiRow>> = {
  product: {
    name: 'product',
    id: 0,
    formula: 'x·y',
    unit: 1,
    ties: 'smooth',
    tolerance: 1,
    bound: 'rank',
    value: (x, y) => x * y,
    dx: (_x, y) => y,
    dy: (x) => x,
  },
  rectifier: {
    name: 'rectifier',
    id: 1,
    formula: 'max(x, y, 0)',
    unit: 0,
    ties: 'x before y, 0 before both',
    tolerance: 0,
    bound: 'pieces',
    value: (x, y) => positive(max(x, y)),
    dx: (x, y) => wins(x, y) * beats(x, zero),
    dy: (x, y) => beats(y, x) * beats(y, zero),
  },
  max: {
    name: 'max',
    id: 2,
    formula: 'max(x, y)',
    unit: Number.NEGATIVE_INFINITY,
    ties: 'x before y',
    tolerance: 0,
    bound: 'pieces',
    value: (x, y) => max(x, y),
    dx: (x, y) => wins(x, y),
    dy: (x, y) => beats(y, x),
  },
  min: {
    name: 'min',
    id: 3,
    formula: 'min(x, y)',
    unit: Number.POSITIVE_INFINITY,
    ties: 'x before y',
    tolerance: 0,
    bound: 'pieces',
    value: (x, y) => min(x, y),
    dx: (x, y) => wins(y, x),
    dy: (x, y) => beats(x, y),
  },
  sum: {
    name: 'sum',
    id: 4,
    formula: 'x + y',
    unit: 0,
    ties: 'smooth',
    tolerance: 1,
    bound: 'additive',
    value: (x, y) => x + y,
    dx: (_x) => one,
    dy: (_x) => one,
  },
  relusum: {
    name: 'relusum',
    id: 5,
    formula: 'max(x,0) + max(y,0)',
    unit: 0,
    ties: '0 before x and before y',
    tolerance: 1,
    bound: 'additive',
    value: (x, y) => positive(x) + positive(y),
    dx: (x) => beats(x, zero),
    dy: (_x, y) => beats(y, zero),
  },
  logsumexp: {
    name: 'logsumexp',
    id: 6,
    formula: 'ln(eˣ + eʸ)',
    unit: Number.NEGATIVE_INFINITY,
    ties: 'smooth; 1/2 each at equal infinities',
    tolerance: 4,
    bound: 'none',
    value: (x, y) => logaddexp(x, y),
    dx: (x, y) => logaddexpWeight(x, y),
    dy: (x, y) => logaddexpWeight(y, x),
  },
  l2: {
    name: 'l2',
    id: 7,
    formula: '√(x² + y²)',
    unit: 0,
    ties: '0 at the origin',
    tolerance: 4,
    bound: 'none',
    value: (x, y) => hypot(x, y),
    dx: (x, y) => hypotWeight(x, y),
    dy: (x, y) => hypotWeight(y, x),
  },
};
