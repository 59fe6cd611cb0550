import { product } from '../core/extents.ts';
import { isTensor, type Tensor } from '../core/tensor.ts';
import { balancedTree, type TreeNode } from '../core/tree.ts';
import { type ApproximateHT, assemble } from './ht.ts';
import { type Matrix, matrix, middleFirst, transpose } from './matrix.ts';
import { defaultEps, dense, type TruncationOptions, tensor64, truncation } from './options.ts';
import { withScale } from './scale.ts';
import { type Split, split } from './truncate.ts';

/** Edges of a binary tree over T leaves at which something is left out; the two at the root are one. */
export const treeEdges = (count: number): number => Math.max(1, 2 * count - 3);

/**
 * The hierarchical Tucker decomposition of a tensor over the balanced binary tree, root to leaves.
 *
 * The frame U of each node is that of the leading left singular vectors of the matricization of H by the modes of the
 * node, `B[i,j,k] = Σ_pq U_left[p,i] U_right[q,j] U[(p,q),k]`. Each node leaves out at most `eps·‖H‖/√(2T−3)`, so that `‖H − HT‖ ≤ eps·‖H‖`; ranks
 * are the least that do, at least 1, and the error is within √(2T−3) of the best for them (Grasedyck 2010, Theorem 3.11). `error` is
 * √(Σ of what the nodes leave out)/‖H‖, an upper bound. The children of the root have one frame between them, and so one rank: the least that
 * either may have.
 *
 * Costs the SVD of each matricization: about 2·N·n_node operations for the shorter side of each.
 *
 * @param options `maxRanks` is one number, or a list: of the T leaves, then of the inner nodes level by level without the root.
 * @throws XiError E_NUMERIC for NaN or infinities and where the root overflows, E_ARGUMENT for a negative `eps` or wrong ranks, E_MEMORY above `maxBytes`.
 */
export function htSvd(tensor: Tensor, options: TruncationOptions = {}): ApproximateHT {
  const count = isTensor(tensor) && Array.isArray(tensor.shape) ? tensor.shape.length : 1;
  const tree = balancedTree(Math.max(1, count));
  const nodes = [...tree.leaves, ...tree.inner].filter((node) => node !== tree.root);
  const { linear, eps, maxRanks, maxBytes } = truncation(
    'htSvd',
    options,
    nodes.length,
    undefined,
    defaultEps(tensor, treeEdges(count), 1e-12),
  );
  const H = dense('htSvd', tensor, linear, maxBytes);
  const threshold = { value: (eps * H.norm) / Math.sqrt(treeEdges(count)), norm: H.norm };
  const most = new Map(nodes.map((node, n) => [node, maxRanks[n]]));
  const [rootLeft, rootRight] = tree.root.children ?? [];
  const frames = new Map<TreeNode, Matrix>();
  let discarded = 0;
  const cut = (node: TreeNode, limit: number): Split => {
    const [left, middle, right] = [
      [0, node.from],
      [node.from, node.to],
      [node.to, count],
    ].map(([from, to]) => product(H.shape.slice(from, to)));
    const step = split(linear, middleFirst(H.data, left, middle, right), threshold, limit);
    frames.set(node, step.U);
    discarded += step.discarded;
    return step;
  };
  if (rootLeft && rootRight) {
    const { rest } = cut(rootLeft, Math.min(most.get(rootLeft)!, most.get(rootRight)!));
    // What is left of H spans the other frame. A decomposition of its own might choose other directions where singular values are equal.
    frames.set(rootRight, linear.qr(transpose(rest)).Q);
  }
  for (const node of nodes) if (!frames.has(node)) cut(node, most.get(node)!);
  frames.set(tree.root, matrix(H.data.length, 1, H.data));
  const parts = new Map<TreeNode, Tensor>();
  for (const node of tree.leaves) {
    const { rows, cols, data } = frames.get(node)!;
    parts.set(node, tensor64([rows, cols], data));
  }
  for (const node of tree.inner) {
    const [left, right] = node.children!.map((child) => frames.get(child)!);
    const { cols, data } = frames.get(node)!;
    // Uᵀ of each child times its modes of the frame.
    const half = linear.transposedTimes(left, matrix(left.rows, right.rows * cols, data));
    const B = new Float64Array(left.cols * right.cols * cols);
    for (let i = 0; i < left.cols; i++) {
      const size = right.rows * cols;
      const slice = matrix(right.rows, cols, half.data.subarray(i * size, (i + 1) * size));
      B.set(linear.transposedTimes(right, slice).data, i * right.cols * cols);
    }
    parts.set(node, tensor64([left.cols, right.cols, cols], B));
  }
  const order = [...tree.leaves, ...tree.inner];
  const scaled = withScale(
    'htSvd',
    order.map((node) => parts.get(node)!),
    H.exponent,
    'parts of the size of the norm',
  );
  order.forEach((node, n) => {
    parts.set(node, scaled[n]);
  });
  return { ...assemble(tree, parts), error: H.norm > 0 ? Math.sqrt(discarded) / H.norm : 0 };
}
