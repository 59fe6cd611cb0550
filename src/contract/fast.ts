import type { Reduction } from '../backend/interface.ts';
import type { Xi } from '../core/xi.gen.ts';
import type { Expression } from './expression.ts';
import type { Labels } from './labels.ts';
import type { ProgramBuilder } from './program.ts';

interface Request {
  readonly expression: Expression;
  readonly xi: Xi;
  readonly reduce: Reduction;
  readonly maxElements: number;
}

/** A copy costs about as much an element as so many operations of the kernel. */
const COPY = 64;

/** The labels of `out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j])`, each group in one order. */
export interface Groups {
  readonly b: Labels;
  readonly i: Labels;
  readonly j: Labels;
  readonly k: Labels;
}

/** Sorts the labels of weights, two operands and output into the four groups; undefined where one fits none. */
export function groupsOf(G: Labels, a: Labels, h: Labels, out: Labels): Groups | undefined {
  const groups = { b: [] as string[], i: [] as string[], j: [] as string[], k: [] as string[] };
  const home: Readonly<Record<string, string[]>> = {
    'a h out': groups.b,
    'G a': groups.i,
    'G h': groups.j,
    'G out': groups.k,
  };
  // Weights give the order of i, j and k, the output that of b: those are the largest.
  for (const label of new Set([...G, ...out, ...a, ...h])) {
    const where = Object.entries({ G, a, h, out }).filter(([, labels]) => labels.includes(label));
    const group = home[where.map(([name]) => name).join(' ')];
    if (!group) return undefined;
    group.push(label);
  }
  return groups;
}

/**
 * Plans the contraction as one call of the fast kernel if it has its pattern up to names and groups of indices, and copies
 * into its layout pay; says whether it did.
 */
export function fastContraction(
  build: ProgramBuilder,
  weights: number | undefined,
  operands: readonly number[],
  { expression, xi, reduce, maxElements }: Request,
): boolean {
  if (weights === undefined || operands.length !== 2 || reduce !== 'sum') return false;
  const [x, y] = operands;
  const layouts = [
    layout(build, weights, x, y, expression.output),
    layout(build, weights, y, x, expression.output),
  ];
  const [straight, swapped] = layouts;
  if (!straight || !swapped) return false;
  const { a, h, wanted, out, terms, copied, turned, elements, flops } =
    swapped.elements < straight.elements ? swapped : straight;
  if (elements > maxElements || flops < COPY * elements) return false;
  const move = (node: number, keep: Labels, why: string) =>
    build.add({ left: [node], xi: 'product', reduce, keep, terms: [], why });
  const laid = new Map(
    copied.map((node) => [node, move(node, wanted.get(node)!, 'copied into the layout of the kernel')]),
  );
  const [newG, newA, newH] = [weights, a, h].map((node) => laid.get(node) ?? node);
  const made = build.add({
    ...{ left: [newA, newH], right: [newG], combine: 'product', xi, reduce, keep: out, terms },
    ...{ why: 'the pattern of the fast kernel', kernel: 'contract' },
  });
  if (turned) move(made, expression.output, 'copied into the layout of the output');
  return true;
}

/** What the kernel wants of weights G and operands a and h, and what must be copied for it. */
function layout(build: ProgramBuilder, G: number, a: number, h: number, output: Labels) {
  const { nodes } = build;
  const groups = groupsOf(nodes[G].labels, nodes[a].labels, nodes[h].labels, output);
  if (!groups) return undefined;
  const { b, i, j, k } = groups;
  const wanted = new Map<number, Labels>([
    [G, [...i, ...j, ...k]],
    [a, [...b, ...i]],
    [h, [...b, ...j]],
  ]);
  const out = [...b, ...k];
  const copied = [...wanted.keys()].filter((node) => !same(nodes[node].axes, wanted.get(node)!));
  const turned = !same(out, output);
  const copies = [...copied.map((node) => wanted.get(node)!), ...(turned ? [out] : [])];
  const elements = copies.reduce((sum, labels) => sum + build.size(labels), 0);
  const terms = [...i, ...j];
  const flops = 2 * build.size([...b, ...terms, ...k]);
  return { a, h, wanted, out, terms, copied, turned, elements, flops };
}

const same = (a: Labels, b: Labels) => a.length === b.length && a.every((label, n) => label === b[n]);
