import type { Backend } from '../backend/interface.ts';
import { XiError } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import type { ModelConfig } from './config.ts';
import { CpNetwork, cpLayout } from './cp.ts';
import { HtNetwork, htLayout } from './ht.ts';
import type { Network } from './network.ts';
import type { Layout } from './parameters.ts';
import { TtNetwork, ttLayout } from './tt.ts';

/** 2³⁰ parameters are 4 GiB of float32, with gradient and moments 16. */
const MAX_PARAMETERS = 2 ** 30;

/**
 * Names and shapes of a network's parameters.
 *
 * @throws XiError E_MEMORY beyond 2³⁰ parameters.
 */
export function layoutOf(config: ModelConfig): Layout {
  const layout = familyLayout(config);
  const count = countIn(layout);
  if (count <= MAX_PARAMETERS) return layout;
  throw new XiError(
    'E_MEMORY',
    `createModel: expected at most 2^30 parameters, received sizes that need ${count}`,
  );
}

const countIn = (layout: Layout): number => layout.reduce((sum, [, shape]) => sum + product(shape), 0);

/** Numbers in all parameters of a network together, be they too many. */
export const parametersOf = (config: ModelConfig): number => countIn(familyLayout(config));

function familyLayout(config: ModelConfig): Layout {
  switch (config.kind) {
    case 'cp':
      return cpLayout(config);
    case 'tt':
      return ttLayout(config);
    case 'ht':
      return htLayout(config);
  }
}

/** The network of a configuration on a backend. */
export function networkOf(config: ModelConfig, backend: Backend): Network {
  switch (config.kind) {
    case 'cp':
      return new CpNetwork(config, backend);
    case 'tt':
      return new TtNetwork(config, backend);
    case 'ht':
      return new HtNetwork(config, backend);
  }
}
