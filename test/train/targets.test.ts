import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { type DType, tensor, tokens, zeros } from '../../src/core/tensor.ts';
import { checkDataset, type TargetDataset } from '../../src/data/dataset.ts';
import { createModel } from '../../src/models/model.ts';
import { evaluate, evaluateAsync } from '../../src/train/evaluate.ts';
// Biome takes `fit(…)` for a focused test.
import { fit as train } from '../../src/train/fit.ts';
import { checkPlan, type FitOptions } from '../../src/train/options.ts';
import { scheduleAt } from '../../src/train/schedule.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { make, reference, refusal } from '../support/models.ts';
import { patterns } from '../support/patterns.ts';
import { subjects } from '../support/subjects.ts';

/** Sequences with two targets, both linear in the inputs. */
function linear(count: number, dtype: DType, seed = 1): TargetDataset {
  const rng = new Rng(seed);
  const inputs = zeros([count, 3, 4], dtype);
  const targets = zeros([count, 2], dtype);
  for (let n = 0; n < inputs.data.length; n++) inputs.data[n] = rng.normal();
  for (let n = 0; n < count; n++) {
    targets.data[2 * n] = inputs.data[12 * n] - inputs.data[12 * n + 7];
    targets.data[2 * n + 1] = 0.5 * inputs.data[12 * n + 11] + 1;
  }
  return { name: 'linear', inputs, targets };
}

const drain = async (
  model: ReturnType<typeof make>,
  data: Parameters<typeof train>[1],
  options: FitOptions,
) => {
  let last = Number.NaN;
  for await (const { loss } of train(model, data, options)) last = loss;
  return last;
};

describe.each(subjects.filter(({ label }) => !label.startsWith('reference')))(
  'targets, $label',
  ({ open }) => {
    it.each(['float32', 'float64'] as const)('are fitted by the mean squared error, %s', async (dtype) => {
      const model = make({ dtype, backend: open(), rank: 8, features: { size: 12 } });
      const [data, others] = [linear(300, dtype), linear(100, dtype, 2)];
      const before = evaluate(model, others).loss;
      const last = await drain(model, data, {
        epochs: 40,
        batch: 20,
        learningRate: 0.02,
        optimizer: 'adamw',
      });
      const after = evaluate(model, others);
      expect(before).toBeGreaterThan(0.8);
      expect(Math.max(after.loss, last)).toBeLessThan(0.1);
      expect(after.accuracy).toBeNaN();
    });
  },
);

describe('the mean squared error', () => {
  it('of classes is that of their one-hot rows, and trains', async () => {
    const data = patterns(60, 3);
    const model = make();
    const scores = Float64Array.from(model.score(data.inputs).data);
    const want =
      scores.reduce((sum, s, n) => sum + (s - Number(data.labels[n >> 1] === n % 2)) ** 2, 0) / 120;
    expect(evaluate(model, data, { loss: 'mse' }).loss).toBeCloseTo(want, 6);
    expect(await drain(model, data, { loss: 'mse', epochs: 20, batch: 10, learningRate: 0.02 })).toBeLessThan(
      0.15,
    );
    expect(evaluate(model, data, { loss: 'mse' }).accuracy).toBeGreaterThan(0.85);
  });

  it('is what targets have where no loss is named; softmax is refused', async () => {
    const data = linear(6, 'float32');
    expect(checkPlan('fit', {}, data).loss).toBe('mse');
    expect(checkPlan('fit', {}, patterns(4, 3)).loss).toBe('softmax');
    const wrong = refusal('E_ARGUMENT', /loss: expected mse for the targets of linear, received 'softmax'/);
    expect(() => evaluate(make(), data, { loss: 'softmax' })).toThrow(wrong);
    await expect(drain(make(), data, { loss: 'softmax' })).rejects.toThrow(wrong);
    expect(() => new Trainer(make(), data, checkPlan('fit', {}))).toThrow(wrong);
    // Of validation data too, before the first epoch and not after it.
    const plan = checkPlan('fit', {}, patterns(4, 3));
    expect(() => new Trainer(make(), patterns(4, 3), plan, data)).toThrow(wrong);
  });

  it('that overflows where no gradient does ends training too', () => {
    const model = make({ dtype: 'float64' });
    const zero = Object.entries(model.parameters).map(([name, { shape }]) => [name, zeros(shape, 'float64')]);
    model.setParameters(Object.fromEntries(zero));
    const data = { ...linear(6, 'float64'), targets: tensor(new Float64Array(12).fill(1e200), [6, 2]) };
    expect(() => new Trainer(model, data, {}).step()).toThrow(
      refusal(
        'E_NUMERIC',
        /diverged at step 1 \(loss Infinity, gradient norm 0\): before any update, by the scale of inputs, targets or initial weights$/,
      ),
    );
  });

  it('a trainer takes part of a plan and refuses what fit refuses', () => {
    const training = (plan: object) => () => new Trainer(make(), patterns(10, 3), plan);
    expect(training({ epochs: 2, batch: 5 })().steps).toBe(4);
    expect(training({ batch: 0 })).toThrow(refusal('E_ARGUMENT', /batch: expected an integer from 1/));
    expect(training({ optimizer: 'sgd' })).toThrow(refusal('E_ARGUMENT', /optimizer: expected one of/));
    expect(training({ schedule: 'foo' })).toThrow(refusal('E_ARGUMENT', /schedule: expected one of/));
    expect(training({ lr: 3 })).toThrow(refusal('E_ARGUMENT', /^Trainer: .*received 'lr'/));
    expect(training({ validation: patterns(4, 3) })).toThrow(refusal('E_ARGUMENT', /received 'validation'/));
  });

  it.each<[string, object, string, RegExp]>([
    [
      'of another width',
      { targets: zeros([6, 3]) },
      'E_SHAPE',
      /targets: expected 2 a sequence, received \[6, 3\]/,
    ],
    ['that are fewer', { targets: zeros([6, 1]) }, 'E_SHAPE', /expected 2 a sequence, received \[6, 1\]/],
    ['of another number', { targets: zeros([5, 2]) }, 'E_SHAPE', /targets: expected shape \[6, any\]/],
    ['of another dtype', { targets: zeros([6, 2], 'float64') }, 'E_DTYPE', /targets: expected float32/],
    ['that are NaN', { targets: tensor(new Float32Array(12).fill(Number.NaN), [6, 2]) }, 'E_NUMERIC', /NaN/],
    [
      'beside labels',
      { labels: new Int32Array(6), classes: 2 },
      'E_ARGUMENT',
      /targets: expected no labels beside them/,
    ],
    [
      'beside classes',
      { classNames: ['a', 'b'] },
      'E_ARGUMENT',
      /targets: expected no classNames beside them/,
    ],
    ['that are a list', { targets: [1] }, 'E_ARGUMENT', /targets: expected a Tensor/],
  ])('refuses targets %s', (_, change, code, message) => {
    const data = { ...linear(6, 'float32'), ...change } as TargetDataset;
    expect(() => evaluate(make(), data)).toThrow(refusal(code, message));
  });
});

it('a token beyond the inputs of the model is refused before training', () => {
  const data = checkDataset('tokens', {
    name: 'words',
    inputs: tokens([[0, 1, 4]]),
    labels: Int32Array.of(0),
    classes: 2,
  });
  expect(() => new Trainer(make(), data, checkPlan('fit', {}))).toThrow(
    refusal('E_ARGUMENT', /words: expected tokens from 0 to 3, received 4/),
  );
});

it('tokens train an embedding', async () => {
  const rng = new Rng(2);
  // The class is whether token 3 occurs.
  const inputs = tokens(
    Int32Array.from({ length: 200 * 6 }, () => rng.below(9)),
    [200, 6],
  );
  const labels = Int32Array.from({ length: 200 }, (_, n) =>
    Number(inputs.data.subarray(6 * n, 6 * n + 6).includes(3)),
  );
  const options = { kind: 'tt', xi: 'rectifier', steps: 6, inputs: 9, outputs: 2, rank: 8 } as const;
  const model = createModel({ ...options, features: { size: 8, embedding: true }, backend: reference });
  const data = { name: 'words', inputs, labels, classes: 2 };
  await drain(model, data, { epochs: 30, batch: 20, learningRate: 0.02 });
  expect(evaluate(model, data).accuracy).toBeGreaterThan(0.95);
  expect(await evaluateAsync(model, data)).toEqual(evaluate(model, data));
});

describe('AdamW', () => {
  it('takes rate · decay of the weights off apart from the gradient, of the biases nothing', () => {
    const data = patterns(10, 3, 'float64');
    const plan = { epochs: 1, batch: 10, learningRate: 0.02, schedule: 'constant' } as const;
    const [plain, decayed] = [make({ dtype: 'float64' }), make({ dtype: 'float64' })];
    // Biases start at 0, of which decay takes nothing.
    const before = { ...plain.parameters, 'features.b': tensor(new Float64Array(6).fill(0.5), [6]) };
    for (const model of [plain, decayed]) model.setParameters(before);
    new Trainer(plain, data, checkPlan('fit', plan)).step();
    new Trainer(decayed, data, checkPlan('fit', { ...plan, optimizer: 'adamw', decay: 0.5 })).step();
    for (const [name, { data: start, shape }] of Object.entries(before)) {
      const [got, want] = [decayed, plain].map((model) => model.parameters[name].data);
      const part = shape.length > 1 ? 0.02 * 0.5 : 0;
      start.forEach((value, n) => void expect(got[n]).toBeCloseTo(want[n] - part * value, 13));
    }
  });

  it('has a decay of 0.01 where none is given', () => {
    expect(checkPlan('fit', { optimizer: 'adamw' }).decay).toBe(0.01);
    expect(checkPlan('fit', {}).decay).toBe(0);
  });
});

describe('schedules', () => {
  it.each([
    ['constant', [1, 1, 1, 1, 1]],
    ['cosine', [0.16, 1, 0.505, 0.01 + (0.99 * (1 - Math.SQRT1_2)) / 2, 0.01]],
    ['linear', [0.16, 1, 0.505, 0.2575, 0.01]],
    ['step', [0.16, 1, 0.1, 0.01, 0.01]],
  ] as const)('%s', (schedule, want) => {
    // A tenth of the steps, the top, half-way down, three quarters down, the end.
    const got = [10, 25, 62.5, 81.25, 100].map((step) => scheduleAt(schedule, step, 100));
    got.forEach((factor, n) => void expect(factor).toBeCloseTo(want[n], 12));
  });

  it('are told with each step', () => {
    const trainer = new Trainer(
      make(),
      patterns(40, 3),
      checkPlan('fit', { epochs: 2, batch: 10, schedule: 'linear' }),
    );
    const rates = Array.from({ length: 8 }, () => trainer.step().learningRate);
    expect(rates[1]).toBeCloseTo(4e-3, 12);
    expect(rates.at(-1)).toBeCloseTo(4e-5, 12);
  });
});

it('onEpoch is told what fit yields, before it does', async () => {
  const told: unknown[] = [];
  const options = { epochs: 3, onEpoch: (report: unknown) => void told.push(report) };
  for await (const epoch of train(make(), patterns(20, 3), options)) expect(told.at(-1)).toBe(epoch);
  expect(told).toHaveLength(3);
});
