import type { Tensor } from '../core/tensor.ts';
import type { Model } from '../models/model.ts';
import { type Block, block } from './build.ts';
import { agree, cores, directions, modelLike, ofKind } from './parts.ts';

/** Features of a sum, and the columns of its projections that the features of q begin at. */
interface Joined {
  readonly size: number;
  readonly offset: number;
  readonly parameters: Readonly<Record<string, Tensor | Block>>;
}

/**
 * The network whose scores are those of p plus those of q (Lemma 5.1): ranks, L and widths add.
 *
 * TT: C_t = [C′_t; C″_t] and G_t block diagonal; pairs ξ(a′_i, h″_j) exist and have weight 0. CP: the terms of both. Features that both
 * share are kept, others stand side by side. Shared weights are written out for each step.
 *
 * @throws XiError E_ARGUMENT for trees, and for models that differ in kind, ξ, steps, inputs, outputs, dtype or activation.
 */
export function addNetworks(p: Model, q: Model): Model {
  for (const model of [p, q]) ofKind('addNetworks', model, 'tt', 'cp');
  agree('addNetworks', p, q);
  return p.config.kind === 'cp' ? addShallow(p, q) : addRecurrent(p, q);
}

function addShallow(p: Model, q: Model): Model {
  const features = joinFeatures(p, q);
  const [left, right] = [directions(p), directions(q)];
  const blocks = left.map((v, t) => stackRows(v, right[t], features));
  const rank = p.config.rank[0] + q.config.rank[0];
  const data = new Float64Array(blocks.length * rank * features.size);
  for (const [t, v] of blocks.entries()) data.set(v.data, t * v.data.length);
  const [first, second] = [p.parameters.lambda.data, q.parameters.lambda.data];
  const lambda = new Float64Array(first.length + second.length);
  lambda.set(first);
  lambda.set(second, first.length);
  return modelLike(
    p,
    { kind: 'cp', rank, features: { ...p.config.features, size: features.size } },
    {
      ...features.parameters,
      lambda: { shape: [rank, p.config.outputs], data: lambda },
      v: { shape: [blocks.length, rank, features.size], data },
    },
  );
}

function addRecurrent(p: Model, q: Model): Model {
  const T = p.config.steps;
  const features = joinFeatures(p, q);
  const own: Record<string, Tensor | Block> = { ...features.parameters };
  const [C, D, G, H] = [cores(p, 'C'), cores(q, 'C'), cores(p, 'G'), cores(q, 'G')];
  for (let t = 0; t < T; t++) {
    own[`C.${t}`] = stackRows(C[t], D[t], features);
    own[`G.${t}`] = blockDiagonal(G[t], H[t], t === 0, t === T - 1);
  }
  const rank = p.config.rank.map((r, t) => r + q.config.rank[t]);
  const projection = C[0].shape[0] + D[0].shape[0];
  return modelLike(
    p,
    { kind: 'tt', rank, projection, features: { ...p.config.features, size: features.size } },
    own,
  );
}

/** Rows of both, those of q over its own features. */
function stackRows(left: Tensor, right: Tensor, { size, offset }: Joined): Block {
  const [rows, M] = left.shape;
  const N = right.shape[1];
  return block([rows + right.shape[0], size], (i, m) => {
    if (i < rows) return m < M ? left.data[i * M + m] : 0;
    const n = m - offset;
    return n >= 0 && n < N ? right.data[(i - rows) * N + n] : 0;
  });
}

/** Where a step has no state before it, or scores behind it, that axis is common. */
function blockDiagonal(left: Tensor, right: Tensor, first: boolean, last: boolean): Block {
  const [L, R, K] = left.shape;
  const [L2, R2, K2] = right.shape;
  return block([L + L2, first ? 1 : R + R2, last ? K : K + K2], (i, j, k) => {
    if (i < L) return j < R && k < K ? left.data[(i * R + j) * K + k] : 0;
    const [b, c] = [first ? j : j - R, last ? k : k - K];
    return b >= 0 && c >= 0 ? right.data[((i - L) * R2 + b) * K2 + c] : 0;
  });
}

function joinFeatures(p: Model, q: Model): Joined {
  const [{ 'features.A': A, 'features.b': b }, { 'features.A': A2, 'features.b': b2 }] = [
    p.parameters,
    q.parameters,
  ];
  const [M, N] = A.shape;
  if (same(A, A2) && same(b, b2)) return { size: M, offset: 0, parameters: {} };
  const size = M + A2.shape[0];
  return {
    size,
    offset: M,
    parameters: {
      'features.A': block([size, N], (m, n) => (m < M ? A.data[m * N + n] : A2.data[(m - M) * N + n])),
      'features.b': block([size], (m) => (m < M ? b.data[m] : b2.data[m - M])),
    },
  };
}

const same = (x: Tensor, y: Tensor): boolean =>
  x.data.length === y.data.length && x.data.every((value, n) => value === y.data[n]);
