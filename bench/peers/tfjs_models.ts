import { JUDGED_STEPS, parametersOf } from '../../src/bench/models.ts';
import type { Form } from '../../src/bench/subject.ts';
import type { Inputs, ModelWorkload } from '../../src/bench/workloads.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { Tf, TfTensor } from './tfjs.ts';

const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-8;

type Named = Record<string, TfTensor>;

/** Which networks it is asked for: a step of the recurrent one, the scores of the shallow one. */
export const answersModel = ({ kind, model, dtype }: ModelWorkload): boolean =>
  dtype === 'float32' && (kind === 'train' ? model.kind === 'tt' : model.kind === 'cp');

/** Broadcasting maximum is scalar in its wasm backend; relu(x − y) + y of operands cut off at 0 is not. */
const joined = (tf: Tf, x: TfTensor, y: TfTensor) => tf.add(tf.relu(tf.sub(x, y)), y);

function featuresOf(tf: Tf, X: TfTensor, p: Named, [B, T, N]: readonly number[]): TfTensor {
  const rows = tf.matMul(X.reshape([B * T, N]), p['features.A'], false, true);
  return tf.relu(tf.add(rows, p['features.b'])).reshape([B, T, -1]);
}

const step = (tf: Tf, F: TfTensor, t: number, [B, , M]: readonly number[]) =>
  tf.slice(F, [0, t, 0], [B, 1, M]).reshape([B, M]);

export function modelForms(tf: Tf, workload: ModelWorkload, inputs: Inputs): Form[] {
  const upload = ({ data, shape }: Pick<Tensor, 'data' | 'shape'>) =>
    tf.tensor(data as Float32Array, shape, 'float32');
  const X = upload({ data: inputs.X.data, shape: [...inputs.X.shape] });
  const start = () =>
    Object.fromEntries(Object.entries(parametersOf(inputs)).map(([name, tensor]) => [name, upload(tensor)]));
  if (workload.kind === 'score')
    return [50, 250, 1000].map((rows) => scoring(tf, workload, X, start(), rows));
  const hot = new Float32Array(workload.B * workload.model.outputs);
  inputs.labels.data.forEach((label, b) => {
    hot[b * workload.model.outputs + label] = 1;
  });
  const targets = tf.tensor(hot, [workload.B, workload.model.outputs], 'float32');
  return [
    ['autodiff, Adam by its operations', byAutodiff],
    ['backward by hand, Adam by its operations', byHand],
  ].map(([name, gradients]) =>
    training(tf, name as string, start, [...inputs.rates.data], (p) =>
      (gradients as typeof byHand)(tf, workload, X, targets, p),
    ),
  );
}

function scoring(tf: Tf, { B, model }: ModelWorkload, X: TfTensor, p: Named, rows: number): Form {
  const { steps: T, inputs: N, features, outputs } = model;
  const M = features.size;
  const R = model.rank as number;
  const vectors = Array.from({ length: T }, (_, t) =>
    tf.transpose(tf.slice(p.v, [t, 0, 0], [1, R, M]).reshape([R, M])),
  );
  const compute = () =>
    tf.tidy(() => {
      const F = featuresOf(tf, X, p, [B, T, N]);
      const parts = Array.from({ length: Math.ceil(B / rows) }, (_, part) => {
        const first = part * rows;
        const count = Math.min(rows, B - first);
        const states = vectors.map((v, t) => {
          const f = tf.slice(F, [first, t, 0], [count, 1, M]).reshape([count, M]);
          return tf.matMul(f, v);
        });
        return tf.matMul(tf.relu(states.reduce((x, y) => tf.maximum(x, y))), p.lambda);
      });
      return (parts.length > 1 ? tf.concat(parts, 0) : parts[0]).reshape([B, outputs]);
    });
  const outputsOf = () => {
    const out = compute();
    const data = out.dataSync().slice();
    out.dispose();
    return { arrays: { out: data } };
  };
  return {
    name: `matMul and maximum step by step, blocks of ${rows} rows`,
    run: () => compute().dispose(),
    outputs: outputsOf,
  };
}

/** A loss and its gradients; disposing of them is the caller's. */
interface Backward {
  readonly loss: TfTensor;
  readonly gradients: Named;
}

function training(
  tf: Tf,
  name: string,
  start: () => Named,
  rates: readonly number[],
  backward: (p: Named) => Backward,
): Form {
  const begin = () => {
    const p = start();
    const zeros = () => Object.fromEntries(Object.entries(p).map(([key, x]) => [key, tf.zerosLike(x)]));
    return { p, m: zeros(), v: zeros(), steps: 0 };
  };
  let state = begin();
  const run = (): number => {
    const { loss, gradients } = backward(state.p);
    state.steps++;
    const c1 = 1 - BETA1 ** state.steps;
    const c2 = 1 - BETA2 ** state.steps;
    Object.entries(gradients).forEach(([key, g]) => {
      const rate = rates[Object.keys(state.p).indexOf(key)];
      const [p, m, v] = tf.tidy(() => {
        const first = tf.add(tf.mul(state.m[key], tf.scalar(BETA1)), tf.mul(g, tf.scalar(1 - BETA1)));
        const second = tf.add(
          tf.mul(state.v[key], tf.scalar(BETA2)),
          tf.mul(tf.square(g), tf.scalar(1 - BETA2)),
        );
        const root = tf.add(tf.sqrt(tf.mul(second, tf.scalar(1 / c2))), tf.scalar(EPSILON));
        const next = tf.sub(state.p[key], tf.div(tf.mul(first, tf.scalar(rate / c1)), root));
        return [next, first, second];
      });
      for (const old of [state.p[key], state.m[key], state.v[key], g]) old.dispose();
      Object.assign(state.p, { [key]: p });
      Object.assign(state.m, { [key]: m });
      Object.assign(state.v, { [key]: v });
    });
    const value = loss.dataSync()[0];
    loss.dispose();
    return value;
  };
  const outputs = () => {
    for (const named of [state.p, state.m, state.v]) for (const x of Object.values(named)) x.dispose();
    state = begin();
    return { arrays: { out: Float32Array.from({ length: JUDGED_STEPS }, run) } };
  };
  return { name, run, outputs };
}

/** −Σ targets · log softmax(scores) / B. */
function lossOf(tf: Tf, scores: TfTensor, targets: TfTensor, B: number): TfTensor {
  return tf.mul(tf.sum(tf.mul(targets, tf.logSoftmax(scores))), tf.scalar(-1 / B));
}

function byAutodiff(tf: Tf, { B, model }: ModelWorkload, X: TfTensor, targets: TfTensor, p: Named): Backward {
  const { steps: T, inputs: N, features } = model;
  const M = features.size;
  const names = Object.keys(p);
  const compute = (...values: TfTensor[]) => {
    const named = Object.fromEntries(names.map((name, n) => [name, values[n]]));
    const F = featuresOf(tf, X, named, [B, T, N]);
    let h = tf.zeros([B, 1]);
    for (let t = 0; t < T; t++) {
      const [L, R, K] = named[`G.${t}`].shape;
      const a = tf.matMul(step(tf, F, t, [B, T, M]), named[`C.${t}`], false, true);
      const X = joined(tf, tf.relu(a).reshape([B, L, 1]), tf.relu(h).reshape([B, 1, R]));
      h = tf.matMul(X.reshape([B, L * R]), named[`G.${t}`].reshape([L * R, K]));
    }
    return lossOf(tf, h, targets, B);
  };
  const { value, grads } = tf.valueAndGrads(compute)(names.map((name) => p[name]));
  return { loss: value, gradients: Object.fromEntries(names.map((name, n) => [name, grads[n]])) };
}

/** Its product with a transposed operand is up to forty times slower than one with a transposed copy. */
function byHand(tf: Tf, { B, model }: ModelWorkload, X: TfTensor, targets: TfTensor, p: Named): Backward {
  const { steps: T, inputs: N, features } = model;
  const M = features.size;
  const [loss, ...gradients] = tf.tidy(() => {
    const F = featuresOf(tf, X, p, [B, T, N]);
    const f = Array.from({ length: T }, (_, t) => step(tf, F, t, [B, T, M]));
    const a: TfTensor[] = [];
    const h = [tf.zeros([B, 1])];
    const pairs: TfTensor[] = [];
    for (let t = 0; t < T; t++) {
      const [L, R, K] = p[`G.${t}`].shape;
      a.push(tf.matMul(f[t], p[`C.${t}`], false, true));
      const pair = joined(tf, tf.relu(a[t]).reshape([B, L, 1]), tf.relu(h[t]).reshape([B, 1, R]));
      pairs.push(pair.reshape([B, L * R]));
      h.push(tf.matMul(pairs[t], p[`G.${t}`].reshape([L * R, K])));
    }
    const g: Named = {};
    const df: TfTensor[] = [];
    let dh = tf.mul(tf.sub(tf.softmax(h[T]), targets), tf.scalar(1 / B));
    for (let t = T - 1; t >= 0; t--) {
      const [L, R, K] = p[`G.${t}`].shape;
      g[`G.${t}`] = tf.matMul(tf.transpose(pairs[t]), dh).reshape([L, R, K]);
      const dX = tf.matMul(dh, tf.transpose(p[`G.${t}`].reshape([L * R, K]))).reshape([B, L, R]);
      const y = tf.relu(h[t]).reshape([B, 1, R]);
      const left = tf.mul(dX, tf.step(tf.sub(a[t].reshape([B, L, 1]), y)));
      const da = tf.mul(tf.sum(left, 2), tf.step(a[t]));
      dh = tf.mul(tf.sum(tf.sub(dX, left), 1), tf.step(h[t]));
      g[`C.${t}`] = tf.matMul(tf.transpose(da), f[t]);
      df[t] = tf.matMul(da, p[`C.${t}`]).reshape([B, 1, M]);
    }
    const dF = tf.mul(tf.concat(df, 1), tf.step(F)).reshape([B * T, M]);
    g['features.A'] = tf.matMul(tf.transpose(dF), X.reshape([B * T, N]));
    g['features.b'] = tf.sum(dF, 0);
    return [lossOf(tf, h[T], targets, B), ...Object.keys(p).map((name) => g[name])];
  });
  return {
    loss,
    gradients: Object.fromEntries(Object.keys(p).map((name, n) => [name, gradients[n]])),
  };
}
