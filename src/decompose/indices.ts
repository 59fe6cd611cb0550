import { mismatch, XiError } from '../core/errors.ts';
import type { NestedArray } from '../core/nesting.ts';
import { isTensor, type Shape, type Tensor, tensorOf } from '../core/tensor.ts';

/** Index tuples [n, T]: an Int32Array, which is used in place, or whole numbers in lists, another typed array or a tensor. */
export type IndexTuples = Int32Array | NestedArray | Tensor;

/**
 * Rows of T indices each, checked against the extents.
 *
 * @throws XiError E_SHAPE for other rows, E_DTYPE for what is no list of numbers, E_ARGUMENT for indices that an axis does not have.
 */
export function indexTuples(where: string, given: IndexTuples, shape: Shape): Int32Array {
  const T = shape.length;
  const isList = Array.isArray(given) || ArrayBuffer.isView(given) || isTensor(given);
  if (!isList)
    throw mismatch('E_ARGUMENT', where, 'whole numbers [n, T], as an Int32Array, lists or a tensor', given);
  const values = given instanceof Int32Array ? given : listed(where, given as NestedArray | Tensor, T);
  if (values.length % T !== 0) throw mismatch('E_SHAPE', where, `a multiple of ${T} indices`, values.length);
  for (let at = 0; at < values.length; at++) {
    const extent = shape[at % T];
    const index = values[at];
    if (!(index >= 0 && index < extent && Number.isInteger(index))) {
      throw new XiError(
        'E_ARGUMENT',
        `${where}: expected indices of axis ${at % T} from 0 to ${extent - 1}, received ${index}`,
      );
    }
  }
  return values instanceof Int32Array ? values : Int32Array.from(values);
}

/** The numbers of lists or a tensor; flat ones are taken row by row. */
function listed(where: string, given: NestedArray | Tensor, T: number): ArrayLike<number> {
  const { shape, data } = tensorOf(where, given);
  const isRows = shape.length === 1 || (shape.length === 2 && (shape[1] === T || data.length === 0));
  if (!isRows) throw mismatch('E_SHAPE', where, `shape [any, ${T}]`, shape);
  return data;
}
