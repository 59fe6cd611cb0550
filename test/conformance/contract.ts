import fc from 'fast-check';
import { REDUCTIONS, type Reduction } from '../../src/backend/interface.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { contract, contractGradient } from '../../src/contract/contract.ts';
import { Rng } from '../../src/core/rng.ts';
import { DTYPES, type DType, type Tensor } from '../../src/core/tensor.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { brute } from '../support/brute.ts';
import { asTensor, expectClose, type GoldenArray, golden, values } from '../support/golden.ts';
import { anyContraction, type Draw, drawTensor, normal, shapesOf, small } from '../support/operands.ts';
import { type ConformanceCase, EPSILON, TOLERANCE } from './case.ts';

const reference = selectBackend({ prefer: ['reference'] }).backend;
const RUNS = Number(process.env.XITENSOR_TEST_RUNS ?? 25);
const SEED = process.env.XITENSOR_TEST_SEED ? { seed: Number(process.env.XITENSOR_TEST_SEED) } : {};

interface ContractGolden {
  readonly expression: string;
  readonly xi: Xi;
  readonly reduce: Reduction;
  readonly weights: GoldenArray | null;
  readonly operands: readonly GoldenArray[];
  readonly out: GoldenArray;
}

const goldenCase = (dtype: DType): ConformanceCase => ({
  name: `contract.json ${dtype}`,
  run: (backend) => {
    for (const { expression, xi, reduce, weights, operands, out } of golden<{ cases: ContractGolden[] }>(
      'contract.json',
    ).cases) {
      const inputs = [...(weights ? [weights] : []), ...operands].map((array) => asTensor(array, dtype));
      const result = contract(expression, inputs, { xi, reduce, backend });
      if (result.shape.join() !== out.shape.join()) throw new Error(`${expression}: shape ${result.shape}`);
      expectClose(`${expression} ${xi} ${reduce}`, result.data, values(out), TOLERANCE[dtype].value);
    }
  },
});

/** Whether small integers stay integers, so that every backend must give the same bits. */
const isExact = (xi: Xi, reduce: Reduction) => xi !== 'logsumexp' && xi !== 'l2' && reduce !== 'logsumexp';

function equal(what: string, got: Tensor, want: Tensor, tolerance: number): void {
  if (got.shape.join() !== want.shape.join()) throw new Error(`${what}: shape ${got.shape}`);
  got.data.forEach((value, n) => {
    if (value !== want.data[n] && !(Math.abs(value - want.data[n]) <= tolerance))
      throw new Error(
        `${what}[${n}] is ${value}, reference ${want.data[n]}, allowed difference ${tolerance}`,
      );
  });
}

/** Patterns with rows, columns, batches and terms in turn, over sizes around the widths of vectors. */
const PATTERNS = [
  'ijk; bi,bj -> bk',
  'ikc; bi,ck,b -> bc',
  'gnk; gmk -> gmn',
  '; ik,kj -> ij',
  '; gik,gkj -> gji',
  '; mk,mk -> m',
  '; abc -> ca',
  '; ai,bi,ci -> abc',
];
const SIZES = [1, 2, 3, 5, 7, 8, 9];
/** One index a draw has such an extent: the reference takes a microsecond for ten terms. */
const WIDE = [13, 15, 16, 17, 31, 33, 65];

const sweepCase = (xi: Xi, dtype: DType): ConformanceCase => ({
  name: `general contractions as in the reference, ${xi} ${dtype}`,
  run: (backend) => {
    const rng = new Rng(XI_NAMES.indexOf(xi), dtype === 'float32' ? 1 : 2);
    for (const expression of PATTERNS) {
      for (const reduce of REDUCTIONS) {
        const letters = [...new Set(expression.replace(/\W/g, ''))];
        const extents = Object.fromEntries(letters.map((label) => [label, SIZES[rng.below(SIZES.length)]]));
        extents[letters[rng.below(letters.length)]] = WIDE[rng.below(WIDE.length)];
        const exact = isExact(xi, reduce);
        const draw: Draw = exact ? small : normal;
        const operands = shapesOf(expression, extents).map((shape) => drawTensor(rng, shape, dtype, draw));
        const [got, want] = [backend, reference].map((on) =>
          contract(expression, operands, { xi, reduce, backend: on }),
        );
        const terms = Object.values(extents).reduce((a, b) => a * b, 1) / Math.max(want.data.length, 1);
        const what = `${expression} ${reduce} ${JSON.stringify(extents)}`;
        const largest = Math.max(1, ...want.data.map(Math.abs));
        equal(what, got, want, exact ? 0 : 32 * (terms + 4) * EPSILON[dtype] * largest);
        if (!exact || xi === 'product') continue;
        // Ties abound among small integers, and a winner must be the same one everywhere.
        const dout = drawTensor(rng, want.shape, dtype, small);
        const gradients = [backend, reference].map((on) =>
          contractGradient(expression, operands, dout, { xi, reduce, backend: on }),
        );
        gradients[0].forEach(
          (gradient, n) => void equal(`${what} gradient ${n}`, gradient, gradients[1][n], 0),
        );
      }
    }
  },
});

const randomCase = (dtype: DType): ConformanceCase => ({
  name: `random expressions and their gradients against the definition, ${dtype}`,
  run: (backend) => {
    fc.assert(
      fc.property(anyContraction, ({ expression, extents, xi, reduce, maxBytes, seed }) => {
        const rng = new Rng(seed);
        const shapes = shapesOf(expression, extents);
        const operands = shapes.map((shape) => drawTensor(rng, shape, dtype, normal));
        const tangents = shapes.map((shape) => drawTensor(rng, shape, dtype, normal).data);
        const want = brute(expression, operands, xi, reduce, tangents);
        const options = { xi, reduce, backend, maxBytes };
        const got = contract(expression, operands, options);
        if (got.shape.join() !== want.shape.join()) throw new Error(`shape ${got.shape}`);
        const tolerance = 32 * EPSILON[dtype] * want.scale * (want.terms + 4);
        got.data.forEach((value, n) => {
          if (value !== want.data[n] && !(Math.abs(value - want.data[n]) <= tolerance))
            throw new Error(`element ${n} is ${value}, by definition ${want.data[n]}`);
        });
        // In float32 two terms may be too close to tell which is larger.
        if (dtype === 'float32' && (reduce === 'max' || reduce === 'min')) return;
        const dout = drawTensor(rng, want.shape, dtype, normal);
        const gradients = contractGradient(expression, operands, dout, options);
        let [along, scale] = [0, 1];
        gradients.forEach(({ data }, n) => {
          data.forEach((value, at) => {
            along += value * tangents[n][at];
            scale += Math.abs(value * tangents[n][at]);
          });
        });
        const exact = want.tangent.reduce((sum, value, n) => sum + value * dout.data[n], 0);
        const room = 64 * EPSILON[dtype] * scale * want.scale * (want.terms + 4);
        if (!(Math.abs(along - exact) <= room))
          throw new Error(`derivative along a tangent is ${along}, by definition ${exact}, room ${room}`);
      }),
      { numRuns: 4 * RUNS, ...SEED },
    );
  },
});

export const contractCases: readonly ConformanceCase[] = DTYPES.flatMap((dtype) => [
  goldenCase(dtype),
  ...XI_NAMES.map((xi) => sweepCase(xi, dtype)),
  randomCase(dtype),
]);
