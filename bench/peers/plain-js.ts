import type { FloatArray } from '../../src/core/tensor.ts';
import { XI } from '../../src/core/xi.gen.ts';
import type { Inputs } from '../inputs.ts';
import { type Form, prepareBest, type Subject } from '../subject.ts';
import { type ContractWorkload, operationsOf, PATIENCE } from '../workloads.ts';

type Kernel = (a: FloatArray, h: FloatArray, G: FloatArray, out: FloatArray) => void;

const afterwards = (run: () => void, array: FloatArray) => {
  run();
  return array;
};

/** Loops over typed arrays as one writes them, with ξ inlined by the engine; in three orders. */
function kernels({ sizes: { B, L, R, K }, xi }: ContractWorkload): Record<string, Kernel> {
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

function contractForms(workload: ContractWorkload, inputs: Inputs): Form[] {
  const [a, h, G] = ['a', 'h', 'G'].map((name) => inputs[name].data);
  const { B, K } = workload.sizes;
  const out = new (a.slice(0, 0).constructor as Float32ArrayConstructor)(B * K);
  return Object.entries(kernels(workload)).map(([name, kernel]) => {
    const run = () => kernel(a, h, G, out);
    return { name, run, outputs: () => ({ arrays: { out: afterwards(run, out) } }) };
  });
}

function maxPlusForms(n: number, inputs: Inputs): Form[] {
  const [A, B] = [inputs.A.data, inputs.B.data];
  const C = new Float32Array(n * n);
  const run = () => {
    C.fill(Number.NEGATIVE_INFINITY);
    for (let i = 0; i < n; i++) {
      for (let k = 0; k < n; k++) {
        const x = A[i * n + k];
        for (let j = 0; j < n; j++) {
          const sum = x + B[k * n + j];
          if (sum > C[i * n + j]) C[i * n + j] = sum;
        }
      }
    }
  };
  return [{ name: 'loops i, k, j', run, outputs: () => ({ arrays: { out: afterwards(run, C) } }) }];
}

/** What one writes without a library. */
export const plainJs: Subject = {
  name: 'plain-js',
  threads: 1,
  answers: (workload) =>
    workload.kind === 'maxplus' || (workload.kind === 'contract' && operationsOf(workload) <= PATIENCE),
  prepare: (workload, inputs) =>
    prepareBest(
      workload.kind === 'maxplus'
        ? maxPlusForms(workload.n, inputs)
        : contractForms(workload as ContractWorkload, inputs),
    ),
};
