import type { Backend, Storage, Strided } from '../backend/interface.ts';
import { featuresBackward, featuresForward, type InputRows } from '../features/features.ts';
import type { ModelConfig } from './config.ts';
import type { Layout, ParameterBlock } from './parameters.ts';

/** Names and shapes of the parameters of f(x) = σ(Ax + b), which come first in every family. */
export function featureLayout({ inputs, features }: ModelConfig): Layout {
  return [
    ['features.A', [features.size, inputs]],
    ['features.b', [features.size]],
  ];
}

/** Features F [B,T,M] of x [B,T,N], or of tokens [B,T]. */
export function computeFeatures(
  backend: Backend,
  config: ModelConfig,
  parameters: ParameterBlock,
  x: InputRows,
  batch: number,
  F: Storage,
): void {
  const [A, b] = ['features.A', 'features.b'].map((name) => parameters.part(name));
  featuresForward(backend, sizesOf(config, batch), x, A, b, F);
}

/** From dF, which it overwrites: the gradients of A and b, and dx where wanted. */
export function propagateFeatures(
  backend: Backend,
  config: ModelConfig,
  parameters: ParameterBlock,
  gradients: ParameterBlock,
  x: InputRows,
  batch: number,
  F: Storage,
  dF: Storage,
  dx?: Storage,
): void {
  const [dA, db] = ['features.A', 'features.b'].map((name) => gradients.part(name));
  const from = { x, A: parameters.part('features.A'), F, dF };
  featuresBackward(backend, sizesOf(config, batch), from, { dA, db, dx });
}

function sizesOf({ steps, inputs, features }: ModelConfig, batch: number) {
  return { rows: batch * steps, N: inputs, M: features.size, activation: features.activation };
}

/** The features of step t in an array [B,T,M], from example `row` on. */
export function stepOf(F: Storage, { steps, features }: ModelConfig, t: number, row = 0): Strided {
  return {
    data: F.at(Math.min(F.length, (row * steps + t) * features.size)),
    rowStride: steps * features.size,
    colStride: 1,
  };
}
