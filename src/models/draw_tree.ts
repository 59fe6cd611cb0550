import { balancedTree, type TreeNode } from '../core/tree.ts';
import type { HtConfig } from './config.ts';
import { leafName, nodeName } from './ht.ts';

/** Trees of more leaves show their first four, and what is above those, and the root. */
const WHOLE = 8;
const SHOWN = 4;

/** Columns from leaf to leaf: one node's name and a space. */
const PITCH = 10;

/** A line of the drawing, written from anywhere. */
class Line {
  private readonly characters: string[] = [];

  write(at: number, text: string): this {
    while (this.characters.length < at + text.length) this.characters.push(' ');
    [...text].forEach((character, n) => {
      this.characters[at + n] = character;
    });
    return this;
  }

  centre(at: number, text: string): this {
    return this.write(at - Math.floor((text.length - 1) / 2), text);
  }

  toString(): string {
    return this.characters.join('').trimEnd();
  }
}

/** Draws a tree: leaves above, each node below its two children, the root with the scores at the bottom. */
export function drawTree(config: HtConfig): string[] {
  const { steps, features, outputs, rank } = config;
  const levels = balancedTree(steps).levels;
  const whole = steps <= WHOLE;
  const shown = whole ? levels : balancedTree(SHOWN).levels;
  const edge = shown[0].length * PITCH + 4;
  const centres = new Map<TreeNode, number>();
  const lines: Line[] = [];
  const add = (line: Line, label = '') =>
    lines.push(label ? line.write(edge + (whole ? 0 : 6), label) : line);
  const level = (l: number) => {
    if (l === levels.length - 1) return '';
    const count = levels[l].filter((node) => node.level === l).length;
    const [one, many] = l === 0 ? ['leaf', 'leaves'] : ['node', 'nodes'];
    return `${count} ${count === 1 ? one : many}, R_${l} = ${rank[l]}`;
  };
  const row = (texts: readonly (readonly [at: number, text: string])[], label = '', dots = false) => {
    const line = new Line();
    for (const [at, text] of texts) line.centre(at, text);
    if (dots && !whole) line.write(edge, '…');
    add(line, label);
  };

  shown[0].forEach((leaf, t) => {
    centres.set(leaf, 6 + t * PITCH);
  });
  const over = (nodes: readonly TreeNode[], text: (node: TreeNode) => string) =>
    nodes.map((node) => [centres.get(node)!, text(node)] as const);
  const leaves = shown[0];
  row(
    over(leaves, ({ place }) => `x.${place}`),
    '',
    true,
  );
  row(over(leaves, () => '│'));
  row(over(leaves, () => `f ${features.size}`));
  row(over(leaves, () => '│'));
  row(
    over(leaves, (leaf) => `[${leafName(config, leaf)}]`),
    level(0),
    true,
  );
  for (let l = 1; l < shown.length; l++) {
    const branches = new Line();
    for (const node of shown[l]) {
      if (node.level < l) branches.centre(centres.get(node)!, '│');
      if (node.level < l || !node.children) continue;
      const [left, right] = node.children.map((child) => centres.get(child)!);
      const centre = Math.floor((left + right) / 2);
      centres.set(node, centre);
      branches.write(left, `└${'─'.repeat(right - left - 1)}┘`).write(centre, '┬');
    }
    add(branches);
    row(
      over(shown[l], (node) => (node.level < l ? '│' : `[${nodeName(config, node)}]`)),
      level(l),
      true,
    );
  }
  const bottom = centres.get(shown[shown.length - 1][0])!;
  const [root] = levels[levels.length - 1];
  if (!whole) {
    for (let l = shown.length; l < root.level; l++) row([[bottom, '⋮']], level(l), true);
    row([[bottom, `[${nodeName(config, root)}]`]]);
  }
  row([[bottom, '│']]);
  row([[bottom, String(outputs)]]);
  return lines.map(String);
}
