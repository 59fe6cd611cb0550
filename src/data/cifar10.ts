import { join } from 'node:path';
import { integer, knownKeys, mismatch, oneOf } from '../core/errors.ts';
import { DTYPES, type DType, type Tensor } from '../core/tensor.ts';
import { readFileChecked } from '../io/atomic.ts';
import { folderOf, type Path } from '../io/path.ts';
import type { Dataset } from './dataset.ts';
import { patchesOf } from './patches.ts';

const SIDE = 32;
const PLANES = 3;
const PIXELS = PLANES * SIDE * SIDE;
/** A label, then the red, the green and the blue plane. */
const RECORD = 1 + PIXELS;
const FILES = {
  train: [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`),
  test: ['test_batch.bin'],
} as const;
const CLASS_NAMES = 'airplane automobile bird cat deer dog frog horse ship truck'.split(' ');

/** Where CIFAR-10 lies and how {@link loadCifar10} cuts its images of 3 × 32 × 32 into steps. */
export interface Cifar10Options {
  /** Folder with the binary version's batches, data_batch_1.bin … data_batch_5.bin and test_batch.bin. */
  readonly source: Path;
  /** `train` has 50,000 images, `test` 10,000. */
  readonly split: keyof typeof FILES;
  /** Side of a patch in pixels, a divisor of 32; 8 when left out. */
  readonly patch?: number;
  /** At most that many examples, from the start of the split. */
  readonly limit?: number;
  /** float32 when left out. */
  readonly dtype?: DType;
}

/**
 * CIFAR-10 from its binary batches, as sequences of patches: inputs [count, (32/patch)², patch²·3] in [0, 1], by default
 * [count, 16, 192]. Patches run row by row over the image, pixels row by row in a patch, red, green and blue in a pixel.
 *
 * Format: https://www.cs.toronto.edu/~kriz/cifar.html, records of 3073 bytes (Krizhevsky 2009).
 *
 * @throws XiError E_ARGUMENT for unknown or unfit options, E_FILE when a batch is missing, cut short or has a label beyond 9.
 */
export async function loadCifar10(options: Cifar10Options): Promise<Dataset<Tensor>> {
  const where = 'loadCifar10';
  knownKeys(where, options, ['source', 'split', 'patch', 'limit', 'dtype']);
  const split = oneOf(`${where} split`, options.split, ['train', 'test'] as const);
  const dtype = oneOf(`${where} dtype`, options.dtype ?? 'float32', DTYPES);
  const patch = integer(`${where} patch`, options.patch ?? 8, 1, SIDE);
  const limit = integer(`${where} limit`, options.limit ?? 2 ** 31, 1, 2 ** 32);
  const folder = folderOf(`${where} source`, options.source);
  const images: Uint8Array[] = [];
  const labels: number[] = [];
  for (const name of FILES[split]) {
    if (labels.length >= limit) break;
    const path = join(folder, name);
    const bytes = await readFileChecked(path);
    checkBatch(path, bytes);
    for (let at = 0; at < bytes.length && labels.length < limit; at += RECORD) {
      labels.push(bytes[at]);
      images.push(bytes.subarray(at + 1, at + RECORD));
    }
  }
  const pixels = new Uint8Array(labels.length * PIXELS);
  images.forEach((image, n) => void pixels.set(image, n * PIXELS));
  const data = patchesOf(where, pixels, {
    ...{ count: labels.length, height: SIDE, width: SIDE, planes: PLANES },
    ...{ patch, dtype },
  });
  const shape = [labels.length, (SIDE / patch) ** 2, patch * patch * PLANES];
  return {
    name: `cifar10-${split}`,
    inputs: { dtype, shape, data },
    labels: Int32Array.from(labels),
    classes: CLASS_NAMES.length,
    classNames: CLASS_NAMES,
  };
}

function checkBatch(path: string, bytes: Uint8Array): void {
  const rest = bytes.length % RECORD;
  if (bytes.length === 0 || rest !== 0) {
    const expected = `records of ${RECORD} bytes`;
    throw mismatch('E_FILE', `${path}, byte ${bytes.length - rest}`, expected, `${rest} bytes at the end`);
  }
  for (let at = 0; at < bytes.length; at += RECORD) {
    if (bytes[at] >= CLASS_NAMES.length)
      throw mismatch('E_FILE', `${path}, byte ${at}`, 'a label from 0 to 9', bytes[at]);
  }
}
