import { gridTensor } from '../src/analysis/grid.ts';
import { gridOutput } from '../src/analysis/matricize.ts';
import { matricizationRank } from '../src/analysis/ranks.ts';
import type { Backend } from '../src/backend/interface.ts';
import { type Tensor, zeros } from '../src/core/tensor.ts';
import { createModel } from '../src/models/model.ts';
import { type WidthBound, widthBound } from '../src/theory/bounds.ts';
import type { Choice } from './choice.ts';

/** What one random network shows. */
export interface Drawn {
  readonly rank: number;
  /** Descending, relative to the largest. */
  readonly spectrum: Float64Array;
  readonly tolerance: number;
}

/** The modes 0, 2, 4, …, which are the odd ones of the paper. */
const rowModesOf = ({ T }: Choice) => Array.from({ length: Math.ceil(T / 2) }, (_, n) => 2 * n);

/** The largest rank that the matrix of a choice can have. */
export const largestRank = ({ M, T }: Choice) => M ** Math.floor(T / 2);

/** What a rank says about the width of shallow networks. */
export function boundOf(choice: Choice, rank: number): WidthBound {
  return widthBound({ xi: choice.xi, size: choice.M, steps: choice.T, rank, rowModes: rowModesOf(choice) });
}

/** Network `index` of a choice: independent normal weights, determined by seed and index, on M one-hot templates. */
export function drawNetwork(backend: Backend, choice: Choice, index: number): Drawn {
  const { xi, kind, M, T, R, shared, seed } = choice;
  const model = createModel({
    ...{
      kind,
      xi,
      steps: T,
      inputs: M,
      outputs: 1,
      rank: R,
      shared,
      init: 'normal',
      dtype: 'float64',
      backend,
    },
    features: { size: M, activation: 'identity' },
    seed: seed * 2 ** 20 + index,
  });
  const grid = gridOutput(gridTensor(model, oneHot(M)), 0);
  const { rank, singularValues, tolerance } = matricizationRank(grid, rowModesOf(choice), { backend });
  const [largest] = singularValues;
  return {
    rank,
    spectrum: singularValues.map((value) => (largest > 0 ? value / largest : 0)),
    tolerance,
  };
}

function oneHot(M: number): Tensor {
  const templates = zeros([M, M], 'float64');
  for (let m = 0; m < M; m++) templates.data[m * M + m] = 1;
  return templates;
}
