import type { Backend, Joined, Storage } from '../backend/interface.ts';
import { MAX_AXES } from '../core/abi.gen.ts';
import type { DType } from '../core/tensor.ts';
import type { Compiled, CompiledStep } from './compile.ts';
import { type Compilation, outputSize, Run, type Start } from './execute.ts';

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
  const out = zeros(outputSize(program));
  gradients[program.nodes.length - 1] = dout;
  const withoutLast = program.steps.at(-1)!.reduce === 'sum';
  const run = new Run(compilation, backend, dtype, inputs, out, borrow, { withoutLast });
  const prepare = ({ step, length }: CompiledStep) => {
    if (step.out === program.nodes.length - 1) return;
    const known = gradients[step.out];
    if (known?.length === length) known.fill(0);
    else gradients[step.out] = zeros(length);
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
  // Products overwrite what blocks would add to.
  if (start.size === 0 && differentiateProduct(run.backend, joined, dout, to)) return;
  run.backend.joinedGradient(joined, out, dout, to);
}

/**
 * Of `out[g,m,n] = Σ_s x[g,m,s] y[g,n,s]` both gradients are such products themselves, `dx[g,m,s] = Σ_n dout[g,m,n] y[g,n,s]`, for
 * which there are tiles; false for any other form.
 */
function differentiateProduct(
  backend: Backend,
  joined: Joined,
  dout: Storage,
  to: { readonly left: readonly Storage[]; readonly right: readonly Storage[] },
): boolean {
  const { left, right, batch, rows, columns, terms, outStrides } = joined;
  const isProduct = joined.combine === 'product' && joined.reduce === 'sum' && !joined.fromUnit;
  if (!isProduct || left.length !== 1 || right.length !== 1) return false;
  const [[x], [y]] = [left, right];
  // Where an operand does not vary with an axis, its gradient is a sum over it.
  if ([...x.strides, ...y.strides].includes(0)) return false;
  // The terms become axes of a result.
  const axes = batch.length + terms.length + Math.max(rows.length, columns.length);
  if (axes > MAX_AXES) return false;
  const parts = (strides: readonly number[], middle: readonly number[]) => {
    const [first, second] = [batch.length, batch.length + middle.length];
    return [strides.slice(0, first), strides.slice(first, second), strides.slice(second)];
  };
  const [xg, xm, xs] = parts(x.strides, rows);
  const [yg, yn, ys] = parts(y.strides, columns);
  const [og, om, on] = parts(outStrides, rows);
  const product = {
    xi: 'product',
    combine: 'product',
    reduce: 'sum',
    fromUnit: false,
    batch,
    columns: terms,
  } as const;
  backend.joined(
    {
      ...{ ...product, rows, terms: columns, outStrides: x.strides },
      left: [{ data: dout, strides: [...og, ...om, ...on] }],
      right: [{ data: y.data, strides: [...yg, ...ys, ...yn] }],
    },
    to.left[0],
  );
  backend.joined(
    {
      ...{ ...product, rows: columns, terms: rows, outStrides: y.strides },
      left: [{ data: dout, strides: [...og, ...on, ...om] }],
      right: [{ data: x.data, strides: [...xg, ...xs, ...xm] }],
    },
    to.right[0],
  );
  return true;
}
