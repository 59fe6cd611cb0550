import { type Form, prepareBest, type Subject } from '../../src/bench/subject.ts';
import { type ContractWorkload, type Inputs, operationsOf, PATIENCE } from '../../src/bench/workloads.ts';
import { XI } from '../../src/core/xi.gen.ts';
import { requirePeer } from './packages.ts';

interface Matrix {
  mmul(other: Matrix): Matrix;
  to1DArray(): number[];
}
interface MlMatrix {
  readonly Matrix: new (rows: number, columns: number) => Matrix & { data: Float64Array[] };
}

function formsOf({ Matrix }: MlMatrix, { sizes, xi }: ContractWorkload, inputs: Inputs): Form[] {
  const { B, L, R, K } = sizes;
  const [a, h, G] = ['a', 'h', 'G'].map((name) => inputs[name].data);
  const weights = new Matrix(L * R, K);
  for (let s = 0; s < L * R; s++) weights.data[s].set(G.subarray(s * K, (s + 1) * K));
  const joined = new Matrix(B, L * R);
  const { value } = XI[xi];
  const fill = () => {
    for (let b = 0; b < B; b++) {
      const row = joined.data[b];
      for (let i = 0; i < L; i++) {
        const x = a[b * L + i];
        for (let j = 0; j < R; j++) row[i * R + j] = value(x, h[b * R + j]);
      }
    }
    return joined;
  };
  const form = (name: string, run: () => Matrix): Form => ({
    name,
    run,
    outputs: () => {
      const out = Float64Array.from(run().to1DArray());
      return { arrays: { out: inputs.a.data instanceof Float32Array ? Float32Array.from(out) : out } };
    },
  });
  return [form('rows of ξ by a loop, mmul', () => fill().mmul(weights))];
}

/** ml-matrix, whose matrices are arrays of Float64Array: a plain loop forms ξ, mmul does the rest. */
export function mlMatrix(): Subject {
  const library = requirePeer('ml-matrix') as MlMatrix;
  return {
    name: 'ml-matrix',
    threads: 1,
    answers: (workload) => workload.kind === 'contract' && operationsOf(workload) <= PATIENCE,
    prepare: (workload, inputs) => prepareBest(formsOf(library, workload as ContractWorkload, inputs)),
  };
}
