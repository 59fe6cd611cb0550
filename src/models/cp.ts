import type { Backend, Storage } from '../backend/interface.ts';
import { XI } from '../core/xi.gen.ts';
import type { InputRows } from '../features/features.ts';
import type { CpConfig } from './config.ts';
import {
  type CpPass,
  DenseGradients,
  directionRows,
  featureRows,
  selectedGradients,
} from './cp_gradients.ts';
import { computeFeatures, featureLayout, propagateFeatures } from './inputs.ts';
import type { Lengths, Network } from './network.ts';
import type { Layout, ParameterBlock } from './parameters.ts';
import { Passes } from './passes.ts';
import { rateOfFeatures, rateOfFold, rateOfSum } from './rates.ts';

/** Most elements of a block of s [B, columns], and of its winners: 4 MB of float32 each. */
const BLOCK = 2 ** 20;

/** Names and shapes of a CP network's parameters. */
export function cpLayout(config: CpConfig): Layout {
  const { steps, features, rank, outputs, shared } = config;
  return [
    ...featureLayout(config),
    ['lambda', [rank[0], outputs]],
    ['v', shared ? [rank[0], features.size] : [steps, rank[0], features.size]],
  ];
}

/** `scores = s λ`; λ [R,K]. */
interface Sum {
  readonly K: number;
  readonly lambda: Storage;
  readonly scores: Storage;
}

/** Memory of a pass. */
interface Forward {
  readonly F: Storage;
  readonly scores: Storage;
  /** s and winners [B, columns] of one block of columns at a time, most often of all, for the way back. */
  readonly columns: number;
  s?: Storage;
  winners?: Storage;
  /** Whether they are those of the last forward pass. */
  kept: boolean;
  readonly allocate: (length: number) => Storage;
}

/**
 * The generalized shallow network, a CP decomposition whose multiplication is ξ:
 * `score[c] = Σ_r λ[r,c] ξ_t ⟨v[t,r,:], f(x_t)⟩`, where ξ_t folds over the steps and starts from the unit.
 *
 * A pass costs 2·B·T·R·M operations forward. Back through rectifier, max and min, where every s is one of its T projections, it
 * costs 4·B·R·M, otherwise three times the forward pass, since the projections are computed anew: of B·T·R values no more than a
 * block is ever stored (Khrulkov, Hrinchuk & Oseledets 2019, section 3.1).
 */
export class CpNetwork implements Network {
  readonly config: CpConfig;
  private readonly backend: Backend;
  private readonly selects: boolean;
  private readonly forwards: Passes<Forward>;
  private readonly backwards: Passes<{ dF: Storage }>;
  private readonly denseGradients: DenseGradients;

  constructor(config: CpConfig, backend: Backend) {
    const { steps, features, outputs, dtype, rank } = config;
    this.config = config;
    this.backend = backend;
    this.selects = XI[config.xi].bound === 'pieces';
    this.denseGradients = new DenseGradients(config, backend);
    const columnsOf = (batch: number) =>
      Math.min(rank[0], Math.max(256, Math.floor(BLOCK / Math.max(1, batch))));
    this.forwards = new Passes(backend, dtype, (batch, allocate) => ({
      F: allocate(batch * steps * features.size),
      scores: allocate(batch * outputs),
      columns: columnsOf(batch),
      kept: false,
      allocate,
    }));
    this.backwards = new Passes(backend, dtype, (batch, allocate) => ({
      dF: allocate(batch * steps * features.size),
    }));
  }

  forward(parameters: ParameterBlock, x: InputRows, batch: number, _?: Lengths, keep = false): Storage {
    const { backend, config } = this;
    const pass = this.forwards.of(batch);
    const { F, scores, columns } = pass;
    const R = config.rank[0];
    computeFeatures(backend, config, parameters, x, batch, F);
    pass.kept = keep && this.selects && columns === R;
    const sum = { K: config.outputs, lambda: parameters.part('lambda'), scores };
    this.project(parameters, pass, batch, { column: 0, count: R, kept: pass.kept, sum });
    return scores;
  }

  backward(
    parameters: ParameterBlock,
    x: InputRows,
    batch: number,
    dScores: Storage,
    gradients: ParameterBlock,
    dx?: Storage,
  ): void {
    const { backend, config } = this;
    const pass = this.forwards.of(batch);
    const { F } = pass;
    const { dF } = this.backwards.of(batch);
    const blocks: CpPass = { parameters, gradients, batch, F, dF, dScores };
    if (this.selects) {
      gradients.part('v').fill(0);
      dF.fill(0);
      this.overColumns(pass.columns, (column, count) => {
        if (!pass.kept) this.project(parameters, pass, batch, { column, count, kept: true });
        const [s, winners] = [pass.s!, pass.winners!].map((part) => part.at(0, batch * count));
        selectedGradients(backend, config, blocks, { column, count, s, winners });
      });
      pass.kept = false;
    } else {
      this.denseGradients.compute(blocks);
    }
    propagateFeatures(backend, config, parameters, gradients, x, batch, F, dF, dx);
  }

  rateScale(name: string): number {
    const { rank, xi, steps, shared } = this.config;
    if (name === 'lambda') return rateOfSum(rank[0]);
    return name === 'v' ? rateOfFold(xi, steps, shared) : rateOfFeatures(name, xi, steps);
  }

  private overColumns(columns: number, work: (column: number, count: number) => void): void {
    const R = this.config.rank[0];
    for (let column = 0; column < R; column += columns) work(column, Math.min(columns, R - column));
  }

  /** Of `count` columns from `column` on: their sum, and s and winners where these are kept. */
  private project(
    parameters: ParameterBlock,
    pass: Forward,
    batch: number,
    { column, count, kept, sum }: { column: number; count: number; kept: boolean; sum?: Sum },
  ): void {
    const { steps, xi, features } = this.config;
    const keep = (storage?: Storage) => storage ?? pass.allocate(batch * pass.columns);
    if (kept) [pass.s, pass.winners] = [keep(pass.s), keep(pass.winners)];
    const part = (storage?: Storage) => (kept ? storage!.at(0, batch * count) : undefined);
    this.backend.projectFold(
      xi,
      { steps, B: batch, R: count, M: features.size },
      featureRows(this.config, pass.F),
      directionRows(this.config, parameters, column),
      { sum, s: part(pass.s), winners: part(pass.winners) },
    );
  }
}
