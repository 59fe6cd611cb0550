// How wide must a shallow network be to do what a recurrent one does? Draws random recurrent networks of growing rank and
// bounds the width by the rank of their grid tensors, numerically and by exact arithmetic.
//
//   node ranks-of-a-network.mjs [operator]        such as rectifier, max, product
import {
  createModel,
  exactRank,
  gridOutput,
  gridTensor,
  matricizationRank,
  tensor,
  widthBound,
} from 'xitensor';

const xi = process.argv[2] ?? 'rectifier';
const [M, T] = [4, 6];
// One-hot templates: the grid tensor has a score for each of the M^T sequences of M letters.
const templates = tensor(
  Array.from({ length: M }, (_, i) => Array.from({ length: M }, (_, j) => Number(i === j))),
);
const odd = Array.from({ length: T / 2 }, (_, t) => 2 * t);

console.log(`ξ = ${xi}, ${M}^${T} = ${M ** T} sequences, matricization of ${M ** (T / 2)} × ${M ** (T / 2)}`);
console.log('R  parameters  rank  exact  gap      shallow width');
for (const R of [1, 2, 4, 8]) {
  const model = createModel({
    kind: 'tt',
    xi,
    steps: T,
    inputs: M,
    outputs: 1,
    rank: R,
    features: { size: M, activation: 'identity' },
    dtype: 'float64',
    init: 'normal',
    seed: R,
  });
  const grid = gridOutput(gridTensor(model, templates), 0);
  const { rank, gap } = matricizationRank(grid, odd, { tolerance: 1e-10 });
  // A lower bound on the true rank, whatever rounding does.
  const exact = exactRank(model, templates, odd);
  const { refined } = widthBound({ xi, size: M, steps: T, rank: exact.rank });
  const cells = [R, model.parameterCount, rank, exact.rank, gap.toExponential(1), `at least ${refined}`];
  console.log(cells.map((cell, n) => String(cell).padEnd([3, 12, 6, 7, 9, 0][n])).join(''));
}
