import { greedyOrder, type PairwiseOrder } from './greedy.ts';
import { type Labels, volume } from './labels.ts';

// Orders of pairwise contraction and their cost, counted as opt_einsum does: the pair of A and B takes |A ∪ B| operations,
// twice that if it sums an index, where |·| is the product of the extents.

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
