import type { Backend, Storage, Strided } from '../backend/interface.ts';
import { dense, type InputRows, transposed } from '../features/features.ts';
import type { CpConfig } from './config.ts';
import { computeFeatures, featureLayout, propagateFeatures, stepOf } from './inputs.ts';
import type { Network } from './network.ts';
import type { Layout, ParameterBlock } from './parameters.ts';
import { Passes } from './passes.ts';
import { rateOfFeatures, rateOfFold, rateOfSum } from './rates.ts';

/**
 * Rows and bytes of one block z [T, rows, columns]. Both extents are multiples of 14, the rows of the tallest register
 * tile, and the columns of 32, its width: a training step takes 81 ms of a core's time with blocks of 252 × 224, and 136 ms
 * with 128 × 16, whose products are so small that packing them is most of the work.
 */
const BLOCK_ROWS = 252;
const BLOCK_BYTES = 2 ** 22;
const LEAST_COLUMNS = 224;

/** Names and shapes of a CP network's parameters. */
export function cpLayout(config: CpConfig): Layout {
  const { steps, features, rank, outputs, shared } = config;
  return [
    ...featureLayout(config),
    ['lambda', [rank[0], outputs]],
    ['v', shared ? [rank[0], features.size] : [steps, rank[0], features.size]],
  ];
}

/** Memory of a pass over blocks. */
interface Block {
  readonly z: Storage;
  readonly s: Storage;
}

/**
 * The generalized shallow network, a CP decomposition whose multiplication is ξ:
 * `score[c] = Σ_r λ[r,c] ξ_t ⟨v[t,r,:], f(x_t)⟩`, where ξ_t folds over the steps and starts from the unit.
 *
 * A pass costs 2·B·T·R·M operations forward and three times that back, where the projections are computed anew, so
 * that of B·T·R no more than a block is ever stored (Khrulkov, Hrinchuk & Oseledets 2019, section 3.1).
 */
export class CanonicalPolyadic implements Network {
  readonly config: CpConfig;
  private readonly backend: Backend;
  private readonly columns: number;
  private readonly forwards: Passes<{ F: Storage; scores: Storage; block: Block }>;
  private readonly backwards: Passes<{ dF: Storage; block: Block }>;

  constructor(config: CpConfig, backend: Backend) {
    const { steps, features, outputs, dtype, rank } = config;
    this.config = config;
    this.backend = backend;
    const bytes = dtype === 'float32' ? 4 : 8;
    const fitting = Math.floor(BLOCK_BYTES / (bytes * BLOCK_ROWS * steps * LEAST_COLUMNS)) * LEAST_COLUMNS;
    this.columns = Math.min(rank[0], Math.max(LEAST_COLUMNS, fitting));
    const block = (batch: number, allocate: (length: number) => Storage): Block => {
      const count = Math.min(batch, BLOCK_ROWS) * this.columns;
      return { z: allocate(steps * count), s: allocate(count) };
    };
    this.forwards = new Passes(backend, dtype, (batch, allocate) => ({
      F: allocate(batch * steps * features.size),
      scores: allocate(batch * outputs),
      block: block(batch, allocate),
    }));
    this.backwards = new Passes(backend, dtype, (batch, allocate) => ({
      dF: allocate(batch * steps * features.size),
      block: block(batch, allocate),
    }));
  }

  forward(parameters: ParameterBlock, x: InputRows, batch: number): Storage {
    const { backend, config } = this;
    const { F, scores, block } = this.forwards.of(batch);
    computeFeatures(backend, config, parameters, x, batch, F);
    this.overBlocks(batch, (row, rows, column, columns) => {
      const s = this.project(parameters, F, block, row, rows, column, columns);
      const lambda = this.lambda(parameters, column);
      backend.matmul(
        rows,
        config.outputs,
        columns,
        dense(s, columns),
        lambda,
        this.scoresOf(scores, row),
        column > 0,
      );
    });
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
    const { steps, outputs, xi, shared } = config;
    const M = config.features.size;
    const { F, block } = this.forwards.of(batch);
    const { dF, block: dBlock } = this.backwards.of(batch);
    if (batch === 0) gradients.storage.fill(0);
    this.overBlocks(batch, (row, rows, column, columns) => {
      const count = rows * columns;
      const s = this.project(parameters, F, block, row, rows, column, columns);
      const dScore = this.scoresOf(dScores, row);
      const dLambda = this.lambda(gradients, column);
      backend.matmul(columns, outputs, rows, transposed(dense(s, columns)), dScore, dLambda, row > 0);
      const ds = dBlock.s.at(0, count);
      const dz = dBlock.z.at(0, steps * count);
      const lambda = transposed(this.lambda(parameters, column));
      backend.matmul(rows, columns, outputs, dScore, lambda, dense(ds, columns), false);
      backend.foldGradient(xi, steps, count, block.z.at(0, steps * count), ds, dz);
      for (let t = 0; t < steps; t++) {
        const dProjected = dense(dz.at(t * count, count), columns);
        const f = stepOf(F, config, t, row);
        const dv = this.directions(gradients, t, column);
        const v = this.directions(parameters, t, column);
        backend.matmul(columns, M, rows, transposed(dProjected), f, dv, row > 0 || (shared && t > 0));
        backend.matmul(rows, M, columns, dProjected, v, stepOf(dF, config, t, row), column > 0);
      }
    });
    propagateFeatures(backend, config, parameters, gradients, x, batch, F, dF, dx);
  }

  rateScale(name: string): number {
    const { rank, xi, steps, shared } = this.config;
    if (name === 'lambda') return rateOfSum(rank[0]);
    return name === 'v' ? rateOfFold(xi, steps, shared) : rateOfFeatures(name, xi, steps);
  }

  private overBlocks(
    batch: number,
    work: (row: number, rows: number, column: number, columns: number) => void,
  ): void {
    const R = this.config.rank[0];
    for (let row = 0; row < batch; row += BLOCK_ROWS) {
      for (let column = 0; column < R; column += this.columns) {
        work(row, Math.min(BLOCK_ROWS, batch - row), column, Math.min(this.columns, R - column));
      }
    }
  }

  /** `z[t,b,r] = ⟨v[t,r], f_t[b]⟩` and its fold over t, s [rows,columns], for one block. */
  private project(
    parameters: ParameterBlock,
    F: Storage,
    block: Block,
    row: number,
    rows: number,
    column: number,
    columns: number,
  ): Storage {
    const { backend, config } = this;
    const count = rows * columns;
    for (let t = 0; t < config.steps; t++) {
      const z = dense(block.z.at(t * count, count), columns);
      const v = transposed(this.directions(parameters, t, column));
      backend.matmul(rows, columns, config.features.size, stepOf(F, config, t, row), v, z, false);
    }
    const s = block.s.at(0, count);
    backend.fold(config.xi, config.steps, count, block.z.at(0, config.steps * count), s);
    return s;
  }

  /** v[t,r,:] for r from `column` on. */
  private directions(parameters: ParameterBlock, t: number, column: number): Strided {
    const { rank, features, shared } = this.config;
    const first = (shared ? 0 : t * rank[0]) + column;
    return dense(parameters.part('v').at(first * features.size), features.size);
  }

  private lambda(parameters: ParameterBlock, column: number): Strided {
    const { outputs } = this.config;
    return dense(parameters.part('lambda').at(column * outputs), outputs);
  }

  private scoresOf(scores: Storage, row: number): Strided {
    return dense(scores.at(row * this.config.outputs), this.config.outputs);
  }
}
