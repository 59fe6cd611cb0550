import { integer, knownKeys, mismatch, oneOf } from '../core/errors.ts';
import { allocate, DTYPES, type DType, type FloatArray } from '../core/tensor.ts';

/** Sizes for {@link cutPatches}. */
export interface PatchOptions {
  /** Number of images. */
  readonly count: number;
  /** Of an image, in pixels. */
  readonly height: number;
  /** Of an image, in pixels. */
  readonly width: number;
  /** Side of a patch, a divisor of height and width. */
  readonly patch: number;
  /** float32 when left out. */
  readonly dtype?: DType;
  /** Colours, each a plane of its own; 1 when left out. */
  readonly planes?: number;
}

/**
 * Cuts images [count, planes, height, width] into square patches and scales them to [0, 1].
 *
 * out[n, (y·width/patch + x), (i·patch + j)·planes + c] = images[n, c, y·patch + i, x·patch + j] / 255
 *
 * @throws XiError E_ARGUMENT for options, and unless `patch` divides both sides, E_SHAPE unless `images` has count·planes·height·width
 * bytes.
 */
export function cutPatches(images: Uint8Array, options: PatchOptions): FloatArray {
  return patchesOf('cutPatches', images, options);
}

/** {@link cutPatches} in the name of another function. */
export function patchesOf(where: string, images: Uint8Array, options: PatchOptions): FloatArray {
  if (!(images instanceof Uint8Array)) throw mismatch('E_DTYPE', where, 'a Uint8Array of pixels', images);
  knownKeys(where, options, ['count', 'height', 'width', 'patch', 'dtype', 'planes']);
  const { patch, planes = 1 } = options;
  const dtype = oneOf(`${where} dtype`, options.dtype ?? 'float32', DTYPES);
  const size = (name: string, value: unknown) => integer(`${where} ${name}`, value, 0, 2 ** 32);
  const [count, height, width] = (['count', 'height', 'width'] as const).map((n) => size(n, options[n]));
  size('planes', planes);
  if (!Number.isInteger(patch) || patch < 1 || height % patch !== 0 || width % patch !== 0) {
    throw mismatch('E_ARGUMENT', `${where} patch`, `a divisor of the sides ${height} and ${width}`, patch);
  }
  const plane = height * width;
  if (images.length !== count * planes * plane) {
    const extents = `${planes > 1 ? `${planes} × ` : ''}${height} × ${width}`;
    throw mismatch('E_SHAPE', where, `${count} images of ${extents} bytes`, images.length);
  }
  const out = allocate(dtype, images.length);
  let next = 0;
  for (let n = 0; n < count; n++) {
    for (let top = 0; top < height; top += patch) {
      for (let left = 0; left < width; left += patch) {
        for (let i = 0; i < patch; i++) {
          const row = n * planes * plane + (top + i) * width + left;
          for (let j = 0; j < patch; j++) {
            for (let c = 0; c < planes; c++) out[next++] = images[row + c * plane + j] / 255;
          }
        }
      }
    }
  }
  return out;
}
