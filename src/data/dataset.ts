import { integer, mismatch, XiError } from '../core/errors.ts';
import { checkTensor, dtypeOf, isTensor, type Tensor } from '../core/tensor.ts';

const MAX_CLASSES = 2 ** 31 - 1;

/** Labelled sequences: inputs [count, steps, features] and for each a class from 0 to classes − 1. */
export interface Dataset {
  readonly name: string;
  readonly inputs: Tensor;
  readonly labels: Int32Array;
  readonly classes: number;
}

/**
 * Checks a dataset that a user hands in and returns it.
 *
 * @throws XiError E_ARGUMENT, E_DTYPE, E_SHAPE or E_NUMERIC that names the part, and the first bad label or input.
 */
export function checkDataset(where: string, dataset: Dataset): Dataset {
  if (typeof dataset !== 'object' || dataset === null) {
    throw mismatch('E_ARGUMENT', where, 'a Dataset { name, inputs, labels, classes }', dataset);
  }
  const { name, inputs, labels, classes } = dataset;
  if (typeof name !== 'string') throw mismatch('E_ARGUMENT', `${where}.name`, 'a string', name);
  if (!isTensor(inputs)) throw mismatch('E_ARGUMENT', `${where}.inputs`, 'a Tensor', inputs);
  checkTensor(`${where}.inputs`, inputs, [-1, -1, -1], dtypeOf(inputs.data, `${where}.inputs`));
  integer(`${where}.classes`, classes, 1, MAX_CLASSES);
  if (!(labels instanceof Int32Array)) throw mismatch('E_DTYPE', `${where}.labels`, 'an Int32Array', labels);
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
  return dataset;
}

/**
 * The examples from `start` up to, not including, `end`; inputs and labels are views of the same memory.
 *
 * @throws XiError E_ARGUMENT unless 0 ≤ start ≤ end ≤ count.
 */
export function takeDataset(dataset: Dataset, start: number, end: number): Dataset {
  const [count, ...rest] = dataset.inputs.shape as [number, number, number];
  integer('takeDataset end', end, 0, count);
  integer('takeDataset start', start, 0, end);
  const size = rest[0] * rest[1];
  const inputs = {
    dtype: dataset.inputs.dtype,
    shape: [end - start, ...rest],
    data: dataset.inputs.data.subarray(start * size, end * size),
  };
  return { ...dataset, inputs, labels: dataset.labels.subarray(start, end) };
}
