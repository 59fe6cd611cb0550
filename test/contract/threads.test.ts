import { describe, expect, it } from 'vitest';
import { contract, contractGradient } from '../../src/contract/contract.ts';
import { Rng } from '../../src/core/rng.ts';
import { type DType, type FloatArray, tensor } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { drawTensor, normal, shapesOf } from '../support/operands.ts';
import { subjects } from '../support/subjects.ts';

const THREADS = [2, 3, 4, 8];
/** Cut by rows or by columns, depending on the number of threads. */
const SHAPES = [
  [8, 40, 3000],
  [3, 300, 1500],
  [60, 64, 900],
] as const;

/** How many elements have other bits; signs of zeros count. */
const differing = (x: FloatArray, y: FloatArray): number =>
  Array.from(x).filter((value, n) => !Object.is(value, y[n])).length;

/** An infinity at one place makes its block careful, and which rows and columns share it depends on the threads. */
describe.each(subjects.filter(({ label }) => !label.startsWith('reference')))(
  'contractions with one infinity on $label',
  ({ open }) => {
    const backends = THREADS.map((threads) => open(threads));
    const one = open(1);

    it.each(['float32', 'float64'] as const)('have the same bits for any number of threads, %s', (dtype) => {
      for (const [M, K, N] of SHAPES) {
        for (const infinite of [[0, 3 * N + N - 5] as const, [(M - 1) * K, 0] as const]) {
          const [A, B] = operands(dtype, M, K, N, infinite);
          for (const reduce of ['max', 'min', 'logsumexp'] as const) {
            const options = { xi: 'sum', reduce } as const;
            const want = contract('; ik,kj -> ij', [A, B], { ...options, backend: one }).data;
            for (const backend of backends) {
              const got = contract('; ik,kj -> ij', [A, B], { ...options, backend }).data;
              expect([reduce, differing(got, want)]).toEqual([reduce, 0]);
            }
          }
        }
      }
    });

    it.each(XI_NAMES)('of zeros with both signs too, %s', (xi) => {
      const [M, K, N] = [64, 40, 300];
      const rng = new Rng(5);
      const zeros = (count: number) => Float64Array.from({ length: count }, () => (rng.below(2) ? 0 : -0));
      for (const reduce of ['sum', 'max', 'min'] as const) {
        const a = zeros(M * K);
        a[(M - 1) * K] = Number.NEGATIVE_INFINITY;
        const [A, B] = [tensor(a, [M, K]), tensor(zeros(K * N), [K, N])];
        const of = (backend: typeof one) =>
          contract('; ik,kj -> ij', [A, B], { xi, reduce, backend }).data.subarray(0, (M - 1) * N);
        const want = of(one);
        for (const backend of backends) expect([reduce, differing(of(backend), want)]).toEqual([reduce, 0]);
      }
    });
  },
);

describe.each(subjects.filter(({ label }) => !label.startsWith('reference')))(
  'gradients of sums of products on $label',
  ({ open }) => {
    const [one, ...backends] = [1, ...THREADS].map((threads) => open(threads));
    it.each(['ij,ij ->', 'ij,j -> i', 'ij ->', 'ij -> j', 'ij,ij -> ij', 'ij,kj -> ik'])(
      'have the same bits for any number of threads, %s',
      (expression) => {
        const rng = new Rng(7);
        const operands = shapesOf(expression, { i: 300, j: 1500, k: 40 }).map((shape) =>
          drawTensor(rng, shape, 'float32', normal),
        );
        const dout = contract(expression, operands, { backend: one });
        const want = contractGradient(expression, operands, dout, { backend: one });
        for (const backend of backends) {
          const got = contractGradient(expression, operands, dout, { backend });
          expect(got.map(({ data }, n) => differing(data, want[n].data))).toEqual(want.map(() => 0));
        }
      },
    );
  },
);

/** Normal numbers, and −∞ at one place of A, or else of B. */
function operands(dtype: DType, M: number, K: number, N: number, [inA, inB]: readonly [number, number]) {
  const rng = new Rng(M, K, N);
  const draw = (count: number) => Float64Array.from({ length: count }, () => rng.normal());
  const [a, b] = [draw(M * K), draw(K * N)];
  if (inA > 0) a[inA] = Number.NEGATIVE_INFINITY;
  else b[inB] = Number.NEGATIVE_INFINITY;
  return [tensor(a, [M, K], dtype), tensor(b, [K, N], dtype)];
}
