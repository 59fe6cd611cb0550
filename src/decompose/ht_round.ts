import type { Tensor } from '../core/tensor.ts';
import type { TreeNode } from '../core/tree.ts';
import {
  type ApproximateHT,
  assemble,
  type HierarchicalTucker,
  type HTParts,
  partsOf,
  timesModes,
  unfold,
} from './ht.ts';
import { treeEdges } from './ht_svd.ts';
import { firstColumns, type Linear, type Matrix, matrix, middleFirst, transpose } from './matrix.ts';
import { checkElements, type TruncationOptions, tensor64, truncation } from './options.ts';
import { Powers, spreadPower } from './scale.ts';
import { rankFor, type Threshold, thresholdOf } from './truncate.ts';

/** The same tensor, divided by 2^power, with orthonormal columns at all nodes but the root. */
export function orthogonalize(
  linear: Linear,
  { tree, at }: HTParts,
): { readonly out: Map<TreeNode, Tensor>; readonly power: number } {
  const out = new Map<TreeNode, Tensor>();
  const factors = new Map<TreeNode, Matrix>();
  const powers = new Powers();
  for (const node of [...tree.leaves, ...tree.inner]) {
    let part = powers.take(at.get(node)!);
    if (node.children) {
      const [left, right] = node.children.map((child) => factors.get(child));
      part = powers.take(timesModes(linear, part, left, right));
    }
    if (node !== tree.root) {
      const { Q, R } = linear.qr(unfold(part));
      factors.set(node, R);
      part = tensor64([...part.shape.slice(0, -1), Q.cols], Q.data);
    }
    out.set(node, part);
  }
  return { out, power: powers.lost };
}

/** Directions of a node, all of them, with the singular values of the tensor's matricization by it, and how many are kept. */
interface Cut {
  readonly U: Matrix;
  readonly s: Float64Array;
  readonly rank: number;
  readonly discarded: number;
}

type Cuts = readonly [Cut, Cut];

/** One decomposition for both children of the root: where singular values are equal, two would choose directions that do not match. */
function cutRoot(linear: Linear, { shape: [a, b], data }: Tensor, threshold: Threshold, most: number): Cuts {
  const A = matrix(a, b, data as Float64Array);
  const { U, s, Vt } = linear.svd(A);
  const kept = rankFor(s, thresholdOf(A, threshold), most);
  // What both leave out is one part.
  return [
    { U, s, ...kept },
    { U: transpose(Vt), s, ...kept, discarded: 0 },
  ];
}

/** The children of an inner node, from its transfer tensor [a, b, r] with the singular values of the node beside its last axis. */
function cutChildren(
  linear: Linear,
  B: Tensor,
  spectrum: Float64Array,
  threshold: Threshold,
  most: readonly [number, number],
): Cuts {
  const [a, b, r] = B.shape;
  const weighed = (B.data as Float64Array).map((value, at) => value * spectrum[at % r]);
  const cut = (A: Matrix, side: 0 | 1): Cut => {
    const { U, s } = linear.leftSvd(A);
    return { U, s, ...rankFor(s, thresholdOf(A, threshold), most[side]) };
  };
  return [cut(matrix(a, b * r, weighed), 0), cut(middleFirst(weighed, a, b, r), 1)];
}

/**
 * A hierarchical Tucker tensor of less ranks within `eps·‖ht‖`, and within √(2T−3) of the best error for its ranks.
 *
 * QR decompositions from the leaves up make all frames orthonormal; then the singular values of the matricization by each
 * node are those of its transfer tensor times the factor that comes down from the root, without a Gram matrix, whose squares would
 * cost half of the digits. Each node leaves out at most `eps·‖ht‖/√(2T−3)`; O(T r⁴ + Σ n r²) operations. `error` is
 * √(Σ of what the nodes leave out)/‖ht‖, an upper bound. The children of the root have one rank, the least that either may have.
 *
 * @throws XiError E_MEMORY before anything is allocated if a part exceeds `maxBytes`: work on it takes as much again; E_NUMERIC if the
 * tensor is too large for its parts.
 */
export function htRound(ht: HierarchicalTucker, options: TruncationOptions = {}): ApproximateHT {
  const parts = partsOf('htRound', ht);
  const { tree } = parts;
  const nodes = [...tree.leaves, ...tree.inner].filter((node) => node !== tree.root);
  const { linear, eps, maxRanks, maxBytes } = truncation('htRound', options, nodes.length);
  for (const { data } of parts.at.values()) checkElements('htRound part', data.length, maxBytes);
  const most = new Map(nodes.map((node, n) => [node, maxRanks[n]]));
  const { out: at, power } = orthogonalize(linear, parts);
  const norm = linear.norm(at.get(tree.root)!.data as Float64Array);
  const threshold = { value: (eps * norm) / Math.sqrt(treeEdges(tree.leaves.length)), norm };
  let discarded = 0;
  const cuts = new Map<TreeNode, Cut>();
  for (const node of [...tree.inner].reverse()) {
    const B = at.get(node)!;
    const own = cuts.get(node);
    const [left, right] = node.children!;
    const limits = [most.get(left)!, most.get(right)!] as const;
    const found = own
      ? cutChildren(linear, B, own.s, threshold, limits)
      : cutRoot(linear, B, threshold, Math.min(...limits));
    for (const [side, child] of [left, right].entries()) {
      const { U, rank, discarded: lost } = found[side];
      discarded += lost;
      cuts.set(child, found[side]);
      const part = at.get(child)!;
      // What an inner child leaves out still counts for what its own children leave out of the tensor.
      const turned = linear.multiply(unfold(part), child.children ? U : firstColumns(U, rank));
      at.set(child, tensor64([...part.shape.slice(0, -1), turned.cols], turned.data));
    }
    const [keptLeft, keptRight] = found.map(({ U, rank }) => transpose(firstColumns(U, rank)));
    const columns = firstColumns(unfold(B), own?.rank ?? 1);
    const kept = tensor64([B.shape[0], B.shape[1], columns.cols], columns.data);
    at.set(node, timesModes(linear, kept, keptLeft, keptRight));
  }
  const order = [...tree.leaves, ...tree.inner];
  const spread = spreadPower(
    'htRound',
    order.map((node) => at.get(node)!),
    power,
  );
  const rounded = new Map(order.map((node, n) => [node, spread[n]]));
  return { ...assemble(tree, rounded), error: norm > 0 ? Math.sqrt(discarded) / norm : 0 };
}
