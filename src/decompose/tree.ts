/**
 * A node of a balanced binary tree over T modes: a leaf, or two nodes joined. Nodes of a level are joined in pairs from the
 * left; one without a sibling takes its place on the next level unchanged.
 */
export interface TreeNode {
  /** 0 for leaves. */
  readonly level: number;
  /** Its place on the level. */
  readonly place: number;
  /** Modes [from, to). */
  readonly from: number;
  readonly to: number;
  readonly children?: readonly [TreeNode, TreeNode];
}

export interface Tree {
  readonly leaves: readonly TreeNode[];
  /** Level by level from below; the last is the root. */
  readonly inner: readonly TreeNode[];
  readonly root: TreeNode;
}

/** The balanced tree over `count` modes, `count` ≥ 1. */
export function balancedTree(count: number): Tree {
  const leaves = Array.from(
    { length: count },
    (_, t): TreeNode => ({ level: 0, place: t, from: t, to: t + 1 }),
  );
  const inner: TreeNode[] = [];
  let nodes: readonly TreeNode[] = leaves;
  for (let level = 1; nodes.length > 1; level++) {
    const above: TreeNode[] = [];
    for (let n = 0; n < nodes.length; n += 2) {
      if (n + 1 === nodes.length) {
        above.push(nodes[n]);
        continue;
      }
      const children = [nodes[n], nodes[n + 1]] as const;
      const node = { level, place: n / 2, from: children[0].from, to: children[1].to, children };
      inner.push(node);
      above.push(node);
    }
    nodes = above;
  }
  return { leaves, inner, root: nodes[0] };
}
