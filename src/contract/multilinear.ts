import type { Backend, Joined, Storage } from '../backend/interface.ts';
import { MAX_AXES, MAX_JOINED } from '../core/abi.gen.ts';

/** An axis of a step, with the strides that out and the operands have along it: 0 where they do not vary. */
interface Axis {
  readonly extent: number;
  readonly out: number;
  readonly operands: readonly number[];
}

/** Whether a step is a sum of products of its operands, each of whose gradients is one of dout and the others. */
export function isMultilinear({ left, right, xi, combine, reduce, fromUnit }: Joined): boolean {
  if (reduce !== 'sum' || fromUnit) return false;
  const alone = left.length <= 1 && right.length <= 1;
  return (alone || xi === 'product') && (right.length === 0 || combine === 'product');
}

/**
 * Computes the gradient with respect to one operand of a multilinear step, counted left before right, by the kernels of
 * contractions: `dx[kept] = Σ dout · Π others` over the axes that x lacks. It overwrites `to`, and the axes of x alone get copies.
 * False where it has more axes than kernels take.
 *
 * The kernel for gradients in general goes term by term, which takes some 25 ns each.
 */
export function multilinearGradient(
  backend: Backend,
  step: Joined,
  dout: Storage,
  n: number,
  to: Storage,
): boolean {
  const operands = [...step.left, ...step.right];
  const axes = axesOf(step).map((axis) => ({
    extent: axis.extent,
    target: axis.operands[n],
    factors: [axis.out, ...axis.operands.filter((_, other) => other !== n)],
  }));
  const data = [dout, ...operands.filter((_, other) => other !== n).map((operand) => operand.data)];
  const kept = axes.filter(({ target }) => target !== 0);
  const terms = axes.filter(({ target }) => target === 0);
  if (kept.length > MAX_AXES || terms.length > MAX_AXES) return false;
  if (terms.length === 0 && scaled(backend, kept, data, to)) return true;
  const { left, right } = sidesOf(kept, data.length);
  const one = right.length === 0 && kept.some(({ factors }) => !left.some((factor) => factors[factor] !== 0));
  const varies = (side: readonly number[]) => (axis: Part) =>
    side.some((factor) => axis.factors[factor] !== 0);
  const [onLeft, onRight] = [varies(left), varies(right)];
  // The longest stride first: the last axis of a side is walked along in memory.
  const sorted = kept.sort((p, q) => q.target - p.target);
  const batch = sorted.filter((axis) => onLeft(axis) && onRight(axis));
  const rows = sorted.filter((axis) => onLeft(axis) && !onRight(axis));
  const columns = sorted.filter((axis) => !onLeft(axis));
  const inner = right[0] ?? left[0];
  terms.sort((p, q) => q.factors[inner] - p.factors[inner]);
  const along = (factor: number, own: readonly Part[]) =>
    [...batch, ...own, ...terms].map(({ factors }) => factors[factor]);
  const extents = (parts: readonly Part[]) => parts.map(({ extent }) => extent);
  const rest = right.map((factor) => ({ data: data[factor], strides: along(factor, columns) }));
  if (one) {
    const unit = backend.adopt(dout.dtype === 'float32' ? Float32Array.of(1) : Float64Array.of(1));
    rest.push({ data: unit, strides: [...batch, ...columns, ...terms].map(() => 0) });
  }
  backend.joined(
    {
      ...{ xi: 'product', combine: 'product', fromUnit: false },
      // A sum starts from 0, which makes +0 of −0; what is copied keeps it.
      reduce: data.length === 1 && terms.length === 0 && !one ? 'max' : 'sum',
      ...{ batch: extents(batch), rows: extents(rows), columns: extents(columns), terms: extents(terms) },
      left: left.map((factor) => ({ data: data[factor], strides: along(factor, rows) })),
      right: rest,
      outStrides: [...batch, ...rows, ...columns].map(({ target }) => target),
    },
    to,
  );
  return true;
}

/** An axis of a gradient: dout is the first of its factors. */
interface Part {
  readonly extent: number;
  readonly target: number;
  readonly factors: readonly number[];
}

function axesOf({ batch, rows, columns, terms, left, right, outStrides }: Joined): Axis[] {
  const [g, m, n] = [batch.length, rows.length, columns.length];
  const axis = (
    extent: number,
    out: number,
    ofLeft: number | undefined,
    ofRight: number | undefined,
  ): Axis => ({
    ...{ extent, out: outStrides[out] ?? 0 },
    operands: [
      ...left.map(({ strides }) => (ofLeft === undefined ? 0 : strides[ofLeft])),
      ...right.map(({ strides }) => (ofRight === undefined ? 0 : strides[ofRight])),
    ],
  });
  return [
    ...batch.map((extent, k) => axis(extent, k, k, k)),
    ...rows.map((extent, k) => axis(extent, g + k, g + k, undefined)),
    ...columns.map((extent, k) => axis(extent, g + m + k, undefined, g + k)),
    // Behind all strides of out, which does not vary along them.
    ...terms.map((extent, k) => axis(extent, outStrides.length, g + m + k, g + n + k)),
  ];
}

/** From here on a run of elements is worth a call of its own. */
const RUN = 1024;

/**
 * What is constant along a run of neighbouring elements of the gradient, times an operand that has the same run: an outer product
 * with a single row, 5 ms for 9 million elements where a contraction without rows takes 150.
 */
function scaled(backend: Backend, kept: readonly Part[], data: readonly Storage[], to: Storage): boolean {
  if (data.length > 2 || kept.length === 0) return false;
  const [dout, other] = data;
  const runs = kept.filter(({ target, factors }) => target === 1 && factors[0] === 0);
  const isRun = (part: Part) => part.extent >= RUN && (data.length === 1 || part.factors[1] === 1);
  if (runs.length !== 1 || !isRun(runs[0])) return false;
  const [run] = runs;
  const others = kept.filter((part) => part !== run);
  if (data.length === 1) {
    if (others.length > 0) return false;
    to.at(0, run.extent).fill(dout.at(0, 1).read()[0]);
    return true;
  }
  // With rows and columns it is a product of tiles already.
  if (others.some(({ factors }) => factors[0] === 0 || factors[1] === 0)) return false;
  const visit = (axis: number, target: number, from: number, factor: number): void => {
    if (axis === others.length) {
      backend.outer('product', dout.at(factor, 1), other.at(from, run.extent), to.at(target, run.extent));
      return;
    }
    const part = others[axis];
    for (let k = 0; k < part.extent; k++)
      visit(axis + 1, target + k * part.target, from + k * part.factors[1], factor + k * part.factors[0]);
  };
  visit(0, 0, 0, 0);
  return true;
}

/** Factors on two sides with rows and columns of their own where there are such, the cheapest to form; else all on the left. */
function sidesOf(kept: readonly Part[], count: number) {
  const all = Array.from({ length: count }, (_, factor) => factor);
  const innermost = kept.find(({ target }) => target === 1);
  let best: { left: number[]; right: number[]; score: number[] } | undefined;
  for (let split = 1; split < 2 ** count - 1; split++) {
    const left = all.filter((factor) => !(split & (1 << factor)));
    const right = all.filter((factor) => split & (1 << factor));
    if (left.length > MAX_JOINED || right.length > MAX_JOINED) continue;
    const has = (side: readonly number[], { factors }: Part) => side.some((factor) => factors[factor] !== 0);
    const size = (parts: readonly Part[]) => parts.reduce((product, { extent }) => product * extent, 1);
    const rows = size(kept.filter((part) => has(left, part) && !has(right, part)));
    const columns = size(kept.filter((part) => !has(left, part)));
    if (count <= MAX_JOINED && (rows === 1 || columns === 1)) continue;
    const forming =
      size(kept.filter((part) => has(left, part))) * (left.length - 1) +
      size(kept.filter((part) => has(right, part))) * (right.length - 1);
    const score = [forming, Number(innermost !== undefined && has(left, innermost)), -columns];
    if (!best || precedes(score, best.score)) best = { left, right, score };
  }
  return best ?? { left: all, right: [] as number[] };
}

function precedes(score: readonly number[], other: readonly number[]): boolean {
  const at = score.findIndex((value, n) => value !== other[n]);
  return at >= 0 && score[at] < other[at];
}
