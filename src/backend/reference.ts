import { XI } from '../core/xi.gen.ts';
import { checked } from './checks.ts';
import type { Activation, Backend, Kernels, Strided } from './interface.ts';
import type { Probe } from './probes.ts';
import { foldKernels } from './reference_folds.ts';
import { joinedKernels } from './reference_joined.ts';
import { learningKernels } from './reference_learning.ts';
import { referenceLinearAlgebra } from './reference_linalg.ts';
import { passed } from './reference_slopes.ts';
import { ArrayStorage, adoptArray, arrayOf } from './storage.ts';

/** The definition that the other backends are tested against: plain loops, sums in float64, no blocking. */
const kernels: Kernels = {
  contract(xi, { B, L, R, K }, aIn, hIn, GIn, outIn) {
    const [a, h, G, out] = [aIn, hIn, GIn, outIn].map(arrayOf);
    const { value } = XI[xi];
    const sum = new Float64Array(K);
    for (let b = 0; b < B; b++) {
      sum.fill(0);
      for (let i = 0; i < L; i++) {
        for (let j = 0; j < R; j++) {
          const joined = value(a[b * L + i], h[b * R + j]);
          const row = (i * R + j) * K;
          for (let k = 0; k < K; k++) sum[k] += G[row + k] * joined;
        }
      }
      out.set(sum, b * K);
    }
  },

  packWeights: (L, R, K, G, precision = 'float32') => ({
    ...{ L, R, K, precision },
    values: new ArrayStorage(G.dtype, G.read()),
  }),

  contractPacked(xi, B, a, h, { L, R, K, values }, out) {
    kernels.contract(xi, { B, L, R, K }, a, h, values, out);
  },

  contractGradient(xi, { B, L, R, K }, from, to, accumulate) {
    const [a, h, G, dout] = [from.a, from.h, from.G, from.dout].map(arrayOf);
    const row = XI[xi];
    const { value, dx, dy } = row;
    const da = new Float64Array(B * L);
    const dh = new Float64Array(B * R);
    const dG = new Float64Array(L * R * K);
    if (accumulate) dG.set(arrayOf(to.dG));
    for (let b = 0; b < B; b++) {
      for (let i = 0; i < L; i++) {
        for (let j = 0; j < R; j++) {
          const x = a[b * L + i];
          const y = h[b * R + j];
          const joined = value(x, y);
          const from = (i * R + j) * K;
          let weight = 0;
          for (let k = 0; k < K; k++) {
            const d = dout[b * K + k];
            weight += G[from + k] * d;
            dG[from + k] += joined * d;
          }
          da[b * L + i] += passed(row, weight, dx(x, y));
          dh[b * R + j] += passed(row, weight, dy(x, y));
        }
      }
    }
    to.da.write(da);
    to.dh.write(dh);
    to.dG.write(dG);
  },

  ...foldKernels,
  ...joinedKernels,
  ...learningKernels,
  ...referenceLinearAlgebra,

  contractGrid(xi, { P, M, L, R, K }, aIn, hIn, GIn, outIn) {
    const [a, h, G, out] = [aIn, hIn, GIn, outIn].map(arrayOf);
    const { value } = XI[xi];
    const sum = new Float64Array(K);
    for (let p = 0; p < P; p++) {
      for (let m = 0; m < M; m++) {
        sum.fill(0);
        for (let i = 0; i < L; i++) {
          for (let j = 0; j < R; j++) {
            const joined = value(a[m * L + i], h[p * R + j]);
            for (let k = 0; k < K; k++) sum[k] += G[(i * R + j) * K + k] * joined;
          }
        }
        out.set(sum, (p * M + m) * K);
      }
    }
  },

  outer(xi, xIn, yIn, outIn) {
    const [x, y, out] = [xIn, yIn, outIn].map(arrayOf);
    const { value } = XI[xi];
    for (let m = 0; m < x.length; m++) {
      for (let n = 0; n < y.length; n++) out[m * y.length + n] = value(x[m], y[n]);
    }
  },

  matmul(M, N, K, A, B, C, accumulate) {
    const at = ({ rowStride, colStride }: Strided, r: number, c: number) => r * rowStride + c * colStride;
    const [dataA, dataB, dataC] = [A, B, C].map((view) => arrayOf(view.data));
    for (let m = 0; m < M; m++) {
      for (let n = 0; n < N; n++) {
        let sum = accumulate ? dataC[at(C, m, n)] : 0;
        for (let k = 0; k < K; k++) sum += dataA[at(A, m, k)] * dataB[at(B, k, n)];
        dataC[at(C, m, n)] = sum;
      }
    }
  },

  activate(activation, rows, cols, biasIn, zIn) {
    const [bias, z] = [biasIn, zIn].map(arrayOf);
    const { value } = ACTIVATION[activation];
    for (let n = 0; n < rows * cols; n++) z[n] = value(z[n] + bias[n % cols]);
  },

  activateGradient(activation, rows, cols, yIn, dyIn, dbiasIn) {
    const [y, dy] = [yIn, dyIn].map(arrayOf);
    const { gradient } = ACTIVATION[activation];
    const dbias = new Float64Array(cols);
    for (let n = 0; n < rows * cols; n++) {
      dy[n] = gradient(y[n], dy[n]);
      dbias[n % cols] += dy[n];
    }
    dbiasIn.write(dbias);
  },

  sumSquares(x, y) {
    const other = y && arrayOf(y);
    return arrayOf(x).reduce((sum, value, n) => sum + (value - (other?.[n] ?? 0)) ** 2, 0);
  },

  peak(_dtype, repetitions) {
    let value = 1;
    for (let n = 0; n < repetitions; n++) value = value * 0.999999 + 1e-6;
    return value > 0 ? 2 * repetitions : 0;
  },
};

/** A gradient with respect to z is that with respect to y times σ′, which of relu chooses as slopes of ξ do. */
const ACTIVATION: Readonly<
  Record<Activation, { value(z: number): number; gradient(y: number, dy: number): number }>
> = {
  identity: { value: (z) => z, gradient: (_y, dy) => dy },
  relu: { value: (z) => (z < 0 ? 0 : z), gradient: (y, dy) => (y > 0 ? dy : 0) },
  tanh: { value: Math.tanh, gradient: (y, dy) => (1 - y * y) * dy },
};

/** The reference needs nothing, so it can always be had. */
export function probeReference(): Probe {
  return {
    name: 'reference',
    usable: true,
    source: 'TypeScript',
    isas: [{ name: 'float64', index: 0, usable: true, priority: 1, reason: 'plain loops, sums in float64' }],
    open: (isa): Backend => ({
      name: 'reference',
      isa: isa.name,
      threads: 1,
      tiles: {},
      allocate: (dtype, length) => new ArrayStorage(dtype, length),
      adopt: adoptArray,
      ...checked(kernels),
    }),
  };
}
