/**
 * The smallest CP and HT networks, put together from kernels alone: the fold and the contraction must reproduce golden
 * scores and gradients without a model around them, whatever the models do.
 */
import type { Activation, Backend, Storage } from '../../src/backend/interface.ts';
import { DTYPES, type DType } from '../../src/core/tensor.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import { dense, featuresBackward, featuresForward, transposed } from '../../src/features/features.ts';
import { expectClose, type GoldenArray, golden, goldenNames, values } from '../support/golden.ts';
import { type ConformanceCase, put, TOLERANCE } from './case.ts';

interface Family {
  readonly kind: 'cp' | 'cp_shared' | 'ht' | 'ht_diagonal';
  readonly xi: Xi;
  readonly sigma: Activation;
  readonly sizes: { readonly T: number; readonly B: number };
  readonly params: Weights;
  readonly grads: Weights;
  readonly X: GoldenArray;
  readonly scores: GoldenArray;
  readonly w: GoldenArray;
  readonly grad_X: GoldenArray;
}

interface Weights {
  readonly A: GoldenArray;
  readonly b: GoldenArray;
  /** CP: scores Σ_r λ[r,c] ξ_t ⟨f(x_t), v[t,r]⟩ */
  readonly lambda: GoldenArray;
  readonly v: GoldenArray;
  /** HT with one node: scores Σ_ab B[a,b,c] ξ((W_0 f_0)[a], (W_1 f_1)[b]); diagonal: Σ_a B[a,c] ξ(·[a], ·[a]) */
  readonly W: GoldenArray[];
  readonly B: GoldenArray[][];
}

/** What the families differ in: from the features of each step to scores, and back. */
interface Head {
  forward(): Storage;
  /** Fills dF and returns the gradients of the head's own weights with what they must be. */
  backward(dScores: Storage, dF: Storage): [string, Storage, GoldenArray][];
}

function familyCase(file: string, dtype: DType): ConformanceCase {
  return {
    name: `${file} ${dtype}: scores and gradients, from kernels`,
    run(backend) {
      const net = golden<Family>(file);
      const [batch, steps, N] = net.X.shape;
      const M = net.params.A.shape[0];
      const load = (array: GoldenArray) => put(backend, dtype, values(array));
      const zeros = (count: number) => backend.allocate(dtype, count);
      const [x, A, b] = [net.X, net.params.A, net.params.b].map(load);
      const sizes = { rows: batch * steps, N, M, activation: net.sigma };
      const [F, dF] = [batch * steps * M, batch * steps * M].map(zeros);
      featuresForward(backend, sizes, x, A, b, F);
      const head = (net.kind.startsWith('cp') ? shallow : oneNode)(net, backend, dtype, F);
      const { value, gradient } = TOLERANCE[dtype];
      expectClose('scores', head.forward().read(), values(net.scores), value);
      const weights = head.backward(load(net.w), dF);
      const to = { dA: zeros(A.length), db: zeros(b.length), dx: zeros(x.length) };
      featuresBackward(backend, sizes, { x, A, F, dF }, to);
      const all: [string, Storage, GoldenArray][] = [
        ...weights,
        ['A', to.dA, net.grads.A],
        ['b', to.db, net.grads.b],
        ['X', to.dx, net.grad_X],
      ];
      for (const [name, got, want] of all)
        expectClose(`gradient of ${name}`, got.read(), values(want), gradient);
    },
  };
}

/** Rows of step t in an array [B,T,M]. */
const rowsOf = (F: Storage, t: number, steps: number, M: number) => ({
  data: F.at(t * M),
  rowStride: steps * M,
  colStride: 1,
});

function shallow(net: Family, backend: Backend, dtype: DType, F: Storage): Head {
  const [batch, steps] = net.X.shape;
  const M = net.params.A.shape[0];
  const [R, K] = net.params.lambda.shape;
  const shared = net.kind === 'cp_shared';
  const zeros = (count: number) => backend.allocate(dtype, count);
  const [lambda, v] = [net.params.lambda, net.params.v].map((array) => put(backend, dtype, values(array)));
  const [z, dz] = [steps * batch * R, steps * batch * R].map(zeros);
  const [joined, dJoined] = [batch * R, batch * R].map(zeros);
  const of = (weights: Storage, t: number) => dense(weights.at(shared ? 0 : t * R * M, R * M), M);
  return {
    forward() {
      for (let t = 0; t < steps; t++) {
        const to = dense(z.at(t * batch * R, batch * R), R);
        backend.matmul(batch, R, M, rowsOf(F, t, steps, M), transposed(of(v, t)), to, false);
      }
      const scores = zeros(batch * K);
      backend.fold(net.xi, steps, batch * R, z, joined);
      backend.matmul(batch, K, R, dense(joined, R), dense(lambda, K), dense(scores, K), false);
      return scores;
    },
    backward(dScores, dF) {
      const [dLambda, dv] = [lambda.length, v.length].map(zeros);
      backend.matmul(R, K, batch, transposed(dense(joined, R)), dense(dScores, K), dense(dLambda, K), false);
      backend.matmul(batch, R, K, dense(dScores, K), transposed(dense(lambda, K)), dense(dJoined, R), false);
      backend.foldGradient(net.xi, steps, batch * R, z, dJoined, dz);
      for (let t = 0; t < steps; t++) {
        const from = dense(dz.at(t * batch * R, batch * R), R);
        backend.matmul(R, M, batch, transposed(from), rowsOf(F, t, steps, M), of(dv, t), shared && t > 0);
        backend.matmul(batch, M, R, from, of(v, t), rowsOf(dF, t, steps, M), false);
      }
      return [
        ['lambda', dLambda, net.grads.lambda],
        ['v', dv, net.grads.v],
      ];
    },
  };
}

function oneNode(net: Family, backend: Backend, dtype: DType, F: Storage): Head {
  const [batch, steps] = net.X.shape;
  const M = net.params.A.shape[0];
  const R = net.params.W[0].shape[0];
  const core = net.params.B[0][0];
  const K = core.shape[core.shape.length - 1];
  const zeros = (count: number) => backend.allocate(dtype, count);
  const W = net.params.W.map((array) => put(backend, dtype, values(array)));
  const B = put(backend, dtype, values(core));
  const [leaves, dLeaves] = [2 * batch * R, 2 * batch * R].map(zeros);
  const [left, right, dLeft, dRight] = [leaves, dLeaves].flatMap((s) => [
    s.at(0, batch * R),
    s.at(batch * R),
  ]);
  const [joined, dJoined] = [batch * R, batch * R].map(zeros);
  const diagonal = net.kind === 'ht_diagonal';
  const sizes = { B: batch, L: R, R, K };
  return {
    forward() {
      [left, right].forEach((leaf, t) => {
        backend.matmul(
          batch,
          R,
          M,
          rowsOf(F, t, steps, M),
          transposed(dense(W[t], M)),
          dense(leaf, R),
          false,
        );
      });
      const scores = zeros(batch * K);
      if (diagonal) {
        backend.fold(net.xi, 2, batch * R, leaves, joined);
        backend.matmul(batch, K, R, dense(joined, R), dense(B, K), dense(scores, K), false);
      } else backend.contract(net.xi, sizes, left, right, B, scores);
      return scores;
    },
    backward(dScores, dF) {
      const dB = zeros(B.length);
      if (diagonal) {
        backend.matmul(R, K, batch, transposed(dense(joined, R)), dense(dScores, K), dense(dB, K), false);
        backend.matmul(batch, R, K, dense(dScores, K), transposed(dense(B, K)), dense(dJoined, R), false);
        backend.foldGradient(net.xi, 2, batch * R, leaves, dJoined, dLeaves);
      } else {
        const from = { a: left, h: right, G: B, dout: dScores };
        backend.contractGradient(net.xi, sizes, from, { da: dLeft, dh: dRight, dG: dB }, false);
      }
      const dW = [dLeft, dRight].map((dLeaf, t): [string, Storage, GoldenArray] => {
        const gradient = zeros(R * M);
        backend.matmul(
          R,
          M,
          batch,
          transposed(dense(dLeaf, R)),
          rowsOf(F, t, steps, M),
          dense(gradient, M),
          false,
        );
        backend.matmul(batch, M, R, dense(dLeaf, R), dense(W[t], M), rowsOf(dF, t, steps, M), false);
        return [`W.${t}`, gradient, net.grads.W[t]];
      });
      return [...dW, ['B', dB, net.grads.B[0][0]]];
    },
  };
}

export const familyCases: readonly ConformanceCase[] = DTYPES.flatMap((dtype) =>
  goldenNames(/^(net_cp|edge_T[12]_cp|edge_T2_ht)_[a-z0-9_]+\.json$/).map((file) => familyCase(file, dtype)),
);
