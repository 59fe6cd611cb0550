import type { Backend, ContractSizes, Storage } from '../backend/interface.ts';
import type { Shape } from '../core/tensor.ts';
import { XI } from '../core/xi.gen.ts';
import { dense, type InputRows, transposed } from '../features/features.ts';
import type { TtConfig } from './config.ts';
import { computeFeatures, featureLayout, propagateFeatures, stepOf } from './inputs.ts';
import type { Lengths, Network } from './network.ts';
import type { Layout, ParameterBlock } from './parameters.ts';
import { Passes } from './passes.ts';
import { rateOfSum } from './rates.ts';

/** Memory of a pass over a batch: features, projected inputs and states of every step, kept for the way back. */
interface Forward {
  readonly F: Storage;
  /** a_t [B,L] for each step. */
  readonly a: readonly Storage[];
  /** h_0 … h_T, h_t [B,R_t]; h_0 = u and h_T the scores. */
  readonly h: readonly Storage[];
}

interface Backward {
  readonly dF: Storage;
  readonly da: Storage;
  /** Gradients of h_t for even and for odd t. */
  readonly dh: readonly [Storage, Storage];
}

/** Names and shapes of a TT network's parameters. */
export function ttLayout(config: TtConfig): Layout {
  const { steps, projection: L, features } = config;
  const bounds = boundsOf(config);
  const cores = new Map<string, number>();
  for (let t = 0; t < steps; t++) cores.set(coreName(config, t), t);
  return [
    ...featureLayout(config),
    ...[...cores.keys()].map((name) => [`C.${name}`, [L, features.size]] as const),
    ...[...cores].map(([name, t]) => [`G.${name}`, [L, bounds[t], bounds[t + 1]]] as const),
  ];
}

/** R_0 = 1, R_1, …, R_{T−1}, R_T = outputs. */
function boundsOf({ rank, outputs }: TtConfig): readonly number[] {
  return [1, ...rank, outputs];
}

/**
 * The generalized recurrent network, a tensor train whose multiplication is ξ:
 * `h_t[k] = Σ_ij G_t[i,j,k] ξ((C_t f(x_t))[i], h_{t−1}[j])`, h_0 = u, scores h_T.
 *
 * A pass costs 2·B·Σ_t L·R_{t−1}·R_t operations forward and twice that back (Khrulkov, Hrinchuk & Oseledets 2019,
 * section 3.2).
 */
export class TtNetwork implements Network {
  readonly config: TtConfig;
  private readonly backend: Backend;
  private readonly bounds: readonly number[];
  private readonly forwards: Passes<Forward>;
  private readonly backwards: Passes<Backward>;

  constructor(config: TtConfig, backend: Backend) {
    const { steps, features, projection, dtype } = config;
    const bounds = boundsOf(config);
    this.config = config;
    this.backend = backend;
    this.bounds = bounds;
    this.forwards = new Passes(backend, dtype, (batch, allocate) => {
      const F = allocate(batch * steps * features.size);
      const a = Array.from({ length: steps }, () => allocate(batch * projection));
      const h = bounds.map((width) => allocate(batch * width));
      h[0].fill(XI[config.xi].unit);
      return { F, a, h };
    });
    const widest = Math.max(...bounds.slice(0, -1));
    this.backwards = new Passes(backend, dtype, (batch, allocate) => ({
      dF: allocate(batch * steps * features.size),
      da: allocate(batch * projection),
      dh: [allocate(batch * widest), allocate(batch * widest)],
    }));
  }

  forward(parameters: ParameterBlock, x: InputRows, batch: number, lengths?: Lengths): Storage {
    const { backend, config, bounds } = this;
    const { features, projection, steps, outputs } = config;
    const { F, a, h } = this.forwards.of(batch);
    computeFeatures(backend, config, parameters, x, batch, F);
    for (let t = 0; t < steps; t++) {
      for (const { name, row, rows, last } of segmentsOf(config, t, batch, lengths)) {
        const C = transposed(dense(parameters.part(`C.${name}`), features.size));
        const G = parameters.part(`G.${name}`);
        const projected = rowsOf(a[t], row, rows, projection);
        const state = rowsOf(h[t], row, rows, bounds[t]);
        const out = last ? rowsOf(h[steps], row, rows, outputs) : rowsOf(h[t + 1], row, rows, bounds[t + 1]);
        const f = stepOf(F, config, t, row);
        backend.matmul(rows, projection, features.size, f, C, dense(projected, projection), false);
        backend.contract(config.xi, this.sizes(rows, t, last), projected, state, G, out);
      }
    }
    return h[steps];
  }

  states(batch: number): readonly Storage[] {
    return this.forwards.of(batch).h.slice(1);
  }

  backward(
    parameters: ParameterBlock,
    x: InputRows,
    batch: number,
    dScores: Storage,
    gradients: ParameterBlock,
    dx?: Storage,
    lengths?: Lengths,
  ): void {
    const { backend, config, bounds } = this;
    const { steps, outputs, projection: L } = config;
    const M = config.features.size;
    const { F, a, h } = this.forwards.of(batch);
    const { dF, da, dh } = this.backwards.of(batch);
    const visited = new Set<string>();
    // Steps behind the end of a sequence are in no segment.
    if (lengths) dF.fill(0);
    for (let t = steps - 1; t >= 0; t--) {
      for (const { name, row, rows, last } of segmentsOf(config, t, batch, lengths)) {
        const C = dense(parameters.part(`C.${name}`), M);
        const accumulate = visited.has(name);
        visited.add(name);
        const projected = rowsOf(a[t], row, rows, L);
        const dProjected = rowsOf(da, row, rows, L);
        const state = rowsOf(h[t], row, rows, bounds[t]);
        const dState = rowsOf(dh[t % 2], row, rows, bounds[t]);
        const dout = last
          ? rowsOf(dScores, row, rows, outputs)
          : rowsOf(dh[(t + 1) % 2], row, rows, bounds[t + 1]);
        backend.contractGradient(
          config.xi,
          this.sizes(rows, t, last),
          { a: projected, h: state, G: parameters.part(`G.${name}`), dout },
          { da: dProjected, dh: dState, dG: gradients.part(`G.${name}`) },
          accumulate,
        );
        const [f, df] = [F, dF].map((data) => stepOf(data, config, t, row));
        const dC = dense(gradients.part(`C.${name}`), M);
        backend.matmul(L, M, rows, transposed(dense(dProjected, L)), f, dC, accumulate);
        backend.matmul(rows, M, L, dense(dProjected, L), C, df, false);
      }
    }
    for (const name of new Set(Array.from({ length: steps }, (_, t) => coreName(config, t)))) {
      if (!visited.has(name)) for (const family of ['C', 'G']) gradients.part(`${family}.${name}`).fill(0);
    }
    propagateFeatures(backend, config, parameters, gradients, x, batch, F, dF, dx);
  }

  rateScale(name: string, [L, R]: Shape): number {
    if (name.startsWith('features')) return 1;
    const { xi, steps } = this.config;
    // The rates were tried for 16 steps (docs/training.md); what moves a product over more of them moves it more.
    const fold = xi === 'product' ? Math.min(1, 16 / steps) : 1;
    return fold * (name.startsWith('G.') ? rateOfSum(L * R) : 1);
  }

  private sizes(rows: number, t: number, last: boolean): ContractSizes {
    const { projection, outputs } = this.config;
    return { B: rows, L: projection, R: this.bounds[t], K: last ? outputs : this.bounds[t + 1] };
  }
}

/** Rows of a batch that pass the same core at some step; after the `last` one they have their scores. */
interface Segment {
  readonly name: string;
  readonly row: number;
  readonly rows: number;
  readonly last: boolean;
}

/** At every step all rows, or, where lengths differ, first those that go on and then those that end here. */
function segmentsOf(config: TtConfig, t: number, batch: number, lengths?: Lengths): readonly Segment[] {
  if (!lengths) return [{ name: coreName(config, t), row: 0, rows: batch, last: t === config.steps - 1 }];
  const longerThan = (bound: number) => {
    const first = lengths.findIndex((length) => length <= bound);
    return first < 0 ? batch : first;
  };
  const [here, going] = [longerThan(t), longerThan(t + 1)];
  return [
    { name: t === 0 ? 'first' : 'middle', row: 0, rows: going, last: false },
    { name: 'last', row: going, rows: here - going, last: true },
  ].filter(({ rows }) => rows > 0);
}

const rowsOf = (data: Storage, row: number, rows: number, width: number): Storage =>
  data.at(row * width, rows * width);

/** The name under which step t's core and projection are kept: its number, or its place where weights are shared. */
export function coreName({ shared, steps }: Pick<TtConfig, 'shared' | 'steps'>, t: number): string {
  if (!shared) return String(t);
  if (t === steps - 1) return 'last';
  return t === 0 ? 'first' : 'middle';
}
