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
  const merged = mergeParallel(inputs, output, extents);
  if (inputs.length > MAX_EXACT || merged.sizes.length > MAX_BITS)
    return greedyOrder(inputs, output, extents);
  return exactOrder(merged, limit);
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
  const alive = new Map<number, ReadonlySet<string>>(inputs.map((labels, n) => [n, new Set(labels)]));
  const holders = new Map<string, Set<number>>();
  for (const [n, labels] of alive) for (const label of labels) holdersOf(holders, label).add(n);
  const kept = new Set(output);
  const joinOf = (a: number, b: number) => {
    const [A, B] = [alive.get(a)!, alive.get(b)!];
    const joint = new Set([...A, ...B]);
    const result = new Set<string>();
    for (const label of joint) {
      const inside = Number(A.has(label)) + Number(B.has(label));
      if (kept.has(label) || holdersOf(holders, label).size > inside) result.add(label);
    }
    return { a, b, joint, result };
  };
  const score = ({ a, b, result }: ReturnType<typeof joinOf>) =>
    volume(result, extents) - volume(alive.get(a)!, extents) - volume(alive.get(b)!, extents);
  const candidates = new Map<string, { a: number; b: number; score: number }>();
  const consider = (a: number, b: number) => {
    const key = a < b ? `${a} ${b}` : `${b} ${a}`;
    if (a !== b && !candidates.has(key)) candidates.set(key, { a, b, score: score(joinOf(a, b)) });
  };
  for (const nodes of holders.values()) for (const a of nodes) for (const b of nodes) consider(a, b);
  const pairs: [number, number][] = [];
  let [cost, largest] = [0, 0];
  while (alive.size > 1) {
    let best: { a: number; b: number; score: number } | undefined;
    for (const [key, candidate] of candidates) {
      if (!alive.has(candidate.a) || !alive.has(candidate.b)) candidates.delete(key);
      else if (!best || candidate.score < best.score) best = candidate;
    }
    if (!best) {
      // Nothing is shared any more: an outer product of the two smallest.
      const [a, b] = [...alive.keys()].sort(
        (x, y) => volume(alive.get(x)!, extents) - volume(alive.get(y)!, extents),
      );
      best = { a, b, score: 0 };
    }
    const { a, b, joint, result } = joinOf(best.a, best.b);
    const id = inputs.length + pairs.length;
    pairs.push([a, b]);
    cost += volume(joint, extents) * (joint.size > result.size ? 2 : 1);
    alive.delete(a);
    alive.delete(b);
    for (const label of joint) {
      holdersOf(holders, label).delete(a);
      holdersOf(holders, label).delete(b);
    }
    if (alive.size > 0) largest = Math.max(largest, volume(result, extents));
    alive.set(id, result);
    for (const label of result) holdersOf(holders, label).add(id);
    for (const label of result) for (const other of holdersOf(holders, label)) consider(id, other);
  }
  return { pairs, cost, largest };
}

function holdersOf(holders: Map<string, Set<number>>, label: string): Set<number> {
  let nodes = holders.get(label);
  if (!nodes) holders.set(label, (nodes = new Set()));
  return nodes;
}
