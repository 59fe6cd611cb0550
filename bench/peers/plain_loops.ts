import type { ContractSizes } from '../../src/backend/interface.ts';
import type { FloatArray } from '../../src/core/tensor.ts';
import { XI, type Xi } from '../../src/core/xi.gen.ts';

export type Loops = (a: FloatArray, h: FloatArray, G: FloatArray, out: FloatArray) => void;

/** Loops over typed arrays as one writes them, with ξ inlined by the engine; in three orders; R is a multiple of 4. */
export function plainLoops({ B, L, R, K }: ContractSizes, xi: Xi): Record<string, Loops> {
  const { value } = XI[xi];
  return {
    'loops b, i, j, k': (a, h, G, out) => {
      out.fill(0);
      for (let b = 0; b < B; b++) {
        for (let i = 0; i < L; i++) {
          for (let j = 0; j < R; j++) {
            const joined = value(a[b * L + i], h[b * R + j]);
            for (let k = 0; k < K; k++) out[b * K + k] += G[(i * R + j) * K + k] * joined;
          }
        }
      }
    },
    'loops i, j, b, k': (a, h, G, out) => {
      out.fill(0);
      for (let i = 0; i < L; i++) {
        for (let j = 0; j < R; j++) {
          for (let b = 0; b < B; b++) {
            const joined = value(a[b * L + i], h[b * R + j]);
            for (let k = 0; k < K; k++) out[b * K + k] += G[(i * R + j) * K + k] * joined;
          }
        }
      }
    },
    'loops b, i, j, k with four values of j at a time': (a, h, G, out) => {
      out.fill(0);
      for (let b = 0; b < B; b++) {
        for (let i = 0; i < L; i++) {
          const x = a[b * L + i];
          for (let j = 0; j < R; j += 4) {
            const y = b * R + j;
            const [z0, z1, z2, z3] = [
              value(x, h[y]),
              value(x, h[y + 1]),
              value(x, h[y + 2]),
              value(x, h[y + 3]),
            ];
            const g = (i * R + j) * K;
            for (let k = 0; k < K; k++) {
              out[b * K + k] +=
                G[g + k] * z0 + G[g + K + k] * z1 + G[g + 2 * K + k] * z2 + G[g + 3 * K + k] * z3;
            }
          }
        }
      }
    },
  };
}
