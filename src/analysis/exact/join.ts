import { joinBounds } from './bounds.ts';
import type { PrimeField } from './modular.ts';
import { Places } from './places.ts';
import {
  type Combine,
  emptyTables,
  fillTables,
  type Order,
  orderOf,
  type Tables,
  tableSizes,
  type Weights,
} from './tables.ts';
import { topOf, type Values } from './values.ts';

/** Whether minor component i of row q is below major component j of row p, in exact arithmetic. */
export type Below = (p: number, j: number, q: number, i: number) => boolean;

export interface JoinRequest {
  readonly field: PrimeField;
  readonly combine: Combine;
  readonly major: Values;
  readonly minor: Values;
  /** null: the pairs of equal components themselves. */
  readonly weights: Weights | null;
  /** Operands are not negative, and their doubles are 0 exactly where they are. */
  readonly positive: boolean;
  /** Doubles, errors and flags of the result are wanted. */
  readonly wantDoubles: boolean;
  readonly below: Below;
}

/** Elements of the four tables of one component: 1 MiB. */
const TABLE_ELEMENTS = 2 ** 15;

/** All pairs of major and minor rows, major first, in both forms. R·K multiply-adds a pair. */
export function filteredJoin(request: JoinRequest): Values {
  const { combine, major, minor, weights, positive, wantDoubles } = request;
  const K = weights?.K ?? major.width;
  const rows = major.rows * minor.rows;
  const residues = new Float64Array(rows * K);
  const doubles = new Float64Array(wantDoubles ? rows * K : 0);
  const none = new Float64Array(K);
  const { error, grain } = wantDoubles
    ? joinBounds(combine, major, minor, weights)
    : { error: none, grain: 0 };
  const zero = new Uint8Array(rows);
  if (positive && wantDoubles) {
    for (let p = 0; p < major.rows; p++) {
      if (major.zero[p]) zero.set(minor.zero, p * minor.rows);
    }
  }
  if (weights === null) joinPairs(request, residues, doubles);
  else joinWeighed(request, weights, residues, doubles);
  const top = wantDoubles ? topOf(doubles, K, error) : none;
  return { rows, width: K, residues, doubles, error, top, grain, zero };
}

/** Comparisons of component j of the major side: the margin that separates, and where a search begins. */
function marginOf({ major, minor }: JoinRequest, j: number, partners: Iterable<number>): number {
  let most = 0;
  let top = major.top[j];
  for (const i of partners) {
    most = Math.max(most, minor.error[i]);
    top = Math.max(top, minor.top[i]);
  }
  const margin = major.error[j] + most;
  // The margin is subtracted and added with one rounding each.
  return margin === 0 ? 0 : margin * (1 + 2 ** -20) + top * 2 ** -51;
}

function joinWeighed(
  request: JoinRequest,
  weights: Weights,
  residues: Float64Array,
  doubles: Float64Array,
): void {
  const { field, combine, major, minor, wantDoubles } = request;
  const { K } = weights;
  const R = major.width;
  const perPosition = Math.max(1, K * (R > 0 ? weights.partners(0).length : 1));
  const block = Math.max(1, Math.min(minor.rows, Math.floor(Math.sqrt(TABLE_ELEMENTS / perPosition))));
  for (let first = 0; first < minor.rows; first += block) {
    const count = Math.min(block, minor.rows - first);
    const { positions, length } = tableSizes(combine, weights, 0, count);
    const tables = emptyTables(positions * length, wantDoubles);
    let order: Order | undefined;
    for (let j = 0; j < R; j++) {
      if (combine === 'max' && (order === undefined || !weights.full))
        order = orderOf(minor, weights, j, first, count);
      const part = { first, count, order: order ?? NO_ORDER };
      fillTables(field, combine, minor, weights, j, part, tables);
      addComponent(request, weights, j, part, tables, residues, doubles);
      if ((j + 1) % field.chunk === 0 || j === R - 1)
        reduceAll(field, residues, minor.rows * K, first * K, length);
    }
  }
}

const NO_ORDER: Order = { keys: new Float64Array(0), q: new Int32Array(0), i: new Int32Array(0) };

function reduceAll(
  field: PrimeField,
  residues: Float64Array,
  stride: number,
  start: number,
  length: number,
): void {
  for (let row = start; row < residues.length; row += stride) {
    for (let at = row; at < row + length; at++) residues[at] = field.reduce(residues[at]);
  }
}

/** Adds the terms of component j to every pair with the minor rows of a block. */
function addComponent(
  request: JoinRequest,
  weights: Weights,
  j: number,
  part: { readonly first: number; readonly count: number; readonly order: Order },
  tables: Tables,
  residues: Float64Array,
  doubles: Float64Array,
): void {
  const { combine, major, minor, positive, wantDoubles } = request;
  const { K } = weights;
  const { keys } = part.order;
  const length = part.count * K;
  const margin = combine === 'max' ? marginOf(request, j, weights.partners(j)) : 0;
  const places = new Places(keys);
  const zeros = positive ? places.below(Number.MIN_VALUE) : 0;
  const { slope, offset, slopeDouble, offsetDouble } = tables;
  const { residues: majorResidues, doubles: majorDoubles, width: R, rows: P } = major;
  const stride = minor.rows * K;
  for (let p = 0, at = j, to = part.first * K; p < P; p++, at += R, to += stride) {
    const h = majorResidues[at];
    const x = majorDoubles[at];
    let position = 0;
    if (combine === 'max' && !(positive && x === 0)) {
      position = Math.max(zeros, places.below(x - margin));
      if (margin > 0 && position < keys.length && keys[position] <= x + margin) {
        addUndecided(request, weights, p, j, part, margin, residues, doubles);
        continue;
      }
    }
    const from = position * length;
    for (let n = 0; n < length; n++) residues[to + n] += slope[from + n] * h + offset[from + n];
    if (!wantDoubles) continue;
    for (let n = 0; n < length; n++) doubles[to + n] += slopeDouble[from + n] * x + offsetDouble[from + n];
  }
}

/** The terms of one major component that is too close to a minor one: each pair by itself, the close ones exactly. */
function addUndecided(
  { field, major, minor, wantDoubles, positive, below }: JoinRequest,
  { K, doubles: G, residues: Gr, partners, at }: Weights,
  p: number,
  j: number,
  { first, count }: { readonly first: number; readonly count: number },
  margin: number,
  residues: Float64Array,
  doubles: Float64Array,
): void {
  const h = p * major.width + j;
  const x = major.doubles[h];
  for (let q = 0; q < count; q++) {
    const to = (p * minor.rows + first + q) * K;
    for (const i of partners(j)) {
      const a = (first + q) * minor.width + i;
      const y = minor.doubles[a];
      const decided = Math.abs(x - y) > margin || (positive && y === 0);
      const isBelow = decided ? y < x : below(p, j, first + q, i);
      const [residue, double] = isBelow ? [major.residues[h], x] : [minor.residues[a], y];
      const from = at(i, j);
      for (let k = 0; k < K; k++) {
        residues[to + k] = field.reduce(residues[to + k] + field.multiply(Gr[from + k], residue));
        if (wantDoubles) doubles[to + k] += G[from + k] * double;
      }
    }
  }
}

/** `out[p,q,r] = minor[q,r] ∘ major[p,r]`. */
function joinPairs(request: JoinRequest, residues: Float64Array, doubles: Float64Array): void {
  const { field, combine, major, minor, positive, wantDoubles, below } = request;
  const R = major.width;
  for (let r = 0; r < R; r++) {
    const margin = combine === 'max' ? marginOf(request, r, [r]) : 0;
    for (let p = 0, to = r; p < major.rows; p++) {
      const h = p * R + r;
      const x = major.doubles[h];
      for (let q = 0; q < minor.rows; q++, to += R) {
        const a = q * R + r;
        const y = minor.doubles[a];
        if (combine === 'max') {
          const close = margin > 0 && Math.abs(x - y) <= margin && !(positive && (x === 0 || y === 0));
          const isBelow = close ? below(p, r, q, r) : y < x;
          residues[to] = isBelow ? major.residues[h] : minor.residues[a];
          if (wantDoubles) doubles[to] = isBelow ? x : y;
        } else if (combine === 'sum') {
          residues[to] = field.add(major.residues[h], minor.residues[a]);
          if (wantDoubles) doubles[to] = x + y;
        } else {
          residues[to] = field.multiply(major.residues[h], minor.residues[a]);
          if (wantDoubles) doubles[to] = x * y;
        }
      }
    }
  }
}
