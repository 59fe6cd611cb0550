import { type BoundKind, XI, type Xi } from '../core/xi.gen.ts';
import type { WidthBound } from './bounds.ts';

/** A part of a grid: how many templates are shown at each mode that is a row, and at each that is a column. */
export interface SubgridSizes {
  readonly rows: readonly number[];
  readonly columns: readonly number[];
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** Most values of max_t z_t over the choices of some modes: below the largest minimum no value is ever seen. */
const distinct = (sizes: readonly number[]) => sum(sizes.map((size) => size - 1)) + 1;

const possible = (paper: number, refined = paper): WidthBound => ({ paper, refined, impossible: false });

const BOUNDS: Readonly<Record<BoundKind, (rank: number, sizes: SubgridSizes) => WidthBound>> = {
  rank: (rank) => possible(rank),
  pieces: (rank, { rows, columns }) => {
    const paper = Math.max(1, Math.min(sum(rows), sum(columns)));
    return possible(Math.ceil(rank / paper), Math.ceil(rank / Math.min(distinct(rows), distinct(columns))));
  },
  additive: (rank) => (rank > 2 ? { paper: null, refined: null, impossible: true } : possible(1)),
  none: () => possible(1),
};

/**
 * Lower bound on the width of any shallow network that agrees with a network on a part of its grid whose matricization has this
 * rank.
 *
 * For max, min and rectifier one term of a shallow network is max(p(row), q(column)): rows with equal p are equal, and so are columns
 * with equal q, so that its rank is at most the number of values that p, or q, takes: Σ m_t (paper) or Σ (m_t − 1) + 1
 * (refined) for m_t templates at mode t. On the whole grid this is the bound of {@link widthBound}; on a part with few templates a
 * mode the divisor is small while the rank need not be.
 */
export function subgridBound(xi: Xi, rank: number, sizes: SubgridSizes): WidthBound {
  return rank === 0 ? possible(0) : BOUNDS[XI[xi].bound](rank, sizes);
}
