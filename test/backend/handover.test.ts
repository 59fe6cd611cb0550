import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/interface.ts';
import { Rng } from '../../src/core/rng.ts';
import type { DType, FloatArray } from '../../src/core/tensor.ts';
import { subjects } from '../support/subjects.ts';

/**
 * Of more terms than one block, and cut into fewer pieces than there are threads, so that those without one ask for a part of
 * another's from the first block on: of its rows, of its columns, and of blocks of columns that it has not begun.
 */
const SIZES = [
  { B: 40, L: 45, R: 47, K: 64 },
  { B: 60, L: 37, R: 67, K: 2601 },
  { B: 200, L: 33, R: 65, K: 24 },
  { B: 57, L: 64, R: 64, K: 8 },
] as const;
const THREADS = [2, 3, 7];
/** How often each is computed: who asks for what when is a matter of chance. */
const TIMES = 4;

/** The same random numbers for all. */
function drawn({ B, L, R, K }: (typeof SIZES)[number]) {
  const rng = new Rng(B, K);
  const draw = (count: number) => Float64Array.from({ length: count }, () => rng.normal());
  return { a: draw(B * L), h: draw(B * R), G: draw(L * R * K) };
}
const CASES = SIZES.map((sizes) => ({ ...sizes, ...drawn(sizes) }));

/** Contracts some times, with weights as they are and packed. */
function contracted(
  backend: Backend,
  { a, h, G, ...sizes }: (typeof CASES)[number],
  dtype: DType,
  times: number,
): FloatArray[] {
  const { B, L, R, K } = sizes;
  const put = (values: Float64Array) => {
    const storage = backend.allocate(dtype, values.length);
    storage.write(values);
    return storage;
  };
  const [x, y, weights] = [a, h, G].map(put);
  const packed = backend.packWeights(L, R, K, weights);
  return Array.from({ length: times }, () => {
    const [plain, fromPacked] = [backend.allocate(dtype, B * K), backend.allocate(dtype, B * K)];
    backend.contract('rectifier', sizes, x, y, weights, plain);
    backend.contractPacked('rectifier', B, x, y, packed, fromPacked);
    return [plain.read(), fromPacked.read()];
  }).flat();
}

const threaded = subjects.filter(({ label }) => !label.startsWith('reference'));

describe.each(threaded)('$label gives the same bits when threads hand over', ({ open }) => {
  const [one, ...more] = [1, ...THREADS].map((threads) => open(threads));
  it.each(CASES.flatMap((sizes) => (['float32', 'float64'] as const).map((dtype) => ({ ...sizes, dtype }))))(
    '$dtype, $B rows, $L × $R terms, $K columns',
    ({ dtype, ...sizes }) => {
      const [want] = contracted(one, sizes, dtype, 1);
      for (const backend of more) {
        const got = contracted(backend, sizes, dtype, TIMES);
        expect(got.map((values) => values.every((value, n) => Object.is(value, want[n])))).toEqual(
          got.map(() => true),
        );
      }
    },
  );
});
