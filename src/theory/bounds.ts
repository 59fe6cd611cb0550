import { integer, knownKeys, mismatch, oneOf, XiError } from '../core/errors.ts';
import { type BoundKind, XI, XI_NAMES, type Xi } from '../core/xi.gen.ts';

/** Sizes of a grid tensor and the rank of one of its matricizations. */
export interface WidthBoundOptions {
  /** The operator of the shallow network. */
  readonly xi: Xi;
  /** M, the number of templates: the extent of every mode. */
  readonly size: number;
  /** T, the number of modes. */
  readonly steps: number;
  /** Rank of the matricization, or a lower bound on it. */
  readonly rank: number;
  /** Modes that are the rows; only their number matters. By default half of the modes, rounded down. */
  readonly rowModes?: readonly number[];
}

/** What a rank says about the width of a shallow network; null where no width suffices. */
export interface WidthBound {
  /** The bound as the paper states it. */
  readonly paper: number | null;
  /** The best bound of its kind: a single term attains the rank that it divides by. */
  readonly refined: number | null;
  /** No shallow network of any width has a grid tensor of this rank. */
  readonly impossible: boolean;
}

const KEYS = ['xi', 'size', 'steps', 'rank', 'rowModes'];
const MAX_SIZE = 2 ** 31 - 1;

type Sizes = { readonly M: number; readonly k: number; readonly rank: number };

const IMPOSSIBLE: WidthBound = { paper: null, refined: null, impossible: true };
const possible = (paper: number, refined = paper): WidthBound => ({ paper, refined, impossible: false });

/** The bound from a rank of at least 1, by the kind in native/xi.def. */
const BOUNDS: Readonly<Record<BoundKind, (sizes: Sizes) => WidthBound>> = {
  // One term is an outer product.
  rank: ({ rank }) => possible(rank),
  // One term is max(p(x), q(y)): rows with equal p are equal, and p takes at most k(M−1)+1 values. Without row modes it
  // takes one, of which the paper does not speak.
  pieces: ({ M, k, rank }) =>
    possible(Math.ceil(rank / Math.max(1, M * k)), Math.ceil(rank / (k * (M - 1) + 1))),
  // Any number of terms is P(x) + Q(y).
  additive: ({ rank }) => (rank > 2 ? IMPOSSIBLE : possible(1)),
  // One term already has full rank generically.
  none: () => possible(1),
};

/**
 * Lower bound on the width of a shallow network whose grid tensor (of one output) has a matricization of this rank.
 *
 * product: rank. rectifier, max, min: ⌈rank / (M·k)⌉ (paper), ⌈rank / (k(M−1)+1)⌉ (refined) with k = min(#row modes,
 * #column modes). sum, relusum: 1, and impossible beyond rank 2. logsumexp, l2: 1, as none is known. Rank 0 gives 0. A lower bound
 * on the rank gives a valid, perhaps weaker, bound; a rank that no matricization has, above M^k, is not refused, and its bound says
 * nothing. Khrulkov, Hrinchuk & Oseledets 2019, Theorem 5.2 and its lemmas; the refinement
 * and the cases of other ξ: docs/theory.md.
 *
 * @throws XiError E_ARGUMENT that names the option, the rule and the value.
 */
export function widthBound(options: WidthBoundOptions): WidthBound {
  return boundOf('widthBound', options);
}

function boundOf(where: string, options: WidthBoundOptions): WidthBound {
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', where, 'an object of options', options);
  knownKeys(where, options, KEYS);
  const xi = oneOf(`${where} xi`, options.xi, XI_NAMES);
  const M = integer(`${where} size`, options.size, 1, MAX_SIZE);
  const steps = integer(`${where} steps`, options.steps, 1, MAX_SIZE);
  const rank = integer(`${where} rank`, options.rank, 0, Number.MAX_SAFE_INTEGER);
  const rows = rowCount(`${where} rowModes`, options.rowModes, steps);
  if (rank === 0) return possible(0);
  return BOUNDS[XI[xi].bound]({ M, k: Math.min(rows, steps - rows), rank });
}

/** The rank of the matricization with these modes as rows. */
export interface CutRank {
  /** Modes that are the rows. */
  readonly rowModes: readonly number[];
  /** Of the matricization, or a lower bound on it. */
  readonly rank: number;
}

/** A bound and the matricization that gives it. */
export interface BestWidthBound extends WidthBound {
  /** The modes that are the rows of the matricization which gives it. */
  readonly rowModes: readonly number[];
}

/**
 * The largest {@link widthBound} over several matricizations of one grid tensor, and the first of them that gives it.
 *
 * @throws XiError as {@link widthBound}, and E_ARGUMENT for no matricization.
 */
export function bestWidthBound(options: {
  readonly xi: Xi;
  readonly size: number;
  readonly steps: number;
  readonly cuts: readonly CutRank[];
}): BestWidthBound {
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', 'bestWidthBound', 'an object of options', options);
  const { cuts, ...sizes } = options;
  if (!Array.isArray(cuts) || cuts.length === 0)
    throw mismatch('E_ARGUMENT', 'bestWidthBound cuts', 'at least one { rowModes, rank }', cuts);
  const bounds = Array.from(cuts, (cut: CutRank, n) => {
    if (!Array.isArray(cut?.rowModes))
      throw mismatch('E_ARGUMENT', `bestWidthBound cuts[${n}]`, '{ rowModes, rank }', cut);
    const { rowModes, rank } = cut;
    return { ...boundOf('bestWidthBound', { ...sizes, rank, rowModes }), rowModes: [...rowModes] };
  });
  return bounds.reduce((best, bound) => (strength(bound) > strength(best) ? bound : best));
}

const strength = ({ refined }: WidthBound): number => refined ?? Number.POSITIVE_INFINITY;

function rowCount(where: string, rowModes: readonly number[] | undefined, steps: number): number {
  if (rowModes === undefined) return Math.floor(steps / 2);
  if (!Array.isArray(rowModes)) throw mismatch('E_ARGUMENT', where, 'a list of modes', rowModes);
  for (const mode of rowModes) integer(where, mode, 0, steps - 1);
  if (new Set(rowModes).size !== rowModes.length)
    throw new XiError('E_ARGUMENT', `${where}: expected each mode once, received [${rowModes.join(', ')}]`);
  return rowModes.length;
}
