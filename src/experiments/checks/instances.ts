import { gridTensor } from '../../analysis/grid.ts';
import { relativeError } from '../../core/distance.ts';
import { product } from '../../core/extents.ts';
import type { Rng } from '../../core/rng.ts';
import { type Shape, type Tensor, zeros } from '../../core/tensor.ts';
import type { ModelOptions } from '../../models/config.ts';
import { createModel, type Model } from '../../models/model.ts';
import type { Bench } from './check.ts';

/** A tensor of independent normal entries in float64. */
export function randomTensor(rng: Rng, shape: Shape): Tensor {
  const out = zeros(shape, 'float64');
  for (let n = 0; n < out.data.length; n++) out.data[n] = rng.normal();
  return out;
}

/** One of some values. */
export const pick = <T>(rng: Rng, values: readonly T[]): T => values[rng.below(values.length)];

/** M templates of M features, F = 2I + normal, which is seldom near singular. */
export function randomFeatures(rng: Rng, M: number): Tensor {
  const F = randomTensor(rng, [M, M]);
  for (let m = 0; m < M; m++) F.data[m * M + m] += 2;
  return F;
}

/** A network of independent normal parameters in float64, scaled so that states stay of order 1. */
export function randomNetwork(
  { rng, backend }: Bench,
  options: Pick<
    ModelOptions,
    'kind' | 'xi' | 'steps' | 'inputs' | 'outputs' | 'rank' | 'shared' | 'projection'
  >,
): Model {
  const features = { size: options.inputs, activation: 'identity' as const };
  const model = createModel({ ...options, features, dtype: 'float64', backend });
  const parameters = Object.entries(model.parameters).map(([name, { shape }]): [string, Tensor] => {
    const drawn = randomTensor(rng, shape);
    const fan = name.startsWith('G') || name.startsWith('B') ? product(shape.slice(0, -1)) : 1;
    return [name, { ...drawn, data: drawn.data.map((value) => value / Math.sqrt(fan)) }];
  });
  model.setParameters(Object.fromEntries(parameters));
  return model;
}

/** How far the grid tensor of a model is from another tensor. */
export const gridError = (model: Model, templates: Tensor, expected: ArrayLike<number>): number =>
  relativeError(gridTensor(model, templates).data, expected);
