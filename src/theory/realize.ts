import { knownKeys, mismatch, naming, oneOf, XiError } from '../core/errors.ts';
import { type Tensor, tensor } from '../core/tensor.ts';
import { XI_NAMES, type Xi } from '../core/xi.gen.ts';
import { defaultEps } from '../decompose/options.ts';
import { MODEL_KINDS, type ModelKind } from '../models/config.ts';
import type { Model } from '../models/model.ts';
import { shallowAdditive } from './additive.ts';
import { type Placement, recurrentModel, shallowModel, treeModel } from './build.ts';
import {
  SHALLOW_VARIANTS,
  type ShallowVariant,
  shallowPieces,
  shallowProduct,
  shallowSize,
} from './entries.ts';
import { type FeatureChoice, type FeatureMap, featureMap } from './features.ts';
import { productTrain, RECURRENT_VARIANTS, type RecurrentVariant, selectorTrain } from './recurrent.ts';
import { shallowToRecurrent, shallowToTree } from './shallow.ts';
import { type Target, targetOf } from './target.ts';
import { linearTrain } from './tensor_train.ts';
import { oneHotTree, treeSize } from './tree.ts';

/** Which construction holds the tensor; docs/theory.md compares their sizes. */
export type RealizeVariant = ShallowVariant | RecurrentVariant | 'tree';

/** Which network is to hold a tensor. */
export interface RealizeOptions extends Placement {
  /** The family of the network. */
  readonly kind: ModelKind;
  /** Its operator. */
  readonly xi: Xi;
  /**
   * For rectifier, max and min. `cp`: 'entries' (width M^T), 'entries+constant' (M^T + 1) or 'fibres' (outputs·M^(T−1) + 1); the
   * narrowest by default. `tt`: 'c1' (L = M, ranks r_t + 1, the default) or, for the rectifier, 'c0' (L = 2M, ranks r_t).
   */
  readonly variant?: RealizeVariant;
  /** Features of the templates; one-hot templates that are their own features by default. */
  readonly features?: FeatureChoice;
  /** T, where the shape of H leaves open whether its last axis is that of the outputs. */
  readonly steps?: number;
  /** Relative error, in the Frobenius norm, that the tensor train of kind `tt` may make; by default 1e-13, and of a float32 H √(T−1) 2⁻²³, as of `ttSvd`. */
  readonly eps?: number;
}

/** A network that holds a tensor, and what it took. */
export interface Realization {
  /** The network: its scores of the templates are the tensor. */
  readonly model: Model;
  /** `[M,N]`, in the dtype of the model: the inputs that the modes stand for. */
  readonly templates: Tensor;
  /** The construction; `linear` and `additive` are those of the product and of sum and relusum. */
  readonly variant: RealizeVariant | 'linear' | 'additive';
  /** r_1 … r_{T−1} of the linear tensor train, for kind `tt` where there is one. */
  readonly ttRanks?: readonly number[];
  /** ‖F‖₁ ‖F⁻¹‖₁ of the features of the templates, to which the error is proportional. */
  readonly condition: number;
}

/** 2²⁸ numbers are 2 GiB of float64. */
const MAX_PARAMETERS = 2 ** 28;
const KEYS = ['kind', 'xi', 'variant', 'features', 'steps', 'eps', 'dtype', 'backend'];
const DEFAULT_EPS = 1e-13;
/** Those ξ whose recurrent networks are made from a linear tensor train. */
const WITH_TRAINS: readonly Xi[] = ['product', 'rectifier', 'max', 'min'];

/**
 * A network whose grid tensor on the templates is H [M,…,M] or [M,…,M,outputs].
 *
 * product: exact for every kind. rectifier, max, min: any tensor, as a shallow network (Theorem 5.1), as a recurrent network of ranks
 * r_t + 1 where H has TT-ranks r_t (docs/theory.md, C1; C0), as the full one-hot tree. sum, relusum: additive tensors. The error in
 * float64 is about 1e-15 … 3e-14 of ‖H‖, times the condition of the features. Shallow networks add up many terms: an element is wrong by at
 * most 1.1 ε M^(T−1) max|H| with `fibres`, and by 2 ε M^(2T) max|H| with `entries` and `entries+constant`, whose M^T terms and weights may
 * all count; 3.75e-12 for the constant 0.1 with M = 4, T = 5 and `entries+constant`.
 *
 * @throws XiError E_SHAPE for an H of other shape or one template; E_ARGUMENT for a variant or an `eps` that ξ and kind do not have, for logsumexp
 * and l2, of which no exact construction is known, for tensors that ξ cannot reach; E_MEMORY before a network that is too large is
 * made; E_NUMERIC for features that are singular.
 */
export function realize(H: Tensor, options: RealizeOptions): Model {
  return realized('realize', H, options).model;
}

/** {@link realize} with what it took: variant, ranks, condition. */
export function realization(H: Tensor, options: RealizeOptions): Realization {
  return realized('realization', H, options);
}

/** {@link realization} for another function, whose name messages begin with. */
export function realized(where: string, H: Tensor, options: RealizeOptions): Realization {
  if (typeof options !== 'object' || options === null)
    throw mismatch('E_ARGUMENT', where, '{ kind, xi, … }', options);
  knownKeys(where, options, KEYS);
  const kind = oneOf(`${where} kind`, options.kind, MODEL_KINDS);
  const xi = oneOf(`${where} xi`, options.xi, XI_NAMES);
  if (options.eps !== undefined && (kind !== 'tt' || !WITH_TRAINS.includes(xi)))
    throw mismatch(
      'E_ARGUMENT',
      `${where} eps`,
      `kind tt with ξ among ${WITH_TRAINS.join(', ')}`,
      `${kind}, ${xi}`,
    );
  const eps = options.eps ?? DEFAULT_EPS;
  if (!(typeof eps === 'number' && eps >= 0 && eps < 1))
    throw mismatch('E_ARGUMENT', `${where} eps`, 'a number from 0 to less than 1', eps);
  const target = naming(where, () => targetOf(H, options.steps));
  const features = naming(where, () => featureMap(target.M, options.features));
  const allowed = options.eps ?? defaultEps(H, target.T - 1, DEFAULT_EPS);
  const job: Job = { where, target, features, placement: options, eps: allowed, variant: options.variant };
  const made = REACH[xi](job, kind, xi);
  const { condition } = features;
  return { ...made, templates: tensor(features.templates, undefined, made.model.config.dtype), condition };
}

interface Job {
  /** The function that was called. */
  readonly where: string;
  readonly target: Target;
  readonly features: FeatureMap;
  readonly placement: Placement;
  readonly eps: number;
  readonly variant: RealizeVariant | undefined;
}
type Made = Pick<Realization, 'model' | 'variant' | 'ttRanks'>;
type Reach = (job: Job, kind: ModelKind, xi: Xi) => Made;

/** What is known of each ξ. */
const REACH: Readonly<Record<Xi, Reach>> = {
  product: linear,
  rectifier: pieces,
  max: pieces,
  min: pieces,
  sum: additive,
  relusum: additive,
  logsumexp: unknown,
  l2: unknown,
};

function linear(job: Job, kind: ModelKind): Made {
  const { target, features, placement } = job;
  choose(job, kind, 'product', ['linear']);
  if (kind === 'cp') {
    fits(job, 'a shallow network', shallowSize(target, 'fibres'));
    return { model: shallowModel(shallowProduct(target), features, placement), variant: 'linear' };
  }
  if (kind === 'ht') return { ...tree(job, 'product'), variant: 'linear' };
  const train = linearTrain(target, job.eps, placement.backend);
  return {
    model: recurrentModel(productTrain(train), features, placement),
    variant: 'linear',
    ttRanks: train.ranks,
  };
}

function pieces(job: Job, kind: ModelKind, xi: Xi): Made {
  const { target, features, placement } = job;
  const ours = xi as 'rectifier' | 'max' | 'min';
  if (kind === 'ht') {
    choose(job, kind, xi, ['tree']);
    return tree(job, xi);
  }
  if (kind === 'cp') {
    const narrowest = shallowSize(target, 'fibres') < shallowSize(target, 'entries') ? 'fibres' : 'entries';
    const variant = choose(job, kind, xi, SHALLOW_VARIANTS) ?? narrowest;
    fits(job, 'a shallow network', shallowSize(target, variant));
    return { model: shallowModel(shallowPieces(target, ours, variant), features, placement), variant };
  }
  const variant = choose(job, kind, xi, xi === 'rectifier' ? RECURRENT_VARIANTS : ['c1' as const]) ?? 'c1';
  const train = linearTrain(target, job.eps, placement.backend);
  const model = recurrentModel(selectorTrain(train, ours, variant), features, placement);
  return { model, variant, ttRanks: train.ranks };
}

function tree(job: Job, xi: Xi): Made {
  const { target, features, placement } = job;
  fits(job, 'the full one-hot tree', treeSize(target));
  return { model: treeModel(oneHotTree(target, xi), features, placement), variant: 'tree' };
}

function additive(job: Job, kind: ModelKind, xi: Xi): Made {
  const { target, features, placement } = job;
  choose(job, kind, xi, ['additive']);
  if (kind === 'ht' && target.T === 1) return { ...tree(job, xi), variant: 'additive' };
  const shallow = shallowAdditive(job.where, target, xi as 'sum' | 'relusum');
  const model = shallowModel(shallow, features, placement);
  const into = { cp: (same: Model) => same, tt: shallowToRecurrent, ht: shallowToTree }[kind];
  return { model: into(model), variant: 'additive' };
}

function unknown({ where }: Job, _kind: ModelKind, xi: Xi): never {
  throw new XiError(
    'E_ARGUMENT',
    `${where}: expected ξ among product, rectifier, max, min, sum, relusum; received ${xi}, of which no exact construction is ` +
      'known (its terms span all tensors, but which combination holds a given one is a system of equations: fitShallow)',
  );
}

/** The variant that was asked for, among those that there are. */
function choose<T extends string>(
  { where, variant }: Job,
  kind: ModelKind,
  xi: Xi,
  variants: readonly T[],
): T | undefined {
  return variant === undefined
    ? undefined
    : oneOf(`${where} variant of kind ${kind} with ξ = ${xi}`, variant, variants);
}

function fits({ where }: Job, what: string, size: number): void {
  if (size > MAX_PARAMETERS)
    throw new XiError(
      'E_MEMORY',
      `${where}: expected at most 2^28 parameters, ${what} for this H has ${size}`,
    );
}
