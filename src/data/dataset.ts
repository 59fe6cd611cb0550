import { integer, knownKeys, mismatch, XiError } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { checkMemory } from '../core/memory.ts';
import { Rng } from '../core/rng.ts';
import {
  checkTensor,
  checkTokens,
  dtypeOf,
  elementCount,
  type Inputs,
  isTensor,
  isTokens,
  type Tensor,
} from '../core/tensor.ts';

/** Of one data set. */
export const MAX_CLASSES = 2 ** 31 - 1;
/** Fields that a data set with targets does not have. */
const OF_CLASSES = ['labels', 'classes', 'classNames'];
const KEYS = [
  'name',
  'inputs',
  'lengths',
  'alphabet',
  'columns',
  'labels',
  'classes',
  'classNames',
  'targets',
];

/** Sequences: inputs [count, steps, features] or tokens [count, steps]. */
interface Sequences<X extends Inputs> {
  /** What checkpoints and reports call it. */
  readonly name: string;
  /** All sequences, one behind the other. */
  readonly inputs: X;
  /**
   * Steps of each sequence, where they differ; what stands behind them counts for nothing, but must be finite. For tt
   * networks with shared weights, which say what a shorter sequence is.
   */
  readonly lengths?: Int32Array;
  /** The letters that the inputs are one-hot rows of, in the order of the inputs, where they are letters. */
  readonly alphabet?: string;
  /** The names of the columns of a table that the inputs are, in the order of the inputs, where they are such columns. */
  readonly columns?: readonly string[];
}

/** Labelled sequences, each of a class from 0 to classes − 1. */
export interface Dataset<X extends Inputs = Inputs> extends Sequences<X> {
  /** The class of each sequence, [count]. */
  readonly labels: Int32Array;
  /** Number of classes. */
  readonly classes: number;
  /** What the classes are called, where they have names. */
  readonly classNames?: readonly string[];
}

/** Sequences with real targets [count, outputs]. */
export interface TargetDataset<X extends Inputs = Inputs> extends Sequences<X> {
  /** [count, outputs], in the dtype of the inputs. */
  readonly targets: Tensor;
}

/** Sequences with a class each, or with real targets. */
export type AnyDataset = Dataset | TargetDataset;

export const hasTargets = (dataset: AnyDataset): dataset is TargetDataset =>
  (dataset as Partial<TargetDataset>).targets !== undefined;

/** What a sequence has at least where lengths differ: a network of a first and a last core has no shorter ones. */
export const SHORTEST = 2;

/** Number of sequences. */
export const countOf = ({ inputs }: AnyDataset): number => inputs.shape[0];

/**
 * Checks a dataset that a user hands in and returns it.
 *
 * @throws XiError E_ARGUMENT, E_DTYPE, E_SHAPE or E_NUMERIC that names the part, and the first bad label or input; E_ARGUMENT for
 * a field that data sets do not have, such as misspelt lengths.
 */
export function checkDataset<D extends AnyDataset>(where: string, dataset: D): D {
  if (typeof dataset !== 'object' || dataset === null) {
    throw mismatch(
      'E_ARGUMENT',
      where,
      'a Dataset { name, inputs, labels, classes } or { name, inputs, targets }',
      dataset,
    );
  }
  knownKeys(where, dataset, KEYS);
  const { name, inputs } = dataset;
  if (typeof name !== 'string') throw mismatch('E_ARGUMENT', `${where}.name`, 'a string', name);
  // What tokens may be is for the model to say.
  if (isTokens(inputs)) checkTokens(`${where}.inputs`, inputs, -1, MAX_CLASSES);
  else if (!isTensor(inputs)) throw mismatch('E_ARGUMENT', `${where}.inputs`, 'a Tensor or tokens', inputs);
  else checkTensor(`${where}.inputs`, inputs, [-1, -1, -1], dtypeOf(inputs.data, `${where}.inputs`));
  checkLengths(where, dataset);
  const { columns } = dataset;
  if (columns !== undefined && !isNames(columns))
    throw mismatch('E_ARGUMENT', `${where}.columns`, 'a list of names', columns);
  if (hasTargets(dataset)) checkTargets(where, dataset);
  else checkLabels(where, dataset);
  return dataset;
}

const isNames = (list: unknown): list is readonly string[] =>
  Array.isArray(list) && Array.from(list).every((name) => typeof name === 'string');

function checkLengths(where: string, { inputs, lengths }: AnyDataset): void {
  if (lengths === undefined) return;
  if (!(lengths instanceof Int32Array))
    throw mismatch(
      'E_DTYPE',
      `${where}.lengths`,
      'an Int32Array, as Int32Array.from(lengths) makes',
      lengths,
    );
  const [count, steps] = inputs.shape;
  if (lengths.length !== count)
    throw mismatch('E_SHAPE', `${where}.lengths`, `${count} lengths, one for each input`, lengths.length);
  const bad = lengths.findIndex((length) => length < 1 || length > steps);
  if (bad < 0) return;
  const expected = `lengths from 1 to ${steps}`;
  throw new XiError(
    'E_ARGUMENT',
    `${where}.lengths: expected ${expected}, received ${lengths[bad]} at ${bad}`,
  );
}

function checkTargets(where: string, { inputs, targets, ...others }: TargetDataset): void {
  const classes = Object.entries(others).find(
    ([key, value]) => OF_CLASSES.includes(key) && value !== undefined,
  );
  // Which of them a loss takes would be a guess.
  if (classes) throw mismatch('E_ARGUMENT', `${where}.targets`, `no ${classes[0]} beside them`, classes[1]);
  if (!isTensor(targets)) throw mismatch('E_ARGUMENT', `${where}.targets`, 'a Tensor', targets);
  const shape = [inputs.shape[0], -1];
  checkTensor(`${where}.targets`, targets, shape, dtypeOf(targets.data, `${where}.targets`));
}

function checkLabels(where: string, { inputs, labels, classes, classNames }: Dataset): void {
  integer(`${where}.classes`, classes, 1, MAX_CLASSES);
  const isNamed = isNames(classNames) && classNames.length === classes;
  if (classNames !== undefined && !isNamed)
    throw mismatch('E_ARGUMENT', `${where}.classNames`, `a list of ${classes} names`, classNames);
  if (!(labels instanceof Int32Array))
    throw mismatch('E_DTYPE', `${where}.labels`, 'an Int32Array, as Int32Array.from(labels) makes', labels);
  const count = inputs.shape[0];
  if (labels.length !== count) {
    throw mismatch('E_SHAPE', `${where}.labels`, `${count} labels, one for each input`, labels.length);
  }
  const bad = labels.findIndex((label) => label < 0 || label >= classes);
  if (bad >= 0) {
    const expected = `labels from 0 to ${classes - 1}`;
    throw new XiError(
      'E_ARGUMENT',
      `${where}.labels: expected ${expected}, received ${labels[bad]} at ${bad}`,
    );
  }
}

/**
 * The examples from `start` up to, not including, `end`; inputs, lengths, labels and targets are views of the same memory.
 *
 * @throws XiError E_ARGUMENT unless 0 ≤ start ≤ end ≤ count.
 */
export function takeDataset<D extends AnyDataset>(dataset: D, start: number, end: number): D {
  shaped('takeDataset', dataset);
  integer('takeDataset end', end, 0, countOf(dataset));
  integer('takeDataset start', start, 0, end);
  const slice = <A extends Inputs>(array: A): A => {
    const size = rowSize(array);
    const shape = [end - start, ...array.shape.slice(1)];
    return { ...array, shape, data: array.data.subarray(start * size, end * size) };
  };
  const inputs = slice(dataset.inputs);
  const lengths = dataset.lengths && { lengths: dataset.lengths.subarray(start, end) };
  if (hasTargets(dataset)) return { ...dataset, inputs, ...lengths, targets: slice(dataset.targets) };
  return { ...dataset, inputs, ...lengths, labels: (dataset as Dataset).labels.subarray(start, end) };
}

/**
 * The examples with these numbers, in this order, in memory of their own.
 *
 * @throws XiError E_ARGUMENT for a number that is none of an example.
 */
export function selectDataset<D extends AnyDataset>(dataset: D, rows: ArrayLike<number>): D {
  const count = countOf(shaped('selectDataset', dataset));
  checkList('selectDataset rows', 'a list of numbers of examples', rows);
  const bad = Array.prototype.findIndex.call(
    rows,
    (row: unknown) => !(Number.isInteger(row) && (row as number) >= 0 && (row as number) < count),
  );
  if (bad >= 0)
    throw mismatch(
      'E_ARGUMENT',
      `selectDataset rows[${bad}]`,
      `an integer from 0 to ${count - 1}`,
      rows[bad],
    );
  const pick = <A extends Inputs>(array: A): A => {
    const size = rowSize(array);
    const data = array.data.slice(0, 0).constructor as new (length: number) => A['data'];
    const bytes = rows.length * size * array.data.BYTES_PER_ELEMENT;
    checkMemory('selectDataset', `${rows.length} examples of ${size} values`, bytes);
    const out = new data(rows.length * size);
    copyRows(array, rows, out);
    return { ...array, shape: [rows.length, ...array.shape.slice(1)], data: out };
  };
  const inputs = pick(dataset.inputs);
  const chosen = (all: Int32Array) => Int32Array.from(rows, (row) => all[row]);
  const lengths = dataset.lengths && { lengths: chosen(dataset.lengths) };
  if (hasTargets(dataset)) return { ...dataset, inputs, ...lengths, targets: pick(dataset.targets) };
  return { ...dataset, inputs, ...lengths, labels: chosen((dataset as Dataset).labels) };
}

/** @throws XiError E_ARGUMENT for what is no list, or none that there is memory for. */
function checkList(where: string, expected: string, list: ArrayLike<number>): void {
  const { length } = Object(list) as Partial<ArrayLike<number>>;
  if (typeof list !== 'object' || !Number.isInteger(length) || length! < 0 || length! > MAX_CLASSES)
    throw mismatch('E_ARGUMENT', where, expected, list);
}

/** Whether it looks like a dataset, without a look at its values, which {@link checkDataset} takes. */
function shaped<D extends AnyDataset>(where: string, dataset: D): D {
  const inputs = dataset?.inputs as unknown;
  const answers =
    dataset && hasTargets(dataset) ? isTensor(dataset.targets) : dataset?.labels instanceof Int32Array;
  const named = typeof dataset?.name === 'string';
  // A shape that says no number of values would be one of memory.
  if (named && answers && (isTokens(inputs) || isTensor(inputs))) {
    const count = elementCount(inputs.shape, `${where} inputs`);
    const fits = isTokens(inputs) || dtypeOf(inputs.data, `${where} inputs`) === inputs.dtype;
    if (fits && inputs.shape.length > 0 && inputs.data.length === count) return dataset;
  }
  throw mismatch('E_ARGUMENT', where, 'a Dataset { name, inputs, … }', dataset);
}

/** Elements of one example. */
export const rowSize = ({ shape }: Inputs): number => product(shape.slice(1));

/** Copies the examples with these numbers one after the other into `out`. */
export function copyRows(array: Inputs, rows: ArrayLike<number>, out: Inputs['data']): void {
  const size = rowSize(array);
  for (let n = 0; n < rows.length; n++)
    out.set(array.data.subarray(rows[n] * size, (rows[n] + 1) * size), n * size);
}

/** Numbers of examples, in ascending order. */
export interface Split {
  /** Those to train on. */
  readonly train: Uint32Array;
  /** Those held back. */
  readonly held: Uint32Array;
}

/**
 * Holds a part of `count` examples back, chosen by the seed: ⌊fraction · count⌋ of them.
 *
 * @throws XiError E_ARGUMENT for what is no count, no part of 1 or no seed.
 */
export function splitRows(count: number, fraction: number, seed: number): Split {
  integer('splitRows count', count, 0, MAX_CLASSES);
  if (!(typeof fraction === 'number' && fraction >= 0 && fraction <= 1))
    throw mismatch('E_ARGUMENT', 'splitRows fraction', 'a number from 0 to 1', fraction);
  integer('splitRows seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const order = new Rng(seed, 3).permutation(count);
  const cut = Math.floor(fraction * count);
  return { train: order.slice(cut).sort(), held: order.slice(0, cut).sort() };
}

/**
 * Cuts labelled examples into `folds` parts with nearly the same number of each class, chosen by the seed, and holds one
 * back.
 *
 * @throws XiError E_ARGUMENT for a fold that there is not, or what is no list of labels or no seed.
 */
export function stratifiedFold(labels: ArrayLike<number>, fold: number, folds: number, seed: number): Split {
  checkList('stratifiedFold labels', 'a list of classes', labels);
  const bad = Array.prototype.findIndex.call(labels, (label: unknown) => !Number.isInteger(label));
  if (bad >= 0) throw mismatch('E_ARGUMENT', `stratifiedFold labels[${bad}]`, 'an integer', labels[bad]);
  integer('stratifiedFold folds', folds, 1, MAX_CLASSES);
  integer('stratifiedFold fold', fold, 0, folds - 1);
  integer('stratifiedFold seed', seed, 0, Number.MAX_SAFE_INTEGER);
  const count = labels.length;
  const order = new Rng(seed, 4).permutation(count);
  const held = new Uint8Array(count);
  // Classes go on where the one before stopped, so that the folds themselves are of equal size.
  const byClass = [...order].sort((a, b) => labels[a] - labels[b]);
  byClass.forEach((row, n) => {
    held[row] = Number(n % folds === fold);
  });
  const rows = Uint32Array.from({ length: count }, (_, n) => n);
  return { train: rows.filter((row) => !held[row]), held: rows.filter((row) => held[row]) };
}
