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
  const rows = rowsOfBlock(root, counts, bytesPerValue);
  for (let begin = 0; begin < total; begin += rows) yield [begin, Math.min(total, begin + rows)];
}

function rowsOfBlock(root: Node, counts: readonly number[], bytesPerValue: number): number {
  const fitting = Math.floor(BLOCK_BYTES / bytesPerValue / valuesPerRow(root, counts));
  const unit = alignment(root, counts, fitting);
  return Math.max(1, Math.floor(fitting / unit)) * unit;
}

/**
 * Bytes of the values that a grid needs beside its result, at most: those of minor children, which are computed whole and kept, and of
 * one block with the rows around it that its states are shared with. Of major children `kept` values or less are kept for all blocks too.
 */
export function bytesBesides(root: Node, counts: readonly number[], bytesPerValue: number, kept = 0): number {
  if (rowsOf(root, counts) === 0) return 0;
  let values = 0;
  let rows = Math.min(rowsOf(root, counts), rowsOfBlock(root, counts, bytesPerValue));
  for (let at: Node | null = root; at; at = at.major) {
    const all = rowsOf(at, counts);
    values += Math.max(rows, at !== root && all * at.width <= kept ? all : 0) * at.width;
    if (isLeaf(at)) break;
    values += valuesOf(at.minor, counts);
    // One row more where a block begins and ends within those of a row of the major child.
    if (at.major) rows = Math.min(rowsOf(at.major, counts), Math.ceil(rows / rowsOf(at.minor, counts)) + 1);
  }
  return values * bytesPerValue;
}

/** Values of a node and of all below it. */
function valuesOf(node: Node, counts: readonly number[]): number {
  const own = rowsOf(node, counts) * node.width;
  if (isLeaf(node)) return own;
  return own + (node.major ? valuesOf(node.major, counts) : 0) + valuesOf(node.minor, counts);
}

/** Values on the way to one row of a node: its own, and the share of those of its major children. */
function valuesPerRow(node: Node, counts: readonly number[]): number {
  if (isLeaf(node)) return node.width;
  return node.width + (node.major ? valuesPerRow(node.major, counts) / rowsOf(node.minor, counts) : 0);
}

/** Rows that share a state at least: those of the deepest major child whose block is still small, and fits. */
function alignment(node: Node, counts: readonly number[], fitting: number): number {
  let unit = 1;
  for (let at: Node | null = node; at && !isLeaf(at); at = at.major) {
    const next = unit * rowsOf(at.minor, counts);
    if (next > Math.min(MOST_ALIGNED, fitting)) break;
    unit = next;
  }
  return unit;
}

const MOST_ALIGNED = 2 ** 16;
