import { aborted, mismatch, XiError } from '../core/errors.ts';
import type { Rng } from '../core/rng.ts';
import type { Shape, Tensor } from '../core/tensor.ts';
import { firstColumns, firstRows, type Linear, type Matrix, matrix, transpose } from './matrix.ts';
import { maxvol } from './maxvol.ts';
import { checkElements } from './options.ts';
import { rankFor } from './truncate.ts';
import { core } from './tt.ts';

/** Elements at index tuples [n, T], row-major: one value for each row. */
export type ElementFunction = (indices: Int32Array) => ArrayLike<number>;

export interface CrossLimits {
  readonly eps: number;
  readonly maxRanks: readonly number[];
  readonly maxBytes: number;
  readonly signal?: AbortSignal;
}

type Tuple = readonly number[];

/** Index sets and the function: I_t are tuples of the first t modes, J_t of those from t on. */
export class Cross {
  evaluations = 0;
  private readonly f: ElementFunction;
  private readonly shape: Shape;
  private readonly linear: Linear;
  private readonly rng: Rng;
  private readonly limits: CrossLimits;
  private readonly left: Tuple[][];
  private readonly right: Tuple[][];

  constructor(f: ElementFunction, shape: Shape, linear: Linear, rng: Rng, limits: CrossLimits) {
    this.f = f;
    this.shape = shape;
    this.linear = linear;
    this.rng = rng;
    this.limits = limits;
    this.left = shape.map(() => []);
    this.left[0] = [[]];
    // Two random tuples to begin with: one alone may meet zeros only.
    const first = this.randomTuples(2);
    this.right = shape.map((_, t) => first.map((tuple) => tuple.slice(t)));
    this.right.push([[]]);
  }

  randomTuples(count: number): number[][] {
    return Array.from({ length: count }, () => this.shape.map((n) => this.rng.below(n)));
  }

  evaluate(indices: Int32Array): Float64Array {
    const count = indices.length / this.shape.length;
    const { signal } = this.limits;
    if (signal?.aborted) throw aborted(`ttCross: stopped after ${this.evaluations} evaluations`, signal);
    const given = this.f(indices);
    if (given?.length !== count)
      throw mismatch('E_ARGUMENT', 'ttCross f', `${count} values`, given?.length ?? given);
    const values = Float64Array.from(given);
    for (const value of values) {
      if (!Number.isFinite(value))
        throw new XiError('E_NUMERIC', `ttCross f: expected finite values, received ${value}`);
    }
    this.evaluations += count;
    return values;
  }

  /**
   * Chooses I_1, I_2, … and returns the cores that interpolate there.
   *
   * Tails of the tuples `more` are columns besides: at a tuple whose tails are all among the columns the train is f, up to what is cut.
   */
  rightwards(more: readonly Tuple[]): Tensor[] {
    const cores: Tensor[] = [];
    const { shape } = this;
    const last = shape.length - 1;
    for (let t = 0; t < last; t++) {
      const n = shape[t];
      const rows = longer(this.left[t], n);
      const columns = shorter(shape[t + 1], this.right[t + 2]);
      const others = more.map((tuple) => tuple.slice(t + 1));
      const { U } = this.cut(t, rows, distinct([...columns, ...others]));
      const chosen = maxvol(U);
      cores.push(core(this.left[t].length, n, U.cols, chosen.C.data));
      this.left[t + 1] = chosen.rows.map((row) => rows[row]);
    }
    const { data } = this.block(longer(this.left[last], shape[last]), [[]]);
    return [...cores, core(this.left[last].length, shape[last], 1, data)];
  }

  /** Chooses J_{T−1}, J_{T−2}, … and returns the cores that interpolate there: `more` gives rows besides. */
  leftwards(more: readonly Tuple[]): Tensor[] {
    const cores: Tensor[] = [];
    const { shape } = this;
    for (let t = shape.length - 2; t >= 0; t--) {
      const n = shape[t + 1];
      const rows = longer(this.left[t], shape[t]);
      const columns = shorter(n, this.right[t + 2]);
      const others = more.map((tuple) => tuple.slice(0, t + 1));
      const { Vt } = this.cut(t, distinct([...rows, ...others]), columns);
      const chosen = maxvol(transpose(Vt));
      cores.push(core(Vt.rows, n, this.right[t + 2].length, transpose(chosen.C).data));
      this.right[t + 1] = chosen.rows.map((row) => columns[row]);
    }
    const { data } = this.block([[]], shorter(shape[0], this.right[1]));
    return [...cores, core(1, shape[0], this.right[1].length, data)].reverse();
  }

  /** f at all combinations of a head and a tail. */
  private block(heads: readonly Tuple[], tails: readonly Tuple[]): Matrix {
    const T = this.shape.length;
    checkElements('ttCross superblock', heads.length * tails.length * T, this.limits.maxBytes);
    const indices = new Int32Array(heads.length * tails.length * T);
    let at = 0;
    for (const head of heads) {
      for (const tail of tails) {
        indices.set(head, at);
        indices.set(tail, at + head.length);
        at += T;
      }
    }
    return matrix(heads.length, tails.length, this.evaluate(indices));
  }

  /** The SVD of such a superblock, cut to its numerical rank. */
  private cut(t: number, heads: readonly Tuple[], tails: readonly Tuple[]): { U: Matrix; Vt: Matrix } {
    const { U, s: values, Vt } = this.linear.svd(this.block(heads, tails));
    // Beside the largest, since squares of values beyond 1e±154 are no numbers.
    const s = values.map((value) => value / (values[0] || 1));
    const size = Math.sqrt(s.reduce((sum, value) => sum + value * value, 0));
    const steps = Math.sqrt(Math.max(1, this.shape.length - 1));
    // Never below the rounding errors of the elements, whose directions mean nothing.
    const threshold = Math.max(this.limits.eps / (4 * steps), 1e-14) * size;
    const { rank } = rankFor(s, threshold, this.limits.maxRanks[t]);
    return { U: firstColumns(U, rank), Vt: firstRows(Vt, rank) };
  }
}

const longer = (heads: readonly Tuple[], extent: number): number[][] =>
  heads.flatMap((head) => Array.from({ length: extent }, (_, i) => [...head, i]));

const shorter = (extent: number, tails: readonly Tuple[]): number[][] =>
  Array.from({ length: extent }, (_, i) => i).flatMap((i) => tails.map((tail) => [i, ...tail]));

/** Each tuple once: a second costs evaluations and tells nothing. */
const distinct = (tuples: readonly Tuple[]): Tuple[] => [
  ...new Map(tuples.map((tuple) => [tuple.join(), tuple])).values(),
];
