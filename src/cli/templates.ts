import { existsSync } from 'node:fs';
import { mismatch, XiError } from '../core/errors.ts';
import { misspelt, nearest } from '../core/nearest.ts';
import { Rng } from '../core/rng.ts';
import { type Tensor, tensor } from '../core/tensor.ts';
import { isTable } from '../data/csv.ts';
import type { AnyDataset } from '../data/dataset.ts';
import { readNpy } from '../io/disk.ts';
import type { ModelConfig } from '../models/config.ts';
import { type Known, loadParts } from './data.ts';
import { readTable, rememberedData } from './known.ts';

/** How many templates are drawn where many differ, and by which seed. */
interface Draw {
  /** 100, or all if they are fewer, when left out. */
  readonly count?: number;
  readonly seed: number;
}

const COUNT = 100;
const NAMES = ['mnist', 'splice', 'cifar10', 'one-hot'];
const FORMS = 'mnist, mnist:DIR, cifar10:DIR, splice, one-hot, a .csv file or a .npy file';

/**
 * Templates for a model: distinct patches of images, distinct steps of a table read as the model's own, the letters of DNA, unit
 * vectors, or the rows of a .npy file.
 */
export async function loadTemplates(
  source: string,
  draw: Draw,
  { inputs, steps, dtype }: ModelConfig,
  known: Known = {},
): Promise<Tensor> {
  if (/^(mnist|cifar10)(:|$)/.test(source)) {
    const side = Math.sqrt(source.startsWith('cifar10') ? inputs / 3 : inputs);
    if (!Number.isInteger(side))
      throw mismatch('E_ARGUMENT', `--templates ${source}`, 'a model that takes square patches', inputs);
    const choice = { data: source, patch: side, limit: IMAGES };
    const { train } = await loadParts(choice, dtype, ['train']);
    return distinct(source, train!.inputs as Tensor, undefined, draw);
  }
  if (isTable(source)) {
    const table = await readTable(source, known, steps, dtype);
    if (table.inputs.shape[2] !== inputs)
      throw mismatch('E_SHAPE', source, `steps of ${inputs} inputs`, table.inputs.shape);
    return distinct(source, table.inputs, table.lengths, draw);
  }
  const isSplice = /^splice(:|$)/.test(source);
  const isOneHot = source === 'one-hot';
  if (!isSplice && !isOneHot && !existsSync(source) && nearest(source, NAMES))
    throw misspelt('--templates', FORMS, source, NAMES);
  if (draw.count !== undefined)
    throw mismatch('E_ARGUMENT', '--count', 'templates of images or of a table', source);
  if (isSplice) return letters(inputs, dtype);
  if (isOneHot) return unitVectors(inputs, dtype);
  const file = await readNpy(source);
  if (file.shape.length !== 2 || file.shape[1] !== inputs)
    throw mismatch('E_SHAPE', source, `templates [M, ${inputs}]`, file.shape);
  return tensor(file, undefined, dtype);
}

/** The templates of a built model, or the data that a model was trained on, where templates can be taken of them. @throws XiError E_ARGUMENT where not. */
export function rememberedTemplates(path: string, known: Known): string {
  if (known.templates !== undefined) return known.templates;
  if (known.data === undefined)
    throw new XiError(
      'E_ARGUMENT',
      `--templates: expected ${FORMS}, received none, and ${path} does not say what it was trained on`,
    );
  if ([...NAMES, 'csv'].includes(known.data.replace(/:.*/, '')))
    return rememberedData('--templates', path, known);
  throw mismatch('E_ARGUMENT', '--templates', FORMS, `none, and a model that was trained on ${known.data}`);
}

/** Images that patches are drawn from. */
const IMAGES = 2000;

/** Different steps of inputs [count, T, N], as they are met by chance; of those past the end of a sequence none. */
function distinct(
  source: string,
  { data, shape: [examples, T, N], dtype }: Tensor,
  lengths: AnyDataset['lengths'],
  { count, seed }: Draw,
): Tensor {
  const rng = new Rng(seed, 3);
  const found = new Map<string, Tensor['data']>();
  const most = count ?? COUNT;
  const take = (step: number) => {
    if (lengths && step % T >= lengths[Math.floor(step / T)]) return;
    const template = data.subarray(step * N, (step + 1) * N);
    // Many patches are black: one of them at most.
    found.set(template.join(), template);
  };
  for (let tries = 0; found.size < most && tries < 1000 * most; tries++) take(rng.below(examples * T));
  for (let step = 0; found.size < most && step < examples * T; step++) take(step);
  if (count !== undefined && found.size < count)
    throw mismatch('E_ARGUMENT', '--count', `at most ${found.size} different steps of ${source}`, count);
  return tensor(
    [...found.values()].flatMap((template) => Array.from(template)),
    [found.size, N],
    dtype,
  );
}

/** A, C, G and T as unit vectors. */
function letters(inputs: number, dtype: ModelConfig['dtype']): Tensor {
  const M = 4;
  if (inputs !== M)
    throw mismatch('E_ARGUMENT', '--templates splice', `a model of ${M} inputs, one a letter`, inputs);
  return unitVectors(M, dtype);
}

const unitVectors = (M: number, dtype: ModelConfig['dtype']): Tensor =>
  tensor(
    Float64Array.from({ length: M * M }, (_, n) => Number(n % (M + 1) === 0)),
    [M, M],
    dtype,
  );
