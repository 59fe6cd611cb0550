import type { Backend, Precision, Reduction } from '../backend/interface.ts';
import { BYTES, type DType, type Shape } from '../core/tensor.ts';
import { NO_TERMS } from './algebra.ts';
import type { Expression } from './expression.ts';
import { heldElements } from './footprint.ts';
import { type Labels, volume } from './labels.ts';
import { naiveCost } from './path.ts';
import { blockExtents, type Program, type Step } from './program.ts';

/** One step of a plan. */
export interface PlanStep {
  /** As an expression of its own: `'ijk; bi,bj -> bk'`, `'; bi,bj -> bij'`. */
  readonly expression: string;
  /** The function of the backend that computes it. */
  readonly kernel: string;
  /** What it multiplies and adds in; the dtype, where no bf16 was asked for or none can be had. */
  readonly precision: Precision | 'float64';
  /** Operations; each ξ, ⊙ and ⊕ is one. */
  readonly flops: number;
  /** Read and written, each value once. */
  readonly bytes: number;
  /** Why this step comes here, in words. */
  readonly why: string;
}

/** What a contraction will do, and its cost. `String(plan)` prints it. */
export interface ContractionPlan {
  /** As it was given. */
  readonly expression: string;
  /** Of operands and result. */
  readonly dtype: DType;
  /** Of the result. */
  readonly shape: Shape;
  /** In the order in which they run. */
  readonly steps: readonly PlanStep[];
  /** Operations of all steps; each ξ, ⊙ and ⊕ is one. */
  readonly flops: number;
  /** Operations of all operands at once, without order or blocks, as opt_einsum counts them. */
  readonly naiveFlops: number;
  /** Elements of the largest intermediate of a block. */
  readonly largest: number;
  /** Read and written by all steps. */
  readonly bytes: number;
  /** What intermediates take at the worst moment, beyond inputs and output; kernels take some three megabytes a thread. */
  readonly peakBytes: number;
  /** The part of the output that a block computes; all of it where there are no blocks. */
  readonly blockBytes: number;
  /** Number of blocks of the output that are computed one after another. */
  readonly blocks: number;
  /** The functions of the backend that all steps use. */
  readonly kernel: string;
  /** Name of the backend. */
  readonly backend: string;
  /** Instruction set of its kernels. */
  readonly isa: string;
  /** The plan in words: order, cost and kernel of every step. */
  toString(): string;
}

interface Context {
  readonly expression: Expression;
  /** As the plan prints it. */
  readonly xi: string;
  readonly reduce: Reduction;
  readonly dtype: DType;
  readonly precision: Precision;
  readonly backend: Runner;
}

/** What a plan says of a backend. */
type Runner = Pick<Backend, 'name' | 'isa' | 'threads' | 'tiles'>;

export function describeProgram(program: Program, context: Context): ContractionPlan {
  const { dtype, precision, backend } = context;
  const { extents, output } = program;
  const width = BYTES[dtype];
  const block = blockExtents(program);
  const blocks = program.slices.reduce(
    (product, { label, block: size }) => product * Math.ceil(extents.get(label)! / size),
    1,
  );
  const steps = program.steps.map((step): PlanStep => {
    const nodes = [...step.left, ...step.right, step.out];
    return {
      expression: textOf(program, step),
      kernel: step.kernel,
      precision: step.kernel === 'contract' && backend.tiles[precision] ? precision : dtype,
      flops: step.flops,
      bytes: width * nodes.reduce((sum, n) => sum + volume(program.nodes[n].labels, extents), 0),
      why: step.why,
    };
  });
  const made = program.nodes.slice(program.inputs, -1);
  const notes = [...program.notes, ...onesNotes(extents)];
  return describe(
    context,
    { ...program, notes },
    {
      steps,
      largest: Math.max(0, ...made.map(({ labels }) => volume(labels, block))),
      peakBytes: width * heldElements(program, 'value', width),
      blockBytes: width * volume(output, block),
      blocks,
    },
  );
}

/** Which axes the letters of steps stand for that the expression does not have. */
function ellipsisNotes({ ellipsis }: Expression, extents: ReadonlyMap<string, number>): string[] {
  if (ellipsis.length === 0) return [];
  const axes = ellipsis.map((letter) => `${letter} (${extents.get(letter)})`);
  return [`'...' stands for ${axes.join(', ')}, the last axis last`];
}

/** Which indices no step has, because they have one value. */
function onesNotes(extents: ReadonlyMap<string, number>): string[] {
  const ones = [...extents].filter(([, extent]) => extent === 1).map(([label]) => label);
  return ones.length > 0 ? [`of extent 1, which no step needs: ${ones.join(', ')}`] : [];
}

/** Whose loop it is that calls a function. */
const DEFINITION: Runner = { name: 'reference', isa: 'float64', threads: 1, tiles: {} };

/** A contraction whose ξ is a function: one step, in which every term is formed by itself. */
export function describeDefinition(
  extents: ReadonlyMap<string, number>,
  hasUnit: boolean,
  context: Omit<Context, 'xi' | 'backend'>,
): ContractionPlan {
  const { expression, dtype } = context;
  const { inputs, output, weighted } = expression;
  const all = volume(extents.keys(), extents);
  const isSummed = extents.size > output.length;
  const out = volume(output, extents);
  const [weights, operands] = [inputs.slice(0, Number(weighted)), inputs.slice(Number(weighted))];
  const words = (lists: readonly Labels[]) => lists.map((labels) => labels.join('')).join(',');
  const step: PlanStep = {
    expression: `${words(weights)}; ${words(operands)} -> ${output.join('')}`,
    kernel: 'reference',
    precision: dtype,
    flops: all * (operands.length - 1 + Number(hasUnit) + Number(weighted) + Number(isSummed)),
    bytes: BYTES[dtype] * inputs.reduce((sum, labels) => sum + volume(new Set(labels), extents), out),
    why: 'every term by calls of the function',
  };
  const notes = [all > 0 ? 'ξ is a function: neither order nor kernels, all in float64' : NO_TERMS];
  return describe(
    { ...context, xi: 'a function', backend: DEFINITION },
    { extents, slices: [], notes },
    {
      steps: all > 0 ? [step] : [],
      largest: 0,
      // The output in float64, before it is rounded.
      peakBytes: dtype === 'float32' ? 8 * out : 0,
      blockBytes: BYTES[dtype] * out,
      blocks: 1,
    },
  );
}

type Frame = Pick<Program, 'extents' | 'slices' | 'notes'>;
type Own = Pick<Figures, 'steps' | 'largest' | 'peakBytes' | 'blockBytes' | 'blocks'>;

/** A plan of these steps. */
function describe(
  { expression, xi, reduce, dtype, precision, backend }: Context,
  frame: Frame,
  { steps, largest, peakBytes, blockBytes, blocks }: Own,
): ContractionPlan {
  const { extents } = frame;
  const { output } = expression;
  const sum = (key: 'flops' | 'bytes') => steps.reduce((total, step) => total + step[key], 0);
  const plan: Figures = {
    expression: expression.text,
    dtype,
    shape: output.map((label) => extents.get(label)!),
    steps,
    flops: sum('flops'),
    naiveFlops: naiveCost(expression.inputs, output, extents),
    largest,
    bytes: sum('bytes'),
    ...{ peakBytes, blockBytes, blocks },
    kernel: [...new Set(steps.map(({ kernel }) => kernel))].join(' + ') || 'none',
    backend: backend.name,
    isa: backend.isa,
  };
  const head = `${expression.text} · ξ = ${xi} · ⊕ = ${reduce} · ${dtype} → [${plan.shape}]`;
  const notes = [
    ...frame.notes,
    ...ellipsisNotes(expression, extents),
    ...precisionNotes(plan, precision, backend),
  ];
  return { ...plan, toString: () => print(head, plan, { ...frame, notes }, backend) };
}

/** Which steps a precision below float32 reaches, and by whose tile. */
function precisionNotes({ steps }: Figures, precision: Precision, { tiles }: Runner): string[] {
  if (precision === 'float32') return [];
  const count = steps.filter((step) => step.precision === precision).length;
  if (count > 0)
    return [
      `${precision} by the ${tiles[precision]} tile in ${count} of ${steps.length} steps, else float32`,
    ];
  const why =
    tiles[precision] === undefined
      ? 'the backend has no faster tile for it'
      : 'no step is computed by contract';
  return [`float32 instead of ${precision}: ${why}`];
}

/** A step in the language of expressions; intermediates come with their labels like operands do. */
function textOf({ nodes }: Program, step: Step): string {
  const words = (side: readonly number[]) => side.map((n) => nodes[n].axes.join('')).join(',');
  const out = nodes[step.out].labels.join('');
  const weighed = step.right.length > 0 && step.combine !== step.xi;
  if (weighed || step.kernel === 'contract') return `${words(step.right)}; ${words(step.left)} -> ${out}`;
  return `; ${words([...step.left, ...step.right])} -> ${out}`;
}

type Figures = Omit<ContractionPlan, 'toString'>;

function print(head: string, plan: Figures, frame: Frame, { threads }: Runner): string {
  const rows = plan.steps.map(({ expression, kernel, flops, bytes, why }, n) => [
    `${n + 1}`,
    expression,
    kernel,
    `${count(flops)}FLOP`,
    `${count(bytes)}B`,
    why,
  ]);
  const widths = [0, 1, 2, 3, 4].map((column) => Math.max(0, ...rows.map((row) => row[column].length)));
  const table = rows.map((row) => `  ${row.map((cell, n) => cell.padEnd(widths[n] ?? 0)).join('  ')}`);
  const cuts = frame.slices.map(({ label, block }) => `${block} of ${frame.extents.get(label)} ${label}`);
  const blocks = cuts.length > 0 ? `${plan.blocks} blocks of ${cuts.join(', ')}` : 'in one block';
  return [
    head,
    ...table,
    `work    ${count(plan.flops)}FLOP (all at once ${count(plan.naiveFlops)}FLOP), ${count(plan.bytes)}B moved`,
    `memory  ${count(plan.peakBytes)}B beyond inputs and output, ${blocks} (${count(plan.blockBytes)}B of output each)`,
    `runs    ${plan.kernel} on ${plan.backend} ${plan.isa}, threads ≤ ${threads}`,
    ...frame.notes.map((note) => `note    ${note}`),
  ].join('\n');
}

/** 12345678 → '12.3 M'; what all operands at once would take may be beyond a double. */
function count(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return 'over 10^308 ';
  const power = value < 1000 ? 0 : Math.min(5, Math.floor(Math.log10(value) / 3));
  return `${Number((value / 1000 ** power).toPrecision(3))} ${['', 'k', 'M', 'G', 'T', 'P'][power]}`;
}
