import { checkCallback, checkSignal, integer, knownKeys } from '../core/errors.ts';
import { checkMemory } from '../core/memory.ts';
import { checkTensor, type Inputs, type Tensor } from '../core/tensor.ts';
import { checkModel, type Model } from '../models/model.ts';
import { checkExact, ExactNetwork, exactFeatures } from './exact/definition.ts';
import { type FilteredOptions, filteredBytes, filteredResidues } from './exact/filtered.ts';
import { choosePrime } from './exact/modular.ts';
import { joinTree } from './joins.ts';
import { gridOutput, matricize, splitModes } from './matricize.ts';
import { rankModuloOf } from './spectrum.ts';
import { templateRows } from './templates.ts';

/** Prime, output and limits of {@link exactRank}. */
export interface ExactRankOptions extends FilteredOptions {
  /** An odd prime below 2²⁶; 16777213 when left out. */
  readonly prime?: number;
  /** Chooses a prime between 2²³ and 2²⁴ instead. */
  readonly seed?: number;
  /** Which of the scores; 0 when left out. */
  readonly output?: number;
  /** Most bytes of the residues, a block and the states that are kept; 4 GiB when left out. More is refused before anything is allocated. */
  readonly maxBytes?: number;
}

/** A rank over the rational numbers is at least `rank`, and what to compute again to check it. */
export interface ExactRank {
  /** The rank modulo `prime`. */
  readonly rank: number;
  /** The modulus. */
  readonly prime: number;
  /** Which of the scores the grid tensor is of. */
  readonly output: number;
  /** Modes that are the rows of the matricization, ascending. */
  readonly rowModes: readonly number[];
  /** Rows of the matricization. */
  readonly rows: number;
  /** Columns of the matricization. */
  readonly columns: number;
  /** Comparisons that floating-point numbers left to integers. */
  readonly undecided: number;
}

const KEYS = ['prime', 'seed', 'output', 'maxBytes', 'signal', 'onProgress'];
const DEFAULT_LIMIT = 2 ** 32;

/**
 * The rank modulo a prime of a matricization of a model's grid tensor, evaluated exactly: a proven lower bound on its true rank.
 *
 * Floating-point parameters are dyadic rationals, and so are all values of a network with a piecewise linear or polynomial ξ;
 * modulo an odd prime they have residues, and a minor that is not 0 modulo a prime is not 0. Maxima are decided by doubles with
 * an error bound, or by integers where that does not suffice, so that nothing rests on rounding. The bound falls short of the
 * true rank only if the prime divides every minor of that size, a chance of about rank / prime.
 *
 * Cost: that of a grid tensor, and O(m n rank) multiply-adds for the elimination. docs/ranks.md has the argument in full.
 *
 * @throws XiError E_ARGUMENT for ξ = logsumexp or l2 and for tanh features, whose values are irrational, and for modes that do not
 * exist; E_MEMORY before anything is allocated; E_NUMERIC when values overflow float64; E_ABORTED.
 */
export function exactRank(
  model: Model,
  templates: Inputs,
  rowModes: readonly number[],
  options: ExactRankOptions = {},
): ExactRank {
  const where = 'exactRank';
  knownKeys(where, options, KEYS);
  checkSignal(where, options.signal);
  checkCallback(`${where} onProgress`, options.onProgress);
  const { config } = checkModel(where, model);
  const { steps, outputs, inputs, dtype } = config;
  const shown = templateRows(where, config, templates);
  splitModes(where, steps, rowModes);
  const prime = choosePrime(where, options.prime, options.seed);
  const output = integer(`${where} output`, options.output ?? 0, 0, outputs - 1);
  const [count] = checkTensor(`${where} templates`, shown, [-1, inputs], dtype).shape;
  const all = Array.from({ length: count }, (_, m) => m);
  const choice = new Array(steps).fill(all);
  checkScoreMemory(where, count ** steps, { model, choice, output }, options.maxBytes);
  const network = exactNetwork(where, model, shown, choice, output);
  const { values, undecided } = filteredResidues(network, prime, options);
  const matrix = residueMatrix(network.choice, values, 1, 0, rowModes);
  const [rows, columns] = matrix.shape;
  const rank = rankModuloOf(model.backend, matrix, prime);
  return { rank, prime, output, rowModes: [...rowModes].sort((a, b) => a - b), rows, columns, undecided };
}

/** What is evaluated, as far as memory depends on it. */
export interface ScoreExtent {
  readonly model: Model;
  readonly choice: readonly (readonly number[])[];
  readonly output: number | 'all';
  /** Whether the scores are residues; true when left out. */
  readonly exact?: boolean;
}

/** @throws XiError E_MEMORY when so many scores of a network need more than the limit, E_ARGUMENT for a limit that is none. */
export function checkScoreMemory(
  where: string,
  scores: number,
  { model, choice, output, exact = true }: ScoreExtent,
  limit = DEFAULT_LIMIT,
): void {
  integer(`${where} maxBytes`, limit, 0, Number.MAX_SAFE_INTEGER);
  const what = `${scores} ${exact ? 'exact scores' : 'scores'}`;
  const check = (bytes: number) => checkMemory(where, what, bytes, { maxBytes: limit });
  // The scores, those of one output, and their matricization; checked before a network is looked at.
  check(filteredBytes(3 * scores));
  const counts = choice.map((list) => list.length);
  check(filteredBytes(3 * scores, joinTree(model, output).root, counts));
}

/** A model over choices of templates in exact arithmetic. */
export function exactNetwork(
  where: string,
  model: Model,
  templates: Tensor,
  choice: readonly (readonly number[])[],
  output: number | 'all' = 'all',
): ExactNetwork {
  checkExact(where, model.config.xi);
  const F = exactFeatures(where, model, templates);
  return new ExactNetwork(joinTree(model, output), F, model.config.features.size, choice);
}

/** The matricization of one output of a grid's residues. */
export function residueMatrix(
  choice: readonly (readonly number[])[],
  values: Float64Array,
  outputs: number,
  output: number,
  rowModes: readonly number[],
): Tensor {
  const shape = [...choice.map((list) => list.length), outputs];
  return matricize(gridOutput({ dtype: 'float64', shape, data: values }, output), rowModes);
}
