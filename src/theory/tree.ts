import { balancedTree, levelsOf } from '../core/tree.ts';
import type { Xi } from '../core/xi.gen.ts';
import { block, steps, type Tree } from './build.ts';
import { complementWeights } from './rounding.ts';
import type { Target } from './target.ts';

/** How a tree holds a tensor: what its leaves see, and what the root makes of E_tuple for each tuple. */
interface TreeForm {
  /** Entry of a leaf: what component g sees when template m is shown. */
  readonly leaf: (g: number, m: number) => number;
  /** Weights of tuples n in outputs c. */
  readonly root: (target: Target) => (n: number, c: number) => number;
}

const complement: TreeForm = {
  leaf: (g, m) => (g === m ? 0 : 1),
  root: complementWeights,
};
const FORMS: Readonly<Partial<Record<Xi, TreeForm>>> = {
  product: {
    leaf: (g, m) => (g === m ? 1 : 0),
    root:
      ({ outputs, data }) =>
      (n, c) =>
        data[n * outputs + c],
  },
  rectifier: complement,
  max: complement,
  // The minimum of negated operands is the negated maximum, down to the root, whose weights negate it back.
  min: {
    leaf: (g, m) => -complement.leaf(g, m),
    root: (target) => {
      const weight = complementWeights(target);
      return (n, c) => -weight(n, c);
    },
  },
};

/**
 * The full one-hot tree: a node has one component for each tuple g of the templates below it, which is 1 − E_g for
 * rectifier, max and min, and E_g for product: `B[a,b,aR+b] = 1`, root `B[a,b] = S/(M^T − 1) − H[a,b]` or H[a,b]. R_l = M^(2^l);
 * where T is no power of two, a narrower node leaves its last components unused.
 *
 * Universality of trees, theory.md (c).
 */
export function oneHotTree(target: Target, xi: Xi): Tree {
  const { M, T, outputs, data } = target;
  // One leaf is the root: its scores are linear.
  if (T === 1)
    return { xi, rank: [], outputs, W: [block([outputs, M], (c, m) => data[m * outputs + c])], nodes: [] };
  const form = FORMS[xi]!;
  const weight = form.root(target);
  const width = (level: number) => M ** (2 ** level);
  const nodes = balancedTree(T).inner.map(({ level, place, children }) => {
    const [lefts, rights] = children.map(({ from, to }) => M ** (to - from));
    const [left, right] = children.map((child) => width(child.level));
    const root = level === levelsOf(T);
    const B = block([left, right, root ? outputs : width(level)], (a, b, g) => {
      if (a >= lefts || b >= rights) return 0;
      const tuple = a * rights + b;
      return root ? weight(tuple, g) : tuple === g ? 1 : 0;
    });
    return { level, place, B };
  });
  return {
    xi,
    rank: steps(levelsOf(T), width),
    outputs,
    W: steps(T, () => block([M, M], form.leaf)),
    nodes,
  };
}

/** Entries of the tree that {@link oneHotTree} would make. */
export function treeSize({ M, T, outputs }: Pick<Target, 'M' | 'T' | 'outputs'>): number {
  const width = (level: number) => M ** (2 ** level);
  return balancedTree(T).inner.reduce(
    (count, { level, children }) => {
      const [left, right] = children.map((child) => width(child.level));
      return count + left * right * (level === levelsOf(T) ? outputs : width(level));
    },
    T * M * M,
  );
}
