import {
  type Backend,
  PRECISIONS,
  type Precision,
  REDUCTIONS,
  type Reduction,
} from '../backend/interface.ts';
import { defaultBackend } from '../backend/select.ts';
import { checkBackend } from '../backend/selection.ts';
import { MAX_AXES } from '../core/abi.gen.ts';
import { integer, knownKeys, mismatch, oneOf, show, XiError } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { BYTES, type DType, elementCount, isTensor, type Shape } from '../core/tensor.ts';
import { XI_NAMES, type Xi } from '../core/xi.gen.ts';
import { customXi, type XiFunctions } from './custom.ts';
import { bindEllipsis } from './ellipsis.ts';
import { Compilation } from './execute.ts';
import { bindExtents, type Expression, parseExpression } from './expression.ts';
import type { Purpose } from './footprint.ts';
import { PlanCache } from './plan_cache.ts';
import { makeProgram, type PlanRequest } from './planner.ts';
import type { Program, Step } from './program.ts';

/** An operator: one of the table, or a function of one's own, which runs slowly, without a backend. */
export type XiOption = Xi | XiFunctions | ((x: number, y: number) => number);

/** The operators of a contraction `out[o] = ⊕_s W[…] ⊙ ξ(X₁[…], …, Xₙ[…])`, and where and how it is computed. */
export interface ContractOptions {
  /** ξ; plain einsum, which has no semicolon, needs none and takes `product` only. */
  readonly xi?: XiOption;
  /** ⊕; `sum` by default. */
  readonly reduce?: Reduction;
  /** Where it is computed; the best of this machine by default. */
  readonly backend?: Backend;
  /**
   * Most bytes of intermediates beyond operands and results; 64 MiB by default. For `contract.arg` and gradients of max and min
   * they count with the winner of every term, 16 bytes each, for other gradients with their own gradients. Gradients need the value
   * itself besides, unless ⊕ is sum, and those of max and min are summed in float64 before they are rounded. Kernels take some three
   * megabytes a thread.
   */
  readonly maxBytes?: number;
  /**
   * The least precision that is wanted of float32 operands; `float32` by default. `bf16x3` and `bf16` are faster in steps
   * that the kernel `contract` computes, where the backend has a tile for them; everything else is in float32.
   */
  readonly precision?: Precision;
}

const KEYS = ['xi', 'reduce', 'backend', 'maxBytes', 'precision'] as const;
const MAX_BYTES = 2 ** 26;
const BIGGEST = 2 ** 52;

/** Elements of a tensor that may be planned with: numbers that doubles count. Those that are computed must fit into an array. */
export const MOST_PLANNED = Number.MAX_SAFE_INTEGER;

/** Everything about a contraction that does not depend on values. */
export interface Prepared {
  readonly expression: Expression;
  readonly extents: ReadonlyMap<string, number>;
  /** Indices that the output lacks. */
  readonly summed: readonly string[];
  readonly shapes: readonly Shape[];
  readonly lengths: readonly number[];
  readonly outShape: Shape;
  readonly outLength: number;
  readonly dtype: DType;
  readonly xi: Xi;
  readonly reduce: Reduction;
  readonly maxBytes: number;
  /** The steps, made when they are first asked for: a ξ of one's own has none. `where` names who asks. */
  readonly compilation: (where: string, purpose: Purpose) => Compilation;
}

export interface Options {
  readonly xi: Xi;
  readonly custom: XiFunctions | undefined;
  readonly reduce: Reduction;
  readonly maxBytes: number;
  readonly precision: Precision;
  readonly backend: Backend | undefined;
}

/** Checks options; an operator of one's own comes back in `custom`. */
export function checkOptions(where: string, options: ContractOptions, more: readonly string[] = []): Options {
  if (typeof options !== 'object' || options === null || isTensor(options))
    throw mismatch('E_ARGUMENT', `${where} options`, '{ xi }', options);
  knownKeys(where, options, more.length > 0 ? [...KEYS, ...more] : KEYS);
  const { xi = 'product', reduce = 'sum', maxBytes = MAX_BYTES, precision = 'float32', backend } = options;
  oneOf(`${where} reduce`, reduce, REDUCTIONS);
  oneOf(`${where} precision`, precision, PRECISIONS);
  if (options.maxBytes !== undefined) integer(`${where} maxBytes`, maxBytes, 0, BIGGEST);
  checkBackend(where, backend);
  if (typeof xi === 'string')
    return {
      xi: oneOf(`${where} xi`, xi, XI_NAMES),
      custom: undefined,
      reduce,
      maxBytes,
      precision,
      backend,
    };
  if (backend && backend.name !== 'reference') {
    const message = `${where}: expected the reference backend for xi as a function, received ${backend.name}`;
    throw new XiError('E_BACKEND', message);
  }
  return { xi: 'product', custom: customXi(where, xi), reduce, maxBytes, precision, backend };
}

/** ξ must be said wherever the expression has a place for it. */
function checkOperator(where: string, expression: Expression, options: ContractOptions): void {
  if (expression.joined && options.xi === undefined) oneOf(`${where} xi`, options.xi, XI_NAMES);
  if (!expression.joined && options.xi !== undefined && options.xi !== 'product') {
    const rule = "a semicolon before the operands that ξ joins ('; ik,kj -> ij'); plain einsum multiplies";
    throw mismatch('E_ARGUMENT', `${where} expression`, rule, expression.text);
  }
}

export const backendOf = ({ backend }: Options): Backend => backend ?? defaultBackend();

/** The second and later calls with the same shapes find their plan in a fraction of a microsecond; the last of 256 in some. */
const cache = new PlanCache<Prepared>(4096, 256);

export function prepare(
  where: string,
  text: string,
  operands: readonly { readonly shape: Shape }[],
  dtype: DType,
  options: Options,
  given: ContractOptions,
): Prepared {
  const { xi, reduce, maxBytes } = options;
  const known = cache.find(
    text,
    (entry) =>
      entry.xi === xi &&
      entry.reduce === reduce &&
      entry.dtype === dtype &&
      entry.maxBytes === maxBytes &&
      sameShapes(entry.shapes, operands),
  );
  if (known) {
    checkOperator(where, known.expression, given);
    return known;
  }
  const entry = prepareAnew(where, text, operands, dtype, options, given);
  cache.add(text, entry);
  return entry;
}

function sameShapes(shapes: readonly Shape[], operands: readonly { readonly shape: Shape }[]): boolean {
  if (shapes.length !== operands.length) return false;
  for (let n = 0; n < shapes.length; n++) {
    const shape = shapes[n];
    const other = operands[n].shape;
    if (shape.length !== other.length) return false;
    for (let axis = 0; axis < shape.length; axis++) if (shape[axis] !== other[axis]) return false;
  }
  return true;
}

function prepareAnew(
  where: string,
  text: string,
  operands: readonly { readonly shape: Shape }[],
  dtype: DType,
  options: Options,
  given: ContractOptions,
): Prepared {
  const { xi, reduce, maxBytes } = options;
  const parsed = parseExpression(text, where);
  checkOperator(where, parsed, given);
  const shapes = operands.map(({ shape }) => [...shape]);
  const { expression, shapes: labelled } = bindEllipsis(where, parsed, shapes);
  const extents = bindExtents(expression, labelled, where);
  const outShape = expression.output.map((label) => extents.get(label)!);
  const width = BYTES[dtype];
  const maxElements = Math.floor(maxBytes / width);
  const request = { expression: withoutOnes(expression, extents), extents, xi, reduce, width, maxElements };
  const made: Partial<Record<Purpose, Compilation>> = {};
  return {
    ...{ expression, extents, shapes, dtype, xi, reduce, maxBytes, outShape },
    summed: [...extents.keys()].filter((label) => !expression.output.includes(label)),
    lengths: shapes.map(product),
    outLength: elementCount(outShape, `${where} output`, MOST_PLANNED),
    compilation: (name, purpose) => (made[purpose] ??= compiled(name, { ...request, purpose })),
  };
}

/** The length of an output that is to be computed; @throws XiError E_MEMORY where no array is that long. */
export const lengthOfOutput = (where: string, { outShape, outLength }: Prepared): number =>
  outLength < 2 ** 31 ? outLength : elementCount(outShape, `${where} output`);

/** The expression without indices of extent 1: an axis of one element changes no place of another, but would cost a step to reduce. */
function withoutOnes(expression: Expression, extents: ReadonlyMap<string, number>): Expression {
  const long = (labels: readonly string[]) => labels.filter((label) => extents.get(label) !== 1);
  return { ...expression, inputs: expression.inputs.map(long), output: long(expression.output) };
}

/** @throws XiError E_ARGUMENT for steps with more axes than kernels take, E_MEMORY for steps of more operations than a double counts. */
function compiled(where: string, request: PlanRequest): Compilation {
  const program = makeProgram(request);
  const text = show(request.expression.text);
  const endless = program.steps.filter(({ flops }) => !Number.isFinite(flops));
  if (endless.length > 0) {
    const rule = `steps of fewer than 2^1024 operations for ${text}`;
    const received = `one over 10^${Math.max(...endless.map((step) => digits(program, step)))} places of its indices`;
    throw new XiError('E_MEMORY', `${where} expression: expected ${rule}, received ${received}`);
  }
  // Of winners the terms of each step are in the order of the expression, which ties and arg indices follow.
  const compilation = new Compilation(program, request.purpose === 'winners');
  const { axes } = compilation.whole;
  if (axes <= MAX_AXES) return compilation;
  const rule = `steps of at most ${MAX_AXES} axes that do not merge for ${text}`;
  throw mismatch('E_ARGUMENT', `${where} expression`, rule, axes);
}

/** The product of the extents of all indices of a step, which overflows a double, as a power of ten. */
function digits({ nodes, extents }: Program, { left, right }: Step): number {
  const labels = new Set([...left, ...right].flatMap((n) => nodes[n].labels));
  return Math.round([...labels].reduce((sum, label) => sum + Math.log10(extents.get(label)!), 0));
}
