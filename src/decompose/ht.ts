import { mismatch } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import type { Tensor } from '../core/tensor.ts';
import { balancedTree, type Tree, type TreeNode } from '../core/tree.ts';
import { type IndexTuples, indexTuples } from './indices.ts';
import { type Linear, type Matrix, matrix } from './matrix.ts';
import { type ComputeOptions, checkElements, checkPart, computing, tensor64 } from './options.ts';
import { careFor, elementsOf, type Factor, level } from './range.ts';
import { withPower } from './scale.ts';
import { narrow, type Wide, wide, wideProduct, wideRow, wideShape } from './wide.ts';

/**
 * A tensor in hierarchical Tucker format over a balanced binary tree: leaves U_t [n_t, r_t] and transfer tensors
 * B [r_left, r_right, r], `U_node[(p,q),k] = Σ_ij B[i,j,k] U_left[p,i] U_right[q,j]`, r = 1 at the root, all in float64 (Hackbusch &
 * Kühn 2009; Grasedyck, SIAM J. Matrix Anal. Appl. 31, 2010).
 *
 * `transfers` are in the order of the tree: level by level from the leaves, from left to right, the root last. A node
 * without a sibling goes to the next level unchanged.
 */
export interface HierarchicalTucker {
  /** U_t [n_t, r_t] for each mode. */
  readonly leaves: readonly Tensor[];
  /** B [r_left, r_right, r] for each inner node, from the leaves up and in each level from left to right. */
  readonly transfers: readonly Tensor[];
}

/** A hierarchical Tucker tensor and how far it is, at most, from what it was made of, relative to the Frobenius norm. */
export interface ApproximateHT extends HierarchicalTucker {
  /** ‖H − H̃‖ / ‖H‖ is at most this. */
  readonly error: number;
}

/** A checked tensor in the format, with its tree and the tensor at each node. */
export interface HTParts {
  readonly tree: Tree;
  readonly at: ReadonlyMap<TreeNode, Tensor>;
}

export const rankOf = (tensor: Tensor): number => tensor.shape[tensor.shape.length - 1];

export function partsOf(where: string, ht: HierarchicalTucker): HTParts {
  const isOne =
    typeof ht === 'object' && ht !== null && Array.isArray(ht.leaves) && Array.isArray(ht.transfers);
  if (!isOne || ht.leaves.length === 0)
    throw mismatch('E_ARGUMENT', where, 'a hierarchical Tucker tensor { leaves, transfers }', ht);
  const tree = balancedTree(ht.leaves.length);
  if (ht.transfers.length !== tree.inner.length) {
    throw mismatch('E_SHAPE', `${where} transfers`, `${tree.inner.length} tensors`, ht.transfers.length);
  }
  const at = new Map<TreeNode, Tensor>();
  for (const [t, node] of tree.leaves.entries())
    at.set(node, checkPart(`${where} leaf ${t}`, ht.leaves[t], 2));
  for (const [n, node] of tree.inner.entries()) {
    const B = checkPart(`${where} transfer ${n}`, ht.transfers[n], 3);
    const [left, right] = node.children!.map((child) => rankOf(at.get(child)!));
    if (B.shape[0] !== left || B.shape[1] !== right)
      throw mismatch('E_SHAPE', `${where} transfer ${n}`, `shape [${left}, ${right}, any]`, B.shape);
    at.set(node, B);
  }
  if (rankOf(at.get(tree.root)!) !== 1)
    throw mismatch('E_SHAPE', `${where} root`, 'rank 1', at.get(tree.root)!.shape);
  return { tree, at };
}

/** The parts put together again. */
export const assemble = (tree: Tree, at: ReadonlyMap<TreeNode, Tensor>): HierarchicalTucker => ({
  leaves: tree.leaves.map((node) => at.get(node)!),
  transfers: tree.inner.map((node) => at.get(node)!),
});

/** Ranks of the nodes, a list a level: the leaves first, the root last, without the nodes that only go up. */
export function htRanks(ht: HierarchicalTucker): number[][] {
  const { tree, at } = partsOf('htRanks', ht);
  const levels: number[][] = [];
  for (const node of [...tree.leaves, ...tree.inner]) {
    levels[node.level] ??= [];
    levels[node.level].push(rankOf(at.get(node)!));
  }
  return levels;
}

/** A part as a matrix of its rank. */
export const unfold = (part: Tensor): Matrix =>
  matrix(part.data.length / Math.max(1, rankOf(part)), rankOf(part), part.data as Float64Array);

/** B[i,j,k] → Σ_ij left[p,i] right[q,j] B[i,j,k], where an absent factor is the identity. */
export function timesModes(linear: Linear, B: Tensor, left?: Matrix, right?: Matrix): Tensor {
  let [a, b, r] = B.shape;
  let data = B.data as Float64Array;
  if (left) {
    data = linear.multiply(left, matrix(a, b * r, data)).data;
    a = left.rows;
  }
  if (right) {
    const out = new Float64Array(a * right.rows * r);
    for (let i = 0; i < a; i++) {
      const slice = matrix(b, r, data.subarray(i * b * r, (i + 1) * b * r));
      out.set(linear.multiply(right, slice).data, i * right.rows * r);
    }
    data = out;
    b = right.rows;
  }
  return tensor64([a, b, r], data);
}

/**
 * All elements, [n_1, …, n_T].
 *
 * @throws XiError E_MEMORY before anything is allocated if the frame of a node exceeds `maxBytes`; E_NUMERIC for an element that
 * overflows. Products on the way may be of any size.
 */
export function htFull(ht: HierarchicalTucker, options: ComputeOptions = {}): Tensor {
  const { tree, at } = partsOf('htFull', ht);
  const { linear, maxBytes } = computing('htFull', options);
  const shape = tree.leaves.map((node) => at.get(node)!.shape[0]);
  for (const node of tree.inner) {
    const [, b, rank] = at.get(node)!.shape;
    // The frame of the node, and what the left child alone makes of it.
    const [left] = node.children!;
    checkElements('htFull', product(shape.slice(node.from, node.to)) * rank, maxBytes);
    checkElements('htFull', product(shape.slice(left.from, left.to)) * b * rank, maxBytes);
  }
  const frame = (node: TreeNode): Matrix => {
    const part = at.get(node)!;
    if (!node.children) return matrix(part.shape[0], part.shape[1], part.data as Float64Array);
    const [left, right] = node.children.map(frame);
    const { data } = timesModes(linear, part, left, right);
    return matrix(left.rows * right.rows, rankOf(part), data as Float64Array);
  };
  const leaf = (node: TreeNode) => wide(unfold(at.get(node)!));
  const elements = elementsOf(
    'htFull',
    linear,
    factorsOf(at),
    () => frame(tree.root).data.slice(),
    () => wideFrame(at, tree.root, leaf),
  );
  return tensor64(shape, elements);
}

const factorsOf = (at: HTParts['at']): Factor[] =>
  [...at.values()].map(({ shape, data }) => ({
    data,
    terms: shape.length === 3 ? shape[0] * shape[1] : 1,
  }));

/** The frame of a node, of any size, over rows of the leaves. */
function wideFrame(at: HTParts['at'], node: TreeNode, leaf: (node: TreeNode) => Wide): Wide {
  if (!node.children) return leaf(node);
  const [left, right] = node.children.map((child) => wideFrame(at, child, leaf));
  const B = at.get(node)!;
  const [a, b, r] = B.shape;
  const half = wideProduct(left, wide(matrix(a, b * r, B.data as Float64Array)));
  const rows = Array.from({ length: left.rows }, (_, p) =>
    wideProduct(right, wideShape(wideRow(half, p), b, r)),
  );
  const joined = (part: 'mantissas' | 'exponents') => {
    const out = new Float64Array(left.rows * right.rows * r);
    rows.forEach((row, p) => {
      out.set(row[part], p * right.rows * r);
    });
    return out;
  };
  return {
    rows: left.rows * right.rows,
    cols: r,
    mantissas: joined('mantissas'),
    exponents: joined('exponents'),
  };
}

/**
 * Elements at index tuples [n, T]; 2·n·Σ r_left r_right r operations.
 *
 * @throws XiError E_ARGUMENT for indices that the tensor does not have, E_NUMERIC for an element that overflows; products on the way may be of
 * any size.
 */
export function htEvaluate(ht: HierarchicalTucker, indices: IndexTuples): Float64Array {
  const where = 'htEvaluate';
  const { tree, at } = partsOf(where, ht);
  const shape = tree.leaves.map((node) => at.get(node)!.shape[0]);
  const tuples = indexTuples(`${where} indices`, indices, shape);
  const care = careFor(factorsOf(at));
  let power = 0;
  const leafRow = (node: TreeNode, sample: number): Float64Array => {
    const { shape: extents, data } = at.get(node)!;
    const i = tuples[sample * shape.length + node.from];
    const own = (data as Float64Array).subarray(i * extents[1], (i + 1) * extents[1]);
    return care === 'level' ? own.slice() : own;
  };
  const row = (node: TreeNode, sample: number): Float64Array => {
    const out = node.children ? joined(node, node.children, sample) : leafRow(node, sample);
    if (care === 'level') power += level(out, out.length);
    return out;
  };
  const joined = (node: TreeNode, children: readonly TreeNode[], sample: number): Float64Array => {
    const { shape: extents, data } = at.get(node)!;
    const [a, b, r] = extents;
    const [left, right] = children.map((child) => row(child, sample));
    const out = new Float64Array(r);
    for (let i = 0; i < a; i++) {
      for (let j = 0; j < b; j++) {
        const weight = left[i] * right[j];
        const from = (i * b + j) * r;
        for (let k = 0; k < r; k++) out[k] += weight * data[from + k];
      }
    }
    return out;
  };
  return Float64Array.from({ length: tuples.length / shape.length }, (_, sample) => {
    power = 0;
    const [element] = care === 'wide' ? [Number.NaN] : row(tree.root, sample);
    if (care === 'none') return element;
    if (care === 'level' && !Number.isNaN(power)) return withPower(where, element, power);
    // Where ordinary arithmetic might not get it.
    const leaf = (node: TreeNode) => {
      const data = leafRow(node, sample);
      return wide(matrix(1, data.length, data));
    };
    return narrow(where, wideFrame(at, tree.root, leaf))[0];
  });
}
