import type { Backend, ContractSizes, Storage } from '../backend/interface.ts';
import { defaultBackend } from '../backend/select.ts';
import { borrowing } from '../backend/storage.ts';
import { knownKeys, mismatch, oneOf, XiError } from '../core/errors.ts';
import { checkTensor, dtypeOf, elementCount, isTensor, type Tensor } from '../core/tensor.ts';
import { XI_NAMES, type Xi } from '../core/xi.gen.ts';

export interface ContractOptions {
  readonly xi: Xi;
  readonly backend?: Backend;
}

/**
 * The generalized contraction `out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j])`, written
 * `contract('ijk; bi,bj -> bk', [G, a, h], { xi })` with any letters: weights before the semicolon, ξ-joined operands
 * behind it.
 *
 * 2·B·L·R·K operations. Operands and result are copied once into and out of the backend's memory; beyond that a thread
 * keeps (L+R) values for at most 900 rows and two blocks of half a megabyte. Operands may hold ±∞, which units are.
 *
 * @throws XiError E_ARGUMENT for another pattern of indices, naming it; E_SHAPE for extents that disagree, naming index
 * and operand; E_DTYPE for mixed dtypes; E_NUMERIC for NaN.
 */
export function contract(expression: string, operands: readonly Tensor[], options: ContractOptions): Tensor {
  const { backend, xi } = checkOptions(options);
  const { sizes, tensors } = checkOperands(expression, operands);
  const dtype = tensors[0].dtype;
  return borrowing((borrow) => {
    const [G, a, h] = tensors.map((operand) => borrow(upload(backend, operand)));
    const out = borrow(backend.allocate(dtype, sizes.B * sizes.K));
    backend.contract(xi, sizes, a, h, G, out);
    return { dtype, shape: [sizes.B, sizes.K], data: out.read() };
  });
}

/**
 * Gradients of Σ_bk dout[b,k] · contract(…)[b,k] with respect to each operand, in their order.
 *
 * `dG[i,j,k] = Σ_b ξ(a,h) dout`, `da[b,i] = Σ_jk G dout ∂ξ/∂x`, `dh[b,j] = Σ_ik G dout ∂ξ/∂y`; 4·B·L·R·K operations.
 */
export function contractGradient(
  expression: string,
  operands: readonly Tensor[],
  dout: Tensor,
  options: ContractOptions,
): Tensor[] {
  const { backend, xi } = checkOptions(options);
  const { sizes, tensors } = checkOperands(expression, operands);
  const dtype = tensors[0].dtype;
  const given = checkTensor('contractGradient dout', dout, [sizes.B, sizes.K], dtype);
  return borrowing((borrow) => {
    const [G, a, h] = tensors.map((operand) => borrow(upload(backend, operand)));
    const weights = borrow(upload(backend, given));
    const [dG, da, dh] = tensors.map((operand) => borrow(backend.allocate(dtype, operand.data.length)));
    backend.contractGradient(xi, sizes, { a, h, G, dout: weights }, { da, dh, dG }, false);
    return [dG, da, dh].map((storage, n) => ({ dtype, shape: [...tensors[n].shape], data: storage.read() }));
  });
}

/**
 * The generalized outer product `out[i…, j…] = ξ(x[i…], y[j…])`, of shape `[...x.shape, ...y.shape]`.
 *
 * @throws XiError E_DTYPE for mixed dtypes, E_SHAPE for data that do not fill their shape.
 */
export function outer(x: Tensor, y: Tensor, options: ContractOptions): Tensor {
  const { backend, xi } = checkOptions(options);
  const left = operandOf('outer x', x, undefined);
  const right = operandOf('outer y', y, left.dtype);
  const { dtype } = left;
  const shape = [...left.shape, ...right.shape];
  const count = elementCount(shape, 'outer');
  return borrowing((borrow) => {
    const out = borrow(backend.allocate(dtype, count));
    backend.outer(xi, borrow(upload(backend, left)), borrow(upload(backend, right)), out);
    return { dtype, shape, data: out.read() };
  });
}

function checkOptions(options: ContractOptions): { backend: Backend; xi: Xi } {
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', 'contract', '{ xi }', options);
  knownKeys('contract', options, ['xi', 'backend']);
  return { xi: oneOf('xi', options.xi, XI_NAMES), backend: options.backend ?? defaultBackend() };
}

function operandOf(where: string, operand: unknown, dtype: Tensor['dtype'] | undefined): Tensor {
  if (!isTensor(operand)) throw mismatch('E_ARGUMENT', where, 'a Tensor { dtype, shape, data }', operand);
  const wanted = dtype ?? dtypeOf(operand.data, where);
  const checked = checkTensor(where, operand, operand.shape, wanted, { finite: false });
  const bad = checked.data.findIndex(Number.isNaN);
  if (bad >= 0) throw new XiError('E_NUMERIC', `${where}: expected no NaN, received one at element ${bad}`);
  return checked;
}

/** Matches `pqr; sp,sq -> sr` up to the names of the indices and reads their extents off the operands. */
function checkOperands(expression: string, operands: readonly Tensor[]) {
  const match =
    typeof expression === 'string' &&
    /^(\w{3});(\w)(\w),(\w)(\w)->(\w)(\w)$/.exec(expression.replace(/\s/g, ''));
  const [, weights = '', b1, i, b2, j, b3, k] = match || [];
  const fits =
    match && weights === `${i}${j}${k}` && b1 === b2 && b1 === b3 && new Set([b1, i, j, k]).size === 4;
  if (!fits)
    throw mismatch(
      'E_ARGUMENT',
      'contract expression',
      "'ijk; bi,bj -> bk' up to the names of its indices",
      expression,
    );
  if (!Array.isArray(operands) || operands.length !== 3) {
    throw mismatch('E_ARGUMENT', 'contract operands', `3 tensors for '${expression}'`, operands);
  }
  const extents = new Map<string, { extent: number; operand: string }>();
  const labels = [weights, `${b1}${i}`, `${b2}${j}`];
  const tensors = operands.map((given, n) => {
    const where = `contract operand ${n} (${labels[n]})`;
    const operand = operandOf(where, given, n === 0 ? undefined : operands[0].dtype);
    if (operand.shape.length !== labels[n].length) {
      throw mismatch('E_SHAPE', where, `${labels[n].length} axes`, operand.shape);
    }
    operand.shape.forEach((extent, axis) => {
      const index = labels[n][axis];
      const known = extents.get(index);
      if (known && known.extent !== extent) {
        throw mismatch(
          'E_SHAPE',
          `${where} index ${index}`,
          `extent ${known.extent} as in ${known.operand}`,
          extent,
        );
      }
      extents.set(index, { extent, operand: where });
    });
    return operand;
  });
  const extent = (index: string) => extents.get(index)?.extent ?? 0;
  const sizes: ContractSizes = { B: extent(b1), L: extent(i), R: extent(j), K: extent(k) };
  return { sizes, tensors };
}

function upload(backend: Backend, { dtype, data }: Tensor): Storage {
  const storage = backend.allocate(dtype, data.length);
  storage.write(data);
  return storage;
}
