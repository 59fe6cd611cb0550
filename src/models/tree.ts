/** A node of a balanced binary tree: a leaf, which is a step, or the parent of two. */
export interface TreeNode {
  /** 0 for leaves; a parent is one level above the higher of its children. */
  readonly level: number;
  /** Its place in its level, from the left; the children of place s have the places 2s and 2s + 1 below. */
  readonly place: number;
  readonly children?: readonly [left: TreeNode, right: TreeNode];
}

/** Levels above the leaves: ⌈log₂ T⌉. */
export function levelsOf(steps: number): number {
  return 32 - Math.clz32(steps - 1);
}

/**
 * The balanced binary tree over T leaves, level by level from the leaves to the root. The last node of a level with an odd
 * number of them has no sibling: it is passed up unchanged and is the last of the next level too.
 */
export function treeOf(steps: number): readonly (readonly TreeNode[])[] {
  const levels: TreeNode[][] = [Array.from({ length: steps }, (_, place) => ({ level: 0, place }))];
  for (let level = 1; levels[level - 1].length > 1; level++) {
    const below = levels[level - 1];
    levels.push(
      Array.from({ length: Math.ceil(below.length / 2) }, (_, place) => {
        const [left, right] = [below[2 * place], below[2 * place + 1]];
        return right === undefined ? left : { level, place, children: [left, right] as const };
      }),
    );
  }
  return levels;
}
