import { integer, mismatch } from '../core/errors.ts';
import { allocate, type DType, type FloatArray } from '../core/tensor.ts';

/**
 * Cuts images [count, planes, height, width] into square patches and scales them to [0, 1].
 *
 * out[n, (y·width/patch + x), (i·patch + j)·planes + c] = images[n, c, y·patch + i, x·patch + j] / 255
 *
 * @throws XiError E_ARGUMENT unless `patch` divides both sides, E_SHAPE unless `images` has count·planes·height·width
 * bytes.
 */
export function cutPatches(
  images: Uint8Array,
  count: number,
  height: number,
  width: number,
  patch: number,
  dtype: DType,
  planes = 1,
): FloatArray {
  if (!(images instanceof Uint8Array)) throw mismatch('E_DTYPE', 'cutPatches', 'a Uint8Array', images);
  for (const [name, value] of Object.entries({ count, height, width, planes }))
    integer(`cutPatches ${name}`, value, 0, Number.MAX_SAFE_INTEGER);
  if (!Number.isInteger(patch) || patch < 1 || height % patch !== 0 || width % patch !== 0) {
    throw mismatch('E_ARGUMENT', 'patch', `a divisor of the sides ${height} and ${width}`, patch);
  }
  const plane = height * width;
  if (images.length !== count * planes * plane) {
    const size = `${planes > 1 ? `${planes} × ` : ''}${height} × ${width}`;
    throw mismatch('E_SHAPE', 'cutPatches', `${count} images of ${size} bytes`, images.length);
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
