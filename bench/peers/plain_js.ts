import { type Form, prepareBest, type Subject } from '../../src/bench/subject.ts';
import { type ContractWorkload, type Inputs, operationsOf, PATIENCE } from '../../src/bench/workloads.ts';
import type { FloatArray } from '../../src/core/tensor.ts';
import { plainLoops } from './plain_loops.ts';

const afterwards = (run: () => void, array: FloatArray) => {
  run();
  return array;
};

function contractForms(workload: ContractWorkload, inputs: Inputs): Form[] {
  const [a, h, G] = ['a', 'h', 'G'].map((name) => inputs[name].data);
  const { B, K } = workload.sizes;
  const out = new (a.slice(0, 0).constructor as Float32ArrayConstructor)(B * K);
  return Object.entries(plainLoops(workload.sizes, workload.xi)).map(([name, kernel]) => {
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
