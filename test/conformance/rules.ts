import { DTYPES, type DType } from '../../src/core/tensor.ts';
import { XI, XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { type ConformanceCase, EPSILON, put } from './case.ts';

const SPECIAL = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  0,
  -0,
  1,
  -1,
  3e-30,
  -2.5,
  88,
  -120,
];

/** Those whose zeros have the sign of the table. */
const SIGNED: readonly Xi[] = ['product', 'max', 'min', 'l2'];

function specialValues(dtype: DType): ConformanceCase {
  return {
    name: `NaN, infinities and signed zeros follow the table, ${dtype}`,
    run(backend) {
      const operands = put(backend, dtype, SPECIAL);
      const rounded = operands.read();
      for (const xi of XI_NAMES) {
        const out = backend.allocate(dtype, SPECIAL.length ** 2);
        backend.outer(xi, operands, operands, out);
        out.read().forEach((got, n) => {
          const x = rounded[Math.floor(n / SPECIAL.length)];
          const y = rounded[n % SPECIAL.length];
          const want = dtype === 'float32' ? Math.fround(XI[xi].value(x, y)) : XI[xi].value(x, y);
          const nan = Number.isNaN(x) || Number.isNaN(y);
          const scale = Math.max(1, Math.abs(x), Math.abs(y));
          const allowed = Number.isFinite(scale) ? XI[xi].tolerance * EPSILON[dtype] * scale : 0;
          const close = Object.is(got, want) || got === want || Math.abs(got - want) <= allowed;
          const signed = !SIGNED.includes(xi) || got !== 0 || Object.is(got, want);
          if ((nan && !Number.isNaN(got)) || !(close || (nan && Number.isNaN(got))) || !signed) {
            throw new Error(`${xi}(${x}, ${y}) is ${got}, the table says ${want}`);
          }
        });
      }
    },
  };
}

function unitLaw(dtype: DType): ConformanceCase {
  return {
    name: `ξ(u, y) = y on the range of ξ, ${dtype}`,
    run(backend) {
      for (const xi of XI_NAMES) {
        // On the range: what ξ itself yields from anything.
        const range = put(backend, dtype, [0, 0.5, 1, 2.25, 30]);
        const out = backend.allocate(dtype, range.length);
        backend.outer(xi, put(backend, dtype, [XI[xi].unit]), range, out);
        const [got, want] = [out.read(), range.read()];
        want.forEach((y, n) => {
          if (!(Math.abs(got[n] - y) <= XI[xi].tolerance * EPSILON[dtype] * y))
            throw new Error(`${xi}(u, ${y}) is ${got[n]}`);
        });
      }
    },
  };
}

function accuracy(dtype: DType): ConformanceCase {
  return {
    name: `logsumexp and l2 stay within their stated error over the whole range, ${dtype}`,
    run(backend) {
      const grid = Float64Array.from({ length: 801 }, (_, n) => (n - 400) / 8);
      const x = put(backend, dtype, grid);
      const exact = x.read();
      for (const xi of ['logsumexp', 'l2'] as const) {
        const out = backend.allocate(dtype, grid.length ** 2);
        backend.outer(xi, x, x, out);
        out.read().forEach((got, n) => {
          const [left, right] = [exact[Math.floor(n / grid.length)], exact[n % grid.length]];
          const want = XI[xi].value(left, right);
          const scale = Math.max(1, Math.abs(left), Math.abs(right));
          const error = Math.abs(got - want) / (EPSILON[dtype] * scale);
          if (!(error <= XI[xi].tolerance)) throw new Error(`${xi}(${left}, ${right}) is off by ${error} ε`);
        });
      }
    },
  };
}

function independentOfBatch(dtype: DType): ConformanceCase {
  return {
    name: `the first rows of a batch do not depend on the rest of it, bit by bit, ${dtype}`,
    run(backend) {
      const [L, R, K] = [11, 37, 29];
      const values = (count: number, phase: number) =>
        Float64Array.from({ length: count }, (_, n) => Math.sin(n * 0.7 + phase));
      const [a, h, G] = [values(97 * L, 0), values(97 * R, 1), values(L * R * K, 2)];
      const outputs = [97, 41, 1].map((B) => {
        const out = backend.allocate(dtype, B * K);
        const [sa, sh] = [
          put(backend, dtype, a.subarray(0, B * L)),
          put(backend, dtype, h.subarray(0, B * R)),
        ];
        backend.contract('l2', { B, L, R, K }, sa, sh, put(backend, dtype, G), out);
        return out.read();
      });
      for (const part of outputs) {
        part.forEach((value, n) => {
          if (!Object.is(value, outputs[0][n]))
            throw new Error(`element ${n} is ${value}, in a larger batch ${outputs[0][n]}`);
        });
      }
    },
  };
}

export const ruleCases: readonly ConformanceCase[] = DTYPES.flatMap((dtype) => [
  specialValues(dtype),
  unitLaw(dtype),
  accuracy(dtype),
  independentOfBatch(dtype),
]);
