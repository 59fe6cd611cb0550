import { integer, mismatch } from '../core/errors.ts';
import { checkTensor, type Shape, type Tensor, tensorOf } from '../core/tensor.ts';

/** A tensor that is to become a grid tensor: T modes of extent M, and the outputs. */
export interface Target {
  readonly M: number;
  readonly T: number;
  readonly outputs: number;
  /** M^T, the number of index tuples. */
  readonly tuples: number;
  /** [M^T, outputs], row-major. */
  readonly data: Float64Array;
}

/** Weights of a construction are sums of elements. */
const MOST = 2 ** 1000;

/**
 * Reads H [M,…,M] or [M,…,M,outputs]. Unless `steps` says how many modes there are, all axes are modes where they are equal, and
 * the last is that of the outputs where it differs.
 *
 * @throws XiError E_SHAPE for other shapes, E_NUMERIC for values that are not finite or beyond 2^1000.
 */
export function targetOf(H: Tensor, steps?: number): Target {
  const given = tensorOf('H', H, undefined, 'float64');
  checkTensor('H', given, given.shape, 'float64');
  const [M] = given.shape;
  const T = steps === undefined ? modes(given.shape) : integer('steps', steps, 1, given.shape.length);
  const outputs = given.shape.length > T ? given.shape[T] : 1;
  const square = given.shape.slice(0, T).every((extent) => extent === M);
  if (T < 1 || !square || given.shape.length > T + 1 || M < 2 || outputs < 1) {
    const count = steps === undefined ? '' : `${steps} `;
    throw mismatch(
      'E_SHAPE',
      'H',
      `${count}equal modes of extent 2 or more, then the outputs or nothing`,
      given.shape,
    );
  }
  const data = given.data as Float64Array;
  const large = data.find((value) => Math.abs(value) > MOST);
  if (large !== undefined)
    throw mismatch('E_NUMERIC', 'H', 'elements up to 2^1000, sums of which are finite', large);
  return { M, T, outputs, tuples: M ** T, data };
}

function modes(shape: Shape): number {
  const equal = shape.findIndex((extent) => extent !== shape[0]);
  return equal < 0 ? shape.length : equal;
}

/** Digit t of a tuple's row-major number: the template that mode t shows. */
export function digit({ M, T }: Pick<Target, 'M' | 'T'>, tuple: number, t: number): number {
  return Math.floor(tuple / M ** (T - 1 - t)) % M;
}
