import { mismatch, show, XiError } from '../core/errors.ts';
import { allocate, type Tensor, tensor, zeros } from '../core/tensor.ts';
import type { CpConfig, ModelKind } from './config.ts';
import { checkModel, createModel, Model } from './model.ts';
import { coreName } from './tt.ts';

/** Elements of the largest full tensor, 0.5 GiB of float64. */
const MAX_ELEMENTS = 2 ** 26;
/** Sequences that are scored at a time. */
const ROWS = 4096;

/**
 * The same function as a network of another family, on the same backend: a CP network of rank R as a TT network with
 * projections C_t = v_t, cores G_t[r,r,r] = 1 and all others 0, and last core G[r,r,c] = λ[r,c]: a sum of R networks of
 * unit ranks. It has R³ numbers a step (Khrulkov, Hrinchuk & Oseledets 2019, Lemma 5.1 and Proposition A.4).
 *
 * @throws XiError E_ARGUMENT for a pair of families for which no exact conversion is known.
 */
export function convert(model: Model, kind: ModelKind): Model {
  const { config } = checkModel('convert', model);
  if (config.kind !== 'cp' || kind !== 'tt') {
    const received = `a ${config.kind} model and ${show(kind)}`;
    throw new XiError('E_ARGUMENT', `convert: expected a cp model and 'tt', received ${received}`);
  }
  return trainOf(model, config);
}

/** The same network with parameters of its own: what happens to the other while somebody waits does not concern it. */
export const copyModel = ({ config, backend, parameters }: Model): Model =>
  new Model(config, backend, new Map(Object.entries(parameters)));

/** The same network in float64. */
export function wideModel(model: Model): Model {
  if (model.config.dtype === 'float64') return model;
  const wide = createModel({ ...model.config, dtype: 'float64', backend: model.backend });
  const parameters = Object.entries(model.parameters).map(([name, values]) => [
    name,
    tensor(values, undefined, 'float64'),
  ]);
  wide.setParameters(Object.fromEntries(parameters));
  return wide;
}

function trainOf(model: Model, config: CpConfig): Model {
  const { steps, outputs, features, shared, dtype } = config;
  const { backend, parameters } = model;
  const [R] = config.rank;
  const { lambda, v, ...same } = parameters;
  const train = createModel({ ...config, kind: 'tt', rank: R, projection: R, init: 'normal', backend });
  const named: Record<string, Tensor> = { ...same };
  for (let t = 0; t < steps; t++) {
    const [rows, columns] = [t === 0 ? 1 : R, t === steps - 1 ? outputs : R];
    const core = zeros([R, rows, columns], dtype);
    for (let r = 0; r < R; r++) {
      const at = (r * rows + (t === 0 ? 0 : r)) * columns;
      if (t < steps - 1) core.data[at + r] = 1;
      else core.data.set(lambda.data.subarray(r * outputs, (r + 1) * outputs), at);
    }
    const from = shared ? 0 : t * R * features.size;
    const data = v.data.slice(from, from + R * features.size);
    named[`C.${coreName(config, t)}`] = { dtype, shape: [R, features.size], data };
    named[`G.${coreName(config, t)}`] = core;
  }
  train.setParameters(named);
  return train;
}

/**
 * The coefficients W [M,…,M,outputs] of a network whose ξ is the product, which is multilinear in the features of its
 * steps: `score[c] = Σ W[m_1,…,m_T,c] f(x_1)[m_1] ⋯ f(x_T)[m_T]`. Costs the scoring of M^T sequences.
 *
 * @throws XiError E_ARGUMENT for another ξ; E_MEMORY beyond 2²⁶ elements.
 */
export function fullTensor(model: Model): Tensor;
export function fullTensor(model: Model, options?: object): Tensor {
  const { config, backend } = checkModel('fullTensor', model);
  const { steps, outputs, xi, dtype } = config;
  if (options !== undefined) throw mismatch('E_ARGUMENT', 'fullTensor', 'a model alone', options);
  const M = config.features.size;
  if (xi !== 'product') throw mismatch('E_ARGUMENT', 'fullTensor', 'a network with ξ = product', xi);
  const count = M ** steps;
  if (count * outputs > MAX_ELEMENTS) {
    throw new XiError(
      'E_MEMORY',
      `fullTensor: expected at most 2^26 elements, received ${M}^${steps}·${outputs}`,
    );
  }
  // The score of unit vectors in place of features is one coefficient.
  const unit = zeros([M, M], dtype);
  for (let m = 0; m < M; m++) unit.data[m * M + m] = 1;
  const features = { size: M, activation: 'identity' } as const;
  const bare = createModel({ ...config, inputs: M, features, init: 'normal', backend });
  bare.setParameters({ ...model.parameters, 'features.A': unit, 'features.b': zeros([M], dtype) });
  const out = allocate(dtype, count * outputs);
  for (let start = 0; start < count; start += ROWS) {
    const rows = Math.min(ROWS, count - start);
    const X = zeros([rows, steps, M], dtype);
    for (let n = 0; n < rows; n++) {
      for (let t = steps - 1, rest = start + n; t >= 0; t--, rest = Math.floor(rest / M)) {
        X.data[(n * steps + t) * M + (rest % M)] = 1;
      }
    }
    out.set(bare.score(X).data, start * outputs);
  }
  return { dtype, shape: [...new Array(steps).fill(M), outputs], data: out };
}
