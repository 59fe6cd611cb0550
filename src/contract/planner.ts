import type { Reduction } from '../backend/interface.ts';
import { MAX_JOINED } from '../core/abi.gen.ts';
import type { Xi } from '../core/xi.gen.ts';
import { absorption, allowance, isSemiring, NO_TERMS, weighing } from './algebra.ts';
import type { Expression } from './expression.ts';
import { fastContraction } from './fast.ts';
import { heldElements, type Purpose } from './footprint.ts';
import type { Labels } from './labels.ts';
import { type Pair, PairQueue } from './pair_queue.ts';
import { pairwiseOrder } from './path.ts';
import { type Program, ProgramBuilder } from './program.ts';
import { sliced } from './slices.ts';

export interface PlanRequest {
  readonly expression: Expression;
  readonly extents: ReadonlyMap<string, number>;
  readonly xi: Xi;
  readonly reduce: Reduction;
  /** Bytes of an element. */
  readonly width: number;
  /** Most elements that may be held beside inputs and output at a time. */
  readonly maxElements: number;
  /** Of winners each output must come from one term, whose indices are asked for. */
  readonly purpose: Purpose;
}

/**
 * Finds the steps of a contraction: what may be reduced alone first, then pairs in the cheapest order where (⊕, ξ) is a
 * semiring, else all operands jointly; in blocks of the output where intermediates would grow beyond the limit.
 */
export function makeProgram(request: PlanRequest): Program {
  const attempts: Program[] = [];
  const held = (program: Program) => heldElements(program, request.purpose, request.width);
  for (const strategy of ['cheapest', 'bounded', 'direct'] as const) {
    const program = sliced(new Planner(request, strategy).program(), request);
    if (held(program) <= request.maxElements) return program;
    attempts.push(program);
  }
  const peaks = attempts.map(held);
  const least = attempts[peaks.indexOf(Math.min(...peaks))];
  return {
    ...least,
    notes: [...least.notes, 'maxBytes cannot be kept: no index of the output to take in blocks'],
  };
}

/** `bounded` looks for an order with small intermediates; `direct` makes no intermediate that it can do without. */
type Strategy = 'cheapest' | 'bounded' | 'direct';

class Planner {
  private readonly build: ProgramBuilder;
  private readonly request: PlanRequest;
  private readonly strategy: Strategy;
  private weights: number | undefined;
  private operands: number[];

  constructor(request: PlanRequest, strategy: Strategy) {
    const { inputs, weighted } = request.expression;
    this.request = request;
    this.strategy = strategy;
    this.build = new ProgramBuilder(inputs, request.extents);
    const ids = inputs.map((_, n) => n);
    this.weights = weighted ? 0 : undefined;
    this.operands = weighted ? ids.slice(1) : ids;
  }

  program(): Program {
    const { reduce, xi, expression } = this.request;
    const { build } = this;
    const all = new Set(expression.inputs.flat());
    const summed = [...all].filter((label) => !expression.output.includes(label));
    if (summed.some((label) => build.extents.get(label) === 0) || build.size(expression.output) === 0) {
      build.notes.push(NO_TERMS);
      return build.finish(expression.output);
    }
    build.notes.push(allowance(reduce, xi, this.weights !== undefined));
    this.reduceWeights();
    if (this.fast()) return build.finish(expression.output);
    this.absorb();
    const multilinear = this.weights === undefined || weighing(reduce) === xi;
    if (isSemiring(reduce, xi) && multilinear) this.pairwise();
    else this.jointly();
    return build.finish(expression.output);
  }

  private labelsOf(nodes: readonly (number | undefined)[]): Set<string> {
    return this.build.labels(nodes.filter((n) => n !== undefined));
  }

  private holders(): Holders {
    return new Holders(
      this.build,
      this.weights === undefined ? this.operands : [this.weights, ...this.operands],
    );
  }

  /** Labels of this node that occur in no other operand, in no weights and not in the output. */
  private private(node: number, holders: Holders): string[] {
    const { output } = this.request.expression;
    return this.build.nodes[node].labels.filter(
      (label) => holders.of(label) === 1 && !output.includes(label),
    );
  }

  /** The other strategies must be able to take blocks. */
  private fast(): boolean {
    if (this.strategy !== 'cheapest') return false;
    return fastContraction(this.build, this.weights, this.operands, this.request);
  }

  private reduceAlone(node: number, terms: Labels, why: string): number {
    const { reduce } = this.request;
    // As an operator that leaves one operand as it is; ξ itself comes where operands meet.
    return this.build.add({ left: [node], xi: 'product', reduce, terms, why });
  }

  private reduceWeights(): void {
    if (this.weights === undefined) return;
    const terms = this.private(this.weights, this.holders());
    if (terms.length > 0)
      this.weights = this.reduceAlone(this.weights, terms, `only the weights have ${terms}`);
  }

  private absorb(): void {
    const { reduce, xi, expression } = this.request;
    const allowed = absorption(reduce, xi);
    // Reduced inside two operands, an index would win at a place of its own in each.
    const kind = allowed === 'every' && this.request.purpose === 'winners' ? 'one' : allowed;
    if (kind === 'none' || (this.operands.length === 1 && this.weights === undefined)) return;
    const fixed = new Set([...this.labelsOf([this.weights]), ...expression.output]);
    const holders = this.holders();
    this.operands = this.operands.map((node) => {
      const terms =
        kind === 'one'
          ? this.private(node, holders)
          : this.build.nodes[node].labels.filter((label) => !fixed.has(label));
      if (terms.length === 0) return node;
      return this.reduceAlone(node, terms, `${reduce} over ${terms} moves inside the operand`);
    });
  }

  /** A semiring: operands and weights alike, two at a time. */
  private pairwise(): void {
    const { reduce, xi, expression, maxElements } = this.request;
    const { output } = expression;
    const nodes = [this.weights, ...this.operands].filter((n) => n !== undefined);
    const inputs = nodes.map((n) => this.build.nodes[n].labels);
    const limit = this.strategy === 'cheapest' ? Number.POSITIVE_INFINITY : maxElements;
    const order = pairwiseOrder(inputs, output, this.build.extents, limit);
    const terms = [...this.labelsOf(nodes)].filter((label) => !output.includes(label));
    // A step forms each of its sides once, so that all at once may cost hardly more than pairs, and needs no intermediate.
    const atOnce =
      nodes.length <= 2 * MAX_JOINED &&
      (!order ||
        this.strategy === 'direct' ||
        this.build.joinFlops(nodes, terms, output) <= 1.1 * order.cost);
    if (nodes.length === 1 || atOnce) {
      this.build.join(nodes, { xi, reduce, keep: output, terms, why: 'in one step' });
      return;
    }
    const { pairs } = order ?? pairwiseOrder(inputs, output, this.build.extents)!;
    const made = [...nodes];
    const holders = new Holders(this.build, nodes);
    const kept = new Set(output);
    pairs.forEach(([a, b], n) => {
      const pair = [made[a], made[b]];
      for (const node of pair) holders.change(node, -1);
      const terms = [...this.labelsOf(pair)].filter((label) => holders.of(label) === 0 && !kept.has(label));
      const last = n === pairs.length - 1;
      const why = pairs.length > 1 ? 'next in the cheapest order' : 'the only pair';
      const node = this.build.join(pair, { xi, reduce, keep: last ? output : undefined, terms, why });
      made.push(node);
      holders.change(node, 1);
    });
  }

  /** ξ does not distribute: form ξ of all operands, weigh it, reduce it. */
  private jointly(): void {
    const { reduce, xi, expression } = this.request;
    const { output } = expression;
    this.joinSome();
    const { build, operands, weights } = this;
    if (this.fast()) return;
    const joint = this.labelsOf(operands);
    const summed = [...joint].filter((label) => !output.includes(label));
    if (weights === undefined) {
      build.join(operands, { xi, reduce, keep: output, terms: summed, why: 'in one step' });
      return;
    }
    const free = summed.filter((label) => !this.labelsOf([weights]).has(label));
    const rest = new Set([...joint].filter((label) => !free.includes(label)));
    const columns = [...this.labelsOf([weights])].filter((label) => !joint.has(label));
    // Weighing all terms against weighing what ⊕ leaves of them.
    const [one, two] = [joint, rest].map((labels) => build.size(labels) * build.size(columns));
    const combine = weighing(reduce);
    let left: readonly number[] = operands;
    if (free.length > 0 && 2 * one > 1.25 * (build.size(joint) + 2 * two) && this.strategy !== 'direct') {
      const why = `the weights do not have ${free}: ${reduce} over it first`;
      left = [build.join(operands, { xi, reduce, terms: free, why })];
    }
    const terms = [...this.labelsOf([...left, weights])].filter((label) => !output.includes(label));
    build.add({
      left,
      right: [weights],
      combine,
      xi,
      reduce,
      keep: output,
      terms,
      why: 'weighed and reduced in one step',
    });
  }

  /** Joins operands in advance where they are too many for one step, or small beside what they would be joined in. */
  private joinSome(): void {
    const { xi, reduce, expression } = this.request;
    const most = this.weights === undefined ? 2 * MAX_JOINED : MAX_JOINED;
    const joint = this.build.size(this.labelsOf(this.operands));
    // In the order of the output, then of the weights, which is what the fast kernel wants.
    const wanted = new Set([...expression.output, ...expression.inputs.flat()]);
    const places = new Map([...wanted].map((label, n) => [label, n]));
    const pairs = new OperandPairs(this.build, this.operands);
    for (let least = pairs.least(); least; least = pairs.least()) {
      const many = this.operands.length > most;
      const small =
        this.strategy !== 'direct' && this.operands.length > 2 && joint > 4096 && least.score * 8 <= joint;
      if (!(many || small)) return;
      const pair = [least.a, least.b];
      const why = many ? `more than ${most} operands` : 'small beside all operands together';
      const keep = [...this.labelsOf(pair)].sort((p, q) => places.get(p)! - places.get(q)!);
      const node = this.build.join(pair, { xi, reduce, keep, terms: [], why });
      this.operands = [...this.operands.filter((n) => !pair.includes(n)), node];
      pairs.replace(pair, node);
    }
  }
}

/** How many of some nodes have each label. */
class Holders {
  private readonly build: ProgramBuilder;
  private readonly counts = new Map<string, number>();

  constructor(build: ProgramBuilder, nodes: readonly number[]) {
    this.build = build;
    for (const node of nodes) this.change(node, 1);
  }

  of(label: string): number {
    return this.counts.get(label) ?? 0;
  }

  /** Takes a node in, or out again. */
  change(node: number, by: 1 | -1): void {
    for (const label of this.build.nodes[node].labels) this.counts.set(label, this.of(label) + by);
  }
}

/** Pairs of operands by the size of what they make; of equal ones the first, new operands behind all others. */
class OperandPairs {
  private readonly build: ProgramBuilder;
  private readonly alive = new Map<number, { place: number; size: number; labels: ReadonlySet<string> }>();
  private readonly queue = new PairQueue((n) => this.alive.has(n));
  private places = 0;
  private readonly bound: number;

  constructor(build: ProgramBuilder, operands: readonly number[]) {
    this.build = build;
    this.bound = 2 * operands.length;
    for (const n of operands) this.append(n);
  }

  least(): Pair | undefined {
    return this.queue.least();
  }

  replace(pair: readonly number[], made: number): void {
    for (const n of pair) this.alive.delete(n);
    this.append(made);
  }

  private append(b: number): void {
    const labels = this.build.labels([b]);
    for (const [a, { place, size, labels: known }] of this.alive) {
      let score = size;
      for (const label of labels) if (!known.has(label)) score *= this.build.extents.get(label)!;
      this.queue.add({ a, b, score, rank: place * this.bound + this.places });
    }
    this.alive.set(b, { place: this.places++, size: this.build.size(labels), labels });
  }
}
