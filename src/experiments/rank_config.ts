import { EXACT_XI } from '../analysis/exact/definition.ts';
import { checkTolerance } from '../analysis/ranks.ts';
import { integer, knownKeys, mismatch, oneOf, XiError } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { XI_NAMES, type Xi } from '../core/xi.gen.ts';

export const ENTRIES = ['normal', 'uniform'] as const;

/** A distribution study: random recurrent networks, and the width of shallow networks that can do what they do. */
export interface RankStudy {
  /** The operator of the networks. */
  readonly xi: Xi;
  /** Templates, and features. */
  readonly M: number;
  /** Steps. */
  readonly T: number;
  /** Rows of the projections. */
  readonly L: number;
  /** The ranks R whose networks are compared. */
  readonly ranks: readonly number[];
  /** Whether all middle cores are the same. */
  readonly shared: boolean;
  /** Networks a rank. */
  readonly networks: number;
  /** Distribution of the entries of C, G and F: mean 0, variance 1. */
  readonly entries: (typeof ENTRIES)[number];
  /** Singular values above this part of the largest count as rank. */
  readonly tolerance: number;
  /** Whether every numerical rank is compared with the exact one. */
  readonly exact: boolean;
  /** With R and the number of a network it decides its weights. */
  readonly seed: number;
}

/** The paper's figures: Khrulkov, Hrinchuk & Oseledets 2019, section 6. */
export const FIGURES: Readonly<Record<'3' | '4' | '5', Partial<RankStudy>>> = {
  3: { xi: 'rectifier', M: 10, T: 6, shared: false },
  4: { xi: 'rectifier', M: 6, T: 6, shared: true },
  5: { xi: 'l2', M: 6, T: 6, shared: false },
};

const KEYS = ['xi', 'M', 'T', 'L', 'ranks', 'shared', 'networks', 'entries', 'tolerance', 'exact', 'seed'];
/** The largest R, and networks a rank. */
export const MOST_R = 2 ** 20;
export const MOST_NETWORKS = 10 ** 7;
/** Entries of a grid: 2 GiB of float64. */
const MOST_ENTRIES = 2 ** 28;

/**
 * Checks a study and fills in the defaults: rectifier, M = 6, T = 6, L = M, ranks 1, 2, 4, 8, 1000 networks a rank, entries N(0,1).
 *
 * @throws XiError E_ARGUMENT that names the option, the rule and the value; E_MEMORY for grids that are too large.
 */
export function checkStudy(options: Partial<RankStudy>): RankStudy {
  return studyOf('checkStudy', options);
}

/** {@link checkStudy} for another caller, whose name messages begin with. */
export function studyOf(where: string, options: Partial<RankStudy>): RankStudy {
  knownKeys(where, options, KEYS);
  const xi = oneOf(`${where} xi`, options.xi ?? 'rectifier', XI_NAMES);
  const M = integer(`${where} M`, options.M ?? 6, 1, 2 ** 20);
  const T = integer(`${where} T`, options.T ?? 6, 2, 64);
  const L = integer(`${where} L`, options.L ?? M, 1, 2 ** 20);
  const ranks = options.ranks ?? [1, 2, 4, 8];
  if (!Array.isArray(ranks) || ranks.length === 0 || new Set(ranks).size !== ranks.length)
    throw mismatch('E_ARGUMENT', `${where} ranks`, 'a list of different ranks', ranks);
  for (const R of ranks) integer(`${where} ranks`, R, 1, MOST_R);
  const networks = integer(`${where} networks`, options.networks ?? 1000, 1, MOST_NETWORKS);
  const entries = oneOf(`${where} entries`, options.entries ?? 'normal', ENTRIES);
  const tolerance = checkTolerance(where, options.tolerance);
  const { shared = false, exact = false } = options;
  for (const [name, value] of Object.entries({ shared, exact }))
    if (typeof value !== 'boolean') throw mismatch('E_ARGUMENT', `${where} ${name}`, 'true or false', value);
  if (exact && !(EXACT_XI as readonly Xi[]).includes(xi))
    throw mismatch('E_ARGUMENT', `${where} exact`, `a ξ with exact values (${EXACT_XI.join(', ')})`, xi);
  const seed = integer(`${where} seed`, options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  if (!(M ** T <= MOST_ENTRIES))
    throw new XiError(
      'E_MEMORY',
      `${where}: expected a grid of at most ${MOST_ENTRIES} entries, received ${M}^${T}`,
    );
  const largest = Math.max(...ranks);
  const core = [L, largest, ...(T > 2 ? [largest] : [])];
  if (!(product(core) + L * M <= MOST_ENTRIES))
    throw new XiError(
      'E_MEMORY',
      `${where}: expected a core and projections of at most ${MOST_ENTRIES} entries, received ${core.join(' × ')} and ${L} × ${M}`,
    );
  return { xi, M, T, L, ranks: [...ranks], shared, networks, entries, tolerance, exact, seed };
}
