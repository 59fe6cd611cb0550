import { type Labels, volume } from './labels.ts';
import { PairQueue } from './pair_queue.ts';

export interface PairwiseOrder {
  /** Pairs to join; inputs count from 0, the results behind them. */
  readonly pairs: readonly (readonly [number, number])[];
  readonly cost: number;
  /** Elements of the largest intermediate, inputs and output aside. */
  readonly largest: number;
}

/** The pair with the least |result| − |A| − |B| next, for any number of operands; n log n where an operand has few labels. */
export function greedyOrder(
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

/**
 * Of the operands that share a label so many, the smallest, are compared with each other: all pairs of n would be n². Of two
 * that share nothing else, the larger they are the less is gained, and what else they share compares them again. In 500 random
 * networks of up to 60 operands, 16 cost 0.3 % less than all pairs on average and 28 % more at worst, 8 up to 64 times as much.
 */
const NEIGHBOURS = 16;

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
  private readonly isAlive = (n: number) => this.alive.has(n);
  private readonly queue = new PairQueue(this.isAlive);
  private readonly met = new Set<number>();
  /** By size, for outer products. */
  private readonly everyone = new PairQueue(this.isAlive);
  /** The holders by size of labels with more of them than are compared. */
  private readonly crowds = new Map<string, PairQueue>();
  /** Above all nodes, of which there are fewer than two for each input. */
  private readonly bound: number;

  constructor(inputs: readonly Labels[], output: Labels, extents: ReadonlyMap<string, number>) {
    this.kept = new Set(output);
    this.extents = extents;
    this.bound = 2 * inputs.length;
    inputs.forEach((labels, n) => void this.enter(n, new Set(labels)));
    for (const [label, nodes] of this.holders) {
      if (nodes.size > NEIGHBOURS) this.crowd(label, nodes);
      else this.meetAll([...nodes]);
    }
  }

  /** The pair with the least score, or where nothing is shared any more, the two smallest for an outer product. */
  next(): [number, number] {
    const best = this.queue.least();
    if (best) return [best.a, best.b];
    const [first, second] = smallest(this.everyone, 2);
    return [first, second];
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
    for (const label of joint) {
      const crowd = this.crowds.get(label);
      // Others move up to the smallest where a pair of them has gone.
      if (crowd) this.meetAll(smallest(crowd, NEIGHBOURS));
      else if (result.has(label)) for (const n of this.holders.get(label)!) this.meet(made, n);
    }
    const [all, size] = [joint, result].map((labels) => volume(labels, this.extents));
    return { joint: all, size, isSummed: joint.size > result.size };
  }

  private enter(n: number, labels: ReadonlySet<string>): void {
    const size = volume(labels, this.extents);
    this.alive.set(n, { labels, size });
    this.everyone.add(lone(n, size));
    for (const label of labels) {
      const nodes = this.holders.get(label);
      if (nodes) nodes.add(n);
      else this.holders.set(label, new Set([n]));
      this.crowds.get(label)?.add(lone(n, size));
    }
  }

  private leave(n: number): void {
    for (const label of this.alive.get(n)!.labels) this.holders.get(label)!.delete(n);
    this.alive.delete(n);
  }

  private crowd(label: string, nodes: Iterable<number>): void {
    const crowd = new PairQueue(this.isAlive);
    for (const n of nodes) crowd.add(lone(n, this.alive.get(n)!.size));
    this.crowds.set(label, crowd);
    this.meetAll(smallest(crowd, NEIGHBOURS));
  }

  private meetAll(nodes: readonly number[]): void {
    for (let m = 0; m < nodes.length; m++)
      for (let n = m + 1; n < nodes.length; n++) this.meet(nodes[m], nodes[n]);
  }

  private meet(a: number, b: number): void {
    const key = Math.min(a, b) * this.bound + Math.max(a, b);
    if (a === b || this.met.has(key)) return;
    this.queue.add({ a, b, score: this.score(a, b), rank: this.met.size });
    this.met.add(key);
  }

  /** |result| − |A| − |B|, without the sets of labels that would have to be made for every pair. */
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

/** A node in a queue of nodes by size. */
const lone = (n: number, size: number) => ({ a: n, b: n, score: size, rank: n });

/** The smallest nodes of such a queue, which keeps them; of equal ones the first. */
function smallest(queue: PairQueue, count: number): number[] {
  const taken = [];
  while (taken.length < count) {
    const next = queue.take();
    if (!next) break;
    taken.push(next);
  }
  for (const node of taken) queue.add(node);
  return taken.map(({ a }) => a);
}
