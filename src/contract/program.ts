import type { Reduction } from '../backend/interface.ts';
import { MAX_JOINED } from '../core/abi.gen.ts';
import type { Xi } from '../core/xi.gen.ts';
import { changesOne } from './algebra.ts';
import { type Labels, volume } from './labels.ts';

/** A value of a program: an input, or what a step makes. */
export interface Node {
  /** Distinct labels; intermediates are dense in this order. */
  readonly labels: Labels;
  /** The axes of an input as the user has them, repeated labels included. */
  readonly axes: Labels;
  /** Whether ξ has been applied, so that it is no operand from the unit any more. */
  readonly formed: boolean;
}

/** One call of a kernel. */
export interface Step {
  readonly kernel: 'contract' | 'joined';
  readonly xi: Xi;
  readonly combine: Xi;
  readonly reduce: Reduction;
  readonly fromUnit: boolean;
  readonly left: readonly number[];
  readonly right: readonly number[];
  readonly out: number;
  /** Labels that ⊕ goes over. */
  readonly terms: Labels;
  readonly why: string;
  readonly flops: number;
}

/** Part of the output that is computed at a time. */
export interface Slice {
  readonly label: string;
  readonly block: number;
}

/** What a contraction becomes: a tree of steps, each node used once; the last step makes the output. */
export interface Program {
  readonly inputs: number;
  readonly nodes: readonly Node[];
  readonly steps: readonly Step[];
  readonly extents: ReadonlyMap<string, number>;
  readonly output: Labels;
  readonly slices: readonly Slice[];
  readonly notes: readonly string[];
}

interface StepParts {
  readonly left: readonly number[];
  readonly right?: readonly number[];
  readonly combine?: Xi;
  readonly xi: Xi;
  readonly reduce: Reduction;
  /** Labels to keep, in the order of the result; by default what is left, batch before rows before columns. */
  readonly keep?: Labels;
  readonly terms: Labels;
  readonly why: string;
  readonly kernel?: 'contract' | 'joined';
}

/** Collects nodes and steps. */
export class ProgramBuilder {
  readonly nodes: Node[] = [];
  readonly steps: Step[] = [];
  readonly notes: string[] = [];
  readonly extents: ReadonlyMap<string, number>;

  constructor(inputs: readonly Labels[], extents: ReadonlyMap<string, number>) {
    this.extents = extents;
    for (const axes of inputs) this.nodes.push({ labels: [...new Set(axes)], axes, formed: false });
  }

  labels(nodes: readonly number[]): Set<string> {
    return new Set(nodes.flatMap((n) => this.nodes[n].labels));
  }

  size(labels: Iterable<string>): number {
    return volume(labels, this.extents);
  }

  /** Appends a step and returns the node that it makes. */
  add({ left, right = [], combine, xi, reduce, keep, terms, why, kernel = 'joined' }: StepParts): number {
    const lone = left.length === 1 && (right.length === 0 || combine !== xi);
    const fromUnit = lone && changesOne(xi) && !this.nodes[left[0]].formed;
    const [leftLabels, rightLabels] = [left, right].map((side) => this.labels(side));
    const labels = keep ?? this.order(leftLabels, rightLabels, terms);
    const formed =
      fromUnit || left.length + (combine === xi ? right.length : 0) > 1 || this.nodes[left[0]].formed;
    const flops = this.flops(left, right, terms, fromUnit);
    const out = this.nodes.length;
    this.nodes.push({ labels, axes: labels, formed });
    this.steps.push({
      ...{ kernel, xi, combine: combine ?? xi, reduce, fromUnit, left, right, out, terms, why, flops },
    });
    return out;
  }

  /** Operations of a step: each side is formed once, then meets the other. */
  private flops(left: readonly number[], right: readonly number[], terms: Labels, fromUnit: boolean): number {
    const [L, R] = [this.labels(left), this.labels(right)];
    return (
      this.size(L) * (left.length - 1 + Number(fromUnit)) +
      this.size(R) * Math.max(right.length - 1, 0) +
      this.size(new Set([...L, ...R])) * (Number(right.length > 0) + Number(terms.length > 0))
    );
  }

  /** Operations of {@link join}. */
  joinFlops(operands: readonly number[], terms: Labels, keep: Labels): number {
    const { left, right } = this.sides(operands, terms, keep);
    return this.flops(left, right, terms, false);
  }

  /**
   * Joins operands by ξ and reduces `terms`, in one step: on the two sides of a product of matrices where they have such a
   * structure, else all on the left.
   */
  join(operands: readonly number[], parts: Omit<StepParts, 'left' | 'right' | 'combine'>): number {
    const { left, right } = this.sides(operands, parts.terms, parts.keep);
    return this.add({ ...parts, left, right, combine: parts.xi });
  }

  private order(left: ReadonlySet<string>, right: ReadonlySet<string>, terms: Labels): string[] {
    const kept = (side: ReadonlySet<string>) => [...side].filter((label) => !terms.includes(label));
    return [
      ...kept(left).filter((label) => right.has(label)),
      ...kept(left).filter((label) => !right.has(label)),
      ...kept(right).filter((label) => !left.has(label)),
    ];
  }

  /** The split with rows and columns whose sides are cheapest to form; among those, contiguous columns, then many. */
  private sides(operands: readonly number[], terms: Labels, keep: Labels | undefined) {
    const innermost = keep?.findLast((label) => this.extents.get(label)! > 1);
    const one = { left: operands, right: [] as readonly number[] };
    let best: { score: number[]; left: readonly number[]; right: readonly number[] } | undefined;
    const few = operands.length <= MAX_JOINED;
    for (let split = 1; split < 2 ** operands.length - 1; split++) {
      const left = operands.filter((_, n) => !(split & (1 << n)));
      const right = operands.filter((_, n) => split & (1 << n));
      if (left.length > MAX_JOINED || right.length > MAX_JOINED) continue;
      const [L, R] = [this.labels(left), this.labels(right)];
      const [rows, columns] = [
        [...L].filter((label) => !R.has(label)),
        [...R].filter((label) => !L.has(label)),
      ].map((labels) => this.size(labels.filter((label) => !terms.includes(label))));
      if (few && (rows <= 1 || columns <= 1)) continue;
      const forming = this.size(L) * (left.length - 1) + this.size(R) * (right.length - 1);
      const score = [
        forming,
        Number(innermost === undefined || !R.has(innermost) || L.has(innermost)),
        -columns,
      ];
      if (!best || precedes(score, best.score)) best = { score, left, right };
    }
    return best ?? one;
  }

  finish(output: Labels): Program {
    const { nodes, steps, extents, notes } = this;
    return { inputs: nodes.length - steps.length, nodes, steps, extents, output, slices: [], notes };
  }
}

function precedes(score: readonly number[], other: readonly number[]): boolean {
  const at = score.findIndex((value, n) => value !== other[n]);
  return at >= 0 && score[at] < other[at];
}

/** Extents with those of the sliced labels replaced by one block. */
export function blockExtents(program: Program): ReadonlyMap<string, number> {
  const extents = new Map(program.extents);
  for (const { label, block } of program.slices) extents.set(label, block);
  return extents;
}
