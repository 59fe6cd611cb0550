import { mismatch, show, XiError } from '../core/errors.ts';
import { checkMemory } from '../core/memory.ts';
import { allocate, BYTES, type DType, type Tensor, tensor, zeros } from '../core/tensor.ts';
import { balancedTree } from '../core/tree.ts';
import { type CpConfig, checkConfig, type ModelKind } from './config.ts';
import { parametersOf } from './families.ts';
import { leafName, nodeName } from './ht.ts';
import { checkModel, createModel, Model } from './model.ts';
import { coreName } from './tt.ts';

/** Elements of the largest full tensor, 0.5 GiB of float64. */
const MAX_ELEMENTS = 2 ** 26;
/** Sequences that are scored at a time. */
const ROWS = 4096;

/**
 * The same function as a network of another family, on the same backend, with weights shared where the model shares its own. A CP network of
 * rank R is exactly
 *
 * - `'tt'`: projections C_t = v_t, cores G_t[r,r,r] = 1 and all others 0, last core G[r,r,c] = λ[r,c]: a sum of R networks of unit ranks.
 *   R³ numbers a step (Khrulkov, Hrinchuk & Oseledets 2019, Lemma 5.1 and Proposition A.4).
 * - `'ht'`, diagonal, of at least two steps: leaves W_t = v_t, nodes B[r,r] = 1, root B[r,c] = λ[r,c]. R² numbers a node.
 *
 * @throws XiError E_ARGUMENT for a pair of families for which no exact conversion is known; E_MEMORY, before anything is allocated, for a network of
 * more than 2 GiB.
 */
export function convert(model: Model, kind: ModelKind): Model {
  const { config } = checkModel('convert', model);
  if (config.kind !== 'cp' || (kind !== 'tt' && kind !== 'ht')) {
    const received = `a ${config.kind} model and ${show(kind)}`;
    throw new XiError('E_ARGUMENT', `convert: expected a cp model and 'tt' or 'ht', received ${received}`);
  }
  return shallowAs('convert', model, kind);
}

/** What {@link convert} does, for a function of another name. @internal */
export function shallowAs(where: string, model: Model, kind: 'tt' | 'ht'): Model {
  const { config, backend, parameters } = checkModel(where, model);
  if (config.kind !== 'cp') throw mismatch('E_ARGUMENT', where, 'a model of kind cp', config.kind);
  const { steps, dtype } = config;
  if (kind === 'ht' && steps < 2) throw mismatch('E_ARGUMENT', where, 'at least two steps', steps);
  const [rank] = config.rank;
  const sizes = {
    ...config,
    ...(kind === 'tt' ? { kind, rank, projection: rank } : { kind, rank, diagonal: true }),
  };
  const count = parametersOf(checkConfig(where, sizes));
  checkMemory(where, `a network of ${count} parameters`, BYTES[dtype] * count);
  const other = createModel({ ...sizes, init: 'normal', backend });
  const { lambda, v, ...same } = parameters;
  other.setParameters({ ...same, ...(kind === 'tt' ? trainOf : treeOf)(config, lambda, v) });
  return other;
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

/** v_t [R,M]. */
function directionOf({ shared }: CpConfig, { dtype, shape, data }: Tensor, t: number): Tensor {
  const [R, M] = shape.slice(-2);
  const from = shared ? 0 : t * R * M;
  return { dtype, shape: [R, M], data: data.slice(from, from + R * M) };
}

function trainOf(config: CpConfig, lambda: Tensor, v: Tensor): Record<string, Tensor> {
  const { steps, outputs, rank } = config;
  const [R] = rank;
  const named: Record<string, Tensor> = {};
  for (let t = 0; t < steps; t++) {
    const [rows, columns] = [t === 0 ? 1 : R, t === steps - 1 ? outputs : R];
    const core = zeros([R, rows, columns], v.dtype);
    for (let r = 0; r < R; r++) {
      const at = (r * rows + (t === 0 ? 0 : r)) * columns;
      if (t < steps - 1) core.data[at + r] = 1;
      else core.data.set(lambda.data.subarray(r * outputs, (r + 1) * outputs), at);
    }
    named[`C.${coreName(config, t)}`] = directionOf(config, v, t);
    named[`G.${coreName(config, t)}`] = core;
  }
  return named;
}

function treeOf(config: CpConfig, lambda: Tensor, v: Tensor): Record<string, Tensor> {
  const [R] = config.rank;
  const unit = identity(R, v.dtype);
  const { leaves, inner, root } = balancedTree(config.steps);
  return Object.fromEntries([
    ...leaves.map((leaf) => [leafName(config, leaf), directionOf(config, v, leaf.place)]),
    ...inner.map((node) => [nodeName(config, node), node === root ? lambda : unit]),
  ]);
}

/** The matrix [size,size] with ones on its diagonal. */
function identity(size: number, dtype: DType): Tensor {
  const unit = zeros([size, size], dtype);
  for (let n = 0; n < size; n++) unit.data[n * size + n] = 1;
  return unit;
}

/**
 * The coefficients W [M,…,M,outputs] of a network whose ξ is the product, which is multilinear in the features of its
 * steps: `score[c] = Σ W[m_1,…,m_T,c] f(x_1)[m_1] ⋯ f(x_T)[m_T]`. Costs the scoring of M^T sequences.
 *
 * @throws XiError E_ARGUMENT for another ξ; E_MEMORY beyond 2²⁶ elements.
 */
export function fullTensor(model: Model): Tensor {
  const { config, backend } = checkModel('fullTensor', model);
  const { steps, outputs, xi, dtype } = config;
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
  const unit = identity(M, dtype);
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
