import { basename } from 'node:path';
import { mismatch } from '../core/errors.ts';
import { type DType, type Tensor, type TokenTensor, tensor } from '../core/tensor.ts';
import { readNpy } from '../io/disk.ts';
import type { AnyDataset, Dataset, TargetDataset } from './dataset.ts';

/** Two `.npy` files of the same count of examples, for {@link loadArrays}. */
export interface ArrayFiles {
  /** `.npy` of inputs [count, steps, inputs], or of tokens [count, steps] as whole numbers. */
  readonly inputs: string;
  /** `.npy` of classes [count] as whole numbers, or of real targets [count, outputs]. */
  readonly answers: string;
  /** float32 when left out. */
  readonly dtype?: DType;
}

/**
 * A data set from two `.npy` files.
 *
 * @throws XiError E_FILE with the file and the element that is not what it should be; as readNpy for broken files.
 */
export async function loadArrays({ inputs, answers, dtype = 'float32' }: ArrayFiles): Promise<AnyDataset> {
  const name = basename(inputs).replace(/\.npy$/i, '');
  const X = await readInputs(inputs, dtype);
  const Y = await readNpy(answers);
  const [count] = X.shape;
  if (Y.shape[0] !== count || Y.shape.length > 2 || Y.shape.length === 0)
    throw mismatch('E_FILE', answers, `classes [${count}] or targets [${count}, outputs]`, Y.shape);
  if (Y.shape.length === 2) return { name, inputs: X, targets: tensor(Y, undefined, dtype) } as TargetDataset;
  const labels = wholeNumbers(answers, Y);
  const classes = labels.reduce((top, label) => Math.max(top, label), 0) + 1;
  return { name, inputs: X, labels, classes } as Dataset;
}

/** Inputs [count, steps, inputs] of a model, or tokens [count, steps], from an `.npy` file. */
export async function readInputs(path: string, dtype: DType): Promise<Tensor | TokenTensor> {
  const X = await readNpy(path);
  if (X.shape.length === 3) return tensor(X, undefined, dtype);
  if (X.shape.length !== 2)
    throw mismatch('E_SHAPE', path, '[batch, steps, inputs], or tokens [batch, steps]', X.shape);
  return { dtype: 'int32', shape: X.shape, data: wholeNumbers(path, X) };
}

function wholeNumbers(path: string, { data }: Tensor): Int32Array {
  const list = Int32Array.from(data);
  data.forEach((value, n) => {
    if (value !== list[n] || value < 0)
      throw mismatch('E_FILE', `${path}, element ${n}`, 'a whole number from 0 to 2^31 − 1', value);
  });
  return list;
}
