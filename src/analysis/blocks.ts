import { isLeaf, type Node } from './joins.ts';

/** What the values of one block of rows may take, over all joins that it goes through. */
export const BLOCK_BYTES = 2 ** 26;

/** Rows of a node: sequences over its modes, counts[t] choices at mode t. */
export function rowsOf(node: Node, counts: readonly number[]): number {
  if (isLeaf(node)) return counts[node.mode];
  return (node.major ? rowsOf(node.major, counts) : 1) * rowsOf(node.minor, counts);
}

/**
 * Consecutive blocks [begin, end) of the root's rows. A block begins where a row of the root's major child
 * does, so that nothing is computed twice at that level, and holds as many of them as fit into {@link BLOCK_BYTES}.
 */
export function* blocksOf(
  root: Node,
  counts: readonly number[],
  bytesPerValue: number,
): Generator<readonly [begin: number, end: number]> {
  const total = rowsOf(root, counts);
  const unit = alignment(root, counts);
  const rows =
    Math.max(1, Math.floor(BLOCK_BYTES / bytesPerValue / valuesPerRow(root, counts) / unit)) * unit;
  for (let begin = 0; begin < total; begin += rows) yield [begin, Math.min(total, begin + rows)];
}

/** Values on the way to one row of a node: its own, and the share of those of its major children. */
function valuesPerRow(node: Node, counts: readonly number[]): number {
  if (isLeaf(node)) return node.width;
  return node.width + (node.major ? valuesPerRow(node.major, counts) / rowsOf(node.minor, counts) : 0);
}

/** Rows that share a state at least: those of the deepest major child whose block is still small. */
function alignment(node: Node, counts: readonly number[]): number {
  let unit = 1;
  for (let at: Node | null = node; at && !isLeaf(at); at = at.major) {
    const next = unit * rowsOf(at.minor, counts);
    if (next > MOST_ALIGNED) break;
    unit = next;
  }
  return unit;
}

const MOST_ALIGNED = 2 ** 16;
