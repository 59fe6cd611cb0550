import { PairQueue } from './pair_queue.ts';

/**
 * Orders of pairwise contraction and their cost, counted as opt_einsum does: the pair of A and B takes |A ∪ B| operations,
 * twice that if it sums an index, where |·| is the product of the extents.
 */
export type Labels = readonly string[];

export interface PairwiseOrder {
  /** Pairs to join; inputs count from 0, the results behind them. */
  readonly pairs: readonly (readonly [number, number])[];
  readonly cost: number;
  /** Elements of the largest intermediate, inputs and output aside. */
  readonly largest: number;
}

export function volume(labels: Iterable<string>, extents: ReadonlyMap<string, number>): number {
  let product = 1;
  for (const label of labels) product *= extents.get(label) ?? 1;
  return product;
}

/** Operations of all operands at once: |all| · (n − 1, and one more if an index is summed). */
export function naiveCost(
  inputs: readonly Labels[],
  output: Labels,
  extents: ReadonlyMap<string, number>,
): number {
  const all = new Set(inputs.flat());
  return volume(all, extents) * (Math.max(inputs.length, 1) - 1 + Number(all.size > output.length));
}

/** Up to so many operands every order is tried: 3¹⁰/2 pairs of subsets take some milliseconds. */
const MAX_EXACT = 10;
const MAX_BITS = 31;

/**
 * The cheapest pairwise order, outer products included: exact up to ten operands, greedy beyond.
 *
 * Dynamic programming over subsets (Pfeifer, Haegeman & Verstraete, Phys. Rev. E 90, 2014); greedily, the pair with the
 * least |result| − |A| − |B| next. `limit` bounds the elements of an intermediate; undefined where no order keeps it.
 */
export function pairwiseOrder(
  inputs: readonly Labels[],
  output: Labels,
  extents: ReadonlyMap<string, number>,
  limit = Number.POSITIVE_INFINITY,
): PairwiseOrder | undefined {
  if (inputs.length > MAX_EXACT) return greedyOrder(inputs, output, extents);
  const merged = mergeParallel(inputs, output, extents);
  return merged.sizes.length > MAX_BITS ? greedyOrder(inputs, output, extents) : exactOrder(merged, limit);
}

interface Merged {
  readonly masks: readonly number[];
  readonly output: number;
  readonly sizes: readonly number[];
}

/** Labels that occur in the same inputs behave as one whose extent is their product: fewer bits, the same cost. */
function mergeParallel(
  inputs: readonly Labels[],
  output: Labels,
  extents: ReadonlyMap<string, number>,
): Merged {
  const groups = new Map<string, number>();
  const sizes: number[] = [];
  const masks = inputs.map(() => 0);
  let outMask = 0;
  for (const label of new Set(inputs.flat())) {
    const signature = [...inputs, output].map((labels) => Number(labels.includes(label))).join('');
    const known = groups.get(signature);
    if (known !== undefined) {
      sizes[known] *= extents.get(label) ?? 1;
      continue;
    }
    const bit = sizes.length;
    groups.set(signature, bit);
    sizes.push(extents.get(label) ?? 1);
    inputs.forEach((labels, n) => {
      if (labels.includes(label)) masks[n] |= 1 << bit;
    });
    if (output.includes(label)) outMask |= 1 << bit;
  }
  return { masks, output: outMask, sizes };
}

function exactOrder({ masks, output, sizes }: Merged, limit: number): PairwiseOrder | undefined {
  const n = masks.length;
  const full = 2 ** n - 1;
  const known = new Map<number, number>();
  const size = (mask: number): number => {
    let product = known.get(mask);
    if (product === undefined) {
      product = sizes.reduce((so, extent, bit) => (mask & (1 << bit) ? so * extent : so), 1);
      known.set(mask, product);
    }
    return product;
  };
  const present = new Int32Array(full + 1);
  for (let set = 1; set <= full; set++) {
    const lowest = 31 - Math.clz32(set & -set);
    present[set] = present[set & (set - 1)] | masks[lowest];
  }
  /** What is left of a subset once it is one tensor; a lone input still has all its labels. */
  const left = Int32Array.from(present, (mask, set) =>
    (set & (set - 1)) === 0 ? mask : mask & (output | present[full ^ set]),
  );
  const cost = new Float64Array(full + 1).fill(Number.POSITIVE_INFINITY);
  const written = new Float64Array(full + 1);
  const split = new Int32Array(full + 1);
  for (let set = 1; set <= full; set++) {
    if ((set & (set - 1)) === 0) {
      cost[set] = 0;
      continue;
    }
    if (set !== full && size(left[set]) > limit) continue;
    const lowest = set & -set;
    for (let part = (set - 1) & set; part > 0; part = (part - 1) & set) {
      const other = set ^ part;
      if (!(part & lowest) || cost[part] === Number.POSITIVE_INFINITY) continue;
      const joint = left[part] | left[other];
      const total = cost[part] + cost[other] + size(joint) * (joint === left[set] ? 1 : 2);
      const writes = written[part] + written[other] + size(left[set]);
      if (total < cost[set] || (total === cost[set] && total < Infinity && writes < written[set])) {
        cost[set] = total;
        written[set] = writes;
        split[set] = part;
      }
    }
  }
  if (cost[full] === Number.POSITIVE_INFINITY) return undefined;
  const pairs: [number, number][] = [];
  let largest = 0;
  const emit = (set: number): number => {
    if ((set & (set - 1)) === 0) return 31 - Math.clz32(set);
    if (set !== full) largest = Math.max(largest, size(left[set]));
    const pair: [number, number] = [emit(split[set]), emit(set ^ split[set])];
    pairs.push(pair);
    return n + pairs.length - 1;
  };
  emit(full);
  return { pairs, cost: cost[full], largest };
}

function greedyOrder(
  inputs: readonly Labels[],
  output: Labels,
  extents: ReadonlyMap<string, number>,
): PairwiseOrder {
  const search = new GreedySearch(inputs, output, extents);
  const pairs: [number, number][] = [];
  let [cost, largest] = [0, 0];
  while (search.alive.size > 1) {
    const pair = search.next();
    const { joint, size, isSummed } = search.join(pair, inputs.length + pairs.length);
    pairs.push(pair);
    cost += joint * (isSummed ? 2 : 1);
    if (search.alive.size > 1) largest = Math.max(largest, size);
  }
  return { pairs, cost, largest };
}

interface Operand {
  readonly labels: ReadonlySet<string>;
  readonly size: number;
}

/** Operands that are left, which of them have each label, and pairs that share one, scored when they first meet. */
class GreedySearch {
  readonly alive = new Map<number, Operand>();
  private readonly holders = new Map<string, Set<number>>();
  private readonly kept: ReadonlySet<string>;
  private readonly extents: ReadonlyMap<string, number>;
  private readonly queue = new PairQueue((n) => this.alive.has(n));
  private readonly met = new Set<number>();
  /** Above all nodes, of which there are fewer than two for each input. */
  private readonly bound: number;

  constructor(inputs: readonly Labels[], output: Labels, extents: ReadonlyMap<string, number>) {
    this.kept = new Set(output);
    this.extents = extents;
    this.bound = 2 * inputs.length;
    inputs.forEach((labels, n) => void this.enter(n, new Set(labels)));
    for (const nodes of this.holders.values())
      [...nodes].forEach((a, n, all) => void this.meet(a, all.slice(n + 1)));
  }

  /** The pair with the least score, or where nothing is shared any more, the two smallest for an outer product. */
  next(): [number, number] {
    const best = this.queue.least();
    return best ? [best.a, best.b] : twoSmallest(this.alive);
  }

  /** Puts `made` in the place of a pair. */
  join([a, b]: readonly [number, number], made: number) {
    const [A, B] = [a, b].map((n) => this.alive.get(n)!.labels);
    const joint = new Set([...A, ...B]);
    const result = new Set<string>();
    for (const label of joint)
      if (this.stays(label, Number(A.has(label)) + Number(B.has(label)))) result.add(label);
    for (const n of [a, b]) this.leave(n);
    this.enter(made, result);
    for (const label of result) this.meet(made, this.holders.get(label)!);
    const [all, size] = [joint, result].map((labels) => volume(labels, this.extents));
    return { joint: all, size, isSummed: joint.size > result.size };
  }

  private enter(n: number, labels: ReadonlySet<string>): void {
    this.alive.set(n, { labels, size: volume(labels, this.extents) });
    for (const label of labels) {
      const nodes = this.holders.get(label);
      if (nodes) nodes.add(n);
      else this.holders.set(label, new Set([n]));
    }
  }

  private leave(n: number): void {
    for (const label of this.alive.get(n)!.labels) this.holders.get(label)!.delete(n);
    this.alive.delete(n);
  }

  private meet(a: number, others: Iterable<number>): void {
    for (const b of others) {
      const key = Math.min(a, b) * this.bound + Math.max(a, b);
      if (a === b || this.met.has(key)) continue;
      this.queue.add({ a, b, score: this.score(a, b), rank: this.met.size });
      this.met.add(key);
    }
  }

  /** |result| − |A| − |B|, without the sets of labels that would have to be made for each of n²/2 pairs. */
  private score(a: number, b: number): number {
    const [A, B] = [this.alive.get(a)!, this.alive.get(b)!];
    let size = 1;
    for (const label of A.labels)
      if (this.stays(label, B.labels.has(label) ? 2 : 1)) size *= this.extents.get(label) ?? 1;
    for (const label of B.labels)
      if (!A.labels.has(label) && this.stays(label, 1)) size *= this.extents.get(label) ?? 1;
    return size - A.size - B.size;
  }

  /** Whether a label that so many of a pair have is in the output or in another operand. */
  private stays(label: string, inside: number): boolean {
    return this.kept.has(label) || this.holders.get(label)!.size > inside;
  }
}

function twoSmallest(operands: ReadonlyMap<number, Operand>): [number, number] {
  let first: [number, number] | undefined;
  let second: [number, number] | undefined;
  for (const [n, { size }] of operands) {
    if (!first || size < first[1]) [first, second] = [[n, size], first];
    else if (!second || size < second[1]) second = [n, size];
  }
  return [first![0], second![0]];
}
