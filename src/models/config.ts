import { ACTIVATIONS, type Activation } from '../backend/interface.ts';
import { counted } from '../core/counted.ts';
import { integer, knownKeys, mismatch, oneOf } from '../core/errors.ts';
import { DTYPES, type DType } from '../core/tensor.ts';
import { balancedTree, levelsOf } from '../core/tree.ts';
import { XI_NAMES, type Xi } from '../core/xi.gen.ts';

export const MODEL_KINDS = ['cp', 'tt', 'ht'] as const;
/** CP, the shallow network; TT, the recurrent one; HT, the tree. */
export type ModelKind = (typeof MODEL_KINDS)[number];

export const INITIALIZATIONS = ['identity', 'normal'] as const;
/** How weights start: as the identity on hidden states, or as independent normal numbers. See docs/training.md. */
export type Initialization = (typeof INITIALIZATIONS)[number];

/** What a user says of a model; everything that is optional has a default. */
export interface ModelOptions {
  /** `cp`: the shallow network; `tt`: the recurrent network; `ht`: the tree. */
  readonly kind: ModelKind;
  /** ξ, which joins the operands of every contraction. */
  readonly xi: Xi;
  /** T, the length of the sequences. */
  readonly steps: number;
  /** N, the size of one input. */
  readonly inputs: number;
  /** Number of scores. */
  readonly outputs: number;
  /**
   * One number for all ranks, or a list. CP: R, the width. TT: R_1 … R_{T−1}. HT: R_0 of the leaves, then one for each
   * level below the root, ⌈log₂ T⌉ together.
   */
  readonly rank: number | readonly number[];
  /** TT: L, the rows of the projections C_t; by default the feature size. */
  readonly projection?: number;
  /** f(x) = σ(Ax + b) of size M; `embedding` starts A for one-hot inputs and tokens, whatever their number. */
  readonly features: {
    /** M, the number of features. */
    readonly size: number;
    /** σ; relu by default. */
    readonly activation?: Activation;
    /** Whether inputs are one-hot rows or tokens. */
    readonly embedding?: boolean;
  };
  /** CP: one v for all steps. TT: one middle core for all steps but the first and the last. HT: one W, one B a level. */
  readonly shared?: boolean;
  /** HT: nodes join component a of their left child with component a of their right child only. */
  readonly diagonal?: boolean;
  /** Of parameters, inputs and scores; float32 by default. */
  readonly dtype?: DType;
  /** Of the initial weights, from 0 to 2⁵³ − 1; 0 by default. */
  readonly seed?: number;
  /** `identity`: a start that trains for long sequences (docs/models.md); `normal`: independent normal weights. */
  readonly init?: Initialization;
}

/** What the configurations of all families have. */
interface CommonConfig {
  /** The operator in place of the product. */
  readonly xi: Xi;
  /** T, the length of the sequences. */
  readonly steps: number;
  /** N, the size of one input. */
  readonly inputs: number;
  /** Number of scores. */
  readonly outputs: number;
  /** CP: [R]. TT: R_1 … R_{T−1}. HT: R_0 of the leaves, then one for each level below the root. */
  readonly rank: readonly number[];
  /** f(x) = σ(Ax + b): M and σ. */
  readonly features: {
    /** M, the number of features. */
    readonly size: number;
    /** σ. */
    readonly activation: Activation;
    /** There only where it is true. */
    readonly embedding?: true;
  };
  /** Whether steps have weights in common. */
  readonly shared: boolean;
  /** Of parameters, inputs and scores. */
  readonly dtype: DType;
  /** Of the initial weights. */
  readonly seed: number;
  /** Their distribution. */
  readonly init: Initialization;
}

/** A shallow network, which has no projection and no cores. */
export interface CpConfig extends CommonConfig {
  /** A shallow network. */
  readonly kind: 'cp';
  /** Of recurrent networks only. */
  readonly projection?: undefined;
  /** Of trees only. */
  readonly diagonal?: undefined;
}

/** A recurrent network; `projection` is L. */
export interface TtConfig extends CommonConfig {
  /** A recurrent network. */
  readonly kind: 'tt';
  /** L, the rows of the projections C_t. */
  readonly projection: number;
  /** Of trees only. */
  readonly diagonal?: undefined;
}

/** A tree of full or diagonal cores. */
export interface HtConfig extends CommonConfig {
  /** A tree. */
  readonly kind: 'ht';
  /** Of recurrent networks only. */
  readonly projection?: undefined;
  /** Whether cores are diagonal. */
  readonly diagonal: boolean;
}

/** {@link ModelOptions} with every default filled in; what a model file carries. */
export type ModelConfig = CpConfig | TtConfig | HtConfig;

const KEYS = [
  'kind',
  'xi',
  'steps',
  'inputs',
  'outputs',
  'rank',
  'projection',
  'features',
  'shared',
  'diagonal',
  'dtype',
  'seed',
  'init',
];

const MAX_EXTENT = 2 ** 20;
const MAX_STEPS = 2 ** 16;
/**
 * Checks a model's options and fills in the defaults. The result is frozen, as a model goes by it as long as it lives.
 *
 * @param where how messages begin: the function that was called, or a file.
 * @throws XiError E_ARGUMENT that names the option, the rule and the value.
 */
export function checkConfig(where: string, options: ModelOptions): ModelConfig {
  if (typeof options !== 'object' || options === null) {
    throw mismatch('E_ARGUMENT', where, 'an object of options', options);
  }
  knownKeys(where, options, KEYS);
  const kind = oneOf(`${where} kind`, options.kind, MODEL_KINDS);
  const xi = oneOf(`${where} xi`, options.xi, XI_NAMES);
  const steps = integer(`${where} steps`, options.steps, 1, MAX_STEPS);
  const inputs = integer(`${where} inputs`, options.inputs, 1, MAX_EXTENT);
  const outputs = integer(`${where} outputs`, options.outputs, 1, MAX_EXTENT);
  const rank = Object.freeze(checkRank(where, kind, options.rank, steps));
  const features = options.features;
  if (typeof features !== 'object' || features === null) {
    throw mismatch('E_ARGUMENT', `${where} features`, '{ size, activation }', features);
  }
  knownKeys(`${where} features`, features, ['size', 'activation', 'embedding']);
  const size = integer(`${where} features.size`, features.size, 1, MAX_EXTENT);
  // Not by `??`: null is no value of any option.
  const { activation: given = 'relu' } = features;
  const activation = oneOf(`${where} features.activation`, given, ACTIVATIONS);
  const embedding = flag(`${where} features.embedding`, features.embedding);
  const shared = flag(`${where} shared`, options.shared);
  const { dtype: type = 'float32', seed: start = 0, init: weights = 'identity' } = options;
  const dtype = oneOf(`${where} dtype`, type, DTYPES);
  const seed = integer(`${where} seed`, start, 0, Number.MAX_SAFE_INTEGER);
  const init = oneOf(`${where} init`, weights, INITIALIZATIONS);
  const common = {
    ...{ xi, steps, inputs, outputs, rank },
    features: Object.freeze({ size, activation, ...(embedding && { embedding }) }),
    ...{ shared, dtype, seed, init },
  };
  if (kind !== 'tt' && options.projection !== undefined) {
    throw mismatch(
      'E_ARGUMENT',
      `${where} projection`,
      `none for kind ${kind}, as only tt has one`,
      options.projection,
    );
  }
  if (kind !== 'ht' && flag(`${where} diagonal`, options.diagonal)) {
    throw mismatch(
      'E_ARGUMENT',
      `${where} diagonal`,
      `none for kind ${kind}, as only ht has nodes`,
      options.diagonal,
    );
  }
  if (kind === 'cp') return Object.freeze({ kind, ...common });
  if (kind === 'ht') {
    const diagonal = flag(`${where} diagonal`, options.diagonal);
    checkTree(where, rank, steps, shared, diagonal);
    return Object.freeze({ kind, ...common, diagonal });
  }
  if (shared && rank.some((r) => r !== rank[0])) {
    throw mismatch('E_ARGUMENT', `${where} rank`, 'equal ranks, as the steps share one core', rank);
  }
  const { projection = size } = options;
  return Object.freeze({
    kind,
    ...common,
    projection: integer(`${where} projection`, projection, 1, MAX_EXTENT),
  });
}

function flag(where: string, value: unknown = false): boolean {
  if (typeof value !== 'boolean') throw mismatch('E_ARGUMENT', where, 'true or false', value);
  return value;
}

/** How many ranks a family has, and what they are called. */
const RANKS: Readonly<Record<ModelKind, (steps: number) => readonly [count: number, names: string]>> = {
  cp: () => [1, 'R'],
  tt: (steps) => [steps - 1, 'R_1 … R_{T−1}'],
  ht: (steps) => [levelsOf(steps), 'R_0 of the leaves, then one a level below the root,'],
};

function checkRank(where: string, kind: ModelKind, rank: unknown, steps: number): readonly number[] {
  const [count, names] = RANKS[kind](steps);
  if (typeof rank === 'number') return new Array(count).fill(integer(`${where} rank`, rank, 1, MAX_EXTENT));
  if (!Array.isArray(rank))
    throw mismatch('E_ARGUMENT', `${where} rank`, 'a number or a list of numbers', rank);
  if (rank.length !== count) {
    const ranks = `${counted(count, 'rank')} ${names} for ${counted(steps, 'step')}`;
    throw mismatch('E_ARGUMENT', `${where} rank`, ranks, rank);
  }
  // Not by map, which passes over holes.
  return Array.from(rank, (r, n) => integer(`${where} rank[${n}]`, r, 1, MAX_EXTENT));
}

/** Where a node is passed up, its sibling is of a higher level: their ranks may differ only if no core minds. */
function checkTree(
  where: string,
  rank: readonly number[],
  steps: number,
  shared: boolean,
  diagonal: boolean,
): void {
  if (!shared && !diagonal) return;
  for (const level of balancedTree(steps).levels.slice(1)) {
    for (const { place, children } of level) {
      const [left, right] = children ?? [];
      if (left === undefined || right === undefined || rank[left.level] === rank[right.level]) continue;
      const reason = diagonal
        ? 'a diagonal node joins equal components'
        : 'the nodes of a level share one core';
      const rule = `equal ranks R_${right.level} and R_${left.level} for ${steps} steps, as ${reason}`;
      if (diagonal || place > 0) throw mismatch('E_ARGUMENT', `${where} rank`, rule, rank);
    }
  }
}
