import { precisionOf } from '../backend/checks.ts';
import type { Backend, Precision, Storage } from '../backend/interface.ts';
import { borrowing } from '../backend/storage.ts';
import { knownKeys, mismatch, oneOf } from '../core/errors.ts';
import {
  allocate,
  checkTensor,
  DTYPES,
  type DType,
  elementCount,
  type FloatArray,
  isTensor,
  type Shape,
  type Tensor,
} from '../core/tensor.ts';
import { XI_NAMES } from '../core/xi.gen.ts';
import { NEUTRAL } from './algebra.ts';
import { contractCustom, contractCustomGradient, contractCustomWinners, type XiFunctions } from './custom.ts';
import { Run } from './execute.ts';
import { stepGradients } from './gradient.ts';
import { adoptAll, checkOperands, checkValues, operandOf, rounded, wholeOperandDtype } from './operands.ts';
import { type ContractionPlan, describeDefinition, describeProgram } from './plan.ts';
import {
  backendOf,
  type ContractOptions,
  checkOptions,
  lengthOfOutput,
  MOST_PLANNED,
  type Options,
  type Prepared,
  prepare,
  type XiOption,
} from './prepare.ts';
import { winnerGradient, winningIndices } from './winners.ts';

export type { XiFunctions } from './custom.ts';
export type { ContractionPlan, PlanStep } from './plan.ts';
export type { ContractOptions, XiOption } from './prepare.ts';

/** {@link contract} and the functions that it carries. */
export interface Contract {
  /**
   * The generalized contraction `out[o] = ⊕_s W[…] ⊙ ξ(X₁[…], …, Xₙ[…])`, written
   * `contract('weights ; operand, operand, … -> output', [W, X₁, …], { xi, reduce })`.
   *
   * ⊕ is `reduce`: sum, where weights multiply, or max, min, logsumexp, where they add. Weights may be absent:
   * `'; ik,kj -> ij'`. Indices that the output lacks are reduced; a letter twice in an operand is its diagonal, an ellipsis
   * the axes without a letter, which broadcast as NumPy's. ξ folds from its unit. Without a semicolon it is einsum: `'ik,kj->ij'`. See docs/contraction.md; {@link Contract.plan} says what runs.
   *
   * Operands are read in place by the native backend. Intermediates stay within `maxBytes`. Operands may hold ±∞, which
   * units are. `precision` says how few bits will do where the backend has a faster product of them; docs/backends.md.
   *
   * @throws XiError E_ARGUMENT for a malformed expression, and for a step of more than 24 axes that do not merge; E_MEMORY for one
   * of 2^1024 operations or more, and for an output of 2^31 elements or more; E_SHAPE for extents that disagree, naming index and
   * operand; E_DTYPE for mixed dtypes, and for a `precision` below float32 with float64; E_NUMERIC for NaN.
   */
  (expression: string, operands: readonly Tensor[], options?: ContractOptions): Tensor;
  /**
   * What `contract` would do with operands of these shapes, and its cost: steps, operations, bytes, peak memory, kernel and
   * instruction set. `String(plan)` prints it.
   *
   * Shapes may be tensors; `dtype` is theirs, else float32. A function for ξ is one step without a kernel. Shapes may be of tensors that no
   * array holds, below 2^53 elements.
   *
   * @throws XiError as {@link contract}, but for values, which it does not look at.
   */
  plan(
    expression: string,
    shapes: readonly (Shape | Tensor)[],
    options?: ContractOptions & { readonly dtype?: DType },
  ): ContractionPlan;
  /**
   * A contraction with `reduce` max or min, and which term won: Viterbi's path for a chain of max-plus products.
   *
   * Of terms that are equal the first wins, in the order of the steps of the plan; where ξ is a function, in the order of the
   * reduced indices, the last of them the fastest.
   *
   * @throws XiError as {@link contract}, and E_ARGUMENT for a `reduce` without a winner.
   */
  arg(expression: string, operands: readonly Tensor[], options: ContractOptions): Winners;
}

/** The generalized contraction and einsum, as {@link Contract} describes it; `contract.plan` says what runs, `contract.arg` which term won. */
export const contract: Contract = /* @__PURE__ */ Object.assign(contractTensors, {
  plan: planContraction,
  arg: contractWinners,
});

function contractTensors(
  expression: string,
  operands: readonly Tensor[],
  options: ContractOptions = {},
): Tensor {
  const dtype = checkOperands('contract', expression, operands);
  const checked = checkOptions('contract', options);
  precisionOf('contract', checked.precision, dtype);
  const prepared = prepare('contract', expression, operands, dtype, checked, options);
  const length = lengthOfOutput('contract', prepared);
  const shape = [...prepared.outShape];
  if (checked.custom) return { dtype, shape, data: byDefinition(prepared, checked, operands) };
  return borrowing((borrow) => {
    const backend = backendOf(checked);
    const inputs = adoptAll('contract', prepared, backend, operands, borrow);
    const out = borrow(backend.allocate(dtype, length));
    compute(prepared, backend, inputs, out, borrow, checked.precision);
    return { dtype, shape, data: out.take() };
  });
}

function compute(
  prepared: Prepared,
  backend: Backend,
  inputs: readonly Storage[],
  out: Storage,
  borrow: (storage: Storage) => Storage,
  precision: Precision,
): void {
  const { dtype, reduce } = prepared;
  const compilation = prepared.compilation('contract', 'value');
  if (compilation.program.steps.length === 0) out.fill(NEUTRAL[reduce]);
  else new Run(compilation, backend, dtype, inputs, out, borrow, { precision }).all();
}

function planContraction(
  expression: string,
  shapes: readonly (Shape | Tensor)[],
  options: ContractOptions & { readonly dtype?: DType } = {},
): ContractionPlan {
  if (!Array.isArray(shapes))
    throw mismatch('E_ARGUMENT', 'contract.plan shapes', 'a list of shapes', shapes);
  const checked = checkOptions('contract.plan', options, ['dtype']);
  // Not by map, which passes over holes.
  const operands = Array.from(shapes, (shape: Shape | Tensor) => (isTensor(shape) ? shape : { shape }));
  operands.forEach(({ shape }, n) => void elementCount(shape, `contract.plan shape ${n}`, MOST_PLANNED));
  const dtype = plannedDtype(expression, operands, options.dtype);
  const precision = precisionOf('contract.plan', checked.precision, dtype);
  const prepared = prepare('contract.plan', expression, operands, dtype, checked, options);
  if (checked.custom) {
    const hasUnit = checked.custom.unit !== undefined;
    return describeDefinition(prepared.extents, hasUnit, { ...prepared, precision });
  }
  const { program } = prepared.compilation('contract.plan', 'value');
  return describeProgram(program, { ...prepared, ...{ precision, backend: backendOf(checked) } });
}

/** The dtype that is asked for or that of the tensors, which must agree. */
function plannedDtype(
  expression: string,
  operands: readonly ({ readonly shape: Shape } | Tensor)[],
  wanted: DType | undefined,
): DType {
  let dtype = wanted === undefined ? undefined : oneOf('contract.plan dtype', wanted, DTYPES);
  operands.forEach((operand, n) => {
    if (isTensor(operand)) dtype = wholeOperandDtype('contract.plan', expression, n, operand, dtype);
  });
  return dtype ?? 'float32';
}

/** A maximum or minimum and where it is attained. */
export interface Winners {
  /** The maximum or minimum, as {@link contract} returns it. */
  readonly value: Tensor;
  /** For each reduced index its value in the first term that won, laid out as `value`; −1 where there are no terms. */
  readonly indices: Readonly<Record<string, Int32Array>>;
}

function contractWinners(expression: string, operands: readonly Tensor[], options: ContractOptions): Winners {
  const dtype = checkOperands('contract.arg', expression, operands);
  const checked = checkOptions('contract.arg', options);
  oneOf('contract.arg reduce', checked.reduce, ['max', 'min']);
  precisionOf('contract.arg', checked.precision, dtype);
  const prepared = prepare('contract.arg', expression, operands, dtype, checked, options);
  const length = lengthOfOutput('contract.arg', prepared);
  const shape = [...prepared.outShape];
  if (checked.custom) {
    checkValues('contract.arg', prepared, operands);
    const { value, indices } = contractCustomWinners(problemOf(prepared, checked, operands));
    return { value: { dtype, shape, data: rounded(value, dtype) }, indices };
  }
  const compilation = prepared.compilation('contract.arg', 'winners');
  return borrowing((borrow) => {
    const backend = backendOf(checked);
    const inputs = adoptAll('contract.arg', prepared, backend, operands, borrow);
    const out = borrow(backend.allocate(dtype, length));
    if (compilation.program.steps.length === 0) out.fill(NEUTRAL[checked.reduce]);
    const indices = winningIndices(compilation, prepared.summed, backend, dtype, inputs, out, borrow);
    return { value: { dtype, shape, data: out.take() }, indices };
  });
}

/**
 * Gradients of Σ dout · contract(…) with respect to each operand, in their order.
 *
 * Where ⊕ is sum every term passes on dout ⊙ its derivative, for logsumexp with its softmax weight, for max and min the
 * first term that won passes on all. At kinks of ξ the derivatives of docs/xi.md; of operands that tie inside ξ the plan chooses
 * one where ⊕ is sum or logsumexp, on every backend the same, and the first in the expression wins where it is max or min. Beside
 * infinities see docs/contraction.md. About twice the operations of `contract`.
 *
 * @throws XiError as {@link contract}; E_ARGUMENT for a ξ of one's own without `dx` and `dy`.
 */
export function contractGradient(
  expression: string,
  operands: readonly Tensor[],
  dout: Tensor,
  options: ContractOptions = {},
): Tensor[] {
  const dtype = checkOperands('contractGradient', expression, operands);
  const checked = checkOptions('contractGradient', options);
  precisionOf('contractGradient', checked.precision, dtype);
  const prepared = prepare('contractGradient', expression, operands, dtype, checked, options);
  const weight = checkTensor('contractGradient dout', dout, prepared.outShape, dtype).data;
  const asTensors = (arrays: readonly FloatArray[]) =>
    arrays.map((data, n) => ({ dtype, shape: [...operands[n].shape], data: rounded(data, dtype) }));
  if (checked.custom) {
    checkValues('contractGradient', prepared, operands);
    return asTensors(contractCustomGradient(problemOf(prepared, checked, operands), weight));
  }
  return borrowing((borrow) => {
    const backend = backendOf(checked);
    const inputs = adoptAll('contractGradient', prepared, backend, operands, borrow);
    if (checked.reduce === 'max' || checked.reduce === 'min') {
      const { expression: parsed, xi } = prepared;
      const sides = inputs.map((storage, n) => ({ storage, data: operands[n].data }));
      const ordered = prepared.compilation('contractGradient', 'winners');
      return asTensors(winnerGradient(ordered, backend, xi, parsed.weighted, sides, weight, dtype, borrow));
    }
    const seed = borrow(backend.adopt(weight));
    const compilation = prepared.compilation('contractGradient', 'gradient');
    const gradients = stepGradients(compilation, backend, dtype, inputs, seed, borrow);
    return asTensors(gradients.map((storage) => storage.take()));
  });
}

/** The operator of {@link outer}, and where it is computed. */
export interface OuterOptions {
  /** ξ; a function runs slowly, without a backend. */
  readonly xi: XiOption;
  /** Where it is computed; the best of this machine by default. */
  readonly backend?: Backend;
}

/**
 * The generalized outer product `out[i…, j…] = ξ(x[i…], y[j…])`, of shape `[...x.shape, ...y.shape]`.
 *
 * @throws XiError E_DTYPE for mixed dtypes, E_SHAPE for data that do not fill their shape; E_BACKEND for a function on another backend than the
 * reference.
 */
export function outer(x: Tensor, y: Tensor, options: OuterOptions): Tensor {
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', 'outer', '{ xi }', options);
  knownKeys('outer', options, ['xi', 'backend']);
  if (options.xi === undefined) oneOf('outer xi', options.xi, XI_NAMES);
  const checked = checkOptions('outer', options);
  const left = operandOf('outer x', x, undefined);
  const { dtype } = left;
  const right = operandOf('outer y', y, dtype);
  const shape = [...left.shape, ...right.shape];
  const count = elementCount(shape, 'outer');
  if (checked.custom) return { dtype, shape, data: joined(checked.custom, left, right) };
  return borrowing((borrow) => {
    const backend = backendOf(checked);
    const [from, to] = [left, right].map(({ data }) => borrow(backend.adopt(data)));
    const out = borrow(backend.allocate(dtype, count));
    backend.outer(checked.xi, from, to, out);
    return { dtype, shape, data: out.take() };
  });
}

/** All pairs by a function, which folds from its unit where it has one. */
function joined({ value, unit }: XiFunctions, x: Tensor, y: Tensor): FloatArray {
  const out = allocate(x.dtype, x.data.length * y.data.length);
  let at = 0;
  for (const one of x.data as Float64Array) {
    const first = unit === undefined ? one : value(unit, one);
    for (const other of y.data as Float64Array) out[at++] = value(first, other);
  }
  return out;
}

function problemOf(
  { expression, extents, reduce }: Prepared,
  { custom }: Options,
  operands: readonly Tensor[],
) {
  return { expression, extents, reduce, xi: custom!, data: operands.map(({ data }) => data) };
}

function byDefinition(prepared: Prepared, options: Options, operands: readonly Tensor[]): FloatArray {
  checkValues('contract', prepared, operands);
  return rounded(contractCustom(problemOf(prepared, options, operands)), prepared.dtype);
}
