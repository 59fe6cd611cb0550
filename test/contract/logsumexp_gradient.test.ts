import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contractGradient } from '../../src/contract/contract.ts';
import { Rng } from '../../src/core/rng.ts';
import { DTYPES, type DType, type Tensor, tensor } from '../../src/core/tensor.ts';
import { EPSILON } from '../conformance/case.ts';
import { subjects } from '../support/subjects.ts';

const SEED = process.env.XITENSOR_TEST_SEED ? { seed: Number(process.env.XITENSOR_TEST_SEED) } : {};

/** Weights below this may be taken as 0 (native/kernels/panel_gradient-inl.h). */
const SMALLEST_WEIGHT: Record<DType, number> = { float32: 2 ** -66, float64: 2 ** -522 };

/** dA[i,j] = Σ_k dout[i,k] w[i,j,k] and dB[j,k] = Σ_i dout[i,k] w[i,j,k], w = softmax over j of A[i,j] + B[j,k]; and Σ |…|. */
function definition(A: Tensor, B: Tensor, dout: Tensor) {
  const [[I, J], K] = [A.shape, B.shape[1]];
  const [dA, sizeA] = [new Float64Array(I * J), new Float64Array(I * J)];
  const [dB, sizeB] = [new Float64Array(J * K), new Float64Array(J * K)];
  for (let i = 0; i < I; i++) {
    for (let k = 0; k < K; k++) {
      const terms = Array.from({ length: J }, (_, j) => A.data[i * J + j] + B.data[j * K + k]);
      const largest = Math.max(...terms);
      if (largest === Number.NEGATIVE_INFINITY) continue;
      const weights = terms.map((term) => Math.exp(term - largest));
      const sum = weights.reduce((x, y) => x + y, 0);
      const share = dout.data[i * K + k] / sum;
      for (let j = 0; j < J; j++) {
        dA[i * J + j] += share * weights[j];
        dB[j * K + k] += share * weights[j];
        sizeA[i * J + j] += Math.abs(share * weights[j]);
        sizeB[j * K + k] += Math.abs(share * weights[j]);
      }
    }
  }
  return [
    { gradient: dA, size: sizeA },
    { gradient: dB, size: sizeB },
  ];
}

/** A product of exponentials, but for elements whose largest terms do not meet and panels with infinities. */
describe.each(subjects)('gradients of a log-semiring product on $label', ({ open }) => {
  const backend = open();
  const shape = fc.record({
    I: fc.integer({ min: 1, max: 40 }),
    J: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(255, 256, 257, 300)),
    K: fc.integer({ min: 1, max: 70 }),
    range: fc.constantFrom(1, 10, 60, 200, 3000),
    infinities: fc.constantFrom(0, 0, 5),
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
  });

  it.each(DTYPES)('are softmax weights over any range, %s', (dtype) => {
    fc.assert(
      fc.property(shape, ({ I, J, K, range, infinities, seed }) => {
        const rng = new Rng(seed);
        const draw = (rows: number, cols: number, scale: number) =>
          tensor(
            Float64Array.from({ length: rows * cols }, () => scale * (2 * rng.uniform() - 1)),
            [rows, cols],
            dtype,
          );
        const [A, B, dout] = [draw(I, J, range), draw(J, K, range), draw(I, K, 1)];
        for (let n = 0; n < infinities; n++) A.data[rng.below(I * J)] = Number.NEGATIVE_INFINITY;
        const options = { xi: 'sum', reduce: 'logsumexp', backend } as const;
        const gradients = contractGradient('; ij,jk -> ik', [A, B], dout, options);
        const total = dout.data.reduce((sum: number, value) => sum + Math.abs(value), 0);
        definition(A, B, dout).forEach(({ gradient, size }, n) => {
          gradients[n].data.forEach((value, at) => {
            // An exponent is rounded relative to the terms; a weight that small may be none.
            const room = 32 * EPSILON[dtype] * (range + 4) * size[at] + 2 * SMALLEST_WEIGHT[dtype] * total;
            expect(Math.abs(value - gradient[at])).toBeLessThanOrEqual(room);
          });
        });
      }),
      { numRuns: 15, ...SEED },
    );
  });
});
