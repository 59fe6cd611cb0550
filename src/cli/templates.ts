import { existsSync } from 'node:fs';
import { mismatch } from '../core/errors.ts';
import { misspelt, nearest } from '../core/nearest.ts';
import { Rng } from '../core/rng.ts';
import { type Tensor, tensor } from '../core/tensor.ts';
import { loadMnist } from '../data/mnist.ts';
import { readNpy } from '../io/disk.ts';
import type { ModelConfig } from '../models/config.ts';

/** Templates for a model: distinct patches of MNIST's training images, the letters of DNA, or the rows of a .npy file. */
export async function loadTemplates(
  source: string,
  count: number,
  seed: number,
  { inputs, dtype }: ModelConfig,
): Promise<Tensor> {
  if (source === 'mnist') return patches(count, seed, inputs, dtype);
  if (source === 'splice') return letters(inputs, dtype);
  const known = ['mnist', 'splice'];
  if (!existsSync(source) && nearest(source, known))
    throw misspelt('--templates', 'mnist, splice or a .npy file', source, known);
  const file = await readNpy(source);
  if (file.shape.length !== 2 || file.shape[1] !== inputs)
    throw mismatch('E_SHAPE', source, `templates [M, ${inputs}]`, file.shape);
  return tensor(file, undefined, dtype);
}

/** Images that patches are drawn from. */
const IMAGES = 2000;

async function patches(
  count: number,
  seed: number,
  inputs: number,
  dtype: ModelConfig['dtype'],
): Promise<Tensor> {
  const side = Math.sqrt(inputs);
  if (!Number.isInteger(side))
    throw mismatch('E_ARGUMENT', '--templates mnist', 'a model that takes square patches', inputs);
  const { inputs: images } = await loadMnist({ split: 'train', patch: side, limit: IMAGES, dtype });
  const all = images.data.length / inputs;
  const rng = new Rng(seed, 3);
  const found = new Map<string, Tensor['data']>();
  for (let tries = 0; found.size < count; tries++) {
    if (tries === 1000 * count)
      throw mismatch('E_ARGUMENT', '--count', `at most ${found.size} distinct patches`, count);
    const at = rng.below(all) * inputs;
    const patch = images.data.subarray(at, at + inputs);
    // Many patches are black: one of them at most.
    found.set(patch.join(), patch);
  }
  const data = [...found.values()].flatMap((patch) => Array.from(patch));
  return tensor(data, [count, inputs], dtype);
}

/** A, C, G and T as unit vectors. */
function letters(inputs: number, dtype: ModelConfig['dtype']): Tensor {
  const M = 4;
  if (inputs !== M)
    throw mismatch('E_ARGUMENT', '--templates splice', `a model of ${M} inputs, one a letter`, inputs);
  return tensor(
    Float64Array.from({ length: M * M }, (_, n) => Number(n % (M + 1) === 0)),
    [M, M],
    dtype,
  );
}
