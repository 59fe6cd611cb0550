import type { Reduction } from '../backend/interface.ts';
import { MAX_JOINED } from '../core/abi.gen.ts';
import type { Xi } from '../core/xi.gen.ts';
import { absorption, allowance, isSemiring, weighing } from './algebra.ts';
import type { Expression } from './expression.ts';
import { fastContraction } from './fast.ts';
import { type Labels, pairwiseOrder } from './path.ts';
import { blockExtents, type Program, ProgramBuilder, peakElements } from './program.ts';
import { sliced } from './slices.ts';

export interface PlanRequest {
  readonly expression: Expression;
  readonly extents: ReadonlyMap<string, number>;
  readonly xi: Xi;
  readonly reduce: Reduction;
  /** Most elements that intermediates may hold at a time. */
  readonly maxElements: number;
  /** Whether each output must come from one term, whose indices are asked for. */
  readonly winners?: boolean;
}

/**
 * Finds the steps of a contraction: what may be reduced alone first, then pairs in the cheapest order where (⊕, ξ) is a
 * semiring, else all operands jointly; in blocks of the output where intermediates would grow beyond the limit.
 */
export function makeProgram(request: PlanRequest): Program {
  const attempts: Program[] = [];
  for (const strategy of ['cheapest', 'bounded', 'direct'] as const) {
    const program = sliced(new Planner(request, strategy).program(), request.maxElements);
    const peak = peakElements(program, blockExtents(program));
    if (peak <= request.maxElements) return program;
    attempts.push(program);
  }
  const peaks = attempts.map((program) => peakElements(program, blockExtents(program)));
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
      build.notes.push('there are no terms: the output is the neutral element of ⊕');
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

  /** Labels of these nodes that occur in no other operand, in no weights and not in the output. */
  private private(nodes: readonly number[]): string[] {
    const others = [this.weights, ...this.operands].filter((n) => n !== undefined && !nodes.includes(n));
    const outside = new Set([...this.labelsOf(others), ...this.request.expression.output]);
    return [...this.labelsOf(nodes)].filter((label) => !outside.has(label));
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
    const terms = this.private([this.weights]);
    if (terms.length > 0)
      this.weights = this.reduceAlone(this.weights, terms, `only the weights have ${terms}`);
  }

  private absorb(): void {
    const { reduce, xi, expression } = this.request;
    const allowed = absorption(reduce, xi);
    // Reduced inside two operands, an index would win at a place of its own in each.
    const kind = allowed === 'every' && this.request.winners ? 'one' : allowed;
    if (kind === 'none' || (this.operands.length === 1 && this.weights === undefined)) return;
    const fixed = new Set([...this.labelsOf([this.weights]), ...expression.output]);
    this.operands = this.operands.map((node) => {
      const terms =
        kind === 'one'
          ? this.private([node])
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
    const alive = new Set(nodes);
    pairs.forEach(([a, b], n) => {
      const pair = [made[a], made[b]];
      for (const node of pair) alive.delete(node);
      const outside = new Set([...this.labelsOf([...alive]), ...output]);
      const terms = [...this.labelsOf(pair)].filter((label) => !outside.has(label));
      const last = n === pairs.length - 1;
      const why = pairs.length > 1 ? 'next in the cheapest order' : 'the only pair';
      const node = this.build.join(pair, { xi, reduce, keep: last ? output : undefined, terms, why });
      made.push(node);
      alive.add(node);
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
    const order = [...new Set([...expression.output, ...expression.inputs.flat()])];
    for (;;) {
      const pairs = this.operands.flatMap((a, n) => this.operands.slice(n + 1).map((b) => [a, b]));
      const sizes = pairs.map((pair) => this.build.size(this.labelsOf(pair)));
      const least = sizes.indexOf(Math.min(...sizes));
      const pair = pairs[least];
      const many = this.operands.length > most;
      const small =
        this.strategy !== 'direct' && this.operands.length > 2 && joint > 4096 && sizes[least] * 8 <= joint;
      if (!pair || !(many || small)) return;
      const why = many ? `more than ${most} operands` : 'small beside all operands together';
      const keep = [...this.labelsOf(pair)].sort((p, q) => order.indexOf(p) - order.indexOf(q));
      const node = this.build.join(pair, { xi, reduce, keep, terms: [], why });
      this.operands = [...this.operands.filter((n) => !pair.includes(n)), node];
    }
  }
}
