import type { PrimeField } from './modular.ts';
import type { Values } from './values.ts';

/** Weights of a full or a diagonal core in both forms: `weight(i, j)` is where its K values begin. */
export interface Weights {
  readonly doubles: Float64Array;
  readonly residues: Float64Array;
  readonly K: number;
  /** Whether each component is joined with all of the other side, else with its equal alone. */
  readonly full: boolean;
  /** Minor components that component j of the major side is joined with. */
  partners(j: number): readonly number[];
  at(i: number, j: number): number;
  /** The least exponent of a weight. */
  readonly grain: number;
}

/** What is done with a pair before it is weighed. */
export type Combine = 'max' | 'sum' | 'product';

/** Components (q, i) of some minor rows in ascending order of their doubles: where max(minor, major) changes sides. */
export interface Order {
  readonly keys: Float64Array;
  readonly q: Int32Array;
  readonly i: Int32Array;
}

/**
 * For one component j of the major side, joined with the minor rows [first, first + count): whatever the value h of that
 * component is, its terms are a linear function of it,
 *
 * `Σ_i G[i,j,k] (a[q,i] ∘ h) = slope[position][q,k] · h + offset[position][q,k]`,
 *
 * and `position`, the number of minor components below h, is all that depends on comparisons (0 for sum and product). So a
 * pair of rows costs R·K multiply-adds, however large L is.
 */
export interface Tables {
  readonly slope: Float64Array;
  readonly offset: Float64Array;
  readonly slopeDouble: Float64Array;
  readonly offsetDouble: Float64Array;
}

/** Elements of one position, and how many positions there are. */
export function tableSizes(combine: Combine, weights: Weights, j: number, count: number) {
  const positions = combine === 'max' ? count * weights.partners(j).length + 1 : 1;
  return { positions, length: count * weights.K };
}

export function emptyTables(size: number, wantDoubles: boolean): Tables {
  const array = (wanted: boolean) => new Float64Array(wanted ? size : 0);
  return {
    slope: array(true),
    offset: array(true),
    slopeDouble: array(wantDoubles),
    offsetDouble: array(wantDoubles),
  };
}

/** Sorts the components of minor rows [first, first + count) that are joined with component j. */
export function orderOf(minor: Values, weights: Weights, j: number, first: number, count: number): Order {
  const partners = weights.partners(j);
  const pairs = Array.from({ length: count }, (_, q) => partners.map((i) => ({ q, i }))).flat();
  const key = ({ q, i }: { q: number; i: number }) => minor.doubles[(first + q) * minor.width + i];
  pairs.sort((x, y) => key(x) - key(y));
  return {
    keys: Float64Array.from(pairs, key),
    q: Int32Array.from(pairs, ({ q }) => q),
    i: Int32Array.from(pairs, ({ i }) => i),
  };
}

/** Fills the tables of component j; their length is at least what {@link tableSizes} says. */
export function fillTables(
  field: PrimeField,
  combine: Combine,
  minor: Values,
  weights: Weights,
  j: number,
  { first, count, order }: { readonly first: number; readonly count: number; readonly order: Order },
  tables: Tables,
): void {
  const { positions, length } = tableSizes(combine, weights, j, count);
  const { K } = weights;
  const last = (positions - 1) * length;
  const all = [tables.slope, tables.offset, tables.slopeDouble, tables.offsetDouble];
  for (const table of all) {
    if (table.length > 0) {
      table.fill(0, 0, length);
      table.fill(0, last, last + length);
    }
  }
  const withDoubles = tables.slopeDouble.length > 0;
  /** Adds the weights of (q, i), times a[q,i] if `scaled`, to the part of a table that begins at `base`. */
  const add = (
    exact: Float64Array,
    double: Float64Array,
    base: number,
    q: number,
    i: number,
    scaled: boolean,
  ) => {
    const from = weights.at(i, j);
    const a = (first + q) * minor.width + i;
    const to = base + q * K;
    const residue = scaled ? minor.residues[a] : 1;
    const factor = scaled ? minor.doubles[a] : 1;
    for (let k = 0; k < K; k++) {
      exact[to + k] = field.add(exact[to + k], field.multiply(weights.residues[from + k], residue));
      if (withDoubles) double[to + k] += weights.doubles[from + k] * factor;
    }
  };
  const { slope, offset, slopeDouble, offsetDouble } = tables;
  if (combine !== 'max') {
    for (let q = 0; q < count; q++) {
      for (const i of weights.partners(j)) {
        add(slope, slopeDouble, 0, q, i, combine === 'product');
        if (combine === 'sum') add(offset, offsetDouble, 0, q, i, true);
      }
    }
    return;
  }
  // Sums alone, no differences, so that the doubles have the error of a sum: slopes from below, offsets from above.
  for (let s = 0; s < positions - 1; s++) {
    const from = s * length;
    slope.copyWithin(from + length, from, from + length);
    if (withDoubles) slopeDouble.copyWithin(from + length, from, from + length);
    add(slope, slopeDouble, from + length, order.q[s], order.i[s], false);
  }
  for (let s = positions - 2; s >= 0; s--) {
    const to = s * length;
    offset.copyWithin(to, to + length, to + 2 * length);
    if (withDoubles) offsetDouble.copyWithin(to, to + length, to + 2 * length);
    add(offset, offsetDouble, to, order.q[s], order.i[s], true);
  }
}
