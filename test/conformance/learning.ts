import { ACTIVATIONS, LOSSES } from '../../src/backend/interface.ts';
import type { Rng } from '../../src/core/rng.ts';
import { DTYPES, type DType } from '../../src/core/tensor.ts';
import { type ConformanceCase, EPSILON, put, rounded } from './case.ts';
import { both, compare, type Draw, integers, largest, property, reals, reference } from './property.ts';

function trainingCases(dtype: DType): ConformanceCase[] {
  const epsilon = EPSILON[dtype];
  return [
    property(
      `activate and its gradient, ${dtype}`,
      (backend, [rows, cols], rng) => {
        for (const activation of ACTIVATIONS) {
          const [z, dy] = [rows * cols, rows * cols].map(reals(rng));
          const bias = reals(rng)(cols);
          both(backend, dtype, [bias, z], [], 16 * epsilon * largest(z), (on, [sbias, sz]) => {
            on.activate(activation, rows, cols, sbias, sz);
          });
          both(
            backend,
            dtype,
            [z, dy],
            [cols],
            16 * (rows + 1) * epsilon * largest(dy) * largest(z) ** 2,
            (on, [sz, sdy], [db]) => {
              on.activateGradient(activation, rows, cols, sz, sdy, db);
            },
          );
        }
      },
      2,
    ),
    property(
      `tanh to the last places of small arguments too, ${dtype}`,
      (backend, [count], rng) => {
        const z = Float64Array.from(
          { length: count },
          () => (rng.below(2) * 2 - 1) * 10 ** (21 * rng.uniform() - 20),
        );
        const [bias, values] = [new Float64Array(count), z].map((data) => put(backend, dtype, data));
        const x = values.read().slice();
        backend.activate('tanh', 1, count, bias, values);
        values.read().forEach((got, n) => {
          const want = Math.tanh(x[n]);
          if (!(Math.abs(got - want) <= 8 * epsilon * Math.abs(want)))
            throw new Error(`tanh ${x[n]} is ${got}, expected ${want}`);
        });
      },
      1,
    ),
    property(
      `adam, ${dtype}`,
      (backend, [count], rng) => {
        const [p, g, m] = [count, count, count].map(reals(rng));
        const v = reals(rng)(count).map(Math.abs);
        const options = {
          rate: 0.1,
          beta1: 0.9,
          beta2: 0.999,
          epsilon: 1e-8,
          correction1: 0.19,
          correction2: 0.002,
          scale: 0.5,
          decay: 0.03,
        };
        both(backend, dtype, [p, g, m, v], [], 64 * epsilon * largest(p, g, g), (on, [sp, sg, sm, sv]) => {
          on.adam(sp, sg, sm, sv, options);
        });
      },
      1,
    ),
    property(
      `sumSquares, ${dtype}`,
      (backend, [count], rng) => {
        const x = rounded(dtype, reals(rng)(count));
        const y = rounded(dtype, reals(rng)(count));
        for (const operands of [[x], [x, y]]) {
          const [got, want] = [backend, reference].map((on) => {
            const [of, minus] = operands.map((data) => put(on, dtype, data));
            return on.sumSquares(of, minus);
          });
          if (!(Math.abs(got - want) <= 1e-12 * (want + 1)))
            throw new Error(`sum of squares of ${operands.length} is ${got}, reference ${want}`);
        }
      },
      1,
    ),
  ];
}

const tokens = (count: number, bound: number, draw: () => number) =>
  Int32Array.from({ length: bound === 0 ? 0 : count }, () => Math.floor(draw() * bound));

function embedCase(dtype: DType): ConformanceCase {
  return property(
    `embed, and its gradient for integers, exact, ${dtype}`,
    (backend, [drawn, M, N], rng) => {
      const list = tokens(5 * drawn, N, () => rng.uniform());
      const rows = list.length;
      both(backend, dtype, [reals(rng)(M * N)], [rows * M], 0, (on, [A], [z]) =>
        on.embed(rows, M, N, list, A, z),
      );
      both(backend, dtype, [integers(rng)(rows * M)], [M * N], 0, (on, [dz], [dA]) => {
        on.embedGradient(rows, M, N, list, dz, dA);
      });
    },
    3,
  );
}

/** A product with the one-hot rows of the tokens is what embed stands for. */
function oneHotCase(dtype: DType): ConformanceCase {
  return property(
    `embed is the product with one-hot rows, bit by bit, ${dtype}`,
    (backend, [drawn, M, N], rng) => {
      const list = tokens(drawn, N, () => rng.uniform());
      const rows = list.length;
      const hot = new Float64Array(rows * N);
      list.forEach((token, r) => void (hot[r * N + token] = 1));
      const [A, X] = [reals(rng)(M * N), hot].map((data) => put(backend, dtype, data));
      const [z, product] = [rows * M, rows * M].map((count) => backend.allocate(dtype, count));
      backend.embed(rows, M, N, list, A, z);
      const x = { data: X, rowStride: N, colStride: 1 };
      const transposed = { data: A, rowStride: 1, colStride: N };
      backend.matmul(rows, M, N, x, transposed, { data: product, rowStride: M, colStride: 1 }, false);
      compare('z', z, product, 0);
    },
    3,
  );
}

function lossCase(dtype: DType, draw: (rng: Rng) => Draw, what: string): ConformanceCase {
  return property(
    `losses and their gradients, ${what}, ${dtype}`,
    (backend, [drawn, outputs], rng) => {
      const labels = tokens(drawn, outputs, () => rng.uniform());
      const rows = labels.length;
      const [scores, targets] = [rows * outputs, rows * outputs].map(draw(rng));
      const top = largest([...scores, ...targets]);
      for (const loss of LOSSES) {
        const scale = loss === 'mse' ? top ** 2 : top;
        const tolerance = 8 * (outputs + 1) * EPSILON[dtype] * scale;
        for (const byClass of loss === 'softmax' ? [true] : [true, false]) {
          both(backend, dtype, [scores, targets], [rows * outputs], tolerance, (on, [s, t], [d]) => {
            on.loss(loss, rows, outputs, s, byClass ? labels : t, d);
          });
          const [got, want] = [backend, reference].map((on) => {
            const [s, t] = [scores, targets].map((data) => put(on, dtype, rounded(dtype, data)));
            return on.loss(loss, rows, outputs, s, byClass ? labels : t);
          });
          if (got.correct !== want.correct)
            throw new Error(`${got.correct} correct, reference ${want.correct}`);
          if (!(Math.abs(got.loss - want.loss) <= tolerance * (rows + 1)))
            throw new Error(`${loss} is ${got.loss}, reference ${want.loss}`);
        }
      }
    },
    2,
  );
}

const wide =
  (rng: Rng): Draw =>
  (count) =>
    Float64Array.from({ length: count }, () => rng.normal(60));

function badScores(dtype: DType): ConformanceCase {
  return {
    name: `a loss of NaN or infinite scores is not a number that looks good, ${dtype}`,
    run(backend) {
      for (const scores of [
        [0, Number.NaN, 0],
        [Number.NaN, 1, 2],
        [0, Number.POSITIVE_INFINITY, 0],
      ]) {
        const { loss } = backend.loss('softmax', 1, 3, put(backend, dtype, scores), Int32Array.of(0));
        if (Number.isFinite(loss)) throw new Error(`the loss of ${scores} is ${loss}`);
      }
    },
  };
}

export const learningCases: readonly ConformanceCase[] = DTYPES.flatMap((dtype) => [
  ...trainingCases(dtype),
  embedCase(dtype),
  oneHotCase(dtype),
  lossCase(dtype, reals, 'scores around 0'),
  lossCase(dtype, wide, 'scores far apart'),
  badScores(dtype),
]);
