import type { Backend, Storage } from '../backend/interface.ts';
import type { DType, FloatArray } from '../core/tensor.ts';
import { XI, type Xi } from '../core/xi.gen.ts';
import type { Compiled } from './compile.ts';
import { type Compilation, outputSize, Run, type Start } from './execute.ts';
import { volume } from './labels.ts';

/**
 * Runs a contraction with ⊕ = max or min and calls with each element of the output and the index that every label has
 * in the term which won it. The labels of the last step are read off its arg, those of earlier steps at the place where
 * the later ones lead: Viterbi's way back.
 */
function visitWinners(
  compilation: Compilation,
  backend: Backend,
  dtype: DType,
  inputs: readonly Storage[],
  out: Storage,
  borrow: (storage: Storage) => Storage,
  visit: (at: number, index: Int32Array) => void,
): void {
  const run = new Run(compilation, backend, dtype, inputs, out, borrow, { winners: true });
  run.all((start, compiled) => traceBlock(run, compiled, start, visit));
}

/** Labels of a program in the order in which {@link visitWinners} gives their indices. */
function labelOrder(compilation: Compilation): string[] {
  return [...compilation.program.extents.keys()];
}

function traceBlock(
  run: Run,
  compiled: Compiled,
  start: Start,
  visit: (at: number, index: Int32Array) => void,
): void {
  const { program, extents, strides } = compiled;
  const labels = [...extents.keys()];
  const place = (label: string) => labels.indexOf(label);
  const traces = [...compiled.steps].reverse().flatMap(({ step }) => {
    const arg = run.winners![step.out]?.read();
    if (!arg) return [];
    const kept = program.nodes[step.out].labels;
    return {
      arg,
      kept: kept.map(place),
      first: kept.map((label) => start.get(label) ?? 0),
      strides: kept.map((label) => strides[step.out].get(label)!),
      terms: step.terms.map(place).reverse(),
      extents: step.terms.map((label) => extents.get(label)!).reverse(),
    };
  });
  const index = new Int32Array(labels.length);
  const output = program.output.map((label) => ({
    at: place(label),
    extent: extents.get(label)!,
    first: start.get(label) ?? 0,
    stride: strides[program.nodes.length - 1].get(label)!,
  }));
  const count = volume(program.output, extents);
  for (const { at, first } of output) index[at] = first;
  let at = output.reduce((sum, { first, stride }) => sum + first * stride, 0);
  for (let n = 0; n < count; n++) {
    for (const trace of traces) {
      let from = 0;
      for (let axis = 0; axis < trace.kept.length; axis++)
        from += (index[trace.kept[axis]] - trace.first[axis]) * trace.strides[axis];
      let term = trace.arg[from];
      // The slowest of the axes is what is left: one axis needs no division, which takes longer than all else.
      const last = trace.terms.length - 1;
      for (let axis = 0; axis < last; axis++) {
        const extent = trace.extents[axis];
        const quotient = Math.floor(term / extent);
        index[trace.terms[axis]] = term - quotient * extent;
        term = quotient;
      }
      index[trace.terms[last]] = term;
    }
    visit(at, index);
    // The next element of the output, whose last axis is the fastest.
    for (let axis = output.length - 1; axis >= 0; axis--) {
      const { at: label, extent, first, stride } = output[axis];
      at += stride;
      if (++index[label] < first + extent) break;
      index[label] = first;
      at -= extent * stride;
    }
  }
}

/**
 * Which term won each element of the output: an index for each of the summed labels, laid out as the output. Those of extent 1
 * are in no step.
 */
export function winningIndices(
  compilation: Compilation,
  summed: readonly string[],
  backend: Backend,
  dtype: DType,
  inputs: readonly Storage[],
  out: Storage,
  borrow: (storage: Storage) => Storage,
): Record<string, Int32Array> {
  const { program } = compilation;
  const labels = labelOrder(compilation);
  const indices = summed.map(
    (label) => [labels.indexOf(label), new Int32Array(outputSize(program)).fill(-1)] as const,
  );
  if (program.steps.length > 0) {
    visitWinners(compilation, backend, dtype, inputs, out, borrow, (at, index) => {
      for (const [label, array] of indices) array[at] = index[label];
    });
  }
  return Object.fromEntries(summed.map((label, n) => [label, indices[n][1]]));
}

/**
 * Gradients where ⊕ is max or min: all of dout goes to the term that won, and from it to its operands.
 *
 * O(outputs · operands) beside the contraction itself.
 */
export function winnerGradient(
  compilation: Compilation,
  backend: Backend,
  xi: Xi,
  weighted: boolean,
  inputs: readonly { readonly data: FloatArray; readonly storage: Storage }[],
  dout: FloatArray,
  dtype: DType,
  borrow: (storage: Storage) => Storage,
): Float64Array[] {
  const { whole, program } = compilation;
  const gradients = inputs.map(({ data }) => new Float64Array(data.length));
  if (program.steps.length === 0) return gradients;
  const labels = labelOrder(compilation);
  const axes = inputs.map((_, n) => [...whole.strides[n].keys()].map((label) => labels.indexOf(label)));
  const strides = inputs.map((_, n) => [...whole.strides[n].values()]);
  const data = inputs.map((input) => input.data);
  const { unit, value, dx, dy } = XI[xi];
  const first = Number(weighted);
  const count = inputs.length;
  const last = count - 1;
  const places = new Int32Array(count);
  const states = new Float64Array(count);
  const out = borrow(backend.allocate(dtype, outputSize(program)));
  const storages = inputs.map(({ storage }) => storage);
  // Without iterators, and of sums without derivatives, which are 1: 160,000 outputs take 18 ms so instead of 24.
  visitWinners(compilation, backend, dtype, storages, out, borrow, (at, index) => {
    for (let n = 0; n < count; n++) {
      const own = axes[n];
      const steps = strides[n];
      let place = 0;
      for (let axis = 0; axis < own.length; axis++) place += index[own[axis]] * steps[axis];
      places[n] = place;
    }
    let gradient = dout[at];
    if (xi === 'sum') {
      for (let n = 0; n < count; n++) gradients[n][places[n]] += gradient;
      return;
    }
    if (weighted) gradients[0][places[0]] += gradient;
    states[first] = unit;
    for (let n = first; n < last; n++) states[n + 1] = value(states[n], data[n][places[n]]);
    for (let n = last; n >= first; n--) {
      const z = data[n][places[n]];
      gradients[n][places[n]] += gradient * dy(states[n], z);
      if (n > first) gradient *= dx(states[n], z);
    }
  });
  return gradients;
}
