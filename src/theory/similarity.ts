import { integer, knownKeys, mismatch, naming, XiError } from '../core/errors.ts';
import type { Model } from '../models/model.ts';
import { block, checkSizes, type Placement, recurrentModel, steps } from './build.ts';
import { type FeatureChoice, featureMap } from './features.ts';

/** Sizes of {@link similarityNetwork}. */
export interface SimilarityOptions extends Placement {
  /** M, the number of templates, 2 or more: of one template every grid tensor has one element. */
  readonly size: number;
  /** R, the largest rank. */
  readonly rank: number;
  /** T, even. */
  readonly steps: number;
  /** Features of the templates; one-hot templates that are their own features by default. */
  readonly features?: FeatureChoice;
}

/**
 * The rectifier network of Theorem 5.2, of ranks at most R, that a shallow network needs an exponential width for:
 * `Γ = 1 − Π_k [i_{2k−1} = i_{2k} < q]` with q = min(M, R), of rank q^(T/2) (+ 1 if R < M) where odd modes are rows.
 *
 * Odd steps read: h[i] = max(1 − δ(i,i_t), flag). Even steps compare: flag′ = Σ_i max(1 − δ(i,i_t), h[i], 0) − (q − 1), which stays 0
 * only while every pair matched. L = q + 1, R_t = q after odd steps and 1 after even ones.
 *
 * @throws XiError E_ARGUMENT for an odd number of steps, one template or ranks below 1; E_MEMORY, before anything is allocated, for a network of
 * more than 2 GiB.
 */
export function similarityNetwork(options: SimilarityOptions): Model {
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', 'similarityNetwork', '{ size, rank, steps }', options);
  knownKeys('similarityNetwork', options, ['size', 'rank', 'steps', 'features', 'dtype', 'backend']);
  const M = integer('similarityNetwork size', options.size, 2, 2 ** 20);
  const R = integer('similarityNetwork rank', options.rank, 1, 2 ** 20 - 1);
  const T = integer('similarityNetwork steps', options.steps, 2, 2 ** 16);
  if (T % 2 === 1)
    throw new XiError('E_ARGUMENT', `similarityNetwork steps: expected an even number, received ${T}`);
  const q = Math.min(M, R);
  const rank = steps(T - 1, (t) => (t % 2 === 0 ? q : 1));
  const sizes = { kind: 'tt', xi: 'rectifier', steps: T, outputs: 1, rank, projection: q + 1 } as const;
  checkSizes('similarityNetwork', sizes, M);
  const read = block([q + 1, 1, q], (i, _, k) => Number(i === k));
  const compare = block([q + 1, q, 1], (i, j) => {
    if (i === q) return j === 0 ? 1 - q : 0;
    return Number(i === j);
  });
  const A = block([q + 1, M], (i, m) => Number(i !== m || i === q));
  const net = {
    xi: 'rectifier',
    A: steps(T, () => A),
    G: steps(T, (t) => (t % 2 === 0 ? read : compare)),
  } as const;
  return recurrentModel(
    net,
    naming('similarityNetwork', () => featureMap(M, options.features)),
    options,
  );
}
