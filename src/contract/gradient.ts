import type { Backend, Storage } from '../backend/interface.ts';
import type { DType } from '../core/tensor.ts';
import type { Compiled, CompiledStep } from './compile.ts';
import { type Compilation, outputSize, Run, type Start } from './execute.ts';
import { isMultilinear, multilinearGradient } from './multilinear.ts';
import type { Program } from './program.ts';

/**
 * Gradients where ⊕ is sum or logsumexp: the steps are done, then differentiated in reverse, block by block; what lies
 * between them is kept until then.
 */
export function stepGradients(
  compilation: Compilation,
  backend: Backend,
  dtype: DType,
  inputs: readonly Storage[],
  dout: Storage,
  borrow: (storage: Storage) => Storage,
): Storage[] {
  const { program, whole } = compilation;
  const zeros = (length: number) => borrow(backend.allocate(dtype, length));
  const gradients: Storage[] = inputs.map(({ length }) => zeros(length));
  if (program.steps.length === 0) return gradients;
  gradients[program.nodes.length - 1] = dout;
  const withoutLast = program.steps.at(-1)!.reduce === 'sum';
  // The gradient of a sum does not look at it: what is laid out as it stands in its place.
  const out = withoutLast ? dout : zeros(outputSize(program));
  const run = new Run(compilation, backend, dtype, inputs, out, borrow, { withoutLast });
  const rooms = new Map<number, Storage>();
  const prepare = ({ step, length }: CompiledStep) => {
    if (step.out === program.nodes.length - 1) return;
    // The first block is the largest, and the others take their turn.
    const room = rooms.get(step.out);
    if (!room) rooms.set(step.out, (gradients[step.out] = zeros(length)));
    else (gradients[step.out] = room.length === length ? room : room.at(0, length)).fill(0);
  };
  const reverse = (compiled: Compiled, steps: readonly CompiledStep[], start: Start) => {
    for (const step of [...steps].reverse()) differentiate(run, compiled, step, start, gradients);
  };
  const alone = program.slices.length > 0 ? whole.steps.filter(({ blocked }) => !blocked) : [];
  for (const step of alone) prepare(step);
  run.all((start, compiled) => {
    const steps = compiled.steps.filter(({ blocked }) => blocked || program.slices.length === 0);
    for (const step of steps) prepare(step);
    reverse(compiled, steps, start);
  });
  reverse(whole, alone, new Map());
  return gradients.slice(0, inputs.length);
}

function differentiate(
  run: Run,
  compiled: Compiled,
  compiledStep: CompiledStep,
  start: Start,
  gradients: readonly Storage[],
): void {
  const { step, sizes } = compiledStep;
  const dout = run.part(compiled, step.out, start, gradients);
  if (sizes) {
    const [G, a, h] = [step.right[0], ...step.left].map((n) => run.values[n]);
    const [dG, da, dh] = [step.right[0], ...step.left].map((n) => gradients[n]);
    run.backend.contractGradient(step.xi, sizes, { a, h, G, dout }, { da, dh, dG }, false);
    return;
  }
  const out = run.part(compiled, step.out, start);
  const of = (side: readonly number[]) => side.map((n) => run.part(compiled, n, start, gradients));
  const to = { left: of(step.left), right: of(step.right) };
  const joined = run.joined(compiled, compiledStep, start);
  if (!isMultilinear(joined)) {
    run.backend.joinedGradient(joined, out, dout, to);
    return;
  }
  const { left, right } = step;
  // What is left for the kernel that adds: null is skipped.
  const rest = [...to.left, ...to.right].map((storage, n) => {
    const isOwn = ownsBlock(compiled.program, [...left, ...right][n], start);
    return isOwn && multilinearGradient(run.backend, joined, dout, n, storage) ? null : storage;
  });
  if (rest.every((storage) => storage === null)) return;
  const sides = { left: rest.slice(0, left.length), right: rest.slice(left.length) };
  run.backend.joinedGradient(joined, out, dout, sides);
}

/** Whether each block has a part of a node's gradient for itself, which it may overwrite; to others blocks add. */
function ownsBlock({ nodes, inputs, slices }: Program, node: number, start: Start): boolean {
  if (start.size === 0) return true;
  const cut = slices.filter(({ label }) => nodes[node].labels.includes(label)).length;
  // An intermediate with a sliced index is made anew in each block.
  return cut === slices.length || (node >= inputs && cut > 0);
}
