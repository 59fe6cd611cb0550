import { Rng } from '../core/rng.ts';
import { allocate, elementCount, type Tensor } from '../core/tensor.ts';
import type { ModelConfig } from './config.ts';
import { fillNormal } from './fill.ts';
import { startCp } from './initialize_cp.ts';
import { startHt } from './initialize_ht.ts';
import { startTt } from './initialize_tt.ts';
import type { Layout } from './parameters.ts';

/** Initial values of every parameter, determined by the configuration and its seed. */
export function initialize(config: ModelConfig, layout: Layout): Record<string, Tensor> {
  const { dtype, kind, seed } = config;
  const rng = new Rng(seed, 1);
  const named: Record<string, Tensor> = {};
  for (const [name, shape] of layout)
    named[name] = { dtype, shape, data: allocate(dtype, elementCount(shape)) };
  // He et al. 2015: deviation √(2/N) keeps the scale of rectified features; of a token one of N inputs is there.
  const present = config.features.embedding ? 1 : config.inputs;
  fillNormal(rng, named['features.A'].data, Math.sqrt(2 / present));
  if (kind === 'cp') startCp(rng, config, named);
  else if (kind === 'ht') startHt(rng, config, named);
  else startTt(rng, config, named);
  return named;
}
