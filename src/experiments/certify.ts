import { eliminationParts, type Pivots } from '../analysis/exact/eliminate.ts';
import type { FilteredOptions } from '../analysis/exact/filtered.ts';
import { choosePrime, PrimeField } from '../analysis/exact/modular.ts';
import { checkScoreMemory, residueMatrix } from '../analysis/exact_rank.ts';
import { gridParts, templateFeatures } from '../analysis/grid.ts';
import { joinTree } from '../analysis/joins.ts';
import { gridOutput, splitModes } from '../analysis/matricize.ts';
import { checkTolerance, type RankReport, reportOf } from '../analysis/ranks.ts';
import { singularValuesOf } from '../analysis/spectrum.ts';
import { templateRows } from '../analysis/templates.ts';
import { checkCallback, checkSignal, integer, knownKeys, mismatch, XiError } from '../core/errors.ts';
import { checkTensor, type Inputs, type Tensor, tensor } from '../core/tensor.ts';
import { inTurns, turn } from '../core/turns.ts';
import { copyModel, wideModel } from '../models/convert.ts';
import { checkModel, type Model } from '../models/model.ts';
import { type SubgridBound, subgridBound } from '../theory/subgrid.ts';
import { type Certificate, makeCertificate } from './certificate.ts';
import { type Evaluation, outputsOf, subgridResidues } from './evaluation.ts';
import { checkSubgrid, checkWindow, chooseSubgrid, MOST_SAMPLES, type Subgrid, sidesOf } from './subgrid.ts';

/** The part of the grid that {@link certify} evaluates, and whether its rank is proven. */
export interface CertifyOptions extends FilteredOptions {
  /** Most rows, and most columns, of the part of the grid that is evaluated; 2048 when left out. Not beside `choice`. */
  readonly samples?: number;
  /** Chooses templates; 0 when left out. Not beside `choice`. */
  readonly seed?: number;
  /** Exact arithmetic and a certificate, else singular values; false when left out. */
  readonly exact?: boolean;
  /** One score, or all of them, of which the best is taken; 0 when left out. */
  readonly output?: number | 'all';
  /** Steps that are rows of the matricization; half of those in the window when left out. */
  readonly rowModes?: readonly number[];
  /** Steps [from, to) that show several templates; all when left out. A network may look at some steps only. Not beside `choice`. */
  readonly window?: readonly [from: number, to: number];
  /** The templates at each step, by their numbers, instead of a choice of ours. */
  readonly choice?: readonly (readonly number[])[];
  /** Of `exact`: an odd prime below 2²⁶; 16777213 when left out. */
  readonly prime?: number;
  /** Singular values above `tolerance` times the largest count as rank; 1e-10 when left out. */
  readonly tolerance?: number;
  /** Most bytes of the scores that are evaluated; 4 GiB when left out. */
  readonly maxBytes?: number;
}

/** What a network needs of a shallow one that would replace it. */
export interface Certification {
  /** Lower bounds on the width of any shallow network with the same ξ that agrees with the model on the chosen templates. */
  readonly bound: SubgridBound;
  /** Width of the shallow network, shared as the model is, that has as many parameters as the model: what the bound is to be compared with. */
  readonly equalWidth: number;
  /** What the rank rests on: residues modulo a prime, or floating-point numbers and a tolerance. */
  readonly method: 'exact' | 'spectrum';
  /** Of the matrix. */
  readonly rank: number;
  /** The score with the largest rank. */
  readonly output: number;
  /** Of the matrix. */
  readonly rows: number;
  /** Of the matrix. */
  readonly columns: number;
  /** Which templates the matrix is made of. */
  readonly subgrid: Subgrid;
  /** Of the matrix in float64, with tolerance, gap and effective rank, whatever the method; null where a proven rank has none, because it overflows. */
  readonly spectrum: RankReport | null;
  /** Of exact arithmetic. */
  readonly certificate?: Certificate;
}

const KEYS = [
  ...['samples', 'seed', 'exact', 'output', 'rowModes', 'window', 'choice', 'prime', 'tolerance', 'maxBytes'],
  ...['signal', 'onProgress'],
];

/**
 * A lower bound on the width of any shallow network with the same ξ and features that agrees with a given one, usually a trained
 * one, on given templates [M,N], or tokens [M] that stand for one-hot rows.
 *
 * Of the grid over all M^T sequences it evaluates the part over a few templates a step. The rank of that part's matricization bounds
 * the width by {@link SubgridBound}; whoever agrees on all sequences agrees on these. With `exact` the rank is proven and comes
 * with a certificate that {@link checkCertificate} verifies; otherwise it rests on singular values in float64 and a tolerance. S
 * rows bound the width by less than 2 S / log₂ S, and no theorem on ranks by more than S (docs/ranks.md).
 *
 * The event loop has a turn between blocks of the grid, panels of an elimination and spectra, where `signal` is looked at. The network
 * and templates are those at the time of the call, whatever happens to them meanwhile.
 *
 * @throws XiError E_ARGUMENT for options that are wrong or contradict each other, and with `exact` for ξ or features without exact values; E_MEMORY; E_NUMERIC
 * where scores overflow and no exact rank stands without them; E_ABORTED.
 */
export async function certify(
  model: Model,
  templates: Inputs,
  options: CertifyOptions = {},
): Promise<Certification> {
  const where = 'certify';
  knownKeys(where, options, KEYS);
  const { config } = checkModel(where, model);
  const { steps, outputs, inputs, dtype, xi } = config;
  const shown = templateRows(where, config, templates);
  checkSignal(where, options.signal);
  checkCallback(`${where} onProgress`, options.onProgress);
  const tolerance = checkTolerance(where, options.tolerance);
  const { exact = false } = options;
  if (typeof exact !== 'boolean') throw mismatch('E_ARGUMENT', `${where} exact`, 'true or false', exact);
  checkContradictions(where, options);
  if (options.rowModes !== undefined) splitModes(where, steps, options.rowModes);
  const { shape, data } = checkTensor(`${where} templates`, shown, [-1, inputs], dtype);
  const [count] = shape;
  if (count === 0)
    throw mismatch('E_SHAPE', `${where} templates`, 'at least one template [M, inputs]', shape);
  const samples = integer(`${where} samples`, options.samples ?? 2048, 1, MOST_SAMPLES);
  const seed = integer(`${where} seed`, options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  const output = options.output ?? 0;
  if (output !== 'all') integer(`${where} output`, output, 0, outputs - 1);
  const window = checkWindow(`${where} window`, options.window ?? [0, steps], steps);
  const rowModes = options.rowModes && [...options.rowModes].sort((a, b) => a - b);
  const ours = chooseSubgrid(count, steps, samples, seed, rowModes, window);
  const choice = options.choice === undefined ? ours.choice : options.choice;
  checkSubgrid(where, { ...ours, choice }, steps, count);
  const chosen =
    options.choice === undefined ? { samples, seed, window: [window[0], window[1]] as const } : null;
  // Copies: while this waits, the event loop runs programs that may change what was given.
  const subgrid = { ...ours, choice: choice.map((list) => [...list]) };
  const sides = sidesOf(subgrid);
  const entries = sides.rowCount * sides.columnCount * (output === 'all' ? outputs : 1);
  const extent = { model, choice: subgrid.choice, output, exact };
  checkScoreMemory(where, entries, extent, options.maxBytes);
  const own = copyModel(model);
  const rows: Tensor = { dtype, shape: [...shape], data: data.slice() };
  const evaluation = { model: own, templates: rows, subgrid, output, where } as const;
  const best = exact
    ? await exactBest(evaluation, choosePrime(where, options.prime), options)
    : await numericalBest(evaluation, tolerance, options);
  const { rank } = best;
  const bound = subgridBound(xi, rank, sides);
  const common = {
    method: best.method,
    bound,
    equalWidth: equalWidth(model),
    rank,
    output: best.output,
    rows: sides.rowCount,
    columns: sides.columnCount,
    subgrid,
  };
  if (best.method === 'spectrum') return { ...common, spectrum: best.spectrum };
  const certificate = await makeCertificate(own, rows, { ...best, subgrid, bound, chosen });
  const seen = { ...evaluation, output: best.output };
  const spectrum = await spectrumOf(seen, tolerance, { ...options, onProgress: undefined });
  return { ...common, certificate, spectrum };
}

/** @throws XiError E_ARGUMENT for options that would have no effect beside others. */
function checkContradictions(where: string, options: CertifyOptions): void {
  const { choice, prime, exact = false } = options;
  for (const name of ['samples', 'seed', 'window'] as const) {
    if (choice !== undefined && options[name] !== undefined)
      throw mismatch(
        'E_ARGUMENT',
        `${where} ${name}`,
        'none beside choice, which it would make',
        options[name],
      );
  }
  if (prime !== undefined && !exact)
    throw mismatch('E_ARGUMENT', `${where} prime`, 'exact: true beside it', prime);
}

/** Null where scores or singular values leave the range of float64: residues do not, and what is proven stays so. */
async function spectrumOf(evaluation: Evaluation, tolerance: number, options: CertifyOptions) {
  try {
    return (await numericalBest(evaluation, tolerance, options)).spectrum;
  } catch (cause) {
    if (cause instanceof XiError && cause.code === 'E_NUMERIC') return null;
    throw cause;
  }
}

interface Proven extends Pivots {
  readonly method: 'exact';
  readonly output: number;
  readonly prime: number;
}

interface Counted {
  readonly method: 'spectrum';
  readonly output: number;
  readonly rank: number;
  readonly spectrum: RankReport;
}

async function exactBest(evaluation: Evaluation, prime: number, options: FilteredOptions): Promise<Proven> {
  const { model, subgrid } = evaluation;
  const wanted = outputsOf(evaluation);
  const { values } = await inTurns(subgridResidues(evaluation, prime, options), options.signal);
  const field = new PrimeField(prime);
  const all: Proven[] = [];
  for (const [n, output] of wanted.entries()) {
    const { data, shape } = residueMatrix(subgrid.choice, values, wanted.length, n, subgrid.rowModes);
    const own = (data as Float64Array).slice();
    const elimination = eliminationParts(model.backend, field, own, shape[0], shape[1]);
    all.push({ ...(await inTurns(elimination, options.signal)), method: 'exact', output, prime });
  }
  return all.reduce((best, one) => (one.rank > best.rank ? one : best));
}

/** In float64 whatever the model's dtype: the noise of float32 would be rank. */
async function numericalBest(
  evaluation: Evaluation,
  tolerance: number,
  { signal, onProgress }: CertifyOptions,
): Promise<Counted> {
  const { model, templates, subgrid } = evaluation;
  const wide = wideModel(model);
  const F = templateFeatures(wide, tensor(templates, undefined, 'float64'));
  const wanted = outputsOf(evaluation);
  const tree = joinTree(wide, evaluation.output);
  const grid = gridParts(wide.backend, 'float64', tree, F, subgrid.choice, { signal, onProgress });
  const data = await inTurns(grid, signal);
  const shape = [...subgrid.choice.map((list) => list.length), wanted.length];
  const all: Counted[] = [];
  for (const [n, output] of wanted.entries()) {
    const H = gridOutput({ dtype: 'float64', shape, data }, n);
    const spectrum = reportOf(singularValuesOf(wide.backend, H, subgrid.rowModes), tolerance);
    all.push({ method: 'spectrum', output, rank: spectrum.rank, spectrum });
    await turn(signal);
  }
  return all.reduce((best, one) => (one.rank > best.rank ? one : best));
}

function equalWidth({ config, parameterCount }: Model): number {
  const { steps, inputs, outputs, features, shared } = config;
  const term = (shared ? 1 : steps) * features.size + outputs;
  return Math.floor((parameterCount - features.size * (inputs + 1)) / term);
}
