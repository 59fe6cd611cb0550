import { mismatch } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import type { Tensor } from '../core/tensor.ts';
import type { TreeNode } from '../core/tree.ts';
import { assemble, type HierarchicalTucker, type HTParts, partsOf, timesModes, unfold } from './ht.ts';
import { orthogonalize } from './ht_round.ts';
import type { Matrix } from './matrix.ts';
import { type ComputeOptions, checkElements, computing, tensor64 } from './options.ts';
import { checkRange, Powers, takeBoth, withPower, withScale } from './scale.ts';

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
    checkElements('htAdd part', product(shape), maxBytes);
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

/** `factor · ht`; @throws XiError E_ARGUMENT for a factor that is no finite number, E_NUMERIC if the root, which takes it, overflows. */
export function htScale(ht: HierarchicalTucker, factor: number): HierarchicalTucker {
  if (!Number.isFinite(factor)) throw mismatch('E_ARGUMENT', 'htScale factor', 'a finite number', factor);
  const { tree, at } = partsOf('htScale', ht);
  const scaled = new Map(
    [...at].map(([node, part]) => {
      const data = part.data.map((value) => (node === tree.root ? value * factor : value));
      return [node, { ...part, data }] as const;
    }),
  );
  checkRange('htScale', [scaled.get(tree.root)!]);
  return assemble(tree, scaled);
}

/**
 * The elementwise product, with ranks r · s: Kronecker products of the rows of leaves and of the transfer tensors.
 *
 * @throws XiError E_MEMORY before anything is allocated if a part exceeds `maxBytes`, E_NUMERIC if the root overflows,
 * which takes the size of products beyond the range of float64.
 */
export function htHadamard(
  a: HierarchicalTucker,
  b: HierarchicalTucker,
  options: ComputeOptions = {},
): HierarchicalTucker {
  const parts = both('htHadamard', a, b);
  const { maxBytes } = computing('htHadamard', options);
  const powers = new Powers();
  const kronecker = (x: Tensor, y: Tensor, isRow: boolean): Tensor => {
    const shape = x.shape.map((extent, axis) => (isRow && axis === 0 ? extent : extent * y.shape[axis]));
    checkElements('htHadamard part', product(shape), maxBytes);
    const [p, q] = takeBoth(powers, x, y);
    return tensor64(shape, kroneckerOf(p, q, shape, isRow));
  };
  const { leaves, transfers } = combine(parts, (x, y) => kronecker(x, y, x.shape.length === 2));
  const scaled = withScale('htHadamard', [...leaves, ...transfers], powers.lost);
  return { leaves: scaled.slice(0, leaves.length), transfers: scaled.slice(leaves.length) };
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

/**
 * `Σ a[i] b[i]` over all elements; O(Σ r_left r_right r (r + …)) operations.
 *
 * @throws XiError E_NUMERIC if the sum overflows; its parts may be of any size.
 */
export function htDot(a: HierarchicalTucker, b: HierarchicalTucker, options: ComputeOptions = {}): number {
  const [A, B] = both('htDot', a, b);
  const { linear } = computing('htDot', options);
  const powers = new Powers();
  const product = (inA: TreeNode, inB: TreeNode): Matrix => {
    const [x, y] = [A.at.get(inA)!, B.at.get(inB)!].map((part) => powers.take(part));
    if (!inA.children) return powers.take(linear.transposedTimes(unfold(x), unfold(y)));
    const [left, right] = inA.children.map((child, n) => product(child, inB.children![n]));
    // Σ over the children's ranks of b, seen from those of a.
    return powers.take(linear.transposedTimes(unfold(x), unfold(timesModes(linear, y, left, right))));
  };
  return withPower('htDot', product(A.tree.root, B.tree.root).data[0], powers.lost);
}

/**
 * `‖ht‖`, the Frobenius norm, from an orthogonalized tensor: accurate where √htDot(ht, ht) cancels or leaves the range of float64.
 *
 * @throws XiError E_NUMERIC if the norm itself overflows.
 */
export function htNorm(ht: HierarchicalTucker, options: ComputeOptions = {}): number {
  const parts = partsOf('htNorm', ht);
  const { linear } = computing('htNorm', options);
  const { out, power } = orthogonalize(linear, parts);
  return withPower('htNorm', linear.norm(out.get(parts.tree.root)!.data as Float64Array), power);
}
