import { expect } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import { type DType, type Tensor, zeros } from '../../src/core/tensor.ts';
import type { ModelOptions } from '../../src/models/config.ts';
import { createModel, type Model } from '../../src/models/model.ts';

export const reference = selectBackend({ prefer: ['reference'] }).backend;

export const OPTIONS = {
  ...{ kind: 'tt', xi: 'rectifier', steps: 3, inputs: 4, outputs: 2, rank: 5, seed: 1 },
  features: { size: 6 },
} as const satisfies ModelOptions;

/** A small network on the reference, with some options other than {@link OPTIONS}. */
export const make = (options: object = {}): Model =>
  createModel({ ...OPTIONS, backend: reference, ...options });

/** Matches an XiError by code and message. */
export const refusal = (code: string, message = /./) =>
  expect.objectContaining({ name: 'XiError', code, message: expect.stringMatching(message) });

/** Normal numbers. */
export function random(shape: readonly number[], dtype: DType = 'float32', seed = 9): Tensor {
  const rng = new Rng(seed);
  const out = zeros(shape, dtype);
  for (let n = 0; n < out.data.length; n++) out.data[n] = rng.normal();
  return out;
}
