import { mismatch } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import {
  type ApproximateHT,
  assemble,
  type HierarchicalTucker,
  type HTParts,
  partsOf,
  rankOf,
  timesModes,
} from './ht.ts';
import { treeEdges } from './ht_svd.ts';
import { firstColumns, type Linear, type Matrix, matrix, middleFirst, transpose } from './matrix.ts';
import {
  type ComputeOptions,
  checkMemory,
  computing,
  product,
  type TruncationOptions,
  tensor64,
  truncation,
} from './options.ts';
import type { TreeNode } from './tree.ts';
import { rankFor, roundingOf } from './truncate.ts';

/** Two tensors of one shape, node by node. */
function both(where: string, a: HierarchicalTucker, b: HierarchicalTucker): readonly [HTParts, HTParts] {
  const [A, B] = [partsOf(`${where} a`, a), partsOf(`${where} b`, b)];
  const extents = ({ tree, at }: HTParts) => tree.leaves.map((node) => at.get(node)!.shape[0]);
  if (String(extents(A)) !== String(extents(B)))
    throw mismatch('E_SHAPE', `${where} b`, `extents [${extents(A).join(', ')}]`, extents(B));
  return [A, B];
}

/** A new part for each node of A, from those of A and B. */
function combine(
  [A, B]: readonly [HTParts, HTParts],
  join: (a: Tensor, b: Tensor, isRoot: boolean) => Tensor,
): HierarchicalTucker {
  const inB = [...B.tree.leaves, ...B.tree.inner];
  const out = new Map<TreeNode, Tensor>();
  for (const [n, node] of [...A.tree.leaves, ...A.tree.inner].entries())
    out.set(node, join(A.at.get(node)!, B.at.get(inB[n])!, node === A.tree.root));
  return assemble(A.tree, out);
}

/**
 * `a + b`, with ranks r + s below the root: leaves side by side, block-diagonal transfer tensors.
 *
 * @throws XiError E_MEMORY before a part that exceeds `maxBytes` is allocated.
 */
export function htAdd(
  a: HierarchicalTucker,
  b: HierarchicalTucker,
  options: ComputeOptions = {},
): HierarchicalTucker {
  const parts = both('htAdd', a, b);
  const { maxBytes } = computing('htAdd', options);
  return combine(parts, (x, y, isRoot) => {
    const isLeaf = x.shape.length === 2;
    // Leaves share their rows, the root its only column; all else is a block of its own.
    const shape = x.shape.map((extent, axis) => {
      const isShared = (isLeaf && axis === 0) || (isRoot && axis === x.shape.length - 1);
      return isShared ? extent : extent + y.shape[axis];
    });
    checkMemory('htAdd part', product(shape), maxBytes);
    const data = new Float64Array(product(shape));
    const put = (part: Tensor, offsets: readonly number[]): void => {
      const index = part.shape.map(() => 0);
      for (const value of part.data) {
        const at = shape.reduce((sum, extent, axis) => sum * extent + index[axis] + offsets[axis], 0);
        data[at] += value;
        for (let axis = index.length - 1; axis >= 0 && ++index[axis] === part.shape[axis]; axis--)
          index[axis] = 0;
      }
    };
    put(
      x,
      shape.map(() => 0),
    );
    put(
      y,
      shape.map((extent, axis) => extent - y.shape[axis]),
    );
    return tensor64(shape, data);
  });
}

/**
 * The elementwise product, with ranks r · s: Kronecker products of the rows of leaves and of the transfer tensors.
 *
 * @throws XiError E_MEMORY before anything is allocated if a part exceeds `maxBytes`.
 */
export function htHadamard(
  a: HierarchicalTucker,
  b: HierarchicalTucker,
  options: ComputeOptions = {},
): HierarchicalTucker {
  const parts = both('htHadamard', a, b);
  const { maxBytes } = computing('htHadamard', options);
  const kronecker = (x: Tensor, y: Tensor, isRow: boolean): Tensor => {
    const shape = x.shape.map((extent, axis) => (isRow && axis === 0 ? extent : extent * y.shape[axis]));
    checkMemory('htHadamard part', product(shape), maxBytes);
    return tensor64(shape, kroneckerOf(x, y, shape, isRow));
  };
  return combine(parts, (x, y) => kronecker(x, y, x.shape.length === 2));
}

function kroneckerOf(x: Tensor, y: Tensor, shape: readonly number[], isRow: boolean): Float64Array {
  const out = new Float64Array(product(shape));
  // As [outer, middle, last], with one outer index of both where the rows are shared.
  const extents = (part: Tensor) => (isRow ? [part.shape[0], 1, part.shape[1]] : part.shape);
  const [xa, xb, xr] = extents(x);
  const [ya, yb, yr] = extents(y);
  let at = 0;
  for (let i = 0; i < xa; i++) {
    for (let p = isRow ? i : 0; p < (isRow ? i + 1 : ya); p++) {
      for (let j = 0; j < xb; j++) {
        for (let q = 0; q < yb; q++) {
          for (let k = 0; k < xr; k++) {
            const value = x.data[(i * xb + j) * xr + k];
            for (let l = 0; l < yr; l++) out[at++] = value * y.data[(p * yb + q) * yr + l];
          }
        }
      }
    }
  }
  return out;
}

/** `Σ a[i] b[i]` over all elements; O(Σ r_left r_right r (r + …)) operations. */
export function htDot(a: HierarchicalTucker, b: HierarchicalTucker, options: ComputeOptions = {}): number {
  const [A, B] = both('htDot', a, b);
  const { linear } = computing('htDot', options);
  const product = (inA: TreeNode, inB: TreeNode): Matrix => {
    const [x, y] = [A.at.get(inA)!, B.at.get(inB)!];
    if (!inA.children) return linear.transposedTimes(unfold(x), unfold(y));
    const [left, right] = inA.children.map((child, n) => product(child, inB.children![n]));
    // Σ over the children's ranks of b, seen from those of a.
    return linear.transposedTimes(unfold(x), unfold(timesModes(linear, y, left, right)));
  };
  return product(A.tree.root, B.tree.root).data[0];
}

/** A part as a matrix of its rank. */
const unfold = (part: Tensor): Matrix =>
  matrix(part.data.length / Math.max(1, rankOf(part)), rankOf(part), part.data as Float64Array);

/** The same tensor with orthonormal columns at all nodes but the root. */
function orthogonalise(linear: Linear, { tree, at }: HTParts): Map<TreeNode, Tensor> {
  const out = new Map<TreeNode, Tensor>();
  const factors = new Map<TreeNode, Matrix>();
  for (const node of [...tree.leaves, ...tree.inner]) {
    let part = at.get(node)!;
    if (node.children) {
      const [left, right] = node.children.map((child) => factors.get(child));
      part = timesModes(linear, part, left, right);
    }
    if (node !== tree.root) {
      const { Q, R } = linear.qr(unfold(part));
      factors.set(node, R);
      part = tensor64([...part.shape.slice(0, -1), Q.cols], Q.data);
    }
    out.set(node, part);
  }
  return out;
}

/** `‖ht‖`, the Frobenius norm, from an orthogonalised tensor: accurate where √htDot(ht, ht) cancels. */
export function htNorm(ht: HierarchicalTucker, options: ComputeOptions = {}): number {
  const parts = partsOf('htNorm', ht);
  const { linear } = computing('htNorm', options);
  return linear.norm(orthogonalise(linear, parts).get(parts.tree.root)!.data as Float64Array);
}

/**
 * A hierarchical Tucker tensor of less ranks within `eps·‖ht‖`, and within √(2T−3) of the best error for its ranks.
 *
 * QR decompositions from the leaves up make all frames orthonormal; then the singular values of the matricization by each
 * node are those of its transfer tensor times the factor that comes down from the root, without a Gram matrix, whose squares would
 * cost half of the digits. Each node leaves out at most `eps·‖ht‖/√(2T−3)`; O(T r⁴ + Σ n r²) operations.
 *
 * @throws XiError E_MEMORY before anything is allocated if a part exceeds `maxBytes`: work on it takes as much again.
 */
export function htRound(ht: HierarchicalTucker, options: TruncationOptions = {}): ApproximateHT {
  const parts = partsOf('htRound', ht);
  const { tree } = parts;
  const nodes = [...tree.leaves, ...tree.inner].filter((node) => node !== tree.root);
  const { linear, eps, maxRanks, maxBytes } = truncation('htRound', options, nodes.length);
  for (const { data } of parts.at.values()) checkMemory('htRound part', data.length, maxBytes);
  const most = new Map(nodes.map((node, n) => [node, maxRanks[n]]));
  const at = orthogonalise(linear, parts);
  const norm = linear.norm(at.get(tree.root)!.data as Float64Array);
  const threshold = (eps * norm) / Math.sqrt(treeEdges(tree.leaves.length));
  let discarded = 0;
  const factors = new Map<TreeNode, Matrix>([[tree.root, matrix(1, 1, Float64Array.of(1))]]);
  for (const node of [...tree.inner].reverse()) {
    const B = at.get(node)!;
    const [a, b] = B.shape;
    const weighted = linear.multiply(unfold(B), factors.get(node)!);
    const [left, right] = node.children!;
    const cuts = [left, right].map((child, side) => {
      const unfolding =
        side === 0
          ? matrix(a, b * weighted.cols, weighted.data)
          : middleFirst(weighted.data, a, b, weighted.cols);
      const { U, s } = linear.leftSvd(unfolding);
      const { rank, discarded: lost } = rankFor(
        s,
        Math.max(threshold, roundingOf(unfolding.rows, unfolding.cols, norm)),
        most.get(child)!,
      );
      const kept = firstColumns(U, rank);
      const factor = matrix(rank, rank);
      for (let n = 0; n < rank; n++) factor.data[n * rank + n] = s[n];
      factors.set(child, factor);
      const part = at.get(child)!;
      at.set(child, tensor64([...part.shape.slice(0, -1), rank], linear.multiply(unfold(part), kept).data));
      return { kept, lost, rank };
    });
    // The children of the root leave out the same part, unless their ranks differ.
    const isOne = node === tree.root && cuts[0].rank === cuts[1].rank;
    discarded += cuts[0].lost + (isOne ? 0 : cuts[1].lost);
    at.set(node, timesModes(linear, B, transpose(cuts[0].kept), transpose(cuts[1].kept)));
  }
  const root = at.get(tree.root)!;
  // Of one axis, nothing was rounded: the result must not share the memory of the argument.
  if (tree.leaves.length === 1) at.set(tree.root, tensor64(root.shape, Float64Array.from(root.data)));
  return { ...assemble(tree, at), error: norm > 0 ? Math.sqrt(discarded) / norm : 0 };
}
