import { integer, knownKeys, mismatch, naming, oneOf } from '../core/errors.ts';
import type { Xi } from '../core/xi.gen.ts';
import type { Model } from '../models/model.ts';
import { block, checkSizes, negated, type Placement, shallowModel, steps } from './build.ts';
import { type FeatureChoice, featureMap } from './features.ts';
import { shallowToRecurrent } from './shallow.ts';

const XIS = ['product', 'rectifier', 'max', 'min'] as const satisfies readonly Xi[];

/** Kind and ξ of {@link oneHotTensor}. */
export interface OneHotOptions extends Placement {
  /** Shallow, or recurrent. */
  readonly kind: 'cp' | 'tt';
  /** One whose one-hot tensors are known. */
  readonly xi: (typeof XIS)[number];
  /** M, the number of templates. */
  readonly size: number;
  /** j_1 … j_T, counted from 0: where the tensor is 1. */
  readonly index: readonly number[];
  /** Features of the templates; one-hot templates that are their own features by default. */
  readonly features?: FeatureChoice;
}

/**
 * A network whose grid tensor is E_j, one at the tuple j and zero elsewhere: `E_j = 1 − max_t(1 − δ(i_t, j_t))`, two terms, so that a
 * recurrent network has ranks 2 (proof of Lemma 5.2); one term for product.
 *
 * @throws XiError E_ARGUMENT for indices outside the templates or a ξ of which this is not known; E_MEMORY, before anything is
 * allocated, for a network of more than 2 GiB.
 */
export function oneHotTensor(options: OneHotOptions): Model {
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', 'oneHotTensor', '{ kind, xi, size, index }', options);
  knownKeys('oneHotTensor', options, ['kind', 'xi', 'size', 'index', 'features', 'dtype', 'backend']);
  const kind = oneOf('oneHotTensor kind', options.kind, ['cp', 'tt']);
  const xi = oneOf('oneHotTensor xi', options.xi, XIS);
  const M = integer('oneHotTensor size', options.size, 1, 2 ** 20);
  if (!Array.isArray(options.index) || options.index.length === 0)
    throw mismatch('E_ARGUMENT', 'oneHotTensor index', 'a template for each step', options.index);
  const index = options.index.map((m, t) => integer(`oneHotTensor index[${t}]`, m, 0, M - 1));
  const width = xi === 'product' ? 1 : 2;
  checkSizes('oneHotTensor', { kind, xi, steps: index.length, outputs: 1, rank: width }, M);
  const lambda = block([width, 1], (r) => (xi === 'product' || r === 1 ? 1 : -1));
  const A = steps(index.length, (t) =>
    block([width, M], (r, m) =>
      xi === 'product' ? Number(m === index[t]) : Number(r === 1 || m !== index[t]),
    ),
  );
  const net = xi === 'min' ? { xi, A: A.map(negated), lambda: negated(lambda) } : { xi, A, lambda };
  const model = shallowModel(
    net,
    naming('oneHotTensor', () => featureMap(M, options.features)),
    options,
  );
  return kind === 'cp' ? model : shallowToRecurrent(model);
}
