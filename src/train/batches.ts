import type { Answers, Storage } from '../backend/interface.ts';
import { mismatch } from '../core/errors.ts';
import { allocate, type FloatArray, isTokens, otherDtype, type Tensor } from '../core/tensor.ts';
import { type AnyDataset, checkDataset, copyRows, countOf, hasTargets, rowSize } from '../data/dataset.ts';
import type { InputRows } from '../features/features.ts';
import { checkLengths, orderRows } from '../models/lengths.ts';
import type { Model } from '../models/model.ts';
import type { Lengths } from '../models/network.ts';

/** Copies examples into the memory of a model's backend, a batch at a time. */
export class Batches {
  private readonly data: AnyDataset;
  private readonly inputs: (rows: Uint32Array) => InputRows;
  private readonly targets: ((rows: Uint32Array) => Storage) | undefined;

  /** @throws XiError E_ARGUMENT, E_SHAPE, E_DTYPE or E_NUMERIC for data that do not fit the model. */
  constructor(where: string, model: Model, data: AnyDataset, size: number) {
    checkFits(where, model, data);
    this.data = data;
    const { inputs } = data;
    if (isTokens(inputs)) {
      const staging = new Int32Array(size * rowSize(inputs));
      this.inputs = (rows) => {
        copyRows(inputs, rows, staging);
        return staging.subarray(0, rows.length * rowSize(inputs));
      };
    } else this.inputs = uploader(model, inputs, size);
    if (hasTargets(data)) this.targets = uploader(model, data.targets, size);
  }

  /**
   * Inputs of the examples with these numbers, and what their scores are compared with; those of several lengths the longest
   * first, as a network wants them. Valid until the next call.
   */
  gather(chosen: Uint32Array): { x: InputRows; answers: Answers; lengths?: Lengths } {
    const { data } = this;
    const order = data.lengths && orderRows(Int32Array.from(chosen, (row) => data.lengths![row]));
    const rows = order ? order.rows.map((n) => chosen[n]) : chosen;
    const answers = hasTargets(data) ? this.targets!(rows) : Int32Array.from(rows, (row) => data.labels[row]);
    return { x: this.inputs(rows), answers, lengths: order?.lengths };
  }
}

function uploader({ backend, config }: Model, tensor: Tensor, size: number) {
  const row = rowSize(tensor);
  const staging: FloatArray = allocate(config.dtype, size * row);
  const storage = backend.allocate(config.dtype, size * row);
  return (rows: Uint32Array): Storage => {
    copyRows(tensor, rows, staging);
    const part = storage.at(0, rows.length * row);
    part.write(staging.subarray(0, rows.length * row));
    return part;
  };
}

/** @throws XiError that names what does not fit the model, of the caller's argument `part`. */
export function checkFits(caller: string, { config }: Model, data: AnyDataset, part = 'data'): void {
  checkDataset(`${caller} ${part}`, data);
  const where = `${caller} ${part} ${data.name}`;
  const { steps, inputs, outputs, dtype } = config;
  const tokens = isTokens(data.inputs);
  const [, ownSteps, ownInputs = tokens ? inputs : 0] = data.inputs.shape;
  if (ownSteps !== steps || ownInputs !== inputs)
    throw mismatch('E_SHAPE', where, `${steps} steps of ${inputs} inputs`, [ownSteps, ownInputs]);
  if (isTokens(data.inputs)) {
    const bad = data.inputs.data.findIndex((token) => token >= inputs);
    if (bad >= 0)
      throw mismatch('E_ARGUMENT', where, `tokens from 0 to ${inputs - 1}`, data.inputs.data[bad]);
  } else if (data.inputs.dtype !== dtype) throw otherDtype(`${where} inputs`, dtype, data.inputs.dtype);
  if (hasTargets(data)) {
    const { targets } = data;
    if (targets.shape[1] !== outputs)
      throw mismatch('E_SHAPE', `${where} targets`, `${outputs} a sequence`, targets.shape);
    if (targets.dtype !== dtype) throw otherDtype(`${where} targets`, dtype, targets.dtype);
  } else if (data.classes > outputs) {
    throw mismatch('E_SHAPE', where, `at most ${outputs} classes`, data.classes);
  }
  if (countOf(data) === 0) throw mismatch('E_ARGUMENT', where, 'at least one example', 0);
  if (data.lengths) checkLengths(`${where} lengths`, config, data.lengths, countOf(data));
}
