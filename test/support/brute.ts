import type { Reduction } from '../../src/backend/interface.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { Xi } from '../../src/core/xi.gen.ts';

/**
 * Contractions straight from their definition, for comparison: it shares no code with the library, neither the operators
 * nor the parser. `dual` carries a derivative along, so that gradients are exact as well.
 */
interface Dual {
  readonly v: number;
  readonly d: number;
}

const [ZERO, LOW, HIGH]: Dual[] = [0, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY].map((v) => ({
  v,
  d: 0,
}));
const larger = (x: Dual, y: Dual) => (y.v > x.v ? y : x);
const smaller = (x: Dual, y: Dual) => (y.v < x.v ? y : x);
const add = (x: Dual, y: Dual): Dual => ({ v: x.v + y.v, d: x.d + y.d });
const multiply = (x: Dual, y: Dual): Dual => ({ v: x.v * y.v, d: x.d * y.v + x.v * y.d });
const logAdd = (x: Dual, y: Dual): Dual => {
  const top = Math.max(x.v, y.v);
  if (!Number.isFinite(top)) return { v: top, d: 0 };
  const [p, q] = [Math.exp(x.v - top), Math.exp(y.v - top)];
  return { v: top + Math.log(p + q), d: (p * x.d + q * y.d) / (p + q) };
};

const OPERATORS: Readonly<Record<Xi, { unit: Dual; of(x: Dual, y: Dual): Dual }>> = {
  product: { unit: { v: 1, d: 0 }, of: multiply },
  rectifier: { unit: ZERO, of: (x, y) => larger(ZERO, larger(x, y)) },
  max: { unit: LOW, of: larger },
  min: { unit: HIGH, of: smaller },
  sum: { unit: ZERO, of: add },
  relusum: { unit: ZERO, of: (x, y) => add(larger(ZERO, x), larger(ZERO, y)) },
  logsumexp: { unit: LOW, of: logAdd },
  l2: {
    unit: ZERO,
    of: (x, y) => {
      const v = Math.sqrt(x.v * x.v + y.v * y.v);
      return { v, d: v === 0 ? 0 : (x.v * x.d + y.v * y.d) / v };
    },
  },
};

const REDUCTIONS: Readonly<
  Record<Reduction, { none: Dual; of(x: Dual, y: Dual): Dual; weigh(w: Dual, t: Dual): Dual }>
> = {
  sum: { none: ZERO, of: add, weigh: multiply },
  max: { none: LOW, of: larger, weigh: add },
  min: { none: HIGH, of: smaller, weigh: add },
  logsumexp: { none: LOW, of: logAdd, weigh: add },
};

export interface BruteResult {
  readonly shape: number[];
  readonly data: Float64Array;
  /** The derivatives along the tangent, if there was one. */
  readonly tangent: Float64Array;
  /** Largest magnitude of a term, of an operand of its making, and the number of terms: what rounding grows with. */
  readonly scale: number;
  readonly terms: number;
}

/** The contraction of operands, weights first, with the derivative along `tangents` (one array an operand). */
export function brute(
  expression: string,
  operands: readonly Tensor[],
  xi: Xi,
  reduce: Reduction,
  tangents?: readonly ArrayLike<number>[],
): BruteResult {
  const [before, output] = expression.replaceAll(' ', '').split('->');
  const [weights, rest] = before.includes(';') ? before.split(';') : ['', before];
  const words = [...(weights ? [weights] : []), ...rest.split(',')].map((word) => [...word]);
  const extents = new Map<string, number>();
  words.forEach((word, n) => {
    for (const [axis, label] of word.entries()) extents.set(label, operands[n].shape[axis]);
  });
  const out = [...output];
  const labels = [...out, ...[...extents.keys()].filter((label) => !out.includes(label))];
  const sizes = labels.map((label) => extents.get(label)!);
  const shape = out.map((label) => extents.get(label)!);
  const count = shape.reduce((a, b) => a * b, 1);
  const terms = sizes.slice(out.length).reduce((a, b) => a * b, 1);
  const results: Dual[] = new Array(count).fill(REDUCTIONS[reduce].none);
  let scale = 1;
  const index = new Map<string, number>(labels.map((label) => [label, 0]));
  const read = (n: number): Dual => {
    let at = 0;
    words[n].forEach((label, axis) => {
      at = at * operands[n].shape[axis] + index.get(label)!;
    });
    const v = operands[n].data[at];
    scale = Math.max(scale, Number.isFinite(v) ? Math.abs(v) : 0);
    return { v, d: tangents ? tangents[n][at] : 0 };
  };
  const first = weights ? 1 : 0;
  const visit = (axis: number, at: number): void => {
    if (axis < labels.length) {
      for (let i = 0; i < sizes[axis]; i++) {
        index.set(labels[axis], i);
        visit(axis + 1, axis < out.length ? at * sizes[axis] + i : at);
      }
      return;
    }
    let term = OPERATORS[xi].unit;
    for (let n = first; n < words.length; n++) term = OPERATORS[xi].of(term, read(n));
    if (weights) term = REDUCTIONS[reduce].weigh(read(0), term);
    if (Number.isFinite(term.v)) scale = Math.max(scale, Math.abs(term.v));
    results[at] = REDUCTIONS[reduce].of(results[at], term);
  };
  visit(0, 0);
  return {
    shape,
    data: Float64Array.from(results, ({ v }) => v),
    tangent: Float64Array.from(results, ({ d }) => d),
    scale,
    terms,
  };
}
