import type { DType, FloatArray } from '../core/tensor.ts';
import { XI } from '../core/xi.gen.ts';
import { verifyAnalysis } from './analysis.ts';
import { verifyModel } from './models.ts';
import {
  type ContractWorkload,
  type GridWorkload,
  gridSteps,
  type Inputs,
  isAnalysis,
  isModel,
  type Outputs,
  type Workload,
} from './workloads.ts';

const EPSILON: Readonly<Record<DType, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

/** Error of a term with factors of one or two bf16 parts (docs/backends.md). */
const OF_A_TERM = { bf16x3: 3 * 2 ** -16, bf16: 2.01 * 2 ** -8 } as const;

/**
 * Whether some entries of the result agree with sums in float64, to 64 ε of the sum of the terms' magnitudes, and below
 * float32 to the error of a term.
 */
export function verify(workload: Workload, inputs: Inputs, outputs: Outputs): boolean {
  if (workload.kind === 'maxplus') return verifyMaxPlus(workload.n, inputs, outputs.arrays.out);
  if (isModel(workload)) {
    return verifyModel(workload, inputs, outputs.arrays.out);
  }
  if (isAnalysis(workload)) return verifyAnalysis(workload, inputs, outputs.arrays);
  if (workload.kind === 'grid') return verifyGrid(workload, inputs, outputs);
  const contraction = {
    ...workload,
    kind: workload.kind === 'gradients' ? workload.kind : 'contract',
  } as const;
  return (
    verifyForward(contraction, inputs, outputs.arrays.out) &&
    (contraction.kind === 'contract' || verifyGradients(contraction, inputs, outputs.arrays))
  );
}

const close = (got: number, terms: readonly number[], tolerance: number) => {
  const want = terms.reduce((sum, term) => sum + term, 0);
  const scale = terms.reduce((sum, term) => sum + Math.abs(term), 0);
  return Math.abs(got - want) <= tolerance * scale;
};

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

function verifyForward(
  { sizes, xi, dtype, precision }: ContractWorkload,
  inputs: Inputs,
  out: FloatArray,
): boolean {
  const tolerance = 64 * EPSILON[dtype] + (precision ? OF_A_TERM[precision] : 0);
  const { B, L, R, K } = sizes;
  const [a, h, G] = ['a', 'h', 'G'].map((name) => inputs[name].data);
  if (out?.length !== B * K) return false;
  const rows = [0, 1, B >> 1, B - 1].filter((b) => b < B);
  return rows.every((b) => {
    const want = new Float64Array(K);
    const scale = new Float64Array(K);
    for (let i = 0; i < L; i++) {
      for (let j = 0; j < R; j++) {
        const joined = XI[xi].value(a[b * L + i], h[b * R + j]);
        for (let k = 0; k < K; k++) {
          const term = G[(i * R + j) * K + k] * joined;
          want[k] += term;
          scale[k] += Math.abs(term);
        }
      }
    }
    return want.every((value, k) => Math.abs(out[b * K + k] - value) <= tolerance * scale[k]);
  });
}

function verifyGradients(
  { sizes, xi, dtype }: ContractWorkload,
  inputs: Inputs,
  got: Outputs['arrays'],
): boolean {
  const { B, L, R, K } = sizes;
  const [a, h, G, dout] = ['a', 'h', 'G', 'dout'].map((name) => inputs[name].data);
  const { value, dx, dy } = XI[xi];
  const weight = (b: number, i: number, j: number) =>
    range(K).reduce((sum, k) => sum + G[(i * R + j) * K + k] * dout[b * K + k], 0);
  // The scale of da and dh does not see the cancellation inside `weight`.
  const tolerance = 64 * Math.sqrt(K) * EPSILON[dtype];
  return [0, 0.5, 0.999].every((part) => {
    const [b, i, j, k] = [B, L, R, K].map((extent) => Math.floor(part * extent));
    const pair = (b: number, i: number, j: number) => [a[b * L + i], h[b * R + j]] as const;
    const dG = range(B).map((b) => value(...pair(b, i, j)) * dout[b * K + k]);
    const da = range(R).map((j) => weight(b, i, j) * dx(...pair(b, i, j)));
    const dh = range(L).map((i) => weight(b, i, j) * dy(...pair(b, i, j)));
    return (
      close(got.dG[(i * R + j) * K + k], dG, tolerance) &&
      close(got.da[b * L + i], da, tolerance) &&
      close(got.dh[b * R + j], dh, tolerance)
    );
  });
}

/** Exact up to the rounding of one sum: max only selects. */
function verifyMaxPlus(n: number, inputs: Inputs, out: FloatArray): boolean {
  const [A, B] = [inputs.A.data, inputs.B.data];
  if (out?.length !== n * n) return false;
  return range(64).every((sample) => {
    const [i, j] = [(sample * 37) % n, (sample * 101 + 5) % n];
    let want = Number.NEGATIVE_INFINITY;
    for (let k = 0; k < n; k++) want = Math.max(want, A[i * n + k] + B[k * n + j]);
    return Math.abs(out[i * n + j] - want) <= EPSILON.float32 * Math.abs(want);
  });
}

function verifyGrid(workload: GridWorkload, inputs: Inputs, { arrays, lastSlowest }: Outputs): boolean {
  const { M, T, L, xi, dtype } = workload;
  const a = inputs.a.data;
  if (arrays.out?.length !== M ** T) return false;
  return range(40).every((sample) => {
    const templates = range(T).map((t) => (sample * 7 + t * (sample + 3)) % M);
    let h = [0];
    let scale = 1;
    gridSteps(workload).forEach(({ sizes: { R, K } }, t) => {
      const G = inputs[`G${t}`].data;
      const next = new Array<number>(K).fill(0);
      const magnitude = new Array<number>(K).fill(0);
      for (let i = 0; i < L; i++) {
        for (let j = 0; j < R; j++) {
          const joined = XI[xi].value(a[templates[t] * L + i], h[j]);
          for (let k = 0; k < K; k++) {
            next[k] += G[(i * R + j) * K + k] * joined;
            magnitude[k] += Math.abs(G[(i * R + j) * K + k]) * (Math.abs(joined) + (t > 0 ? scale : 0));
          }
        }
      }
      h = next;
      // Bound of what the errors of the steps before can have become.
      scale = Math.max(...magnitude);
    });
    const order = lastSlowest ? [...templates].reverse() : templates;
    const row = order.reduce((sum, m) => sum * M + m, 0);
    return Math.abs(arrays.out[row] - h[0]) <= 64 * EPSILON[dtype] * scale;
  });
}
