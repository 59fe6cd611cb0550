import type { Reduction } from '../backend/interface.ts';
import { knownKeys, mismatch, XiError } from '../core/errors.ts';
import type { FloatArray } from '../core/tensor.ts';
import { NEUTRAL } from './algebra.ts';
import type { Expression } from './expression.ts';
import { type Labels, volume } from './labels.ts';

/** An operator of one's own: its value, and for gradients its partial derivatives. */
export interface XiFunctions {
  /** ξ(x, y). */
  value(x: number, y: number): number;
  /** ∂ξ/∂x; gradients need it. */
  dx?(x: number, y: number): number;
  /** ∂ξ/∂y; gradients need it. */
  dy?(x: number, y: number): number;
  /** From which the operands are folded; without it the first operand starts as it is. */
  readonly unit?: number;
}

/**
 * The functions of an operator of one's own, each of which refuses what it returns that is no number.
 *
 * @throws XiError E_ARGUMENT for what is neither a function of two numbers nor an object with one.
 */
export function customXi(where: string, xi: unknown): XiFunctions {
  const own = `${where} xi`;
  if (typeof xi === 'function') return { value: numeric(`${where} ξ`, xi as Operator) };
  if (typeof xi !== 'object' || xi === null) throw mismatch('E_ARGUMENT', own, 'a name or a function', xi);
  knownKeys(own, xi, ['value', 'dx', 'dy', 'unit']);
  for (const [name, part] of Object.entries(xi)) {
    const fits = name === 'unit' ? typeof part === 'number' : typeof part === 'function';
    if (!fits && part !== undefined)
      throw mismatch('E_ARGUMENT', `${own} ${name}`, name === 'unit' ? 'a number' : 'a function', part);
  }
  if (!('value' in xi)) throw mismatch('E_ARGUMENT', own, '{ value(x, y) }', xi);
  const functions = xi as XiFunctions;
  return {
    value: numeric(`${where} ξ`, (x, y) => functions.value(x, y)),
    ...(functions.dx && { dx: numeric(`${where} ∂ξ/∂x`, (x, y) => functions.dx!(x, y)) }),
    ...(functions.dy && { dy: numeric(`${where} ∂ξ/∂y`, (x, y) => functions.dy!(x, y)) }),
    ...(functions.unit !== undefined && { unit: functions.unit }),
  };
}

type Operator = (x: number, y: number) => unknown;

/** Nothing, which a function without `return` gives, would be NaN in a typed array, a string a number, a bigint a TypeError. */
function numeric(name: string, operator: Operator): XiFunctions['value'] {
  return (x, y) => {
    const value = operator(x, y);
    if (typeof value === 'number') return value;
    throw mismatch('E_ARGUMENT', `${name}(${x}, ${y})`, 'a number', value);
  };
}

interface Problem {
  readonly expression: Expression;
  readonly extents: ReadonlyMap<string, number>;
  readonly xi: XiFunctions;
  readonly reduce: Reduction;
  readonly data: readonly FloatArray[];
}

/** Offsets in every input and the state of every label, walked row-major: output labels first, then summed ones. */
class Walk {
  readonly output: number;
  readonly terms: number;
  readonly places: Int32Array;
  readonly summed: Labels;
  private readonly axes: readonly { extent: number; strides: readonly number[] }[];

  constructor({ expression, extents }: Problem) {
    const { inputs, output } = expression;
    this.summed = [...extents.keys()].filter((label) => !output.includes(label));
    const stride = (axes: Labels, label: string) =>
      axes.reduce((sum, at, n) => sum + (at === label ? axesVolume(axes.slice(n + 1), extents) : 0), 0);
    this.axes = [...output, ...this.summed].map((label) => ({
      extent: extents.get(label)!,
      strides: inputs.map((axes) => stride(axes, label)),
    }));
    this.output = volume(output, extents);
    this.terms = volume(this.summed, extents);
    this.places = new Int32Array(inputs.length);
  }

  /** Moves to term s of output o. */
  to(o: number, s: number): void {
    let rest = o * this.terms + s;
    this.places.fill(0);
    for (let axis = this.axes.length - 1; axis >= 0; axis--) {
      const { extent, strides } = this.axes[axis];
      const index = rest % extent;
      rest = Math.floor(rest / extent);
      for (let n = 0; n < strides.length; n++) this.places[n] += index * strides[n];
    }
  }
}

/** As {@link volume}, but of axes, among which a label may repeat. */
function axesVolume(axes: Labels, extents: ReadonlyMap<string, number>): number {
  return axes.reduce((product, label) => product * extents.get(label)!, 1);
}

/** States of the fold over the operands, the start first, and the term with its weights. */
function formTerm({ expression, xi, reduce, data }: Problem, places: Int32Array) {
  const first = Number(expression.weighted);
  const z = [];
  for (let n = first; n < data.length; n++) z.push(data[n][places[n]]);
  const states = xi.unit === undefined ? [z[0]] : [xi.unit];
  for (let n = xi.unit === undefined ? 1 : 0; n < z.length; n++) states.push(xi.value(states.at(-1)!, z[n]));
  const joined = states.at(-1)!;
  const weight = expression.weighted ? data[0][places[0]] : undefined;
  const term = weight === undefined ? joined : reduce === 'sum' ? weight * joined : weight + joined;
  return { z, states, joined, weight, term };
}

/** ⊕ of the terms and the first that won; two passes, so that logsumexp is shifted by its largest term. */
function reduceTerms(problem: Problem, walk: Walk, o: number): { value: number; winner: number } {
  const { reduce } = problem;
  const lowest = reduce === 'min' ? -1 : 1;
  let [best, winner, sum] = [NEUTRAL[reduce], -1, 0];
  for (let s = 0; s < walk.terms; s++) {
    walk.to(o, s);
    const { term } = formTerm(problem, walk.places);
    sum += term;
    if (Number.isNaN(term)) return { value: Number.NaN, winner: s };
    if (s === 0 || term * lowest > best * lowest) [best, winner] = [term, s];
  }
  if (reduce === 'sum') return { value: sum, winner: -1 };
  if (reduce !== 'logsumexp' || !Number.isFinite(best)) return { value: best, winner };
  let shifted = 0;
  for (let s = 0; s < walk.terms; s++) {
    walk.to(o, s);
    shifted += Math.exp(formTerm(problem, walk.places).term - best);
  }
  return { value: best + Math.log(shifted), winner };
}

/** The contraction by its definition: every term of every output formed by a call of a JavaScript function. */
export function contractCustom(problem: Problem): Float64Array {
  const walk = new Walk(problem);
  return Float64Array.from({ length: walk.output }, (_, o) => reduceTerms(problem, walk, o).value);
}

/** The same with the index that each reduced label has in the first term that won, row-major over them; −1 without terms. */
export function contractCustomWinners(problem: Problem) {
  const walk = new Walk(problem);
  const value = new Float64Array(walk.output);
  const axes = walk.summed.map((label) => ({
    extent: problem.extents.get(label)!,
    index: new Int32Array(walk.output).fill(-1),
  }));
  for (let o = 0; o < walk.output; o++) {
    const best = reduceTerms(problem, walk, o);
    value[o] = best.value;
    let rest = best.winner;
    if (rest < 0) continue;
    for (const { extent, index } of [...axes].reverse()) {
      index[o] = rest % extent;
      rest = Math.floor(rest / extent);
    }
  }
  return { value, indices: Object.fromEntries(walk.summed.map((label, n) => [label, axes[n].index])) };
}

/** Its gradients; @throws XiError E_ARGUMENT without derivatives. */
export function contractCustomGradient(problem: Problem, dout: FloatArray): Float64Array[] {
  const { expression, xi, reduce, data } = problem;
  const { dx, dy } = xi;
  if (!dx || !dy) {
    throw new XiError(
      'E_ARGUMENT',
      'contractGradient xi: expected { value, dx, dy }, received no derivatives',
    );
  }
  const walk = new Walk(problem);
  const gradients = data.map((array) => new Float64Array(array.length));
  const first = Number(expression.weighted);
  for (let o = 0; o < walk.output; o++) {
    const { value, winner } = reduceTerms(problem, walk, o);
    for (let s = 0; s < walk.terms; s++) {
      // A term that lost has no share, also where its derivatives are infinite.
      if ((reduce === 'max' || reduce === 'min') && s !== winner) continue;
      walk.to(o, s);
      const { z, states, joined, weight, term } = formTerm(problem, walk.places);
      let share = dout[o];
      if (reduce === 'logsumexp') {
        // Where both are infinite the term has no share: nothing moves the result.
        const distance = term - value;
        if (Number.isNaN(distance) || distance === Number.NEGATIVE_INFINITY) continue;
        share *= Math.exp(distance);
      }
      if (weight !== undefined) {
        gradients[0][walk.places[0]] += reduce === 'sum' ? share * joined : share;
        if (reduce === 'sum') share *= weight;
      }
      const skipped = z.length - (states.length - 1);
      for (let n = states.length - 2; n >= 0; n--) {
        const operand = n + skipped;
        gradients[first + operand][walk.places[first + operand]] += share * dy(states[n], z[operand]);
        share *= dx(states[n], z[operand]);
      }
      if (skipped > 0) gradients[first][walk.places[first]] += share;
    }
  }
  return gradients;
}
