import { mismatch, XiError } from '../core/errors.ts';
import type { Shape, Tensor } from '../core/tensor.ts';
import { type Matrix, matrix } from './matrix.ts';
import { type ComputeOptions, checkElements, checkPart, computing, tensor64 } from './options.ts';

/**
 * A tensor in tensor-train format: `H[i_1,…,i_T] = G_1[:,i_1,:] G_2[:,i_2,:] ⋯ G_T[:,i_T,:]`, cores
 * G_t [r_{t−1}, n_t, r_t] in float64 with r_0 = r_T = 1 (Oseledets, SIAM J. Sci. Comput. 33, 2011).
 */
export interface TensorTrain {
  /** G_t [r_{t−1}, n_t, r_t] for each mode. */
  readonly cores: readonly Tensor[];
}

/** A tensor train and how far it is, at most, from what it was made of, relative to the Frobenius norm. */
export interface ApproximateTT extends TensorTrain {
  /** ‖H − H̃‖ / ‖H‖ is at most this. */
  readonly error: number;
}

/** Checks a tensor train and returns its cores. */
export function coresOf(where: string, tt: TensorTrain): readonly Tensor[] {
  if (typeof tt !== 'object' || tt === null || !Array.isArray(tt.cores) || tt.cores.length === 0)
    throw mismatch('E_ARGUMENT', where, 'a tensor train { cores } of at least one core', tt);
  // Not by map, which passes over holes.
  const cores = Array.from(tt.cores, (core, t) => checkPart(`${where} core ${t}`, core, 3));
  const bonds = [1, ...cores.slice(0, -1).map((core) => core.shape[2])];
  for (const [t, core] of cores.entries()) {
    if (core.shape[0] !== bonds[t])
      throw mismatch('E_SHAPE', `${where} core ${t}`, `a left rank of ${bonds[t]}`, core.shape);
  }
  const last = cores[cores.length - 1];
  if (last.shape[2] !== 1)
    throw mismatch('E_SHAPE', `${where} core ${cores.length - 1}`, 'a right rank of 1', last.shape);
  return cores;
}

/** The ranks r_0, …, r_T of a tensor train. */
export function ttRanks(tt: TensorTrain): number[] {
  return [1, ...coresOf('ttRanks', tt).map((core) => core.shape[2])];
}

/** Cores of two trains of one shape. */
export function coresOfBoth(
  where: string,
  a: TensorTrain,
  b: TensorTrain,
): readonly (readonly [Tensor, Tensor])[] {
  const [A, B] = [coresOf(`${where} a`, a), coresOf(`${where} b`, b)];
  const extents = (cores: readonly Tensor[]) => cores.map((core) => core.shape[1]);
  if (String(extents(A)) !== String(extents(B)))
    throw mismatch('E_SHAPE', `${where} b`, `extents [${extents(A).join(', ')}]`, extents(B));
  return A.map((core, t) => [core, B[t]]);
}

export const core = (left: number, extent: number, right: number, data: Float64Array): Tensor =>
  tensor64([left, extent, right], data);

/** A core [r, n, s] as the matrix [r·n, s] or [r, n·s]. */
export const leftUnfolding = ({ shape: [r, n, s], data }: Tensor): Matrix =>
  matrix(r * n, s, data as Float64Array);
export const rightUnfolding = ({ shape: [r, n, s], data }: Tensor): Matrix =>
  matrix(r, n * s, data as Float64Array);

/**
 * All elements of a tensor train, [n_1, …, n_T]; 2·Σ_t n_1⋯n_t r_{t−1} r_t operations.
 *
 * @throws XiError E_MEMORY before anything is allocated if the elements, or an intermediate, exceed `maxBytes`.
 */
export function ttFull(tt: TensorTrain, options: ComputeOptions = {}): Tensor {
  const cores = coresOf('ttFull', tt);
  const { linear, maxBytes } = computing('ttFull', options);
  const shape = cores.map(({ shape: [, n] }) => n);
  let count = 1;
  for (const { shape: extents } of cores) {
    count *= extents[1];
    checkElements('ttFull', count * extents[2], maxBytes);
  }
  let full = matrix(1, 1, Float64Array.of(1));
  for (const G of cores) {
    const next = linear.multiply(full, rightUnfolding(G));
    full = matrix(full.rows * G.shape[1], G.shape[2], next.data);
  }
  return tensor64(shape, full.data);
}

/** Rows of T indices each; checks them against the extents and returns how many there are. */
export function checkIndices(where: string, indices: Int32Array, shape: Shape): number {
  if (!(indices instanceof Int32Array)) throw mismatch('E_ARGUMENT', where, 'an Int32Array [n, T]', indices);
  const count = indices.length / shape.length;
  if (!Number.isInteger(count))
    throw mismatch('E_SHAPE', where, `a multiple of ${shape.length} indices`, indices.length);
  for (let at = 0; at < indices.length; at++) {
    const extent = shape[at % shape.length];
    if (!(indices[at] >= 0 && indices[at] < extent)) {
      throw new XiError(
        'E_ARGUMENT',
        `${where}: expected indices of axis ${at % shape.length} from 0 to ${extent - 1}, received ${indices[at]}`,
      );
    }
  }
  return count;
}

/** Elements of a tensor train at index tuples [n, T]; 2·n·Σ_t r_{t−1} r_t operations. */
export function ttEvaluate(tt: TensorTrain, indices: Int32Array): Float64Array {
  const cores = coresOf('ttEvaluate', tt);
  const shape = cores.map(({ shape: [, n] }) => n);
  const count = checkIndices('ttEvaluate indices', indices, shape);
  const widest = Math.max(...cores.map(({ shape: [, , s] }) => s));
  let state = new Float64Array(widest);
  let next = new Float64Array(widest);
  return Float64Array.from({ length: count }, (_, row) => {
    state[0] = 1;
    for (const [
      t,
      {
        shape: [r, n, s],
        data,
      },
    ] of cores.entries()) {
      const i = indices[row * shape.length + t];
      next.fill(0, 0, s);
      for (let a = 0; a < r; a++) {
        const from = (a * n + i) * s;
        for (let b = 0; b < s; b++) next[b] += state[a] * data[from + b];
      }
      [state, next] = [next, state];
    }
    return state[0];
  });
}
