import { selectBackend } from '../backend/select.ts';
import { Rng } from '../core/rng.ts';
import { allocate, type FloatArray, type Tensor } from '../core/tensor.ts';
import type { Dataset } from '../data/dataset.ts';
import { createModel } from '../models/model.ts';
import { Trainer } from '../train/trainer.ts';
import type { Inputs, ModelWorkload } from './workloads.ts';

/** Adam at one rate for every parameter: small, as the same batch is learnt over and over. */
const RATE = 1e-4;

/** Steps after whose losses a subject's training is judged. */
export const JUDGED_STEPS = 3;

/** Examples X [B,T,N], their classes, every parameter of the network by its name, and the rates of these in order. */
export function drawModel({ model, B, dtype }: ModelWorkload): Inputs {
  const rng = new Rng(7);
  const { steps, inputs, outputs } = model;
  const X = allocate(dtype, B * steps * inputs);
  for (let n = 0; n < X.length; n++) X[n] = rng.uniform();
  const labels = allocate(dtype, B);
  for (let b = 0; b < B; b++) labels[b] = rng.below(outputs);
  const network = createModel({ ...model, dtype, backend: reference() });
  const { layout } = network.block;
  const rates = allocate(dtype, layout.length);
  layout.forEach(([name, shape], n) => {
    rates[n] = RATE * network.network.rateScale(name, shape);
  });
  return {
    X: { shape: [B, steps, inputs], data: X },
    labels: { shape: [B], data: labels },
    rates: { shape: [rates.length], data: rates },
    ...network.parameters,
  };
}

const reference = () => selectBackend({ prefer: ['reference'] }).backend;

/** The parameters among the inputs. */
export function parametersOf(inputs: Inputs): Record<string, Tensor> {
  const { X: _, labels: __, rates: ___, ...named } = inputs;
  return Object.fromEntries(
    Object.entries(named).map(([name, { shape, data }]) => [
      name,
      { shape: [...shape], data, dtype: data instanceof Float32Array ? 'float32' : 'float64' },
    ]),
  );
}

function datasetOf({ model, dtype }: ModelWorkload, inputs: Inputs): Dataset {
  const { shape, data } = inputs.X;
  return {
    name: 'random',
    inputs: { dtype, shape: [...shape], data },
    labels: Int32Array.from(inputs.labels.data),
    classes: model.outputs,
  };
}

/** A trainer that takes all examples at each step, at the constant rate of the benchmark and unclipped. */
export function trainerOf(workload: ModelWorkload, inputs: Inputs, backend = reference()): Trainer {
  const { model, dtype, B } = workload;
  const network = createModel({ ...model, dtype, backend });
  network.setParameters(parametersOf(inputs));
  const plan = { epochs: 1e6, batch: B, learningRate: RATE, schedule: 'constant', clip: 1e9 } as const;
  return new Trainer(network, datasetOf(workload, inputs), plan);
}

/** The losses of the first steps, each before its update: they depend on every gradient and on Adam. */
export function lossesOf(trainer: Trainer): FloatArray {
  return Float64Array.from({ length: JUDGED_STEPS }, () => trainer.step().batchLoss);
}

/** Whether losses or scores are those of the reference backend in float64, to 1e-4 of their norm. */
export function verifyModel(workload: ModelWorkload, inputs: Inputs, out: FloatArray | undefined): boolean {
  const doubles = Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, data }]) => [name, { shape, data: Float64Array.from(data) }]),
  );
  const want = expected({ ...workload, dtype: 'float64' }, doubles);
  if (out?.length !== want.length) return false;
  const norm = (values: Iterable<number>) => Math.hypot(...values);
  return norm(want.map((value, n) => value - out[n])) <= 1e-4 * norm(want);
}

const known = new Map<string, Float64Array>();

function expected(workload: ModelWorkload, inputs: Inputs): Float64Array {
  let want = known.get(workload.name);
  if (!want) {
    const trainer = trainerOf(workload, inputs);
    const compute = () => trainer.model.score(datasetOf(workload, inputs).inputs).data;
    want = Float64Array.from(workload.kind === 'train' ? lossesOf(trainer) : compute());
    known.set(workload.name, want);
  }
  return want;
}
