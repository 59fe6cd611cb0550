import { product } from '../core/extents.ts';
import type { FloatArray } from '../core/tensor.ts';
import { XI, type XiRow } from '../core/xi.gen.ts';
import type { Joined, JoinedOperand, Kernels, Reduction } from './interface.ts';
import { passed } from './reference_slopes.ts';
import { arrayOf } from './storage.ts';

/** The definition of {@link Kernels.joined} and its gradient: a loop for each of g, m, n, s, and float64 sums. */
export const joinedKernels: Pick<Kernels, 'joined' | 'joinedGradient'> = {
  joined(plan, outIn, argIn) {
    const [out, arg] = [arrayOf(outIn), argIn && arrayOf(argIn)];
    const terms = termsOf(plan);
    const values = new Float64Array(terms.count);
    forEachOutput(plan, (at, left, right) => {
      for (let s = 0; s < values.length; s++) values[s] = terms.value(left, right, s);
      const { value, winner } = REDUCE[plan.reduce](values);
      out[at] = value;
      if (arg) arg[at] = winner;
    });
  },

  joinedGradient(plan, outIn, doutIn, to) {
    const [out, dout] = [outIn, doutIn].map(arrayOf);
    const terms = termsOf(plan, to);
    forEachOutput(plan, (at, left, right) => {
      for (let s = 0; s < terms.count; s++) {
        let weight = dout[at];
        if (plan.reduce === 'logsumexp') {
          const distance = terms.value(left, right, s) - out[at];
          // Where both are infinite the term has no share: nothing moves the result.
          weight *= Number.isNaN(distance) ? 0 : Math.exp(distance);
        }
        terms.spread(left, right, s, weight);
      }
    });
    terms.flush();
  },
};

/** ⊕ of some values, and which of them won first; −1 where none can. NaN wins over everything. */
const REDUCE: Readonly<Record<Reduction, (values: Float64Array) => { value: number; winner: number }>> = {
  sum(values) {
    let value = 0;
    for (const term of values) value += term;
    return { value, winner: -1 };
  },
  max: (values) => first(values, Number.NEGATIVE_INFINITY, (term, best) => term > best),
  min: (values) => first(values, Number.POSITIVE_INFINITY, (term, best) => term < best),
  logsumexp(values) {
    const { value: top } = first(values, Number.NEGATIVE_INFINITY, (term, best) => term > best);
    if (!Number.isFinite(top)) return { value: top, winner: -1 };
    let sum = 0;
    for (const term of values) sum += Math.exp(term - top);
    return { value: top + Math.log(sum), winner: -1 };
  },
};

function first(values: Float64Array, neutral: number, beats: (term: number, best: number) => boolean) {
  let [value, winner] = [neutral, values.length > 0 ? 0 : -1];
  for (let s = 0; s < values.length; s++) {
    if (Number.isNaN(values[s])) return { value: Number.NaN, winner: s };
    if (s === 0 || beats(values[s], value)) [value, winner] = [values[s], s];
  }
  return { value, winner };
}

/** Where the elements of a multi-index lie, row-major, for each operand. */
function offsets(extents: readonly number[], strides: readonly number[]): Float64Array {
  let places = Float64Array.of(0);
  extents.forEach((extent, axis) => {
    places = Float64Array.from(
      { length: places.length * extent },
      (_, n) => places[Math.floor(n / extent)] + (n % extent) * strides[axis],
    );
  });
  return places;
}

/** Calls with the offset in out and, for each side, the offsets of its operands at terms 0. */
function forEachOutput(plan: Joined, visit: (at: number, left: number[], right: number[]) => void): void {
  const { batch, rows, columns, left, right, outStrides } = plan;
  const [nb, nr] = [batch.length, rows.length];
  const out = {
    g: offsets(batch, outStrides.slice(0, nb)),
    m: offsets(rows, outStrides.slice(nb, nb + nr)),
    n: offsets(columns, outStrides.slice(nb + nr)),
  };
  const walk = (side: readonly JoinedOperand[], extents: readonly number[]) =>
    side.map(({ strides }) => ({
      g: offsets(batch, strides.slice(0, nb)),
      own: offsets(extents, strides.slice(nb, nb + extents.length)),
    }));
  const [lefts, rights] = [walk(left, rows), walk(right, columns)];
  for (let g = 0; g < out.g.length; g++) {
    for (let m = 0; m < out.m.length; m++) {
      const leftAt = lefts.map((operand) => operand.g[g] + operand.own[m]);
      for (let n = 0; n < out.n.length; n++) {
        visit(
          out.g[g] + out.m[m] + out.n[n],
          leftAt,
          rights.map((operand) => operand.g[g] + operand.own[n]),
        );
      }
    }
  }
}

interface Side {
  readonly data: readonly FloatArray[];
  /** Gradients in float64 until all is summed. */
  readonly sums: readonly (Float64Array | null)[];
  readonly term: readonly Float64Array[];
}

function termsOf(plan: Joined, to?: Parameters<Kernels['joinedGradient']>[3]) {
  const { terms, xi, combine, fromUnit } = plan;
  const sideOf = (
    operands: readonly JoinedOperand[],
    targets: Parameters<Kernels['joinedGradient']>[3]['left'],
  ): Side => ({
    data: operands.map(({ data }) => arrayOf(data)),
    sums: operands.map(({ data }, n) => (targets[n] ? new Float64Array(data.length) : null)),
    term: operands.map(({ strides }) => offsets(terms, strides.slice(strides.length - terms.length))),
  });
  const left = sideOf(plan.left, to?.left ?? []);
  const right = sideOf(plan.right, to?.right ?? []);
  const count = product(terms);
  const operator = XI[xi];
  const join = XI[combine];
  const both = right.data.length > 0;
  const foldOf = (side: Side, at: readonly number[], s: number, unit: boolean) => {
    const first = side.data[0][at[0] + side.term[0][s]];
    let state = unit ? operator.value(operator.unit, first) : first;
    for (let n = 1; n < at.length; n++) state = operator.value(state, side.data[n][at[n] + side.term[n][s]]);
    return state;
  };
  const flushSide = (side: Side, targets: Parameters<Kernels['joinedGradient']>[3]['left']) =>
    side.sums.forEach((sums, n) => {
      const target = targets[n];
      if (!sums || !target) return;
      const array = arrayOf(target);
      for (let k = 0; k < sums.length; k++) array[k] += sums[k];
    });
  return {
    count,
    value(leftAt: readonly number[], rightAt: readonly number[], s: number): number {
      const x = foldOf(left, leftAt, s, fromUnit);
      return both ? join.value(x, foldOf(right, rightAt, s, false)) : x;
    },
    spread(leftAt: readonly number[], rightAt: readonly number[], s: number, weight: number): void {
      if (!both) {
        spreadSide(operator, left, leftAt, s, fromUnit, weight);
        return;
      }
      const [x, y] = [foldOf(left, leftAt, s, fromUnit), foldOf(right, rightAt, s, false)];
      spreadSide(operator, left, leftAt, s, fromUnit, passed(join, weight, join.dx(x, y)));
      spreadSide(operator, right, rightAt, s, false, passed(join, weight, join.dy(x, y)));
    },
    flush(): void {
      flushSide(left, to?.left ?? []);
      flushSide(right, to?.right ?? []);
    },
  };
}

/** The fold over the operands of a side: first state, and one after each operand. */
function states(
  { unit, value }: XiRow,
  side: Side,
  at: readonly number[],
  s: number,
  fromUnit: boolean,
): number[] {
  const z = side.data.map((data, n) => data[at[n] + side.term[n][s]]);
  const all = [fromUnit ? value(unit, z[0]) : z[0]];
  for (let n = 1; n < z.length; n++) all.push(value(all[n - 1], z[n]));
  return all;
}

function spreadSide(
  operator: XiRow,
  side: Side,
  at: readonly number[],
  s: number,
  fromUnit: boolean,
  weight: number,
): void {
  const folded = states(operator, side, at, s, fromUnit);
  let gradient = weight;
  for (let n = folded.length - 1; n >= 0; n--) {
    const place = at[n] + side.term[n][s];
    const z = side.data[n][place];
    const sums = side.sums[n];
    let own = gradient;
    if (n > 0) {
      own = passed(operator, gradient, operator.dy(folded[n - 1], z));
      gradient = passed(operator, gradient, operator.dx(folded[n - 1], z));
    } else if (fromUnit) own = passed(operator, gradient, operator.dy(operator.unit, z));
    if (sums) sums[place] += own;
  }
}
