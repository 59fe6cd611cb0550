import { type Form, prepareBest, type Subject } from '../../src/bench/subject.ts';
import type { ContractWorkload, Inputs } from '../../src/bench/workloads.ts';
import type { FloatArray } from '../../src/core/tensor.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import { encodeModel, type OnnxGraph, type OnnxNode } from './onnx_model.ts';
import { requirePeer } from './packages.ts';

interface OrtTensor {
  readonly data: FloatArray;
}
interface OrtSession {
  run(
    feeds: Record<string, OrtTensor>,
    fetches?: Record<string, OrtTensor>,
  ): Promise<Record<string, OrtTensor>>;
}
interface Ort {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<OrtSession> };
  readonly Tensor: new (dtype: string, data: FloatArray, shape: readonly number[]) => OrtTensor;
}

const node = (op: string, inputs: readonly string[], output: string): OnnxNode => ({ op, inputs, output });

/** Nodes that make X [B,L,R] of the columns x [B,L,1] and the rows y [B,1,R]; each list is a form. */
function joins(xi: Xi): { name: string; nodes: OnnxNode[] }[] {
  switch (xi) {
    case 'rectifier':
      return [
        {
          name: 'Relu of a and h, Max',
          nodes: [node('Relu', ['x'], 'x0'), node('Relu', ['y'], 'y0'), node('Max', ['x0', 'y0'], 'X')],
        },
        { name: 'Max, Relu', nodes: [node('Max', ['x', 'y'], 'X0'), node('Relu', ['X0'], 'X')] },
      ];
    case 'product':
      return [{ name: 'Mul', nodes: [node('Mul', ['x', 'y'], 'X')] }];
    case 'logsumexp':
      return [
        {
          name: 'Max + Softplus(−|a − h|)',
          nodes: [
            node('Sub', ['x', 'y'], 'd'),
            node('Abs', ['d'], 'd0'),
            node('Neg', ['d0'], 'd1'),
            node('Softplus', ['d1'], 's'),
            node('Max', ['x', 'y'], 'm'),
            node('Add', ['m', 's'], 'X'),
          ],
        },
        {
          name: 'h + Softplus(a − h)',
          nodes: [node('Sub', ['x', 'y'], 'd'), node('Softplus', ['d'], 's'), node('Add', ['y', 's'], 'X')],
        },
      ];
    default:
      return [
        {
          name: 'Sqrt(a·a + h·h), which overflows',
          nodes: [
            node('Mul', ['x', 'x'], 'x2'),
            node('Mul', ['y', 'y'], 'y2'),
            node('Add', ['x2', 'y2'], 's'),
            node('Sqrt', ['s'], 'X'),
          ],
        },
      ];
  }
}

const int64 = (...values: number[]) => ({
  shape: [values.length],
  data: BigInt64Array.from(values.map(BigInt)),
});

/** The contraction with the weights as a constant, which the session packs once: [a, h] → ξ → MatMul. */
function graphOf(
  { sizes: { B, L, R, K }, dtype }: ContractWorkload,
  G: FloatArray,
  join: OnnxNode[],
): OnnxGraph {
  return {
    dtype,
    nodes: [
      node('Unsqueeze', ['a', 'axis2'], 'x'),
      node('Unsqueeze', ['h', 'axis1'], 'y'),
      ...join,
      node('Reshape', ['X', 'rows'], 'X2'),
      node('MatMul', ['X2', 'G'], 'out'),
    ],
    inputs: { a: [B, L], h: [B, R] },
    output: { name: 'out', shape: [B, K] },
    constants: {
      axis1: int64(1),
      axis2: int64(2),
      rows: int64(B, L * R),
      G: { shape: [L * R, K], data: G },
    },
  };
}

async function formsOf(ort: Ort, workload: ContractWorkload, inputs: Inputs): Promise<Form[]> {
  const { dtype, sizes } = workload;
  const feeds = Object.fromEntries(
    ['a', 'h'].map((name) => [name, new ort.Tensor(dtype, inputs[name].data, inputs[name].shape)]),
  );
  const room = inputs.a.data.slice(0, 0).constructor as Float32ArrayConstructor;
  const fetches = { out: new ort.Tensor(dtype, new room(sizes.B * sizes.K), [sizes.B, sizes.K]) };
  const forms: Form[] = [];
  for (const { name, nodes } of joins(workload.xi)) {
    const session = await ort.InferenceSession.create(encodeModel(graphOf(workload, inputs.G.data, nodes)), {
      executionProviders: ['cpu'],
      graphOptimizationLevel: 'all',
      executionMode: 'sequential',
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      // Warnings about graphs that it cannot improve are no news here.
      logSeverityLevel: 3,
    });
    const run = () => session.run(feeds, fetches);
    const outputs = async () => ({ arrays: { out: (await run()).out.data } });
    forms.push({ name: `${name}, MatMul with constant weights`, run, outputs });
  }
  return forms;
}

/** onnxruntime-node on one thread; the weights are an initializer, so that they are packed when the session is made. */
export function onnxruntime(): Subject {
  const ort = requirePeer('onnxruntime-node') as Ort;
  return {
    name: 'onnxruntime',
    threads: 1,
    answers: (workload) => workload.kind === 'contract',
    prepare: async (workload, inputs) =>
      prepareBest(await formsOf(ort, workload as ContractWorkload, inputs), { async: true }),
  };
}
