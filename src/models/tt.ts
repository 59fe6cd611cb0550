import type { Backend, ContractSizes, Storage, Strided } from '../backend/interface.ts';
import { XI } from '../core/xi.gen.ts';
import { dense, featuresBackward, featuresForward, transposed } from '../features/features.ts';
import type { ModelConfig } from './config.ts';
import type { Layout, ParameterBlock } from './parameters.ts';

/** Memory of one pass over a batch: features, projected inputs and states of every step, kept for the way back. */
interface Pass {
  readonly batch: number;
  readonly F: Storage;
  /** a_t [B,L] for each step. */
  readonly a: readonly Storage[];
  /** h_0 … h_T, h_t [B,R_t]; h_0 = u and h_T the scores. */
  readonly h: readonly Storage[];
  readonly dF: Storage;
  readonly da: Storage;
  /** Gradient of each h_t. */
  readonly dh: readonly Storage[];
}

/**
 * The generalized recurrent network, a tensor train whose multiplication is ξ:
 * `h_t[k] = Σ_ij G_t[i,j,k] ξ((C_t f(x_t))[i], h_{t−1}[j])`, h_0 = u, scores h_T.
 *
 * A pass costs 2·B·Σ_t L·R_{t−1}·R_t operations forward and twice that back (Khrulkov, Hrinchuk & Oseledets 2019,
 * section 3.2).
 */
export class TensorTrain {
  readonly config: ModelConfig;
  private readonly backend: Backend;
  /** R_0 = 1, R_1, …, R_{T−1}, R_T = outputs. */
  private readonly bounds: readonly number[];
  private passes: Pass[] = [];

  constructor(config: ModelConfig, backend: Backend) {
    this.config = config;
    this.backend = backend;
    this.bounds = [1, ...config.rank, config.outputs];
  }

  static layout(config: ModelConfig): Layout {
    const { steps, inputs, projection: L, features, rank, outputs, shared } = config;
    const bounds = [1, ...rank, outputs];
    const cores = Array.from({ length: steps }, (_, t) => t).filter(
      (t) => !shared || t < 2 || t === steps - 1,
    );
    const distinct = [...new Map(cores.map((t) => [coreName(config, t), t])).entries()];
    return [
      ['features.A', [features.size, inputs]],
      ['features.b', [features.size]],
      ...distinct.map(([name]) => [`C.${name}`, [L, features.size]] as const),
      ...distinct.map(([name, t]) => [`G.${name}`, [L, bounds[t], bounds[t + 1]]] as const),
    ];
  }

  /** Scores of x [B,T,N]; valid until the next pass. */
  forward(parameters: ParameterBlock, x: Storage, batch: number): Storage {
    const { backend, config, bounds } = this;
    const pass = this.passFor(batch);
    featuresForward(
      backend,
      this.featureSizes(batch),
      x,
      parameters.part('features.A'),
      parameters.part('features.b'),
      pass.F,
    );
    for (let t = 0; t < config.steps; t++) {
      const C = dense(parameters.part(`C.${coreName(config, t)}`), config.features.size);
      const G = parameters.part(`G.${coreName(config, t)}`);
      const a = dense(pass.a[t], config.projection);
      backend.matmul(
        batch,
        config.projection,
        config.features.size,
        this.step(pass.F, t),
        transposed(C),
        a,
        false,
      );
      backend.contract(config.xi, this.sizes(batch, t), pass.a[t], pass.h[t], G, pass.h[t + 1]);
    }
    return pass.h[bounds.length - 1];
  }

  /** h_1 … h_T of the last forward pass over `batch` rows. */
  states(batch: number): readonly Storage[] {
    return this.passFor(batch).h.slice(1);
  }

  /** From dScores [B,outputs], after a forward pass over the same x: every gradient, and dx where wanted. */
  backward(
    parameters: ParameterBlock,
    x: Storage,
    batch: number,
    dScores: Storage,
    gradients: ParameterBlock,
    dx?: Storage,
  ): void {
    const { backend, config } = this;
    const M = config.features.size;
    const L = config.projection;
    const pass = this.passFor(batch);
    const visited = new Set<string>();
    let dh = dScores;
    for (let t = config.steps - 1; t >= 0; t--) {
      const name = coreName(config, t);
      const C = dense(parameters.part(`C.${name}`), M);
      const G = parameters.part(`G.${name}`);
      const accumulate = visited.has(name);
      visited.add(name);
      backend.contractGradient(
        config.xi,
        this.sizes(batch, t),
        { a: pass.a[t], h: pass.h[t], G, dout: dh },
        { da: pass.da, dh: pass.dh[t], dG: gradients.part(`G.${name}`) },
        accumulate,
      );
      const da = dense(pass.da, L);
      const dC = dense(gradients.part(`C.${name}`), M);
      backend.matmul(L, M, batch, transposed(da), this.step(pass.F, t), dC, accumulate);
      backend.matmul(batch, M, L, da, C, this.step(pass.dF, t), false);
      dh = pass.dh[t];
    }
    featuresBackward(
      backend,
      this.featureSizes(batch),
      { x, A: parameters.part('features.A'), F: pass.F, dF: pass.dF },
      { dA: gradients.part('features.A'), db: gradients.part('features.b'), dx },
    );
  }

  private featureSizes(batch: number) {
    const { steps, inputs, features } = this.config;
    return { rows: batch * steps, N: inputs, M: features.size, activation: features.activation };
  }

  private sizes(batch: number, t: number): ContractSizes {
    return { B: batch, L: this.config.projection, R: this.bounds[t], K: this.bounds[t + 1] };
  }

  /** The rows of step t in an array [B,T,M]. */
  private step(F: Storage, t: number): Strided {
    const { steps, features } = this.config;
    return {
      data: F.at(Math.min(F.length, t * features.size)),
      rowStride: steps * features.size,
      colStride: 1,
    };
  }

  /** Training alternates between a full batch, the last one of an epoch and an evaluation, so three are kept. */
  private passFor(batch: number): Pass {
    const known = this.passes.find((pass) => pass.batch === batch);
    if (known) return known;
    const { backend, config, bounds } = this;
    const storage = (count: number) => backend.allocate(config.dtype, batch * count);
    const pass: Pass = {
      batch,
      F: storage(config.steps * config.features.size),
      a: Array.from({ length: config.steps }, () => storage(config.projection)),
      h: bounds.map(storage),
      dF: storage(config.steps * config.features.size),
      da: storage(config.projection),
      dh: bounds.slice(0, -1).map(storage),
    };
    pass.h[0].fill(XI[config.xi].unit);
    this.passes.unshift(pass);
    for (const { F, a, h, dF, da, dh } of this.passes.splice(3)) {
      for (const storage of [F, ...a, ...h, dF, da, ...dh]) storage.release();
    }
    return pass;
  }
}

/** The name under which step t's core and projection are kept: its number, or its place where weights are shared. */
export function coreName({ shared, steps }: ModelConfig, t: number): string {
  if (!shared) return String(t);
  if (t === steps - 1) return 'last';
  return t === 0 ? 'first' : 'middle';
}
