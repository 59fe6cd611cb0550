import { resolve } from 'node:path';
import { type Form, prepareBest, type Subject } from '../../src/bench/subject.ts';
import { type ContractWorkload, type Inputs, isModel } from '../../src/bench/workloads.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import { requirePeer } from './packages.ts';
import { answersModel, modelForms } from './tfjs_models.ts';

export interface TfTensor {
  readonly shape: number[];
  reshape(shape: readonly number[]): TfTensor;
  dataSync(): Float32Array;
  dispose(): void;
}
type Op = (...tensors: TfTensor[]) => TfTensor;
export interface Tf {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  tidy<T>(work: () => T): T;
  tensor(data: Float32Array, shape: readonly number[], dtype: 'float32'): TfTensor;
  slice(x: TfTensor, begin: readonly number[], size: readonly number[]): TfTensor;
  zeros(shape: readonly number[]): TfTensor;
  matMul(x: TfTensor, y: TfTensor, transposeX?: boolean, transposeY?: boolean): TfTensor;
  sum(x: TfTensor, axis?: number): TfTensor;
  concat(parts: readonly TfTensor[], axis: number): TfTensor;
  valueAndGrads(
    f: (...x: TfTensor[]) => TfTensor,
  ): (x: readonly TfTensor[]) => { value: TfTensor; grads: TfTensor[] };
  readonly transpose: Op;
  readonly zerosLike: Op;
  readonly logSoftmax: Op;
  readonly softmax: Op;
  readonly step: Op;
  readonly square: Op;
  readonly div: Op;
  readonly relu: Op;
  readonly maximum: Op;
  readonly add: Op;
  readonly sub: Op;
  readonly mul: Op;
  readonly sqrt: Op;
  readonly abs: Op;
  readonly neg: Op;
  readonly exp: Op;
  readonly log: Op;
  readonly softplus: Op;
  scalar(value: number): TfTensor;
}

/** ξ of x [B,l,1] and y [B,1,R]; broadcasting maximum is scalar in this backend, relu(x − y) + y is not. */
function joins(tf: Tf, xi: Xi): Record<string, Op> {
  switch (xi) {
    case 'rectifier':
      return {
        'relu(a − h) + h of relus': (x, y) => tf.add(tf.relu(tf.sub(x, y)), y),
        'maximum of relus': (x, y) => tf.maximum(x, y),
      };
    case 'product':
      return { mul: (x, y) => tf.mul(x, y) };
    case 'logsumexp':
      return {
        'relu(a − h) + h + log(1 + exp(−|a − h|))': (x, y) => {
          const d = tf.sub(x, y);
          const tail = tf.log(tf.add(tf.exp(tf.neg(tf.abs(d))), tf.scalar(1)));
          return tf.add(tf.add(tf.relu(d), y), tail);
        },
        'softplus(a − h) + h': (x, y) => tf.add(tf.softplus(tf.sub(x, y)), y),
      };
    default:
      return { 'sqrt(a·a + h·h), which overflows': (x, y) => tf.sqrt(tf.add(tf.mul(x, x), tf.mul(y, y))) };
  }
}

function formsOf(tf: Tf, { sizes, xi }: ContractWorkload, inputs: Inputs): Form[] {
  const { B, L, R, K } = sizes;
  const upload = (name: string, shape: readonly number[]) =>
    tf.tensor(inputs[name].data as Float32Array, shape, 'float32');
  const [a, h, G] = [upload('a', [B, L]), upload('h', [B, R]), upload('G', [L * R, K])];
  const cut: Op = xi === 'rectifier' ? tf.relu : (x) => x;
  // Its product slows down threefold where the weights outgrow the caches, so parts of them are tried too.
  const blocks = [
    ...new Set([L, ...[2048, 1024, 512].map((rows) => Math.min(L, Math.max(1, Math.floor(rows / R))))]),
  ];
  return Object.entries(joins(tf, xi)).flatMap(([name, join]) =>
    blocks.map((block) => {
      const parts = Array.from({ length: Math.ceil(L / block) }, (_, part) => {
        const first = part * block;
        const count = Math.min(block, L - first);
        return { first, count, weights: tf.slice(G, [first * R, 0], [count * R, K]) };
      });
      const compute = () =>
        tf.tidy(() => {
          const x = cut(a);
          const y = cut(h).reshape([B, 1, R]);
          return parts
            .map(({ first, count, weights }) => {
              const columns = tf.slice(x, [0, first], [B, count]).reshape([B, count, 1]);
              return tf.matMul(join(columns, y).reshape([B, count * R]), weights);
            })
            .reduce((sum, part) => tf.add(sum, part));
        });
      const outputs = () => {
        const out = compute();
        const data = out.dataSync().slice();
        out.dispose();
        return { arrays: { out: data } };
      };
      const whole = block === L ? '' : `, ${parts.length} parts`;
      return { name: `${name}, matMul${whole}`, run: () => compute().dispose(), outputs };
    }),
  );
}

/** TensorFlow.js on its WebAssembly backend with SIMD, one thread. It has float32 only. */
export async function tfjsWasm(): Promise<Subject> {
  const tf = requirePeer('@tensorflow/tfjs') as Tf;
  const backend = requirePeer('@tensorflow/tfjs-backend-wasm');
  backend.setThreadsCount(1);
  backend.setWasmPaths(`${resolve('bench/peers/node_modules/@tensorflow/tfjs-backend-wasm/dist')}/`);
  if (!(await tf.setBackend('wasm'))) throw new Error(`its wasm backend did not start: ${tf.getBackend()}`);
  return {
    name: 'tfjs-wasm',
    threads: 1,
    answers: (workload) =>
      isModel(workload)
        ? answersModel(workload)
        : workload.kind === 'contract' && workload.dtype === 'float32',
    prepare: (workload, inputs) =>
      prepareBest(
        isModel(workload)
          ? modelForms(tf, workload, inputs)
          : formsOf(tf, workload as ContractWorkload, inputs),
      ),
  };
}
