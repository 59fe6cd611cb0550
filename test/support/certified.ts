import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import type { ModelOptions } from '../../src/models/config.ts';

/** The network that is certified. */
export const OPTIONS = {
  kind: 'tt',
  xi: 'rectifier',
  steps: 6,
  inputs: 3,
  outputs: 2,
  rank: 4,
  features: { size: 4 },
} as const satisfies ModelOptions;

/** M random templates of its inputs. */
export const randomTemplates = (seed: number, M: number, dtype: 'float32' | 'float64' = 'float32') => {
  const rng = new Rng(seed);
  return tensor(
    Float64Array.from({ length: 3 * M }, () => rng.normal()),
    [M, 3],
    dtype,
  );
};
