import { aborted, mismatch } from '../../core/errors.ts';
import { atOnce, type Parts } from '../../core/parts.ts';
import { BLOCK_BYTES, blocksOf, bytesBesides, rowsOf } from '../blocks.ts';
import { isLeaf, type Join, type Node, nodesOf } from '../joins.ts';
import type { ExactNetwork, ExactXi } from './definition.ts';
import { compare, grainOf } from './dyadic.ts';
import { filteredJoin } from './join.ts';
import { PrimeField } from './modular.ts';
import { exactRows } from './rows.ts';
import type { Combine, Weights } from './tables.ts';
import { exactValues, negated, positivePart, type Values, zeroValues } from './values.ts';

/** The scores of a network over a grid, exactly, modulo a prime. */
export interface Residues {
  /** [rows of the root, outputs], row-major over the choices of every mode. */
  readonly values: Float64Array;
  /** Comparisons that exact arithmetic had to decide. */
  readonly undecided: number;
}

export interface FilteredOptions {
  /**
   * Stops between two blocks with E_ABORTED. `exactRank` is synchronous and sees only what was aborted before the call or by
   * `onProgress`; `certify` lets the event loop run in between.
   */
  readonly signal?: AbortSignal;
  /** After each block: sequences evaluated, and all of them. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** How an operator is computed: of positive parts or not, of negated operands and weights or not, and what pairs become. */
interface Form {
  readonly combine: Combine;
  readonly positive: boolean;
  readonly negate: boolean;
}

const plain = { positive: false, negate: false };
const FORMS: Readonly<Record<ExactXi, Form>> = {
  product: { ...plain, combine: 'product' },
  rectifier: { ...plain, combine: 'max', positive: true },
  max: { ...plain, combine: 'max' },
  // Σ G min(x, y) = Σ (−G) max(−x, −y).
  min: { ...plain, combine: 'max', negate: true },
  sum: { ...plain, combine: 'sum' },
  relusum: { ...plain, combine: 'sum', positive: true },
};

/** Values that are kept for all blocks: those of nodes with fewer rows than this. */
const KEPT_VALUES = 2 ** 20;

/** Both forms of a value. */
const VALUE_BYTES = 16;
/** An integer of a leaf, of some hundred bits, with its place in a list; and its coefficients are as many again. */
const INTEGER_BYTES = 128;

/** Unit roundoff, with which errors begin. */
const UNIT = 2 ** -53;

/** Most products of integers for one node, a few seconds; and rows of the root for each of its rows, or there is little to gain. */
const RENEWED_PRODUCTS = 2 ** 23;
const ROWS_THAT_FOLLOW = 64;

/**
 * Evaluates a network over the grid of its choices modulo a prime, in doubles whose error is bounded beside residues that are
 * exact. A comparison that the bound separates is decided by the doubles, any other by `network` in integers; so the result is
 * that of exact arithmetic, without exceptions.
 *
 * The same sharing of prefixes and subtrees as in a grid tensor; R·K multiply-adds for each pair of rows that is joined.
 *
 * @throws XiError E_NUMERIC when a bound overflows, E_ABORTED.
 */
export function filteredResidues(
  network: ExactNetwork,
  prime: number,
  options: FilteredOptions = {},
): Residues {
  return atOnce(filteredParts(network, prime, options));
}

/** {@link filteredResidues} in parts, a block each. */
export function filteredParts(
  network: ExactNetwork,
  prime: number,
  options: FilteredOptions,
): Parts<Residues> {
  return new Filtered(network, prime).run(options);
}

class Filtered {
  private readonly network: ExactNetwork;
  private readonly field: PrimeField;
  private readonly form: Form;
  private readonly counts: readonly number[];
  private readonly weights = new Map<Join, Weights | null>();
  /** Joins since all doubles of a node were rounded once. */
  private readonly ages = new Map<Node, number>();
  /** Operands, ready to be joined, of nodes that many rows are joined with. */
  private readonly operands = new Map<Node, Values>();
  private undecided = 0;

  constructor(network: ExactNetwork, prime: number) {
    this.network = network;
    this.field = new PrimeField(prime);
    this.form = FORMS[network.xi];
    this.counts = network.choice.map((list) => list.length);
  }

  *run({ signal, onProgress }: FilteredOptions): Parts<Residues> {
    const { root } = this.network;
    const total = rowsOf(root, this.counts);
    let values: Float64Array | undefined;
    for (const [begin, end] of blocksOf(root, this.counts, VALUE_BYTES)) {
      if (signal?.aborted) throw aborted(`exact evaluation: stopped after ${begin} of ${total} rows`, signal);
      const { residues, first } = this.evaluate(root, begin, end, false);
      const part = residues.subarray((begin - first) * root.width, (end - first) * root.width);
      // A block of everything is the result.
      if (part.length === total * root.width) values = part;
      else {
        values ??= new Float64Array(total * root.width);
        values.set(part, begin * root.width);
      }
      onProgress?.(end, total);
      yield;
    }
    return { values: values ?? new Float64Array(0), undecided: this.undecided };
  }

  /** At least the rows [begin, end) of a node, from row `first` on. */
  private evaluate(node: Node, begin: number, end: number, wantDoubles: boolean): Values & { first: number } {
    const { field, network, form } = this;
    if (isLeaf(node)) return { ...exactValues(field, network.leaf(node), node.width), first: 0 };
    const M = rowsOf(node.minor, this.counts);
    const [from, to] = [Math.floor(begin / M), Math.ceil(end / M)];
    const minor = this.operand(node.minor, 0, M);
    const weights = this.weightsOf(node);
    const common = { field, minor, weights, positive: form.positive, wantDoubles };
    if (node.major === null) {
      const below = () => {
        throw mismatch('E_NUMERIC', 'exact evaluation', 'no comparison with the unit', 'one');
      };
      const joined = filteredJoin({ ...common, combine: 'sum', major: zeroValues(node.R), below });
      // Without weights the signs that negation took from both operands are still missing.
      return { ...this.signed(node, joined), first: 0 };
    }
    const major = this.operand(node.major, from, to);
    const below = (p: number, j: number, q: number, i: number) => this.below(node, major.first + p, j, q, i);
    const joined = filteredJoin({ ...common, combine: form.combine, major, below });
    return { ...this.signed(node, joined), first: major.first * M };
  }

  /** min without weights: −max(−x, −y). */
  private signed(node: Join, values: Values): Values {
    return this.form.negate && node.core.form === 'none' ? negated(this.field, values) : values;
  }

  /** Rows [begin, end) of a child, as the operator takes them. */
  private operand(node: Node, begin: number, end: number): Values & { readonly first: number } {
    const rows = rowsOf(node, this.counts);
    const keep = rows * node.width <= KEPT_VALUES || (begin === 0 && end === rows);
    const known = this.operands.get(node);
    if (known) return sliced({ ...known, first: 0 }, begin, end);
    const evaluated = keep ? this.evaluate(node, 0, rows, true) : this.evaluate(node, begin, end, true);
    const values = keep ? this.renewed(node, evaluated) : evaluated;
    const { first } = values;
    let ready: Values = values;
    if (this.form.positive) {
      ready = positivePart(values, (row, k) => {
        this.undecided++;
        const sign = this.network.row(node, first + row).integers[k];
        return sign > 0n ? 1 : sign < 0n ? -1 : 0;
      });
    }
    if (this.form.negate) ready = negated(this.field, ready);
    if (keep) this.operands.set(node, ready);
    return sliced({ ...ready, first }, begin, end);
  }

  /**
   * The values from integers, their doubles rounded once, where that costs less than the comparisons that would be left to integers
   * later on.
   */
  private renewed(node: Node, values: Values & { first: number }): Values & { first: number } {
    const { rows, width } = values;
    if (isLeaf(node) || rows * node.R * width > RENEWED_PRODUCTS) return values;
    if (rows * ROWS_THAT_FOLLOW > rowsOf(this.network.root, this.counts)) return values;
    if (this.expectedUndecided(node, values) * node.minor.width <= rows) return values;
    this.ages.set(node, 0);
    return { ...exactValues(this.field, exactRows(this.network, node), width), first: 0 };
  }

  /**
   * About how many comparisons the last join leaves undecided: bounds grow by Σ|G| a join, and so far have grown from the unit
   * roundoff to what they are. One that is undecided takes an exact row on either side, at the minor width times what one of all
   * rows costs.
   */
  private expectedUndecided(node: Join, { error, top }: Values): number {
    const relative = error.reduce((most, e, k) => (e > 0 ? Math.max(most, e / top[k]) : most), 0);
    if (relative === 0) return 0;
    const age = 1 + Math.max(this.age(node.major), this.age(node.minor));
    this.ages.set(node, age);
    const growth = Math.max(1, relative / UNIT) ** (1 / age);
    const { root } = this.network;
    const comparisons = rowsOf(root, this.counts) * (isLeaf(root) ? 1 : root.R * root.minor.width);
    return comparisons * relative * growth ** (joinsAbove(root, node) - 1);
  }

  private age(node: Node | null): number {
    return node === null || isLeaf(node) ? 0 : (this.ages.get(node) ?? 0);
  }

  private below({ major, minor }: Join, p: number, j: number, q: number, i: number): boolean {
    this.undecided++;
    const y = this.network.row(minor, q);
    const x = this.network.row(major!, p);
    const sign = compare(y.integers[i], y.exponent, x.integers[j], x.exponent);
    return this.form.negate ? sign > 0 : sign < 0;
  }

  private weightsOf(node: Join): Weights | null {
    const known = this.weights.get(node);
    if (known !== undefined) return known;
    const made = node.core.form === 'none' ? null : this.makeWeights(node, node.core);
    this.weights.set(node, made);
    return made;
  }

  private makeWeights({ R, width: K, minor }: Join, core: Exclude<Join['core'], { form: 'none' }>): Weights {
    const { field, form } = this;
    const doubles = Float64Array.from(core.values, (w) => (form.negate ? -w : w));
    const residues = doubles.map((w) => field.ofDouble(w));
    const grain = grainOf(doubles);
    const full = core.form === 'full';
    const everyone = Array.from({ length: minor.width }, (_, i) => i);
    const itself = Array.from({ length: R }, (_, j) => [j]);
    const shape = full
      ? { partners: () => everyone, at: (i: number, j: number) => (i * R + j) * K }
      : { partners: (j: number) => itself[j], at: (_i: number, j: number) => j * K };
    return { doubles, residues, K, full, grain, ...shape };
  }
}

/** Joins on the way from a node to the root. */
function joinsAbove(root: Node, node: Node): number {
  if (root === node) return 0;
  if (isLeaf(root)) return Number.NEGATIVE_INFINITY;
  const sides = [root.major, root.minor].filter((side) => side !== null);
  return 1 + Math.max(...sides.map((side) => joinsAbove(side, node)));
}

/** The rows [begin, end) of values that begin with row `first`; bounds stay those of all. */
function sliced(
  values: Values & { readonly first: number },
  begin: number,
  end: number,
): Values & { first: number } {
  const { first, width } = values;
  const part = (array: Float64Array) => array.subarray((begin - first) * width, (end - first) * width);
  return {
    ...values,
    rows: end - begin,
    residues: part(values.residues),
    doubles: part(values.doubles),
    zero: values.zero.subarray(begin - first, end - first),
    first: begin,
  };
}

/** Bytes that {@link filteredResidues} needs for so many scores: the result and a block, and of a network what it keeps besides. */
export function filteredBytes(scores: number, root?: Node, counts: readonly number[] = []): number {
  if (!root) return 8 * scores + BLOCK_BYTES;
  const leaves = nodesOf(root).filter(isLeaf);
  const integers = leaves.reduce((sum, { mode, width }) => sum + counts[mode] * width, 0);
  const besides = bytesBesides(root, counts, VALUE_BYTES, KEPT_VALUES) + INTEGER_BYTES * integers;
  return 8 * scores + Math.max(BLOCK_BYTES, besides);
}
