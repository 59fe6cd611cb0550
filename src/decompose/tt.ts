import { mismatch } from '../core/errors.ts';
import type { Tensor } from '../core/tensor.ts';
import { type IndexTuples, indexTuples } from './indices.ts';
import { type Matrix, matrix } from './matrix.ts';
import { type ComputeOptions, checkElements, checkPart, computing, tensor64 } from './options.ts';
import { type Care, careFor, elementsOf, type Factor, level } from './range.ts';
import { withPower } from './scale.ts';
import { narrow, type Wide, wide, wideProduct, wideShape } from './wide.ts';

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
 * @throws XiError E_MEMORY before anything is allocated if the elements, or an intermediate, exceed `maxBytes`; E_NUMERIC for
 * an element that overflows. Products on the way may be of any size.
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
  const ordinary = () => {
    let full = matrix(1, 1, Float64Array.of(1));
    for (const G of cores) {
      const next = linear.multiply(full, rightUnfolding(G));
      full = matrix(full.rows * G.shape[1], G.shape[2], next.data);
    }
    return full.data;
  };
  return tensor64(
    shape,
    elementsOf('ttFull', linear, factorsOf(cores), ordinary, () => wideTrain(cores)),
  );
}

/**
 * Elements of a tensor train at index tuples [n, T]; 2·n·Σ_t r_{t−1} r_t operations.
 *
 * @throws XiError E_ARGUMENT for indices that the tensor does not have, E_NUMERIC for an element that overflows; products on the way may be of
 * any size.
 */
export function ttEvaluate(tt: TensorTrain, indices: IndexTuples): Float64Array {
  const where = 'ttEvaluate';
  const cores = coresOf(where, tt);
  const T = cores.length;
  const tuples = indexTuples(
    `${where} indices`,
    indices,
    cores.map(({ shape: [, n] }) => n),
  );
  const widest = Math.max(...cores.map(({ shape: [, , s] }) => s));
  const pair = [new Float64Array(widest), new Float64Array(widest)] as const;
  const care = careFor(factorsOf(cores));
  return Float64Array.from({ length: tuples.length / T }, (_, row) => {
    const at = tuples.subarray(row * T, (row + 1) * T);
    const element = care === 'wide' ? Number.NaN : elementAt(where, cores, at, pair, care);
    // Not a number: one that ordinary arithmetic might not get.
    return Number.isNaN(element) ? narrow(where, wideTrain(slicesAt(cores, at)))[0] : element;
  });
}

/** An element of a train whose cores are not too large or small; NaN where parts of a row on the way are too far apart. */
function elementAt(
  where: string,
  cores: readonly Tensor[],
  indices: Int32Array,
  [first, second]: readonly [Float64Array, Float64Array],
  care: Care,
): number {
  let [state, next] = [first, second];
  let power = 0;
  state[0] = 1;
  for (let t = 0; t < cores.length; t++) {
    const {
      shape: [r, n, s],
      data,
    } = cores[t];
    next.fill(0, 0, s);
    for (let a = 0; a < r; a++) {
      const from = (a * n + indices[t]) * s;
      for (let b = 0; b < s; b++) next[b] += state[a] * data[from + b];
    }
    if (care === 'level') power += level(next, s);
    [state, next] = [next, state];
  }
  return power === 0 ? state[0] : Number.isNaN(power) ? power : withPower(where, state[0], power);
}

const factorsOf = (cores: readonly Tensor[]): Factor[] =>
  cores.map(({ shape: [terms], data }) => ({ data, terms }));

/** A train of one element. */
const slicesAt = (cores: readonly Tensor[], indices: Int32Array): Tensor[] =>
  cores.map(({ shape: [r, n, s], data }, t) => {
    const slice = new Float64Array(r * s);
    for (let a = 0; a < r; a++)
      slice.set(
        (data as Float64Array).subarray((a * n + indices[t]) * s, (a * n + indices[t] + 1) * s),
        a * s,
      );
    return core(r, 1, s, slice);
  });

/** All elements, of any size. */
function wideTrain(cores: readonly Tensor[]): Wide {
  let full = wide(matrix(1, 1, Float64Array.of(1)));
  for (const G of cores) {
    const next = wideProduct(full, wide(rightUnfolding(G)));
    full = wideShape(next, full.rows * G.shape[1], G.shape[2]);
  }
  return full;
}
