import { type Backend, PRECISIONS, type Precision, type Storage } from '../../src/backend/interface.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import { XI, type Xi } from '../../src/core/xi.gen.ts';
import type { ConformanceCase } from './case.ts';

const EPSILON = 2 ** -23;

/**
 * Error of a term, relative to itself: bf16 rounds each factor by 2⁻⁸; two parts leave 2⁻¹⁶ of each, and as much is the product
 * of the second parts, which is left out; of three parts two products of 2⁻²⁴ are.
 */
const OF_A_TERM: Readonly<Record<Precision, number>> = {
  float32: 2 ** -23,
  bf16x3: 3 * 2 ** -16,
  bf16: 2.01 * 2 ** -8,
};

/** Around 16, 32 and 128 rows, 16, 32 and 512 columns, and 32, 128, 256 and 512 terms. */
const SIZES = [
  [1, 1, 1, 1],
  [3, 1, 2, 5],
  [15, 2, 17, 16],
  [17, 5, 7, 33],
  [32, 4, 32, 32],
  [33, 3, 43, 31],
  [130, 1, 127, 47],
  [40, 11, 47, 64],
  [5, 2, 259, 515],
] as const;

const XIS: readonly Xi[] = ['product', 'rectifier', 'logsumexp', 'l2', 'min'];

function errorCase(precision: Precision): ConformanceCase {
  return {
    name: `contract at ${precision}, packed or not, within the error of its terms`,
    run(backend) {
      const rng = new Rng(11);
      for (const [B, L, R, K] of SIZES) {
        for (const xi of XIS) {
          const draw = (count: number): Float32Array =>
            Float32Array.from({ length: count }, () => rng.normal());
          const [a, h, G] = [B * L, B * R, L * R * K].map(draw);
          const [inA, inH, inG] = [a, h, G].map((values) => backend.adopt(values));
          const [out, again] = [0, 1].map(() => backend.allocate('float32', B * K));
          backend.contract(xi, { B, L, R, K }, inA, inH, inG, out, precision);
          backend.contractPacked(xi, B, inA, inH, backend.packWeights(L, R, K, inG, precision), again);
          const [got, packed] = [out.read(), again.read()];
          for (let b = B - 1; b >= 0; b -= 7) {
            for (let k = 0; k < K; k++) {
              let [sum, scale] = [0, 0];
              for (let i = 0; i < L; i++) {
                for (let j = 0; j < R; j++) {
                  const term = XI[xi].value(a[b * L + i], h[b * R + j]) * G[(i * R + j) * K + k];
                  sum += term;
                  scale += Math.abs(term);
                }
              }
              const at = b * K + k;
              const room = (OF_A_TERM[precision] + (16 + Math.sqrt(6 * L * R)) * EPSILON) * scale;
              if (!(Math.abs(got[at] - sum) <= room && Object.is(got[at], packed[at]))) {
                const where = `${xi} [${B}, ${L}, ${R}, ${K}] out[${b}, ${k}]`;
                throw new Error(`${where} is ${got[at]}, packed ${packed[at]}, expected ${sum} ± ${room}`);
              }
            }
          }
        }
      }
    },
  };
}

const SPECIAL = [Number.NaN, Infinity, -Infinity, 3.4e38, -3.4e38, 2e38, 1e-40];

/** The same kernels by multiply-adds alone. */
function inFloat32(backend: Backend): Backend {
  if (backend.tiles.float32 === undefined) return backend;
  return selectBackend({ prefer: [backend.name], threads: backend.threads, isa: 'avx512' }).backend;
}

const [B, L, R, K] = [41, 3, 13, 19];
/** Of a, h, G and dout. */
const EXTENTS = [B * L, B * R, L * R * K, B * K];

/**
 * What is infinite or NaN is so in float32, and where only large numbers stand, whose parts may overflow, nothing else is: with
 * each special value in each of the operands in turn.
 */
function specialCase(
  name: string,
  operands: number,
  compute: (on: Backend, xi: Xi, inputs: readonly Storage[]) => readonly Storage[],
  inFull = compute,
): ConformanceCase {
  return {
    name: `${name} the infinities and NaN of float32`,
    run(backend) {
      const rng = new Rng(12);
      for (const special of SPECIAL) {
        for (const xi of ['product', 'rectifier', 'max', 'sum'] as const) {
          for (let place = 0; place < operands; place++) {
            const inputs = EXTENTS.map((count) =>
              Float32Array.from({ length: count }, () => rng.normal() / 1024),
            );
            inputs[place][(17 * (place + 3)) % inputs[place].length] = special;
            const by = (on: Backend, how: typeof compute) =>
              how(
                on,
                xi,
                inputs.map((values) => on.adopt(values)),
              ).flatMap((out) => [...out.read()]);
            const want = by(inFloat32(backend), inFull);
            by(backend, compute).forEach((value, n) => {
              const agree = Number.isFinite(want[n]) ? Number.isFinite(value) : Object.is(value, want[n]);
              if (!agree)
                throw new Error(
                  `${xi}, ${special} in operand ${place}: out[${n}] is ${value}, not ${want[n]}`,
                );
            });
          }
        }
      }
    },
  };
}

const contractAt =
  (precision: Precision) =>
  (on: Backend, xi: Xi, [a, h, G]: readonly Storage[]): readonly Storage[] => {
    const out = on.allocate('float32', B * K);
    on.contract(xi, { B, L, R, K }, a, h, G, out, precision);
    return [out];
  };

function gradients(on: Backend, xi: Xi, [a, h, G, dout]: readonly Storage[]): readonly Storage[] {
  const [da, dh, dG] = EXTENTS.map((count) => on.allocate('float32', count));
  on.contractGradient(xi, { B, L, R, K }, { a, h, G, dout }, { da, dh, dG }, false);
  return [da, dh, dG];
}

export const precisionCases: readonly ConformanceCase[] = [
  ...PRECISIONS.map(errorCase),
  ...PRECISIONS.map((precision) =>
    specialCase(`contract at ${precision} has`, 3, contractAt(precision), contractAt('float32')),
  ),
  specialCase('gradients have', 4, gradients),
];
