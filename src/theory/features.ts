import { ACTIVATIONS, type Activation } from '../backend/interface.ts';
import { knownKeys, mismatch, oneOf } from '../core/errors.ts';
import { checkMemory } from '../core/memory.ts';
import { checkTensor, isTensor, type Tensor, tensor, tensorOf } from '../core/tensor.ts';
import { factorize } from './solve.ts';

/** Features f(x) = σ(Ax + b) and M templates for which F[m,:] = f(x_m) is invertible. */
export interface TemplateFeatures {
  /** [M,N] */
  readonly A: Tensor;
  /** [M] */
  readonly b: Tensor;
  /** σ. */
  readonly activation: Activation;
  /** [M,N] */
  readonly templates: Tensor;
}

/** What a construction takes as features: those of some templates, or F [M,M] itself, which one-hot templates then show. */
export type FeatureChoice = Tensor | TemplateFeatures;

/** Features of a construction: what the model holds, and how to reach any projection of the templates. */
export interface FeatureMap {
  readonly size: number;
  readonly inputs: number;
  readonly activation: Activation;
  readonly parameters: { readonly 'features.A': Tensor; readonly 'features.b': Tensor };
  /** [M,N], the inputs that the modes of the grid tensor stand for. */
  readonly templates: Tensor;
  /** ‖F‖₁ ‖F⁻¹‖₁. */
  readonly condition: number;
  /** C [rows,M] with C F^T = A, so that template m shows column m of A [rows,M]. */
  project(A: ArrayLike<number>): Float64Array;
}

/** F = I: one-hot templates, which are their own features. */
export function identity(M: number): Tensor {
  checkMemory('features', `shape [${M}, ${M}]`, 8 * M * M);
  const data = new Float64Array(M * M);
  for (let m = 0; m < M; m++) data[m * M + m] = 1;
  return tensor(data, [M, M]);
}

/**
 * The features of a construction over M templates; by default one-hot templates that are their own features.
 *
 * @throws XiError E_SHAPE, E_DTYPE for what does not fit M; E_NUMERIC where F is singular to working precision.
 */
export function featureMap(M: number, choice: FeatureChoice = identity(M)): FeatureMap {
  const { A, b, activation, templates } = isTensor(choice) ? shown(M, choice) : checked(M, choice);
  const F = evaluate(A, b, activation, templates);
  const factors = factorize('features F', F, M);
  return {
    size: M,
    inputs: A.shape[1],
    activation,
    parameters: { 'features.A': A, 'features.b': b },
    templates,
    condition: factors.condition,
    project(values) {
      const out = new Float64Array(values.length);
      const rows = Float64Array.from(values);
      for (let n = 0; n < out.length; n += M) out.set(factors.solve(rows.subarray(n, n + M)), n);
      return out;
    },
  };
}

/** The linear features that show row m of F where input m is one-hot: A = F^T, b = 0. */
function shown(M: number, given: Tensor): TemplateFeatures {
  const F = checkTensor('features F', tensorOf('features F', given, undefined, 'float64'), [M, M], 'float64');
  const A = new Float64Array(M * M);
  for (let m = 0; m < M; m++) for (let n = 0; n < M; n++) A[n * M + m] = F.data[m * M + n];
  return {
    A: tensor(A, [M, M]),
    b: tensor(new Float64Array(M)),
    activation: 'identity',
    templates: identity(M),
  };
}

function checked(M: number, choice: TemplateFeatures): TemplateFeatures {
  if (typeof choice !== 'object' || choice === null)
    throw mismatch('E_ARGUMENT', 'features', 'a tensor F [M,M], or { A, b, activation, templates }', choice);
  knownKeys('features', choice, ['A', 'b', 'activation', 'templates']);
  const A = checkTensor(
    'features A',
    tensorOf('features A', choice.A, undefined, 'float64'),
    [M, -1],
    'float64',
  );
  const b = checkTensor('features b', tensorOf('features b', choice.b, undefined, 'float64'), [M], 'float64');
  const templates = tensorOf('features templates', choice.templates, undefined, 'float64');
  checkTensor('features templates', templates, [M, A.shape[1]], 'float64');
  return { A, b, activation: oneOf('features activation', choice.activation, ACTIVATIONS), templates };
}

const SIGMA: Readonly<Record<Activation, (x: number) => number>> = {
  identity: (x) => x,
  relu: (x) => Math.max(x, 0),
  tanh: Math.tanh,
};

/** F [templates,M] of F[m,:] = σ(A x_m + b), in float64. */
export function evaluate(A: Tensor, b: Tensor, activation: Activation, templates: Tensor): Float64Array {
  const [M, N] = A.shape;
  const sigma = SIGMA[activation];
  const F = new Float64Array(templates.shape[0] * M);
  for (let m = 0; m < templates.shape[0]; m++) {
    for (let i = 0; i < M; i++) {
      let sum = b.data[i];
      for (let n = 0; n < N; n++) sum += A.data[i * N + n] * templates.data[m * N + n];
      F[m * M + i] = sigma(sum);
    }
  }
  return F;
}
