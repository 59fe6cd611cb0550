import { mismatch } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import type { Tensor } from '../core/tensor.ts';
import { type Linear, matrix, transpose } from './matrix.ts';
import {
  type ComputeOptions,
  checkElements,
  computing,
  TRUNCATION_KEYS,
  type TruncationOptions,
  truncation,
} from './options.ts';
import { checkRange, Powers, spreadPower, takeBoth, withPower, withScale } from './scale.ts';
import { split } from './truncate.ts';
import {
  type ApproximateTT,
  core,
  coresOf,
  coresOfBoth,
  leftUnfolding,
  rightUnfolding,
  type TensorTrain,
} from './tt.ts';

/**
 * `a + b`, with ranks r_t + s_t between the ends: block-diagonal cores, side by side at the ends.
 *
 * @throws XiError E_MEMORY before anything is allocated if a core exceeds `maxBytes`.
 */
export function ttAdd(a: TensorTrain, b: TensorTrain, options: ComputeOptions = {}): TensorTrain {
  const pairs = coresOfBoth('ttAdd', a, b);
  const { maxBytes } = computing('ttAdd', options);
  const last = pairs.length - 1;
  const shapes = pairs.map(([A, B], t) => {
    const [rows, n, cols] = A.shape;
    return [t === 0 ? 1 : rows + B.shape[0], n, t === last ? 1 : cols + B.shape[2]] as const;
  });
  for (const shape of shapes) checkElements('ttAdd core', product(shape), maxBytes);
  const cores = pairs.map(([A, B], t) => {
    const [rows, , cols] = A.shape;
    const [left, n, right] = shapes[t];
    const data = new Float64Array(left * n * right);
    addBlock(data, n, right, A, 0, 0);
    addBlock(data, n, right, B, t === 0 ? 0 : rows, t === last ? 0 : cols);
    return core(left, n, right, data);
  });
  return { cores };
}

/** Adds the core G to a block of a core [·, n, right], so that T = 1, where blocks coincide, sums. */
function addBlock(
  to: Float64Array,
  n: number,
  right: number,
  G: Tensor,
  rowOffset: number,
  colOffset: number,
): void {
  const [rows, , cols] = G.shape;
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < n; i++) {
      for (let c = 0; c < cols; c++)
        to[((rowOffset + r) * n + i) * right + colOffset + c] += G.data[(r * n + i) * cols + c];
    }
  }
}

/** `factor · tt`; @throws XiError E_ARGUMENT for a factor that is no finite number, E_NUMERIC if the first core, which takes it, overflows. */
export function ttScale(tt: TensorTrain, factor: number): TensorTrain {
  if (!Number.isFinite(factor)) throw mismatch('E_ARGUMENT', 'ttScale factor', 'a finite number', factor);
  const [first, ...others] = coresOf('ttScale', tt);
  const cores = [
    { ...first, data: first.data.map((value) => value * factor) },
    ...others.map((G) => ({ ...G, data: G.data.slice() })),
  ];
  return { cores: checkRange('ttScale', cores) };
}

/**
 * The elementwise product, with ranks r_t · s_t: Kronecker products of the slices of the cores.
 *
 * @throws XiError E_MEMORY before anything is allocated if a core exceeds `maxBytes`, E_NUMERIC if the last core
 * overflows, which takes the size of products beyond the range of float64.
 */
export function ttHadamard(a: TensorTrain, b: TensorTrain, options: ComputeOptions = {}): TensorTrain {
  const pairs = coresOfBoth('ttHadamard', a, b);
  const { maxBytes } = computing('ttHadamard', options);
  for (const [A, B] of pairs)
    checkElements('ttHadamard core', product(A.shape) * B.shape[0] * B.shape[2], maxBytes);
  const powers = new Powers();
  const cores = pairs.map(([a, b]) => {
    const [A, B] = takeBoth(powers, a, b);
    const [ra, n, sa] = A.shape;
    const [rb, , sb] = B.shape;
    const data = new Float64Array(ra * rb * n * sa * sb);
    let at = 0;
    for (let p = 0; p < ra; p++) {
      for (let q = 0; q < rb; q++) {
        for (let i = 0; i < n; i++) {
          for (let c = 0; c < sa; c++) {
            const value = A.data[(p * n + i) * sa + c];
            for (let d = 0; d < sb; d++) data[at++] = value * B.data[(q * n + i) * sb + d];
          }
        }
      }
    }
    return core(ra * rb, n, sa * sb, data);
  });
  return { cores: withScale('ttHadamard', cores, powers.lost) };
}

/**
 * `Σ a[i] b[i]` over all elements; O(Σ_t n_t r_t s_t (r_t + s_t)) operations.
 *
 * @throws XiError E_NUMERIC if the sum overflows; its parts may be of any size.
 */
export function ttDot(a: TensorTrain, b: TensorTrain, options: ComputeOptions = {}): number {
  const pairs = coresOfBoth('ttDot', a, b);
  const { linear } = computing('ttDot', options);
  let state = matrix(1, 1, Float64Array.of(1));
  const powers = new Powers();
  for (const pair of pairs) {
    // state[p, q] → Σ_pq A[p,i,·] state[p,q] B[q,i,·]
    const [A, B] = pair.map((G) => powers.take(G));
    const [, n] = A.shape;
    const partial = linear.transposedTimes(state, rightUnfolding(A));
    const kept = matrix(B.shape[0] * n, A.shape[2], partial.data);
    state = powers.take(linear.transposedTimes(kept, leftUnfolding(B)));
  }
  return withPower('ttDot', state.data[0], powers.lost);
}

/**
 * `‖tt‖`, the Frobenius norm, from an orthogonalized train: accurate where √ttDot(tt, tt) cancels or leaves the range of float64.
 *
 * @throws XiError E_NUMERIC if the norm itself overflows.
 */
export function ttNorm(tt: TensorTrain, options: ComputeOptions = {}): number {
  const cores = coresOf('ttNorm', tt);
  const { linear } = computing('ttNorm', options);
  const { out, power } = rightOrthogonal(linear, cores);
  return withPower('ttNorm', linear.norm(out[0].data as Float64Array), power);
}

/**
 * The same tensor, divided by 2^power, with all cores but the first right-orthogonal: G_t [r, n·s] has orthonormal rows. Elements may be
 * tiny or huge, or become so on the way through many cores; squares of their powers of two would leave the range of float64.
 */
function rightOrthogonal(linear: Linear, cores: readonly Tensor[]): { out: Tensor[]; power: number } {
  const powers = new Powers();
  const out = cores.map((G) => powers.take(G));
  for (let t = out.length - 1; t > 0; t--) {
    const [r, n, s] = out[t].shape;
    const { Q, R } = linear.qr(transpose(rightUnfolding(out[t])));
    const [left, extent] = out[t - 1].shape;
    out[t] = core(Q.cols, n, s, transpose(Q).data);
    // G = Rᵀ Qᵀ, and Rᵀ goes to the left.
    const moved = linear.timesTransposed(leftUnfolding(out[t - 1]), R);
    out[t - 1] = powers.take(core(left, extent, Math.min(r, n * s), moved.data));
  }
  return { out, power: powers.lost };
}

/**
 * A tensor train of less ranks within `eps·‖tt‖`, and within √(T−1) of the best error for its ranks.
 *
 * QR decompositions from right to left make the unfoldings of the cores tell the singular values of those of the
 * tensor, SVDs from left to right leave out at most `eps·‖tt‖/√(T−1)` each; O(T n r³) operations (Oseledets 2011, Algorithm 2).
 *
 * @throws XiError E_MEMORY before anything is allocated if a core exceeds `maxBytes`: work on it takes as much again; E_NUMERIC if the
 * tensor is too large for its cores.
 */
export function ttRound(tt: TensorTrain, options: TruncationOptions = {}): ApproximateTT {
  const cores = coresOf('ttRound', tt);
  const { linear, eps, maxRanks, maxBytes } = truncation(
    'ttRound',
    options,
    cores.length - 1,
    TRUNCATION_KEYS,
  );
  for (const { shape } of cores) checkElements('ttRound core', product(shape), maxBytes);
  const { out, power } = rightOrthogonal(linear, cores);
  const norm = linear.norm(out[0].data as Float64Array);
  const threshold = { value: (eps * norm) / Math.sqrt(Math.max(1, cores.length - 1)), norm };
  let discarded = 0;
  for (let t = 0; t + 1 < out.length; t++) {
    const [r, n] = out[t].shape;
    const step = split(linear, leftUnfolding(out[t]), threshold, maxRanks[t]);
    discarded += step.discarded;
    out[t] = core(r, n, step.U.cols, step.U.data);
    const [, extent, right] = out[t + 1].shape;
    out[t + 1] = core(
      step.U.cols,
      extent,
      right,
      linear.multiply(step.rest, rightUnfolding(out[t + 1])).data,
    );
  }
  return { cores: spreadPower('ttRound', out, power), error: norm > 0 ? Math.sqrt(discarded) / norm : 0 };
}
