import { eliminate } from '../analysis/exact/eliminate.ts';
import { PrimeField } from '../analysis/exact/modular.ts';
import { checkScoreMemory, residueMatrix } from '../analysis/exact_rank.ts';
import { templateRows } from '../analysis/templates.ts';
import { MAX_PRIME } from '../core/abi.gen.ts';
import { integer, knownKeys, mismatch, show, XiError } from '../core/errors.ts';
import { isPrime } from '../core/primes.ts';
import { Rng } from '../core/rng.ts';
import { checkTensor, type Inputs, type Tensor } from '../core/tensor.ts';
import { inTurns } from '../core/turns.ts';
import type { Xi } from '../core/xi.gen.ts';
import { copyModel } from '../models/convert.ts';
import { checkModel, type Model } from '../models/model.ts';
import { type SubgridBound, subgridBound } from '../theory/subgrid.ts';
import { modelDigest, tensorDigest } from './digest.ts';
import { subgridResidues } from './evaluation.ts';
import { checkSubgrid, checkWindow, chooseSubgrid, MOST_SAMPLES, type Subgrid, sidesOf } from './subgrid.ts';

const CERTIFICATE_FORMAT = 'xitensor-width-certificate';
const VERSION = 2;

/** A proof that can be checked again: the minor of these pivots is not 0 modulo the prime, so that the rank is at least its size. */
export interface Certificate extends Subgrid {
  /** What tells a certificate from other files. */
  readonly format: typeof CERTIFICATE_FORMAT;
  /** Of the format. */
  readonly version: typeof VERSION;
  /** SHA-256 of the model. */
  readonly model: string;
  /** SHA-256 of the templates. */
  readonly templates: string;
  /** The operator of the model, and of the shallow networks that the bound is about. */
  readonly xi: Xi;
  /** Which of the scores. */
  readonly output: number;
  /** Rows of the matrix. */
  readonly rows: number;
  /** Columns of the matrix. */
  readonly columns: number;
  /** The modulus. */
  readonly prime: number;
  /** Rank of the matrix modulo the prime, and size of the minor. */
  readonly rank: number;
  /** Rows of the minor, in the order of the elimination. */
  readonly pivotRows: readonly number[];
  /** Columns of the minor, in the order of the elimination. */
  readonly pivotColumns: readonly number[];
  /** What the rank says about the width. */
  readonly bound: SubgridBound;
  /** What the part of the grid was chosen by; null where a user did. */
  readonly chosen: ChosenBy | null;
}

/** By what `certify` chose templates: whoever checks chooses them again. */
export interface ChosenBy {
  /** S, the number of rows and columns that were asked for. */
  readonly samples: number;
  /** Of the choice. */
  readonly seed: number;
  /** Steps [from, to) that the templates vary at. */
  readonly window: readonly [from: number, to: number];
}

const KEYS = [
  ...['format', 'version', 'model', 'templates', 'xi', 'output', 'prime', 'rank', 'bound', 'chosen'],
  ...['rows', 'columns', 'pivotRows', 'pivotColumns', 'rowModes', 'choice'],
];

export interface Proof {
  readonly subgrid: Subgrid;
  readonly output: number;
  readonly prime: number;
  readonly rank: number;
  readonly rows: readonly number[];
  readonly columns: readonly number[];
  readonly bound: SubgridBound;
  readonly chosen: ChosenBy | null;
}

export async function makeCertificate(model: Model, templates: Tensor, proof: Proof): Promise<Certificate> {
  const { subgrid, output, prime, rank, bound, chosen } = proof;
  const { rowCount, columnCount } = sidesOf(subgrid);
  return {
    format: CERTIFICATE_FORMAT,
    version: VERSION,
    model: await modelDigest(model),
    templates: await tensorDigest(templates),
    xi: model.config.xi,
    ...{ output, prime, rank, bound, chosen },
    rows: rowCount,
    columns: columnCount,
    pivotRows: proof.rows,
    pivotColumns: proof.columns,
    rowModes: subgrid.rowModes,
    choice: subgrid.choice,
  };
}

/** How much {@link checkCertificate} may allocate. */
export interface CheckCertificateOptions {
  /** Most bytes of the scores that are evaluated; 4 GiB when left out. */
  readonly maxBytes?: number;
}

/** Entries that are recomputed by the plain definition in integers. */
const SPOT_CHECKS = 4;

/**
 * Verifies a certificate against a model and templates, trusting nothing in it: digests, prime, sizes and pivots are checked, the
 * part of the grid is evaluated anew, some entries also by the plain definition in integers, and the minor of the pivots is
 * eliminated modulo the prime.
 *
 * @returns a copy, which is what was checked: the certificate, the model and the templates are those at the time of the call, and may
 * change while digests are computed.
 * @throws XiError E_NUMERIC that says what does not hold; E_ARGUMENT for anything but a certificate; E_MEMORY before anything is
 * allocated where its part of the grid needs more than `maxBytes`.
 */
export async function checkCertificate(
  model: Model,
  templates: Inputs,
  value: unknown,
  options: CheckCertificateOptions = {},
): Promise<Certificate> {
  const where = 'checkCertificate';
  knownKeys(where, options, ['maxBytes']);
  const { maxBytes } = options;
  const { config } = checkModel(where, model);
  const rowsOf = templateRows(where, config, templates);
  const certificate = checkForm(model, rowsOf, copyOf(value));
  const sides = sidesOf(certificate);
  const entries = sides.rowCount * sides.columnCount;
  const extent = { model, choice: certificate.choice, output: certificate.output };
  checkScoreMemory(where, entries, extent, maxBytes);
  // What is evaluated is what the digests are of, whatever becomes of the model while they are computed.
  const own = copyModel(model);
  const shown: Tensor = { ...rowsOf, shape: [...rowsOf.shape], data: rowsOf.data.slice() };
  const { output, prime, rank, bound, rows, columns, pivotRows, pivotColumns } = certificate;
  const expect = (what: string, wanted: unknown, found: unknown) => {
    if (!same(wanted, found))
      throw new XiError(
        'E_NUMERIC',
        `${where} ${what}: expected ${written(wanted)}, received ${written(found)}`,
      );
  };
  expect('model', await modelDigest(own), certificate.model);
  expect('templates', await tensorDigest(shown), certificate.templates);
  expect('xi', config.xi, certificate.xi);
  expect('rows', sides.rowCount, rows);
  expect('columns', sides.columnCount, columns);
  expect('bound', subgridBound(config.xi, rank, sides), bound);
  if (certificate.chosen !== null) {
    const { samples, seed, window } = certificate.chosen;
    const { rowModes, choice } = certificate;
    const count = shown.shape[0];
    expect('choice', chooseSubgrid(count, config.steps, samples, seed, rowModes, window).choice, choice);
  }
  const evaluation = { where, model: own, templates: shown, subgrid: certificate, output };
  const { network, values } = await inTurns(subgridResidues(evaluation, prime, {}));
  const field = new PrimeField(prime);
  const rng = new Rng(rank, prime);
  for (let n = 0; n < Math.min(SPOT_CHECKS, values.length); n++) {
    const at = rng.below(values.length);
    const { integers, exponent } = network.row(network.root, at);
    expect(
      `entry ${at}, computed in integers and in residues`,
      field.ofDyadic(integers[0], exponent),
      values[at],
    );
  }
  const matrix = residueMatrix(certificate.choice, values, 1, 0, certificate.rowModes).data;
  const minor = new Float64Array(rank * rank);
  pivotRows.forEach((r, m) => {
    pivotColumns.forEach((c, n) => {
      minor[m * rank + n] = matrix[r * columns + c];
    });
  });
  expect('rank of the minor of its pivots', eliminate(own.backend, field, minor, rank, rank).rank, rank);
  return certificate;
}

function copyOf(value: unknown): unknown {
  try {
    return structuredClone(value);
  } catch (cause) {
    throw new XiError('E_ARGUMENT', 'checkCertificate: expected plain values, as JSON has, received others', {
      cause,
    });
  }
}

/** As messages show values, but a bound with the numbers in it, if it is not too deep for that. */
function written(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return show(value);
  try {
    const text = JSON.stringify(value);
    return text.length > 200 ? `${text.slice(0, 199)}…` : text;
  } catch {
    return show(value);
  }
}

/** Whether two values, of which the first is of our making, have the same parts: as deep as that one, however deep the other is. */
function same(wanted: unknown, found: unknown): boolean {
  if (typeof wanted !== 'object' || wanted === null) return wanted === found;
  if (typeof found !== 'object' || found === null || Array.isArray(wanted) !== Array.isArray(found))
    return false;
  const [keys, others] = [wanted, found].map((value) =>
    Object.keys(value).filter((key) => (value as Readonly<Record<string, unknown>>)[key] !== undefined),
  );
  return (
    keys.length === others.length &&
    keys.every(
      (key) =>
        Object.hasOwn(found, key) &&
        same((wanted as Record<string, unknown>)[key], (found as Record<string, unknown>)[key]),
    )
  );
}

function checkChosen(where: string, chosen: ChosenBy, steps: number): void {
  if (typeof chosen !== 'object')
    throw mismatch('E_ARGUMENT', where, '{ samples, seed, window } or null', chosen);
  knownKeys(where, chosen, ['samples', 'seed', 'window'], 'parts');
  integer(`${where} samples`, chosen.samples, 1, MOST_SAMPLES);
  integer(`${where} seed`, chosen.seed, 0, Number.MAX_SAFE_INTEGER);
  checkWindow(`${where} window`, chosen.window, steps);
}

function checkForm(model: Model, templates: Tensor, value: unknown): Certificate {
  const where = 'checkCertificate';
  if (typeof value !== 'object' || value === null) throw mismatch('E_ARGUMENT', where, 'an object', value);
  const certificate = value as Certificate;
  if (certificate.format !== CERTIFICATE_FORMAT)
    throw mismatch(
      'E_ARGUMENT',
      where,
      `format '${CERTIFICATE_FORMAT}', as certify --exact --out writes`,
      certificate.format,
    );
  knownKeys(where, certificate, KEYS, 'parts');
  if (certificate.version !== VERSION)
    throw mismatch('E_ARGUMENT', where, `version ${VERSION}`, certificate.version);
  checkTensor(`${where} templates`, templates, [-1, model.config.inputs], model.config.dtype);
  checkSubgrid(where, certificate, model.config.steps, templates.shape[0]);
  if (certificate.chosen !== null) checkChosen(`${where} chosen`, certificate.chosen, model.config.steps);
  const { rows, columns, rank, prime } = certificate;
  integer(`${where} output`, certificate.output, 0, model.config.outputs - 1);
  integer(`${where} rows`, rows, 1, 2 ** 31);
  integer(`${where} columns`, columns, 1, 2 ** 31);
  integer(`${where} rank`, rank, 0, Math.min(rows, columns));
  integer(`${where} prime`, prime, 3, MAX_PRIME);
  if (!isPrime(prime)) throw mismatch('E_NUMERIC', `${where} prime`, 'a prime', prime);
  for (const [name, list, most] of [
    ['pivotRows', certificate.pivotRows, rows],
    ['pivotColumns', certificate.pivotColumns, columns],
  ] as const) {
    if (!Array.isArray(list) || list.length !== rank || new Set(list).size !== rank)
      throw mismatch('E_NUMERIC', `${where} ${name}`, `${rank} different indices`, list);
    for (const index of list) integer(`${where} ${name}`, index, 0, most - 1);
  }
  return certificate;
}
