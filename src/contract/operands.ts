import type { Backend, Storage } from '../backend/interface.ts';
import { mismatch, XiError } from '../core/errors.ts';
import {
  allocate,
  anyTensor,
  checkList,
  checkTensor,
  type DType,
  dtypeOf,
  type FloatArray,
  isTensor,
  otherDtype,
  type Tensor,
} from '../core/tensor.ts';
import { parseExpression } from './expression.ts';
import type { Prepared } from './prepare.ts';

/** The dtype of the operands; @throws XiError for anything but a list of tensors of one dtype. */
export function checkOperands(where: string, text: string, operands: readonly Tensor[]): DType {
  if (!Array.isArray(operands)) {
    const { message } = mismatch('E_ARGUMENT', `${where} operands`, 'a list of tensors', operands);
    // NumPy and opt_einsum take operands one after the other.
    const list = isTensor(operands) ? '; contract(expression, [A, B], options) takes them in a list' : '';
    throw new XiError('E_ARGUMENT', message + list);
  }
  if (operands.length === 0) {
    const { length } = parseExpression(text, where).inputs;
    const wanted = `a list of tensors, as many as '${text}' has operands (${length})`;
    throw mismatch('E_ARGUMENT', `${where} operands`, wanted, operands);
  }
  let dtype: DType | undefined;
  for (let n = 0; n < operands.length; n++) dtype = operandDtype(where, text, n, operands[n], dtype);
  return dtype!;
}

/** The dtype of an operand; @throws XiError for anything but a tensor of the `wanted` one, where that is known. */
export function operandDtype(
  where: string,
  text: string,
  n: number,
  operand: unknown,
  wanted: DType | undefined,
): DType {
  if (!isTensor(operand))
    throw mismatch('E_ARGUMENT', nameOf(where, text, n), 'a Tensor { dtype, shape, data }', operand);
  if (!Array.isArray(operand.shape)) checkList(nameOf(where, text, n), operand);
  const { data, dtype } = operand;
  const own = data instanceof Float32Array ? 'float32' : data instanceof Float64Array ? 'float64' : undefined;
  if (own !== undefined && own === dtype && own === (wanted ?? own)) return own;
  return wholeOperandDtype(where, text, n, operand, wanted);
}

/** The same after a look at the length of the data too, which a contraction is told by the backend that adopts them. */
export function wholeOperandDtype(
  where: string,
  text: string,
  n: number,
  operand: Tensor,
  wanted: DType | undefined,
): DType {
  const place = nameOf(where, text, n);
  const { data, shape } = operand;
  return checkTensor(place, operand, shape, wanted ?? dtypeOf(data, place), { finite: false }).dtype;
}

/** The words that a message calls an operand by. */
function nameOf(where: string, text: string, n: number): string {
  return `${where} ${parseExpression(text, where).names[n] ?? `operand ${n}`}`;
}

export function operandOf(where: string, operand: unknown, dtype: DType | undefined): Tensor {
  const checked = anyTensor(where, operand);
  if (dtype !== undefined && checked.dtype !== dtype) throw otherDtype(where, dtype, checked.dtype);
  refuseNaN(where, checked.data);
  return checked;
}

/** Hands the operands to the backend, each checked for its length and for NaN. */
export function adoptAll(
  where: string,
  { expression, lengths, shapes, dtype }: Prepared,
  backend: Backend,
  operands: readonly Tensor[],
  borrow: (storage: Storage) => Storage,
): Storage[] {
  const inputs = new Array<Storage>(operands.length);
  for (let n = 0; n < operands.length; n++) {
    const { data } = operands[n];
    if (data.length !== lengths[n])
      checkTensor(nameOf(where, expression.text, n), operands[n], shapes[n], dtype);
    inputs[n] = borrow(backend.adopt(data));
    // A sum of squares is NaN only if a square is, and the kernel reads at the speed of memory.
    if (data.length < FEW ? hasNaN(data) : Number.isNaN(backend.sumSquares(inputs[n])))
      refuseNaN(nameOf(where, expression.text, n), data);
  }
  return inputs;
}

/** Below this many elements a loop here is over before a call of the addon has begun. */
const FEW = 256;

function hasNaN(data: FloatArray): boolean {
  for (let n = 0; n < data.length; n++) if (Number.isNaN(data[n])) return true;
  return false;
}

function refuseNaN(where: string, data: FloatArray): void {
  if (!hasNaN(data)) return;
  const at = data.findIndex(Number.isNaN);
  throw new XiError('E_NUMERIC', `${where}: expected no NaN, received one at element ${at}`);
}

export function rounded(data: FloatArray, dtype: DType): FloatArray {
  if (dtypeOf(data) === dtype) return data;
  const out = allocate(dtype, data.length);
  out.set(data);
  return out;
}

export function checkValues(
  where: string,
  { expression, shapes, dtype }: Prepared,
  operands: readonly Tensor[],
): void {
  operands.forEach((operand, n) => {
    const place = nameOf(where, expression.text, n);
    refuseNaN(place, checkTensor(place, operand, shapes[n], dtype, { finite: false }).data);
  });
}
