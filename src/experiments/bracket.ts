import { balancedBipartitions } from '../analysis/matricize.ts';
import { matricizationRank } from '../analysis/ranks.ts';
import type { Backend } from '../backend/interface.ts';
import { checkBackend } from '../backend/selection.ts';
import {
  aborted,
  checkCallback,
  checkSignal,
  integer,
  knownKeys,
  mismatch,
  naming,
  oneOf,
  XiError,
} from '../core/errors.ts';
import { anyTensor, type Tensor } from '../core/tensor.ts';
import { XI_NAMES, type Xi } from '../core/xi.gen.ts';
import { bestWidthBound } from '../theory/bounds.ts';
import { realized } from '../theory/realize.ts';
import { targetOf } from '../theory/target.ts';
import { type FitShallowOptions, fitShallow, type ShallowIteration } from './fit_shallow.ts';

/** ξ, and how much work {@link bracketWidth} puts into narrowing the bracket. */
export interface BracketOptions
  extends Pick<FitShallowOptions, 'starts' | 'iterations' | 'tolerance' | 'seed' | 'signal'> {
  /** The operator of the shallow network. */
  readonly xi: Xi;
  /** Singular values above this, relative to the largest, count as rank; 1e-10 by default. */
  readonly rankTolerance?: number;
  /** Widths that are tried by fits, from the lower bound on; 4 by default, 0 for the construction alone. */
  readonly fits?: number;
  /** Where it is computed; the best of this machine by default. */
  readonly backend?: Backend;
  /** Told after each iteration of a fit, with the width that it tries. */
  readonly onIteration?: (report: ShallowIteration & { readonly width: number }) => void;
}

/** The least width of a shallow network with this grid tensor lies in [lower, upper]. */
export interface WidthBracket {
  /** No narrower network has this grid tensor, where the rank at `rankTolerance` is the true one. */
  readonly lower: number;
  /** The width of a network that has it. */
  readonly upper: number;
  /** Modes of the rows whose rank gives the lower bound. */
  readonly rowModes: readonly number[];
  /** What the rank behind `lower` was counted at. */
  readonly rankTolerance: number;
  /** What attains the upper bound: a fit does within `residual` only, a construction within roundoff. */
  readonly evidence: 'construction' | 'fit';
  /** ‖Γ − H‖ / ‖H‖ of what attains the upper bound. */
  readonly residual: number;
}

const KEYS = [
  ...['xi', 'starts', 'iterations', 'tolerance', 'seed', 'rankTolerance', 'fits', 'backend'],
  ...['signal', 'onIteration'],
];

/**
 * Brackets the least width of a shallow network whose grid tensor is H [M,…,M], one output: below by the ranks of all balanced
 * bipartitions and of each mode, above by the narrowest construction and by fits of the widths between.
 *
 * @throws XiError E_SHAPE, E_ARGUMENT as `realize` for H and ξ (logsumexp and l2 are bracketed by fits alone); E_NUMERIC where no fit
 * of those attains the tolerance; E_ARGUMENT where no width suffices; E_ABORTED when the signal is.
 */
export function bracketWidth(H: Tensor, options: BracketOptions): WidthBracket {
  const where = 'bracketWidth';
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', where, '{ xi, … }', options);
  knownKeys(where, options, KEYS);
  const { rankTolerance, fits = 4, xi: _, onIteration, ...fitting } = options;
  const { signal } = options;
  checkSignal(where, signal);
  checkCallback(`${where} onIteration`, onIteration);
  const xi = oneOf(`${where} xi`, options.xi, XI_NAMES);
  checkBackend(where, options.backend);
  integer(`${where} fits`, fits, 0, 2 ** 20);
  const { M, T } = naming(where, () => targetOf(H, anyTensor('H', H).shape.length));
  if (signal?.aborted) throw aborted(`${where}: stopped before the ranks`, signal);
  const single = T > 1 ? Array.from({ length: T }, (_, t) => [t]) : [];
  const cuts = [...balancedBipartitions(T), ...single].map((rowModes) => {
    const asked = { tolerance: rankTolerance, backend: options.backend };
    const { rank, tolerance } = matricizationRank(H, rowModes, asked);
    return { rowModes, rank, tolerance };
  });
  const bound = bestWidthBound({ xi, size: M, steps: T, cuts });
  const cut = cuts.find(({ rowModes }) => `${rowModes}` === `${bound.rowModes}`)!;
  if (bound.refined === null) {
    throw new XiError(
      'E_ARGUMENT',
      `${where}: no shallow network with ξ = ${xi} has a matricization of rank ${cut.rank} (rows ${bound.rowModes.join(', ')})`,
    );
  }
  const found = { rowModes: bound.rowModes, rankTolerance: cut.tolerance, lower: bound.refined };
  if (bound.refined === 0) return { ...found, upper: 0, evidence: 'construction', residual: 0 };
  const constructed = xi === 'logsumexp' || xi === 'l2' ? undefined : widthOf(H, xi, options.backend);
  const tolerance = options.tolerance ?? 1e-9;
  for (let width = found.lower; width < found.lower + fits; width++) {
    if (constructed !== undefined && width >= constructed) break;
    const tell = (report: ShallowIteration) => onIteration?.({ ...report, width });
    const asked = { ...fitting, xi, width, tolerance, steps: T, onIteration: tell };
    const { residual } = naming(where, () => fitShallow(H, asked));
    if (residual <= tolerance) return { ...found, upper: width, evidence: 'fit', residual };
  }
  if (constructed === undefined) {
    throw new XiError(
      'E_NUMERIC',
      `${where}: no construction is known for ξ = ${xi}, and no fit of width ${found.lower} to ${found.lower + fits - 1} attained ${tolerance}`,
    );
  }
  return { ...found, upper: constructed, evidence: 'construction', residual: 0 };
}

const widthOf = (H: Tensor, xi: Xi, backend?: Backend): number =>
  realized('bracketWidth', H, { kind: 'cp', xi, steps: H.shape.length, backend }).model.config.rank[0];
