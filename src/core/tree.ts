/**
 * A node of a balanced binary tree over T steps or modes: a leaf, or two nodes joined. Nodes of a level are joined in pairs from
 * the left; one without a sibling takes its place on the next level unchanged.
 */
export interface TreeNode {
  /** 0 for leaves; of a parent the level on which its children are joined. */
  readonly level: number;
  /** Its place on that level, from the left; the children of place s have the places 2s and 2s + 1 below. */
  readonly place: number;
  /** Leaves [from, to) below it. */
  readonly from: number;
  readonly to: number;
  readonly children?: readonly [left: TreeNode, right: TreeNode];
}

/** A node that joins two others. */
export interface Parent extends TreeNode {
  readonly children: readonly [left: TreeNode, right: TreeNode];
}

export const isParent = (node: TreeNode): node is Parent => node.children !== undefined;

export interface Tree {
  /** From the leaves to the root; a node that was passed up is the last of several levels. */
  readonly levels: readonly (readonly TreeNode[])[];
  readonly leaves: readonly TreeNode[];
  /** All others, level by level from below; the last is the root. */
  readonly inner: readonly Parent[];
  readonly root: TreeNode;
}

/** Levels above the leaves: ⌈log₂ T⌉. */
export function levelsOf(count: number): number {
  return 32 - Math.clz32(count - 1);
}

/** The balanced tree over `count` leaves, `count` ≥ 1. */
export function balancedTree(count: number): Tree {
  const leaf = (_: unknown, t: number): TreeNode => ({ level: 0, place: t, from: t, to: t + 1 });
  const levels: TreeNode[][] = [Array.from({ length: count }, leaf)];
  const inner: Parent[] = [];
  for (let level = 1; levels[level - 1].length > 1; level++) {
    const below = levels[level - 1];
    levels.push(
      Array.from({ length: Math.ceil(below.length / 2) }, (_, place) => {
        const [left, right] = [below[2 * place], below[2 * place + 1]];
        if (right === undefined) return left;
        const node = { level, place, from: left.from, to: right.to, children: [left, right] as const };
        inner.push(node);
        return node;
      }),
    );
  }
  return { levels, leaves: levels[0], inner, root: levels[levels.length - 1][0] };
}
