import type { Backend, ContractSizes, Storage } from '../../src/backend/interface.ts';
import { Rng } from '../../src/core/rng.ts';
import { DTYPES, type DType } from '../../src/core/tensor.ts';
import { XI, XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { type ConformanceCase, EPSILON } from './case.ts';
import { both, type Draw, integers, largest, property, reals } from './property.ts';

/** The largest |ξ|, |∂ξ/∂x| or |∂ξ/∂y| over all pairs of a contraction. */
function largestPair(xi: Xi, { B, L, R }: ContractSizes, a: Float64Array, h: Float64Array): number {
  const { value, dx, dy } = XI[xi];
  let top = 0;
  for (let b = 0; b < B; b++) {
    for (let i = b * L; i < (b + 1) * L; i++) {
      for (let j = b * R; j < (b + 1) * R; j++) {
        const [x, y] = [a[i], h[j]];
        top = Math.max(top, Math.abs(value(x, y)), Math.abs(dx(x, y)), Math.abs(dy(x, y)));
      }
    }
  }
  return top;
}

const exactForIntegers = (xi: Xi) => xi !== 'logsumexp' && xi !== 'l2';

function contractCases(xi: Xi, dtype: DType): ConformanceCase[] {
  const check =
    (draw: (rng: Rng) => Draw, exact: boolean) => (backend: Backend, extents: number[], rng: Rng) => {
      const [B, L, R, K] = extents;
      const sizes = { B, L, R, K };
      const data = draw(rng);
      const [a, h, G, dout] = [B * L, B * R, L * R * K, B * K].map(data);
      // Each result is a sum of so many terms of at most this size.
      const terms = Math.max(L * R, B, R * K, L * K, 1);
      const joined = largestPair(xi, sizes, a, h);
      const tolerance = exact ? 0 : 8 * terms * EPSILON[dtype] * largest(G, dout) * Math.max(joined, 1);
      both(backend, dtype, [a, h, G], [B * K], tolerance, (on, [sa, sh, sG], [out]) => {
        on.contract(xi, sizes, sa, sh, sG, out);
      });
      for (const accumulate of [false, true]) {
        both(
          backend,
          dtype,
          [a, h, G, dout],
          [B * L, B * R, L * R * K],
          tolerance,
          (on, inputs, [da, dh, dG]) => {
            const [sa, sh, sG, sdout] = inputs;
            on.contractGradient(xi, sizes, { a: sa, h: sh, G: sG, dout: sdout }, { da, dh, dG }, accumulate);
          },
        );
      }
    };
  const cases = [property(`contract and gradients, ${xi} ${dtype}, real`, check(reals, false), 4)];
  if (exactForIntegers(xi)) {
    cases.push(property(`contract and gradients, ${xi} ${dtype}, integers, exact`, check(integers, true), 4));
  }
  return cases;
}

function matmulCase(dtype: DType): ConformanceCase {
  return property(
    `matmul with every transpose, strides and accumulation, ${dtype}, integers, exact`,
    (backend, [M, N, K], rng) => {
      for (const [transposeA, transposeB, accumulate] of [0, 1, 2, 3, 4, 5, 6, 7].map((n) => [
        n & 1,
        n & 2,
        n & 4,
      ])) {
        const spare = rng.below(3);
        const A = { rowStride: transposeA ? 1 : K + spare, colStride: transposeA ? M + spare : 1 };
        const B = { rowStride: transposeB ? 1 : N + spare, colStride: transposeB ? K + spare : 1 };
        const C = { rowStride: N + spare, colStride: 1 };
        const [a, b, c] = [(M + spare) * (K + spare), (K + spare) * (N + spare), M * (N + spare)].map(
          integers(rng),
        );
        both(backend, dtype, [a, b, c], [], 0, (on, [sa, sb, sc]) => {
          on.matmul(M, N, K, { data: sa, ...A }, { data: sb, ...B }, { data: sc, ...C }, Boolean(accumulate));
        });
      }
    },
    3,
  );
}

/**
 * Sizes beyond every block in turn: 256 terms of a sum, 112 rows, 512 columns, 512 pairs of a gradient, 896 rows a slice;
 * a few columns behind a vector; and 2048 terms of a gradient. Few rows read weights where they lie.
 */
const BLOCKED: readonly ContractSizes[] = [
  { B: 131, L: 9, R: 67, K: 530 },
  { B: 300, L: 3, R: 40, K: 5 },
  { B: 5, L: 2, R: 600, K: 300 },
  { B: 259, L: 2, R: 513, K: 30 },
  { B: 1000, L: 3, R: 5, K: 7 },
  { B: 43, L: 6, R: 50, K: 51 },
  { B: 3, L: 1, R: 2, K: 4100 },
  { B: 1, L: 9, R: 67, K: 530 },
  { B: 4, L: 3, R: 90, K: 131 },
  { B: 13, L: 3, R: 100, K: 100 },
];

/** [M, N, K]: few rows over several pages of columns, few columns, few terms, and neither. */
const PRODUCTS = [
  [20, 1130, 70],
  [32, 3, 530],
  [211, 61, 530],
  [230, 770, 9],
  [33, 530, 600],
] as const;

function blockedCase(dtype: DType): ConformanceCase {
  return {
    name: `contract, packed or not, and matmul across all block borders, ${dtype}, integers, exact`,
    run(backend) {
      const draw = integers(new Rng(5));
      for (const sizes of BLOCKED) {
        const { B, L, R, K } = sizes;
        const inputs = [B * L, B * R, L * R * K, B * K].map(draw);
        for (const xi of ['rectifier', 'product'] as const) {
          both(backend, dtype, inputs, [B * K, B * L, B * R, L * R * K], 0, (on, [a, h, G, dout], to) => {
            const [out, da, dh, dG] = to;
            on.contract(xi, sizes, a, h, G, out);
            on.contractGradient(xi, sizes, { a, h, G, dout }, { da, dh, dG }, xi === 'product');
          });
          both(backend, dtype, inputs.slice(0, 3), [B * K], 0, (on, [a, h, G], [out]) => {
            const packed = on.packWeights(L, R, K, G);
            G.fill(0); // a copy was made
            on.contractPacked(xi, B, a, h, packed, out);
          });
        }
      }
      for (const [M, N, K] of PRODUCTS) {
        const inputs = [M * K, K * N, M * N].map(draw);
        for (const accumulate of [false, true]) {
          both(backend, dtype, inputs, [], 0, (on, [A, B, C]) => {
            const dense = (data: Storage, cols: number) => ({ data, rowStride: cols, colStride: 1 });
            on.matmul(M, N, K, dense(A, K), dense(B, N), dense(C, N), accumulate);
          });
        }
      }
    },
  };
}

/** Several panels of rows, of columns and of terms, so that panels of ξ are packed between the terms of tiles. */
const PANELS: ContractSizes = { B: 31, L: 3, R: 90, K: 36 };

function panelsCase(dtype: DType): ConformanceCase {
  return {
    name: `contract over several panels, with and without a NaN in one row, ${dtype}`,
    run(backend) {
      const { B, L, R, K } = PANELS;
      const rng = new Rng(11);
      for (const xi of XI_NAMES) {
        const exact = exactForIntegers(xi);
        const [a, h, G] = [B * L, B * R, L * R * K].map((exact ? integers : reals)(rng));
        const joined = largestPair(xi, PANELS, a, h);
        const tolerance = exact ? 0 : 8 * L * R * EPSILON[dtype] * largest(G) * Math.max(joined, 1);
        for (const place of [-1, 20 * L + 2]) {
          if (place >= 0) a[place] = Number.NaN;
          both(backend, dtype, [a, h, G], [B * K], tolerance, (on, [sa, sh, sG], [out]) => {
            on.contract(xi, PANELS, sa, sh, sG, out);
          });
        }
      }
    },
  };
}

export const kernelCases: readonly ConformanceCase[] = DTYPES.flatMap((dtype) => [
  ...XI_NAMES.flatMap((xi) => contractCases(xi, dtype)),
  matmulCase(dtype),
  blockedCase(dtype),
  panelsCase(dtype),
]);
