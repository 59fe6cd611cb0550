import { type BoundKind, XI, type Xi } from '../core/xi.gen.ts';
import type { WidthBound } from './bounds.ts';

/** A part of a grid: how many templates are shown at each mode that is a row, and at each that is a column. */
export interface SubgridSizes {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

/** What the rank of a part of a grid says about the width of a shallow network. */
export interface SubgridBound extends WidthBound {
  /** The bound on all terms together, at least `refined`; null where no width suffices. */
  readonly joint: number | null;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Most values of max_t z_t over the choices of some modes: below the largest minimum no value is ever seen. */
const distinct = (sizes: readonly number[]) => sum(sizes.map((size) => size - 1)) + 1;

const possible = (paper: number, refined = paper, joint = refined): SubgridBound => ({
  ...{ paper, refined, joint: Math.max(refined, joint), impossible: false },
});

const BOUNDS: Readonly<Record<BoundKind, (rank: number, sizes: SubgridSizes) => SubgridBound>> = {
  rank: (rank) => possible(rank),
  pieces: (rank, { rows, columns }) => {
    const paper = Math.max(1, Math.min(sum(rows), sum(columns)));
    return possible(
      Math.ceil(rank / paper),
      Math.ceil(rank / Math.min(distinct(rows), distinct(columns))),
      Math.max(jointBound(rank, rows), jointBound(rank, columns)),
    );
  },
  additive: (rank) =>
    rank > 2 ? { paper: null, refined: null, joint: null, impossible: true } : possible(1),
  none: () => possible(1),
};

/**
 * Lower bound on the width of any shallow network that agrees with a network on a part of its grid whose matricization has this
 * rank.
 *
 * For max, min and rectifier one term of a shallow network is max(p(row), q(column)): rows with equal p are equal, and so are columns
 * with equal q, so that its rank is at most the number of values that p, or q, takes: Σ m_t (paper) or Σ (m_t − 1) + 1
 * (refined) for m_t templates at mode t. On the whole grid this is the bound of {@link widthBound}; on a part with few templates a
 * mode the divisor is small while the rank need not be. `joint` is {@link jointBound} of the better side.
 */
export function subgridBound(xi: Xi, rank: number, sizes: SubgridSizes): SubgridBound {
  return rank === 0 ? possible(0) : BOUNDS[XI[xi].bound](rank, sizes);
}

/**
 * The least number of terms max(p(row), q(column)), p a maximum over modes with m_t templates, whose sum can have a rank.
 *
 * `max_k ⌈(rank − D_k) / (N − k)⌉`, N = Σ (m_t − 1), D_k = Σ_{j≤k} e_j(m_1 − 1, …), e_j the elementary symmetric polynomials: as
 * functions of the row a term's columns lie in the span of the indicators of the boxes {p < θ}, which are nested and lose a template
 * at each step. Those that lack at most k templates are functions of at most k modes at once, which all terms together have D_k
 * of; of the others a term has N − k. docs/ranks.md has the proof.
 */
function jointBound(rank: number, sizes: readonly number[]): number {
  const N = distinct(sizes) - 1;
  let best = 1;
  let shared = 0;
  elementary(sizes.map((size) => size - 1)).forEach((dimension, k) => {
    shared += dimension;
    if (k < N) best = Math.max(best, Math.ceil((rank - shared) / (N - k)));
  });
  return best;
}

/** The coefficients of Π (1 + x_t z): products of k of the numbers, summed. */
function elementary(numbers: readonly number[]): number[] {
  const all = [1];
  for (const x of numbers) {
    all.push(0);
    for (let k = all.length - 1; k > 0; k--) all[k] += x * all[k - 1];
  }
  return all;
}
