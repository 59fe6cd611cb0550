import { mismatch } from '../core/errors.ts';
import type { FloatArray } from '../core/tensor.ts';
import { XI } from '../core/xi.gen.ts';
import type { Folds, Rows } from './interface.ts';
import { passed } from './reference_slopes.ts';
import { arrayOf } from './storage.ts';

/** The definitions of the folds over steps, and of their gradients. */
export const foldKernels: Folds = {
  fold(xi, steps, count, zIn, outIn) {
    const [z, out] = [zIn, outIn].map(arrayOf);
    for (let n = 0; n < count; n++) out[n] = foldStates(XI[xi], z, steps, count, n)[steps];
  },

  foldGradient(xi, steps, count, zIn, doutIn, dzIn) {
    const [z, dout, dz] = [zIn, doutIn, dzIn].map(arrayOf);
    const row = XI[xi];
    for (let n = 0; n < count; n++) {
      const states = foldStates(row, z, steps, count, n);
      let gradient = dout[n];
      for (let t = steps - 1; t >= 0; t--) {
        const operand = z[t * count + n];
        dz[t * count + n] = passed(row, gradient, row.dy(states[t], operand));
        gradient = passed(row, gradient, row.dx(states[t], operand));
      }
    }
  },

  projectFold(xi, { steps, B, R, M }, f, v, to) {
    const { unit, value, dx, dy } = XI[xi];
    const [s, winners] = [to.s, to.winners].map((storage) => storage && arrayOf(storage));
    const [fs, vs] = [f.data, v.data].map(arrayOf);
    const K = to.sum?.K ?? 0;
    const [lambda, scores] = to.sum ? [to.sum.lambda, to.sum.scores].map(arrayOf) : [];
    const sums = new Float64Array(K);
    for (let b = 0; b < B; b++) {
      sums.fill(0);
      for (let r = 0; r < R; r++) {
        let state: number = unit;
        let winner = -1;
        for (let t = 0; t < steps; t++) {
          const z = dot(fs, at(f, t, b), vs, at(v, t, r), M);
          if (dx(state, z) === 0) winner = -1;
          if (dy(state, z) !== 0) winner = t;
          state = value(state, z);
        }
        if (s) s[b * R + r] = state;
        if (winners) winners[b * R + r] = winner;
        for (let k = 0; k < K; k++) sums[k] += state * lambda[r * K + k];
      }
      scores?.set(sums, b * K);
    }
  },

  winnerSums({ steps, P, Q, M }, winnersIn, dIn, transposed, x, out) {
    const [winners, d, xs, to] = [winnersIn, dIn, x.data, out.data].map(arrayOf);
    const strange = winners.find((winner) => !(winner >= -1 && winner < steps));
    if (strange !== undefined)
      throw mismatch('E_ARGUMENT', 'winnerSums winners', `steps from 0 to ${steps - 1}, or -1`, strange);
    const sums = new Float64Array(steps * M);
    for (let p = 0; p < P; p++) {
      sums.fill(0);
      for (let q = 0; q < Q; q++) {
        const pair = transposed ? q * P + p : p * Q + q;
        const winner = winners[pair];
        if (winner < 0) continue;
        for (let m = 0; m < M; m++) sums[winner * M + m] += d[pair] * xs[at(x, winner, q) + m];
      }
      for (let t = 0; t < steps; t++) {
        for (let m = 0; m < M; m++) to[at(out, t, p) + m] += sums[t * M + m];
      }
    }
  },
};

const at = ({ row, step }: Rows, t: number, n: number) => t * step + n * row;

function dot(x: FloatArray, fromX: number, y: FloatArray, fromY: number, count: number): number {
  let sum = 0;
  for (let n = 0; n < count; n++) sum += x[fromX + n] * y[fromY + n];
  return sum;
}

/** s_0 = u, s_t = ξ(s_{t−1}, z_t) for element n. */
function foldStates(
  row: (typeof XI)[keyof typeof XI],
  z: FloatArray,
  steps: number,
  count: number,
  n: number,
): Float64Array {
  const states = new Float64Array(steps + 1);
  states[0] = row.unit;
  for (let t = 0; t < steps; t++) states[t + 1] = row.value(states[t], z[t * count + n]);
  return states;
}
