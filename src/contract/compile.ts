import type { ContractSizes, Joined } from '../backend/interface.ts';
import { groupsOf } from './fast.ts';
import { type Labels, volume } from './labels.ts';
import { blockExtents, type Program, type Step } from './program.ts';

/** A step with everything but the values: what a kernel needs of extents and strides. */
export interface CompiledStep {
  readonly step: Step;
  readonly form: Omit<Joined, 'left' | 'right'>;
  readonly left: readonly (readonly number[])[];
  readonly right: readonly (readonly number[])[];
  /** For the fast kernel. */
  readonly sizes: ContractSizes | undefined;
  /** Elements of the result. */
  readonly length: number;
  /** Whether the step belongs to a block, or is done once for all blocks. */
  readonly blocked: boolean;
}

/** A program for certain extents: a whole one, one block, or a last, smaller block. */
export interface Compiled {
  readonly program: Program;
  readonly extents: ReadonlyMap<string, number>;
  readonly steps: readonly CompiledStep[];
  /** Most axes of out or of terms that a step has once neighbours are merged. */
  readonly axes: number;
  /** Stride of each label in each node; those of repeated labels are added, which walks along the diagonal. */
  readonly strides: readonly ReadonlyMap<string, number>[];
}

/** Turns labels into extents and strides. With `ordered` the terms keep the order of their labels, which arg indices need. */
export function compile(
  program: Program,
  extents: ReadonlyMap<string, number> = blockExtents(program),
  ordered = false,
): Compiled {
  const outputNode = program.nodes.length - 1;
  const strides = program.nodes.map(({ axes }, n) => {
    // What the user holds, and the output, keep their extents in every block.
    const whole = n < program.inputs || n === outputNode;
    return stridesOf(axes, whole ? program.extents : extents);
  });
  const cut = new Set(program.slices.map(({ label }) => label));
  const steps = program.steps.map((step) => {
    const { labels } = program.nodes[step.out];
    const [left, right] = [step.left, step.right].map((side) => side.map((n) => strides[n]));
    const form = arrange(step, labels, left, right, strides[step.out], extents, ordered);
    return {
      ...{ step, ...form, length: volume(labels, extents) },
      sizes: step.kernel === 'contract' ? sizesOf(step, program, extents) : undefined,
      blocked: labels.some((label) => cut.has(label)),
    };
  });
  const axes = Math.max(0, ...steps.map(axesOf));
  return { program, extents, steps, strides, axes };
}

function axesOf({ form, sizes }: CompiledStep): number {
  return sizes ? 0 : Math.max(form.outStrides.length, form.terms.length);
}

function stridesOf(axes: Labels, extents: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const strides = new Map<string, number>();
  let stride = 1;
  for (const label of [...axes].reverse()) {
    strides.set(label, (strides.get(label) ?? 0) + stride);
    stride *= extents.get(label)!;
  }
  return strides;
}

function sizesOf(step: Step, { nodes }: Program, extents: ReadonlyMap<string, number>): ContractSizes {
  const [G, a, h] = [step.right[0], ...step.left].map((n) => nodes[n].labels);
  const { b, i, j, k } = groupsOf(G, a, h, nodes[step.out].labels)!;
  const [B, L, R, K] = [b, i, j, k].map((labels) => volume(labels, extents));
  return { B, L, R, K };
}

interface Axis {
  extent: number;
  /** In out, then in each operand, left before right. */
  strides: number[];
}

type Strides = ReadonlyMap<string, number>;

function arrange(
  step: Step,
  labels: Labels,
  left: readonly Strides[],
  right: readonly Strides[],
  out: Strides,
  extents: ReadonlyMap<string, number>,
  ordered: boolean,
) {
  const has = (side: readonly Strides[], label: string) => side.some((strides) => strides.has(label));
  const axesOf = (chosen: Labels): Axis[] =>
    chosen
      .filter((label) => extents.get(label) !== 1)
      .map((label) => ({
        extent: extents.get(label)!,
        strides: [out, ...left, ...right].map((strides) => strides.get(label) ?? 0),
      }));
  const onRight = (label: string) => right.length > 0 && has(right, label);
  const kept = [
    labels.filter((label) => has(left, label) && onRight(label)),
    labels.filter((label) => !onRight(label)),
    labels.filter((label) => !has(left, label)),
  ].map((chosen) => coalesce(axesOf(chosen).sort((p, q) => q.strides[0] - p.strides[0])));
  // Terms innermost along the side that is read most: the right one, which has the columns.
  const last = left.length + right.length;
  const inner = (axis: Axis) => axis.strides[last] || axis.strides[1];
  const termAxes = axesOf(step.terms);
  const terms = coalesce(ordered ? termAxes : termAxes.sort((p, q) => inner(q) - inner(p)));
  const [batch, rows, columns] = kept;
  const along = (operand: number, ...groups: Axis[][]) =>
    groups.flatMap((axes) => axes.map(({ strides }) => strides[operand]));
  const extentsOf = (axes: Axis[]) => axes.map(({ extent }) => extent);
  return {
    form: {
      ...{ xi: step.xi, combine: step.combine, reduce: step.reduce, fromUnit: step.fromUnit },
      ...{
        batch: extentsOf(batch),
        rows: extentsOf(rows),
        columns: extentsOf(columns),
        terms: extentsOf(terms),
      },
      outStrides: along(0, batch, rows, columns),
    },
    left: left.map((_, n) => along(1 + n, batch, rows, terms)),
    right: right.map((_, n) => along(1 + left.length + n, batch, columns, terms)),
  };
}

/** Merges neighbouring axes that every operand walks through as one. */
function coalesce(axes: readonly Axis[]): Axis[] {
  const merged: Axis[] = [];
  for (const axis of axes) {
    const outer = merged.at(-1);
    if (outer?.strides.every((stride, n) => stride === axis.strides[n] * axis.extent)) {
      merged[merged.length - 1] = { extent: outer.extent * axis.extent, strides: axis.strides };
    } else merged.push(axis);
  }
  return merged;
}
