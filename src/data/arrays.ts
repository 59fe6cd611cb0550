import { basename } from 'node:path';
import { integer, knownKeys, mismatch, oneOf } from '../core/errors.ts';
import { DTYPES, type DType, type Inputs, type Tensor, type TokenTensor, tensor } from '../core/tensor.ts';
import { readNpy } from '../io/disk.ts';
import { type Path, pathOf } from '../io/path.ts';
import { type AnyDataset, type Dataset, MAX_CLASSES, SHORTEST, type TargetDataset } from './dataset.ts';

/** Two `.npy` files of the same count of examples, for {@link loadArrays}. */
export interface ArrayFiles {
  /** `.npy` of inputs [count, steps, inputs], or of tokens [count, steps] as whole numbers. */
  readonly inputs: Path;
  /** `.npy` of classes [count] as whole numbers, or of real targets [count, outputs]. */
  readonly answers: Path;
  /** `.npy` of the steps of each sequence [count], where they differ: two at least. */
  readonly lengths?: Path;
  /** How many classes there are, also without an example; one more than the largest label when left out. */
  readonly classes?: number;
  /** float32 when left out. */
  readonly dtype?: DType;
}

/**
 * A data set from two `.npy` files, or three.
 *
 * @throws XiError E_FILE with the file and the element that is not what it should be; as readNpy for broken files.
 */
export async function loadArrays(files: ArrayFiles): Promise<AnyDataset> {
  knownKeys('loadArrays', files, ['inputs', 'answers', 'lengths', 'classes', 'dtype']);
  const [inputs, answers] = (['inputs', 'answers'] as const).map((part) =>
    pathOf(`loadArrays ${part}`, files[part], 'the path of an .npy file, or its file: URL'),
  );
  const dtype = oneOf('loadArrays dtype', files.dtype ?? 'float32', DTYPES);
  const name = basename(inputs).replace(/\.npy$/i, '');
  const X = await readInputs(inputs, dtype);
  const Y = await readNpy(answers);
  const [count] = X.shape;
  if (count === 0) throw mismatch('E_FILE', inputs, 'at least one example', X.shape);
  if (Y.shape[0] !== count || Y.shape.length > 2 || Y.shape.length === 0)
    throw mismatch('E_FILE', answers, `classes [${count}] or targets [${count}, outputs]`, Y.shape);
  const lengths =
    files.lengths === undefined
      ? {}
      : { lengths: await readLengths(pathOf('loadArrays lengths', files.lengths), X) };
  const { classes } = files;
  if (classes !== undefined) integer('loadArrays classes', classes, 1, MAX_CLASSES);
  if (Y.shape.length === 2 && classes !== undefined)
    throw mismatch('E_ARGUMENT', 'loadArrays classes', `classes [${count}] in ${answers}`, classes);
  if (Y.shape.length === 2)
    return { name, inputs: X, ...lengths, targets: finite(answers, Y, dtype) } as TargetDataset;
  const labels = wholeNumbers(answers, Y);
  const largest = labels.reduce((top, label) => Math.max(top, label), 0);
  if (classes !== undefined && largest >= classes) {
    const where = `${answers}, element ${labels.indexOf(largest)}`;
    throw mismatch('E_FILE', where, `a class from 0 to ${classes - 1}`, largest);
  }
  return { name, inputs: X, ...lengths, labels, classes: classes ?? largest + 1 } as Dataset;
}

/** Inputs [count, steps, inputs] of a model, or tokens [count, steps], from an `.npy` file. */
export async function readInputs(path: string, dtype: DType): Promise<Tensor | TokenTensor> {
  const X = await readNpy(path);
  if (X.shape.length === 3) return finite(path, X, dtype);
  if (X.shape.length !== 2)
    throw mismatch('E_SHAPE', path, '[batch, steps, inputs], or tokens [batch, steps]', X.shape);
  const why = ', as two axes are tokens [batch, steps], and values [batch, steps, inputs]';
  return { dtype: 'int32', shape: X.shape, data: wholeNumbers(path, X, why) };
}

/** The values in a precision. @throws XiError E_FILE with the element that is no finite number in it. */
function finite(path: string, values: Tensor, dtype: DType): Tensor {
  const result = tensor(values, undefined, dtype);
  const bad = result.data.findIndex((value) => !Number.isFinite(value));
  if (bad < 0) return result;
  let rest = bad;
  const place = values.shape.map(() => 0);
  for (let axis = place.length - 1; axis >= 0; axis--) {
    place[axis] = rest % values.shape[axis];
    rest = Math.floor(rest / values.shape[axis]);
  }
  const where = `${path}, element [${place.join(', ')}]`;
  throw mismatch('E_FILE', where, `a finite number in ${dtype}`, values.data[bad]);
}

/** Steps of each of some sequences from an `.npy` file. @throws XiError E_FILE at one that they cannot have. */
export async function readLengths(path: string, { shape: [count, steps] }: Inputs): Promise<Int32Array> {
  const given = await readNpy(path);
  if (given.shape.length !== 1 || given.shape[0] !== count)
    throw mismatch('E_FILE', path, `lengths [${count}], one for each sequence`, given.shape);
  const lengths = wholeNumbers(path, given);
  const bad = lengths.findIndex((length) => length < SHORTEST || length > steps);
  if (bad >= 0)
    throw mismatch('E_FILE', `${path}, element ${bad}`, `${SHORTEST} to ${steps} steps`, lengths[bad]);
  return lengths;
}

function wholeNumbers(path: string, { data }: Tensor, why = ''): Int32Array {
  const list = Int32Array.from(data);
  const bad = data.findIndex((value, n) => value !== list[n] || value < 0);
  if (bad < 0) return list;
  const expected = `a whole number from 0 to 2^31 − 1${why}`;
  throw mismatch('E_FILE', `${path}, element ${bad}`, expected, data[bad]);
}
