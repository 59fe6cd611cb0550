import { mismatch } from '../../core/errors.ts';
import { checkTensor, type Tensor } from '../../core/tensor.ts';
import type { Xi } from '../../core/xi.gen.ts';
import type { Model } from '../../models/model.ts';
import { rowsOf } from '../blocks.ts';
import { isLeaf, type Join, type JoinTree, type Leaf, type Node } from '../joins.ts';
import { type Dyadic, dyadic, rescaled } from './dyadic.ts';

/** Values of one node that are remembered: 4096 rows of a width of 256. */
const REMEMBERED = 2 ** 20;

/** The operators that keep dyadic numbers dyadic. */
export const EXACT_XI = [
  'product',
  'rectifier',
  'max',
  'min',
  'sum',
  'relusum',
] as const satisfies readonly Xi[];
export type ExactXi = (typeof EXACT_XI)[number];

/** @throws XiError E_ARGUMENT for an operator whose values are irrational. */
export function checkExact(where: string, xi: Xi): ExactXi {
  if (EXACT_XI.includes(xi as ExactXi)) return xi as ExactXi;
  const reason = `a ξ that maps dyadic rationals to dyadic rationals (${EXACT_XI.join(', ')}), as exact arithmetic needs`;
  throw mismatch('E_ARGUMENT', `${where} xi`, reason, xi);
}

const larger = (x: bigint, y: bigint) => (y > x ? y : x);
const positive = (x: bigint) => (x > 0n ? x : 0n);
const itself = (x: bigint) => x;

/** ξ on integers of one scale (of two for the product), and what the unit makes of an operand. */
const OPERATORS: Readonly<Record<ExactXi, { of(x: bigint, y: bigint): bigint; unit(x: bigint): bigint }>> = {
  product: { of: (x, y) => x * y, unit: itself },
  rectifier: { of: (x, y) => positive(larger(x, y)), unit: positive },
  max: { of: larger, unit: itself },
  min: { of: (x, y) => (y < x ? y : x), unit: itself },
  sum: { of: (x, y) => x + y, unit: itself },
  relusum: { of: (x, y) => positive(x) + positive(y), unit: positive },
};

/**
 * A network over templates in exact arithmetic, value by value, as it is defined: what the filtered evaluation is tested
 * against, and what it asks where floating-point numbers cannot decide. Floating-point parameters are dyadic rationals, and
 * sums, products and maxima of dyadic rationals are dyadic rationals.
 */
export class ExactNetwork {
  readonly xi: ExactXi;
  readonly root: Node;
  readonly choice: readonly (readonly number[])[];
  /** All rows of nodes for which somebody computed them. */
  readonly known = new Map<Node, Dyadic>();
  private readonly counts: readonly number[];
  private readonly F: Dyadic;
  private readonly features: number;
  private readonly leaves = new Map<Leaf, Dyadic>();
  private readonly cores = new Map<Join, Dyadic>();
  private readonly remembered = new Map<Node, Map<number, Dyadic>>();

  /** choice[t] lists the templates that are shown at step t; F has the features [M, features] of all. */
  constructor(tree: JoinTree, F: Dyadic, features: number, choice: readonly (readonly number[])[]) {
    this.xi = checkExact('exact evaluation', tree.xi);
    this.root = tree.root;
    this.choice = choice;
    this.counts = choice.map((list) => list.length);
    this.F = F;
    this.features = features;
  }

  rows(node: Node): number {
    return rowsOf(node, this.counts);
  }

  /** All rows of a leaf, [choices, L]. */
  leaf(leaf: Leaf): Dyadic {
    const known = this.leaves.get(leaf);
    if (known) return known;
    const { features, F } = this;
    const C = dyadic(leaf.projection);
    const integers = this.choice[leaf.mode].flatMap((m) =>
      Array.from({ length: leaf.width }, (_, i) => {
        let sum = 0n;
        for (let f = 0; f < features; f++) {
          const [x, y] = [C.integers[i * features + f], F.integers[m * features + f]];
          if (x !== 0n && y !== 0n) sum += x * y;
        }
        return sum;
      }),
    );
    const values = { integers, exponent: C.exponent + F.exponent };
    this.leaves.set(leaf, values);
    return values;
  }

  /** One row of a node: the state after the sequence of choices that the row stands for. */
  row(node: Node, row: number): Dyadic {
    const all = isLeaf(node) ? this.leaf(node) : this.known.get(node);
    if (isLeaf(node) || all) {
      const { integers, exponent } = all!;
      return { integers: integers.slice(row * node.width, (row + 1) * node.width), exponent };
    }
    const memory = this.remembered.get(node) ?? new Map<number, Dyadic>();
    this.remembered.set(node, memory);
    let values = memory.get(row);
    if (!values) {
      values = this.join(node, row);
      if (memory.size * node.width >= REMEMBERED) memory.clear();
      memory.set(row, values);
    }
    return values;
  }

  private join(node: Join, row: number): Dyadic {
    const M = this.rows(node.minor);
    const minor = this.row(node.minor, row % M);
    const { of, unit } = OPERATORS[this.xi];
    if (node.major === null) {
      const z = { integers: minor.integers.map(unit), exponent: minor.exponent };
      return this.weigh(node, (i) => z.integers[i], z.exponent);
    }
    const major = this.row(node.major, Math.floor(row / M));
    if (this.xi === 'product') {
      const exponent = major.exponent + minor.exponent;
      return this.weigh(node, (i, j) => of(minor.integers[i], major.integers[j]), exponent);
    }
    const exponent = Math.min(major.exponent, minor.exponent);
    const [x, y] = [minor, major].map((side) => rescaled(side, exponent));
    return this.weigh(node, (i, j) => of(x[i], y[j]), exponent);
  }

  private weigh(node: Join, joined: (i: number, j: number) => bigint, exponent: number): Dyadic {
    const { core, minor, R, width: K } = node;
    if (core.form === 'none') {
      return { integers: Array.from({ length: K }, (_, r) => joined(r, r)), exponent };
    }
    const weights = this.cores.get(node) ?? dyadic(core.values);
    this.cores.set(node, weights);
    const integers = new Array<bigint>(K).fill(0n);
    const add = (i: number, j: number, from: number) => {
      const value = joined(i, j);
      if (value === 0n) return;
      for (let k = 0; k < K; k++) integers[k] += weights.integers[from + k] * value;
    };
    if (core.form === 'diagonal') for (let r = 0; r < R; r++) add(r, r, r * K);
    else {
      for (let i = 0; i < minor.width; i++) for (let j = 0; j < R; j++) add(i, j, (i * R + j) * K);
    }
    return { integers, exponent: weights.exponent + exponent };
  }
}

/**
 * The features of templates [M,N] exactly, [M, features].
 *
 * @throws XiError E_ARGUMENT for tanh, whose values are irrational; E_SHAPE, E_DTYPE or E_NUMERIC for the templates.
 */
export function exactFeatures(where: string, model: Model, templates: Tensor): Dyadic {
  const { inputs: N, features, dtype } = model.config;
  const { size: M, activation } = features;
  if (activation === 'tanh') {
    const reason = 'identity or relu, whose values of dyadic rationals are dyadic rationals';
    throw mismatch('E_ARGUMENT', `${where} features.activation`, reason, activation);
  }
  const { data, shape } = checkTensor(`${where} templates`, templates, [-1, N], dtype);
  const { 'features.A': weights, 'features.b': biases } = model.parameters;
  const [A, b, X] = [weights.data, biases.data, data].map(dyadic);
  const product = A.exponent + X.exponent;
  const exponent = Math.min(product, b.exponent);
  const bias = rescaled(b, exponent);
  const shift = BigInt(product - exponent);
  const integers: bigint[] = [];
  for (let m = 0; m < shape[0]; m++) {
    for (let f = 0; f < M; f++) {
      let sum = 0n;
      for (let n = 0; n < N; n++) {
        const [x, y] = [A.integers[f * N + n], X.integers[m * N + n]];
        if (x !== 0n && y !== 0n) sum += x * y;
      }
      const z = (sum << shift) + bias[f];
      integers.push(activation === 'relu' ? positive(z) : z);
    }
  }
  return { integers, exponent };
}
