import type { Backend, Rows, Storage, Strided } from '../backend/interface.ts';
import { BYTES } from '../core/tensor.ts';
import { dense, transposed } from '../features/features.ts';
import type { CpConfig } from './config.ts';
import { stepOf } from './inputs.ts';
import type { ParameterBlock } from './parameters.ts';
import { Passes } from './passes.ts';

/** What a backward pass through `score[c] = Σ_r λ[r,c] ξ_t ⟨v[t,r,:], f_t⟩` goes from and to. */
export interface CpPass {
  readonly parameters: ParameterBlock;
  readonly gradients: ParameterBlock;
  readonly batch: number;
  /** [B,T,M] */
  readonly F: Storage;
  readonly dF: Storage;
  readonly dScores: Storage;
}

/** Columns r of s [B, count], which their gradients take the place of, and the steps that they come from. */
interface Columns {
  readonly column: number;
  readonly count: number;
  readonly s: Storage;
  readonly winners: Storage;
}

/** f_t [B,M] of all steps. */
export function featureRows({ steps, features }: CpConfig, F: Storage): Rows {
  return { data: F, row: steps * features.size, step: features.size };
}

/** v[t,r,:] of all steps, for r from `column` on. */
export function directionRows(
  { rank, features, shared }: CpConfig,
  block: ParameterBlock,
  column: number,
): Rows {
  const M = features.size;
  return { data: block.part('v').at(column * M), row: M, step: shared ? 0 : rank[0] * M };
}

/**
 * Gradients of λ, v and f where ξ selects: each s passes its gradient on to the step that it comes from, so that
 * `dv[w] += ds f_w` and `df_w += ds v[w]` over the pairs (b, r) with winner w; added to what is there of dv and df.
 */
export function selectedGradients(
  backend: Backend,
  config: CpConfig,
  { parameters, gradients, batch, F, dF, dScores }: CpPass,
  { column, count, s, winners }: Columns,
): void {
  const { outputs, steps, features } = config;
  const lambda = (block: ParameterBlock) => dense(block.part('lambda').at(column * outputs), outputs);
  const dScore = dense(dScores, outputs);
  backend.matmul(count, outputs, batch, transposed(dense(s, count)), dScore, lambda(gradients), false);
  backend.matmul(batch, count, outputs, dScore, transposed(lambda(parameters)), dense(s, count), false);
  const [f, df] = [F, dF].map((data) => featureRows(config, data));
  const [v, dv] = [parameters, gradients].map((block) => directionRows(config, block, column));
  const M = features.size;
  backend.winnerSums({ steps, P: count, Q: batch, M }, winners, s, true, f, dv);
  backend.winnerSums({ steps, P: batch, Q: count, M }, winners, s, false, v, df);
}

/**
 * Rows and bytes of one block z [T, rows, columns]. Both extents are multiples of 14, the rows of the tallest register
 * tile, and the columns of 32, its width: with 128 × 16 packing the small products took most of the time.
 */
const BLOCK_ROWS = 252;
const BLOCK_BYTES = 2 ** 22;
const LEAST_COLUMNS = 224;

/** Part of a pass: examples and columns. */
interface Part {
  readonly row: number;
  readonly rows: number;
  readonly column: number;
  readonly columns: number;
}

/** The gradients for any ξ, in blocks whose projections are computed anew. */
export class DenseGradients {
  private readonly config: CpConfig;
  private readonly backend: Backend;
  private readonly columns: number;
  private readonly blocks: Passes<Record<'z' | 'dz' | 's' | 'ds', Storage>>;

  constructor(config: CpConfig, backend: Backend) {
    const { steps, dtype, rank } = config;
    const bytes = BYTES[dtype];
    const fitting = Math.floor(BLOCK_BYTES / (bytes * BLOCK_ROWS * steps * LEAST_COLUMNS)) * LEAST_COLUMNS;
    this.config = config;
    this.backend = backend;
    this.columns = Math.min(rank[0], Math.max(LEAST_COLUMNS, fitting));
    this.blocks = new Passes(backend, dtype, (batch, allocate) => {
      const count = Math.min(batch, BLOCK_ROWS) * this.columns;
      return {
        ...{ z: allocate(steps * count), dz: allocate(steps * count) },
        ...{ s: allocate(count), ds: allocate(count) },
      };
    });
  }

  /** Sets the gradients of λ and v and dF. */
  compute(pass: CpPass): void {
    const { batch, gradients } = pass;
    const R = this.config.rank[0];
    if (batch === 0) for (const name of ['lambda', 'v']) gradients.part(name).fill(0);
    for (let row = 0; row < batch; row += BLOCK_ROWS) {
      const rows = Math.min(BLOCK_ROWS, batch - row);
      for (let column = 0; column < R; column += this.columns) {
        this.computePart(pass, { row, rows, column, columns: Math.min(this.columns, R - column) });
      }
    }
  }

  private computePart({ parameters, gradients, batch, F, dF, dScores }: CpPass, part: Part): void {
    const { backend, config } = this;
    const { steps, outputs, xi, shared, features } = config;
    const { row, rows, column, columns } = part;
    const M = features.size;
    const count = rows * columns;
    const block = this.blocks.of(batch);
    const [z, dz] = [block.z, block.dz].map((storage) => storage.at(0, steps * count));
    const [s, ds] = [block.s, block.ds].map((storage) => storage.at(0, count));
    const at = (storage: Storage, t: number) => dense(storage.at(t * count, count), columns);
    const v = (of: ParameterBlock, t: number): Strided => {
      const { data, row: stride, step } = directionRows(config, of, column);
      return dense(data.at(t * step), stride);
    };
    for (let t = 0; t < steps; t++) {
      const f = stepOf(F, config, t, row);
      backend.matmul(rows, columns, M, f, transposed(v(parameters, t)), at(z, t), false);
    }
    backend.fold(xi, steps, count, z, s);
    const dScore = dense(dScores.at(row * outputs), outputs);
    const lambda = (of: ParameterBlock) => dense(of.part('lambda').at(column * outputs), outputs);
    backend.matmul(columns, outputs, rows, transposed(dense(s, columns)), dScore, lambda(gradients), row > 0);
    backend.matmul(rows, columns, outputs, dScore, transposed(lambda(parameters)), dense(ds, columns), false);
    backend.foldGradient(xi, steps, count, z, ds, dz);
    for (let t = 0; t < steps; t++) {
      const d = at(dz, t);
      const added = row > 0 || (shared && t > 0);
      backend.matmul(columns, M, rows, transposed(d), stepOf(F, config, t, row), v(gradients, t), added);
      backend.matmul(rows, M, columns, d, v(parameters, t), stepOf(dF, config, t, row), column > 0);
    }
  }
}
