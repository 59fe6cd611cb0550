import { ACTIVATIONS, type Activation } from '../backend/interface.ts';
import { integer, knownKeys, mismatch, oneOf, XiError } from '../core/errors.ts';
import { DTYPES, type DType } from '../core/tensor.ts';
import { XI_NAMES, type Xi } from '../core/xi.gen.ts';

export const MODEL_KINDS = ['tt'] as const;
export type ModelKind = (typeof MODEL_KINDS)[number];

export const INITIALISATIONS = ['identity', 'normal'] as const;
export type Initialisation = (typeof INITIALISATIONS)[number];

/** What a user says of a model; everything that is optional has a default. */
export interface ModelOptions {
  /** `tt`: the generalized recurrent network. */
  readonly kind: ModelKind;
  readonly xi: Xi;
  /** T, the length of the sequences. */
  readonly steps: number;
  /** N, the size of one input. */
  readonly inputs: number;
  /** Number of scores. */
  readonly outputs: number;
  /** R_1 … R_{T−1}, or one number for all of them. */
  readonly rank: number | readonly number[];
  /** L, the rows of the projections C_t; by default the feature size. */
  readonly projection?: number;
  /** f(x) = σ(Ax + b) of size M. */
  readonly features: { readonly size: number; readonly activation?: Activation };
  /** One middle core for all steps but the first and the last. */
  readonly shared?: boolean;
  readonly dtype?: DType;
  readonly seed?: number;
  /**
   * `identity`: each step starts as the identity on its hidden state, where features, projection and all ranks are at
   * least 2; `normal`, and otherwise: independent normal weights.
   */
  readonly init?: Initialisation;
}

/** The same with every default filled in; what a model file carries. */
export interface ModelConfig {
  readonly kind: ModelKind;
  readonly xi: Xi;
  readonly steps: number;
  readonly inputs: number;
  readonly outputs: number;
  readonly rank: readonly number[];
  readonly projection: number;
  readonly features: { readonly size: number; readonly activation: Activation };
  readonly shared: boolean;
  readonly dtype: DType;
  readonly seed: number;
  readonly init: Initialisation;
}

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
  'dtype',
  'seed',
  'init',
];

const MAX_EXTENT = 2 ** 20;
const MAX_STEPS = 2 ** 16;
/** 2³⁰ parameters are 4 GiB of float32, with gradient and moments 16. */
const MAX_PARAMETERS = 2 ** 30;

/**
 * Checks a model's options and fills in the defaults.
 *
 * @throws XiError E_ARGUMENT that names the option, the rule and the value; E_MEMORY beyond 2³⁰ parameters.
 */
export function checkConfig(options: ModelOptions): ModelConfig {
  if (typeof options !== 'object' || options === null) {
    throw mismatch('E_ARGUMENT', 'createModel', 'an object of options', options);
  }
  knownKeys('createModel', options, KEYS);
  const kind = oneOf('kind', options.kind, MODEL_KINDS);
  const xi = oneOf('xi', options.xi, XI_NAMES);
  const steps = integer('steps', options.steps, 1, MAX_STEPS);
  const inputs = integer('inputs', options.inputs, 1, MAX_EXTENT);
  const outputs = integer('outputs', options.outputs, 1, MAX_EXTENT);
  const rank = checkRank(options.rank, steps);
  const features = options.features;
  if (typeof features !== 'object' || features === null) {
    throw mismatch('E_ARGUMENT', 'features', '{ size, activation }', features);
  }
  knownKeys('features', features, ['size', 'activation']);
  const size = integer('features.size', features.size, 1, MAX_EXTENT);
  const activation = oneOf('features.activation', features.activation ?? 'relu', ACTIVATIONS);
  const projection = integer('projection', options.projection ?? size, 1, MAX_EXTENT);
  const shared = options.shared ?? false;
  if (typeof shared !== 'boolean') throw mismatch('E_ARGUMENT', 'shared', 'true or false', shared);
  if (shared && rank.some((r) => r !== rank[0])) {
    throw mismatch('E_ARGUMENT', 'rank', 'equal ranks, as the steps share one core', rank);
  }
  const dtype = oneOf('dtype', options.dtype ?? 'float32', DTYPES);
  const seed = integer('seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  const init = oneOf('init', options.init ?? 'identity', INITIALISATIONS);
  const config: ModelConfig = {
    kind,
    xi,
    steps,
    inputs,
    outputs,
    rank,
    projection,
    features: { size, activation },
    shared,
    dtype,
    seed,
    init,
  };
  checkSize(config);
  return config;
}

function checkRank(rank: unknown, steps: number): readonly number[] {
  if (typeof rank === 'number') return new Array(steps - 1).fill(integer('rank', rank, 1, MAX_EXTENT));
  if (!Array.isArray(rank)) throw mismatch('E_ARGUMENT', 'rank', 'a number or a list of numbers', rank);
  if (rank.length !== steps - 1) {
    throw mismatch('E_ARGUMENT', 'rank', `${steps - 1} ranks R_1 … R_{T−1} for ${steps} steps`, rank);
  }
  return rank.map((r, t) => integer(`rank[${t}]`, r, 1, MAX_EXTENT));
}

function checkSize({ steps, inputs, outputs, rank, projection, features, shared }: ModelConfig): void {
  const bounds = [1, ...rank, outputs];
  const distinct = shared
    ? [0, Math.min(1, steps - 1), steps - 1]
    : Array.from({ length: steps }, (_, t) => t);
  let count = features.size * (inputs + 1);
  for (const t of distinct) count += projection * (features.size + bounds[t] * bounds[t + 1]);
  if (count > MAX_PARAMETERS) {
    throw new XiError(
      'E_MEMORY',
      `createModel: expected at most 2^30 parameters, received sizes that need ${count}`,
    );
  }
}
