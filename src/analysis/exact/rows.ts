import { isLeaf, type Join, type Node } from '../joins.ts';
import type { ExactNetwork } from './definition.ts';
import { type Dyadic, dyadic, rescaled } from './dyadic.ts';

const positive = (x: bigint) => (x > 0n ? x : 0n);

const FEW_ROWS = 3;

/**
 * All rows of a node in integers, at R·K multiplications for each of them however large L is: what {@link ExactNetwork} defines
 * row by row at L times that. For nodes of few rows from which many follow: their doubles begin anew, rounded once.
 *
 * For fixed minor row q and major component j, `Σ_i G[i,j,k] (a[q,i] ∘ h)` is a linear function of h, chosen by the number of
 * minor components below h (see {@link Tables}).
 */
export function exactRows(network: ExactNetwork, node: Node): Dyadic {
  if (isLeaf(node)) return network.leaf(node);
  const known = network.known.get(node);
  if (known) return known;
  const rows =
    node.core.form === 'none' || node.major === null ? oneByOne(network, node) : joined(network, node);
  network.known.set(node, rows);
  return rows;
}

function oneByOne(network: ExactNetwork, node: Join): Dyadic {
  const all = Array.from({ length: network.rows(node) }, (_, row) => network.row(node, row));
  return { integers: all.flatMap(({ integers }) => integers), exponent: all[0]?.exponent ?? 0 };
}

function joined(network: ExactNetwork, node: Join): Dyadic {
  const { xi } = network;
  const { core, R, width: K } = node;
  if (core.form === 'none') return oneByOne(network, node);
  const L = node.minor.width;
  const [majorSide, minorSide] = [exactRows(network, node.major!), exactRows(network, node.minor)];
  const scale = Math.min(majorSide.exponent, minorSide.exponent);
  // min(x, y) = −max(−x, −y).
  const sign = xi === 'min' ? -1n : 1n;
  const operand = (side: Dyadic) => {
    const integers = xi === 'product' ? side.integers : rescaled(side, scale);
    if (xi === 'min') return integers.map((n) => -n);
    return xi === 'rectifier' || xi === 'relusum' ? integers.map(positive) : integers;
  };
  const [major, minor] = [operand(majorSide), operand(minorSide)];
  const weights = dyadic(core.values);
  const P = R === 0 ? 0 : major.length / R;
  const Q = L === 0 ? 0 : minor.length / L;
  // The lines of a component cost as much as a few rows.
  if (P < FEW_ROWS) return oneByOne(network, node);
  const out = new Array<bigint>(P * Q * K).fill(0n);
  for (let q = 0; q < Q; q++) {
    for (let j = 0; j < R; j++) {
      const partners = core.form === 'full' ? Array.from({ length: L }, (_, i) => i) : [j];
      const pairs = partners.map((i) => ({
        a: minor[q * L + i],
        from: core.form === 'full' ? (i * R + j) * K : j * K,
      }));
      const weight = (from: number, k: number) => sign * weights.integers[from + k];
      const { keys, slopes, offsets } = lines(xi, pairs, weight, K);
      for (let p = 0; p < P; p++) {
        const h = major[p * R + j];
        const position = below(keys, h);
        const [slope, offset] = [slopes[position], offsets[position]];
        const to = (p * Q + q) * K;
        for (let k = 0; k < K; k++) out[to + k] += slope[k] * h + offset[k];
      }
    }
  }
  const pair = xi === 'product' ? majorSide.exponent + minorSide.exponent : scale;
  return { integers: out, exponent: weights.exponent + pair };
}

interface Lines {
  /** Ascending; position n is chosen by n of them below h. */
  readonly keys: readonly bigint[];
  readonly slopes: readonly (readonly bigint[])[];
  readonly offsets: readonly (readonly bigint[])[];
}

function lines(
  xi: ExactNetwork['xi'],
  pairs: readonly { readonly a: bigint; readonly from: number }[],
  weight: (from: number, k: number) => bigint,
  K: number,
): Lines {
  const add = (to: readonly bigint[], from: number, factor: bigint) =>
    to.map((sum, k) => sum + weight(from, k) * factor);
  const none = new Array<bigint>(K).fill(0n);
  if (xi === 'product' || xi === 'sum' || xi === 'relusum') {
    const product = xi === 'product';
    const slope = pairs.reduce<readonly bigint[]>(
      (sum, { a, from }) => add(sum, from, product ? a : 1n),
      none,
    );
    const offset = product
      ? none
      : pairs.reduce<readonly bigint[]>((sum, { a, from }) => add(sum, from, a), none);
    return { keys: [], slopes: [slope], offsets: [offset] };
  }
  const ordered = [...pairs].sort((x, y) => (x.a < y.a ? -1 : x.a > y.a ? 1 : 0));
  const slopes: (readonly bigint[])[] = [none];
  for (const { from } of ordered) slopes.push(add(slopes[slopes.length - 1], from, 1n));
  const offsets: (readonly bigint[])[] = [none];
  for (const { a, from } of [...ordered].reverse()) offsets.unshift(add(offsets[0], from, a));
  return { keys: ordered.map(({ a }) => a), slopes, offsets };
}

function below(keys: readonly bigint[], h: bigint): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle] < h) low = middle + 1;
    else high = middle;
  }
  return low;
}
