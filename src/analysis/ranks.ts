import type { Backend } from '../backend/interface.ts';
import { defaultBackend } from '../backend/select.ts';
import { checkBackend } from '../backend/selection.ts';
import { knownKeys, mismatch, XiError } from '../core/errors.ts';
import { anyTensor, type Tensor } from '../core/tensor.ts';
import { balancedBipartitions, matricization, splitModes } from './matricize.ts';
import { fingerprintOf, numericalRankOf, singularValuesOf } from './spectrum.ts';

/** What {@link matricizationRank} and its kin count as rank. */
export interface RankOptions {
  /**
   * Singular values above `tolerance` times the largest count. When left out 1e-10, and of a float32 tensor the larger
   * extent of its matricization times 2⁻²³: those below may be rounding.
   */
  readonly tolerance?: number;
  /** Where the singular values are computed; the best of this machine when left out. */
  readonly backend?: Backend;
}

/**
 * A numerical rank, and what there is to judge it by. Where the rank was counted without the singular values (`method`
 * inertia), these and what follows from them are computed when one of them is first read; until then the report keeps the
 * tensor.
 */
export interface RankReport {
  /** `#{ s_k > tolerance · s_1 }`. */
  readonly rank: number;
  /** Counted in the spectrum; or counted by an inertia on either side of the threshold, with the same result, under a model of rounding. */
  readonly method: 'spectrum' | 'inertia';
  /** All of them, descending. */
  readonly singularValues: Float64Array;
  /** Singular values above this part of the largest count as rank. */
  readonly tolerance: number;
  /** `s_rank / s_{rank+1}`: how clear the cut is; Infinity where nothing is below it, and for rank 0. */
  readonly gap: number;
  /** `exp(entropy)`: how many equal singular values would have this entropy; 0 for rank 0. */
  readonly effectiveRank: number;
  /** Entanglement entropy `−Σ p_k ln p_k`, `p_k = s_k² / Σ s²`. */
  readonly entropy: number;
}

export const DEFAULT_TOLERANCE = 1e-10;

/**
 * The numerical rank of the matricization with these modes as rows, in float64: counted by a QR decomposition with pivots and an
 * inertia where no singular value lies too close to the threshold (Sylvester's law; docs/ranks.md), else counted in the spectrum.
 *
 * For a grid tensor of network scores it says how wide a shallow network must be ({@link matricize} has the index order). A
 * rank without its tolerance means nothing, so that the tolerance is part of the result; what it does not prove,
 * {@link exactRank} does. O(m n rank) for a matrix [m,n].
 *
 * @throws XiError E_ARGUMENT for modes that do not exist or a tolerance outside [0, 1), and where the spectrum is first read after
 * the tensor was changed; E_NUMERIC for NaN or infinity, or elements so large that the largest singular value overflows.
 */
export function matricizationRank(
  tensor: Tensor,
  rowModes: readonly number[],
  options: RankOptions = {},
): RankReport {
  const { backend, tolerance } = checkOptions('matricizationRank', tensor, options);
  splitModes('matricizationRank', tensor.shape.length, rowModes);
  return rankOf(backend, tensor, rowModes, tolerance);
}

/**
 * The ranks of all prefix cuts, which are the ranks of the tensor's exact TT decomposition: element t−1 has the first t modes
 * as rows, t = 1 … T−1.
 *
 * @throws XiError as {@link matricizationRank}.
 */
export function prefixRanks(tensor: Tensor, options: RankOptions = {}): RankReport[] {
  const { backend, tolerance } = checkOptions('prefixRanks', tensor, options);
  const cuts = Array.from({ length: Math.max(0, tensor.shape.length - 1) }, (_, t) => t + 1);
  const first = (t: number) => Array.from({ length: t }, (_, mode) => mode);
  return cuts.map((t) => rankOf(backend, tensor, first(t), tolerance));
}

/** The rank of one bipartition of the modes. */
export interface BipartitionRank extends RankReport {
  /** Modes that are the rows, ascending. */
  readonly rowModes: readonly number[];
}

/**
 * The ranks of all balanced bipartitions: ⌊T/2⌋ modes as rows, of two complements the one with mode 0. There are
 * C(T, ⌊T/2⌋) of them, half as many for even T.
 *
 * @throws XiError as {@link matricizationRank}.
 */
export function bipartitionRanks(tensor: Tensor, options: RankOptions = {}): BipartitionRank[] {
  const { backend, tolerance } = checkOptions('bipartitionRanks', tensor, options);
  // Assigned, not spread, which would read the spectrum.
  return balancedBipartitions(tensor.shape.length).map((rowModes) =>
    Object.assign(rankOf(backend, tensor, rowModes, tolerance), { rowModes }),
  );
}

function checkOptions(where: string, tensor: Tensor, options: RankOptions) {
  knownKeys(where, options, ['tolerance', 'backend']);
  checkBackend(where, options.backend);
  anyTensor(where, tensor, { finite: true });
  return {
    tolerance: options.tolerance === undefined ? undefined : checkTolerance(where, options.tolerance),
    backend: options.backend ?? defaultBackend(),
  };
}

/** @throws XiError E_ARGUMENT for a tolerance outside [0, 1). */
export function checkTolerance(where: string, tolerance: unknown = DEFAULT_TOLERANCE): number {
  if (typeof tolerance === 'number' && tolerance >= 0 && tolerance < 1) return tolerance;
  throw mismatch('E_ARGUMENT', `${where} tolerance`, 'a number from 0 and below 1', tolerance);
}

/** What is above the rounding of a tensor's elements: NumPy's `matrix_rank` has the same for float32. */
function defaultTolerance({ dtype, shape }: Tensor, rowModes: readonly number[]): number {
  if (dtype === 'float64') return DEFAULT_TOLERANCE;
  const { rows, cols } = matricization(shape, rowModes);
  return Math.min(0.5, Math.max(rows, cols) * 2 ** -23);
}

/** The report of a matricization. */
export function rankOf(
  backend: Backend,
  tensor: Tensor,
  rowModes: readonly number[],
  tolerance = defaultTolerance(tensor, rowModes),
): RankReport {
  const { rank, print } = numericalRankOf(backend, tensor, rowModes, tolerance);
  const values = () => singularValuesOf(backend, tensor, rowModes);
  if (rank === null) return reportOf(values(), tolerance);
  let known: Spectrum | undefined;
  const spectrum = (): Spectrum => {
    if (known === undefined) {
      const now = fingerprintOf(backend, tensor, rowModes);
      if (!print.every((value, n) => Object.is(value, now[n]))) {
        throw mismatch('E_ARGUMENT', 'RankReport', 'the tensor whose rank was reported', 'a changed one');
      }
      known = spectrumOf(checkSpectrum(values()), rank);
    }
    return known;
  };
  return {
    rank,
    method: 'inertia',
    tolerance,
    get singularValues() {
      return spectrum().singularValues;
    },
    get gap() {
      return spectrum().gap;
    },
    get effectiveRank() {
      return spectrum().effectiveRank;
    },
    get entropy() {
      return spectrum().entropy;
    },
  };
}

/** Rank, gap and entropy of a descending spectrum. @throws XiError E_NUMERIC where the largest value overflows. */
export function reportOf(singularValues: Float64Array, tolerance: number): RankReport {
  const [largest = 0] = checkSpectrum(singularValues);
  const first = singularValues.findIndex((s) => !(s > tolerance * largest));
  const rank = largest === 0 ? 0 : first < 0 ? singularValues.length : first;
  return { rank, method: 'spectrum', tolerance, ...spectrumOf(singularValues, rank) };
}

function checkSpectrum(singularValues: Float64Array): Float64Array {
  const [largest = 0] = singularValues;
  if (Number.isFinite(largest)) return singularValues;
  throw new XiError('E_NUMERIC', 'singular values: expected them within the range of float64, they overflow');
}

type Spectrum = Pick<RankReport, 'singularValues' | 'gap' | 'effectiveRank' | 'entropy'>;

function spectrumOf(singularValues: Float64Array, rank: number): Spectrum {
  const [largest = 0] = singularValues;
  const next = singularValues[rank] ?? 0;
  const gap = rank === 0 || next === 0 ? Number.POSITIVE_INFINITY : singularValues[rank - 1] / next;
  // Scaled by the largest, so that no square overflows.
  const weights = singularValues.map((s) => (largest === 0 ? 0 : (s / largest) ** 2));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const entropy = weights.reduce((sum, w) => (w > 0 ? sum - (w / total) * Math.log(w / total) : sum), 0);
  const effectiveRank = rank === 0 ? 0 : Math.exp(entropy);
  return { singularValues, gap, effectiveRank, entropy };
}
