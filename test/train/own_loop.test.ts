import { describe, expect, it } from 'vitest';
import { type Tensor, tensor, zeros } from '../../src/core/tensor.ts';
import { hasTargets, type TargetDataset } from '../../src/data/dataset.ts';
import type { Model } from '../../src/models/model.ts';
import { Adam, AdamW } from '../../src/train/adam.ts';
// Biome takes `fit(…)` for a focused test.
import { fit as train } from '../../src/train/fit.ts';
import { crossEntropy, meanSquaredError } from '../../src/train/losses.ts';
import { type Schedule, scheduleAt } from '../../src/train/schedule.ts';
import { batches } from '../../src/train/shuffle.ts';
import { make, random, reference, refusal } from '../support/models.ts';
import { patterns } from '../support/patterns.ts';

const data = patterns(23, 3);
const values = (model: Model) => Object.values(model.parameters).flatMap((t) => [...t.data]);
const backend = reference;

describe('a loop of one’s own', () => {
  const targets: TargetDataset = {
    ...{ name: 'real', inputs: data.inputs, targets: random([23, 2]) },
  };
  it.each([
    ['adam', 'cosine', data],
    ['adamw', 'step', data],
    ['adam', 'constant', targets],
  ] as const)('does what fit does, to the bit: %s, %s', async (optimizer, schedule, examples) => {
    const plan = { epochs: 3, batch: 5, learningRate: 0.02, seed: 4, clip: 0.5 };
    const [model, twin] = [make(), make()];
    for await (const _ of train(twin, examples, { ...plan, optimizer, schedule }));
    await loop(model, examples, plan, schedule, optimizer === 'adam' ? Adam : AdamW);
    expect(values(model)).toEqual(values(twin));
    expect(values(model)).not.toEqual(values(make()));
  });

  it('does so without limit and scaled rates too, by other updates than with them', async () => {
    const plan = { epochs: 3, batch: 5, learningRate: 0.02, seed: 4, clip: Number.POSITIVE_INFINITY };
    const [model, twin, scaled] = [make(), make(), make()];
    for await (const _ of train(twin, data, { ...plan, scaleRates: false, schedule: 'constant' }));
    for await (const _ of train(scaled, data, { ...plan, schedule: 'constant' }));
    await loop(model, data, plan, 'constant', Adam, false);
    expect(values(model)).toEqual(values(twin));
    expect(values(model)).not.toEqual(values(scaled));
  });

  async function loop(
    model: Model,
    examples: typeof data | TargetDataset,
    { epochs, batch, learningRate, seed, clip }: Readonly<Record<string, number>>,
    schedule: Schedule,
    Optimizer: typeof Adam | typeof AdamW,
    scaleRates?: boolean,
  ) {
    const optimizer = new Optimizer(model, { clip, scaleRates });
    const steps = epochs * Math.ceil(23 / batch);
    let step = 0;
    for (let epoch = 1; epoch <= epochs; epoch++) {
      for (const part of batches<typeof data | TargetDataset>(examples, { batch, seed, epoch })) {
        const { parameters } = model.gradients(part.inputs, (scores) =>
          hasTargets(part)
            ? meanSquaredError(scores, part.targets, { backend }).dScores
            : crossEntropy(scores, part.labels, { backend }).dScores,
        );
        optimizer.learningRate = learningRate * scheduleAt(schedule, ++step, steps);
        optimizer.step(parameters);
      }
    }
  }

  it('takes every example of an epoch once, each epoch in another order', () => {
    const seen = (epoch: number) =>
      [...batches(data, { batch: 5, epoch })].flatMap(({ inputs, labels }) => {
        expect(inputs.shape).toEqual([labels.length, 3, 4]);
        return Array.from(labels, (_, n) => inputs.data.slice(12 * n, 12 * n + 12).join());
      });
    const all = Array.from(data.labels, (_, n) => data.inputs.data.slice(12 * n, 12 * n + 12).join());
    expect(seen(1).toSorted()).toEqual(all.toSorted());
    expect(seen(2)).not.toEqual(seen(1));
    expect(() => batches(data, { epoch: 0 })).toThrow(refusal('E_ARGUMENT', /batches epoch/));
    expect(() => batches(data, { size: 5 } as object)).toThrow(refusal('E_ARGUMENT', /batch, seed, epoch/));
  });
});

describe('gradients with a function', () => {
  const model = make({ shared: true, rank: 4 });
  const lengths = Int32Array.from(data.labels, (_, n) => 2 + (n % 2));
  it('hand it the scores in the order of X, whatever the lengths', () => {
    const direct = model.gradients(data.inputs, model.score(data.inputs, { lengths }), { lengths });
    let given: Tensor | undefined;
    const own = model.gradients(data.inputs, (scores) => (given = scores), { lengths });
    expect(given).toEqual(model.score(data.inputs, { lengths }));
    expect(own).toEqual(direct);
  });

  it('refuse what it returns if that does not fit, and another pass meanwhile', () => {
    const { inputs } = data;
    const asks = (answer: () => unknown) => () => model.gradients(inputs, answer as () => Tensor);
    expect(asks(() => 1)).toThrow(refusal('E_ARGUMENT', /dScores: expected a Tensor/));
    expect(asks(async () => zeros([23, 2]))).toThrow(refusal('E_ARGUMENT', /received Promise/));
    expect(asks(() => zeros([23, 3]))).toThrow(refusal('E_SHAPE', /dScores.*\[23, 2\]/));
    expect(asks(() => model.score(inputs))).toThrow(refusal('E_ARGUMENT', /^score: .*not at work/));
    expect(asks(() => model.setParameters(model.parameters))).toThrow(refusal('E_ARGUMENT', /not at work/));
    expect(model.score(inputs).shape).toEqual([23, 2]);
  });
});

describe('Adam', () => {
  const step = (model: Model, optimizer: Adam, n: number) =>
    optimizer.step(model.gradients(data.inputs, random([23, 2], 'float32', n)).parameters);

  it('goes on from its state to the same bits', () => {
    const [model, again] = [make(), make()];
    const optimizer = new AdamW(model, { decay: 0.3 });
    for (let n = 0; n < 3; n++) step(model, optimizer, n);
    const state = JSON.parse(JSON.stringify(optimizer.state.steps));
    const resumed = new AdamW(again, { decay: 0.3 });
    again.setParameters(model.parameters);
    resumed.setState({ ...optimizer.state, steps: state });
    expect(state['G.1']).toBe(3);
    for (const [m, o] of [
      [model, optimizer],
      [again, resumed],
    ] as const)
      step(m, o, 3);
    expect(values(again)).toEqual(values(model));
  });

  it('leaves what it is given no gradient of as it is', () => {
    const model = make();
    const before = model.parameters;
    const optimizer = new Adam(model, { scaleRates: false });
    const { 'C.1': C } = model.gradients(data.inputs, random([23, 2])).parameters;
    const norm = optimizer.step({ 'C.1': C });
    expect(norm).toBeCloseTo(Math.hypot(...C.data), 5);
    const after = model.parameters;
    for (const name of Object.keys(before))
      expect(name === 'C.1', name).toBe(String(after[name].data) !== String(before[name].data));
    expect(optimizer.state.steps).toMatchObject({ 'C.1': 1, 'C.0': 0 });
    // Without scaled rates every first step is as long as the rate, where the gradient is not 0.
    const moved = C.data.map((g, n) =>
      g === 0 ? 4e-3 : Math.abs(after['C.1'].data[n] - before['C.1'].data[n]),
    );
    for (const distance of moved) expect(distance).toBeCloseTo(4e-3, 6);
  });

  it('takes gradients in a Map as in an object', () => {
    const [model, twin] = [make(), make()];
    const { parameters } = model.gradients(data.inputs, random([23, 2]));
    new Adam(model).step(parameters);
    new Adam(twin).step(new Map(Object.entries(parameters)));
    expect(values(model)).toEqual(values(twin));
    expect(values(model)).not.toEqual(values(make()));
  });

  it('refuses what does not fit and leaves everything as it was', () => {
    const model = make();
    const optimizer = new Adam(model);
    const before = values(model);
    const all = model.gradients(data.inputs, random([23, 2]));
    const wrong = (gradients: unknown, code: string, message: RegExp) =>
      expect(() => optimizer.step(gradients as Record<string, Tensor>)).toThrow(refusal(code, message));
    wrong(all, 'E_ARGUMENT', /unknown \['parameters', 'inputs'\]/);
    wrong({}, 'E_ARGUMENT', /at least one/);
    wrong(null, 'E_ARGUMENT', /Adam.step gradients: expected tensors by name/);
    wrong({ 'C.1': zeros([1, 1]) }, 'E_SHAPE', /Adam.step gradients C.1/);
    const bad = tensor(all.parameters['C.1']);
    wrong({ 'C.1': { ...bad, data: bad.data.map(() => Number.NaN) } }, 'E_NUMERIC', /finite/);
    optimizer.learningRate = -1;
    wrong(all.parameters, 'E_ARGUMENT', /learningRate/);
    expect(values(model)).toEqual(before);
    expect(optimizer.state.steps['C.1']).toBe(0);
    expect(() => new Adam(model, { decay: 0.1 } as object)).toThrow(refusal('E_ARGUMENT', /decay/));
    expect(() => new Adam(model, { lr: 0.1 } as object)).toThrow(refusal('E_ARGUMENT', /learningRate/));
    expect(() => new AdamW(model, { decay: -1 })).toThrow(refusal('E_ARGUMENT', /decay/));
    expect(() => new Adam({} as Model)).toThrow(refusal('E_ARGUMENT', /Adam: expected a model/));
    const { steps, m, v } = optimizer.state;
    const negative = { ...v, 'C.1': { ...v['C.1'], data: v['C.1'].data.map(() => -1) } };
    expect(() => optimizer.setState({ steps: {}, m, v })).toThrow(refusal('E_ARGUMENT', /count for each/));
    expect(() => optimizer.setState({ steps, m, v: negative })).toThrow(refusal('E_ARGUMENT', /at least 0/));
  });
});

describe('losses', () => {
  it.each(['float32', 'float64'] as const)('have the gradient of their value, %s', (dtype) => {
    const scores = random([3, 4], dtype, 1);
    const targets = random([3, 4], dtype, 2);
    const labels = Int32Array.of(3, 0, 1);
    const far = 2 ** -8;
    for (const loss of [
      (s: Tensor) => crossEntropy(s, labels, { backend }),
      (s: Tensor) => meanSquaredError(s, targets, { backend }),
    ]) {
      const { dScores } = loss(scores);
      expect(dScores).toMatchObject({ dtype, shape: [3, 4] });
      for (let n = 0; n < 12; n++) {
        const [up, down] = [far, -far].map(
          (by) => loss({ ...scores, data: scores.data.map((s, k) => (k === n ? s + by : s)) }).loss,
        );
        expect((up - down) / (2 * far)).toBeCloseTo(dScores.data[n], 4);
      }
    }
  });

  it('refuse what does not fit', () => {
    const scores = random([2, 3]);
    const classes = (...labels: number[]) => Int32Array.from(labels);
    expect(() => crossEntropy(scores, classes(0, 3))).toThrow(refusal('E_ARGUMENT', /labels\[1\].*0 to 2/));
    expect(() => crossEntropy(scores, classes(0))).toThrow(refusal('E_SHAPE', /2 labels/));
    expect(() => crossEntropy(scores, [0, 1] as never)).toThrow(
      refusal('E_DTYPE', /^crossEntropy labels: expected an Int32Array, as Int32Array\.from\(labels\) makes/),
    );
    expect(() => crossEntropy(zeros([0, 3]), classes())).toThrow(refusal('E_SHAPE', /one row/));
    expect(() => meanSquaredError(scores, zeros([2, 3], 'float64'))).toThrow(refusal('E_DTYPE', /float32/));
    expect(() => meanSquaredError(scores, zeros([3, 2]))).toThrow(refusal('E_SHAPE', /targets/));
  });

  it('schedules are those of fit, checked', () => {
    expect(scheduleAt('constant', 1, 9)).toBe(1);
    expect(() => scheduleAt('cosines' as never, 1, 9)).toThrow(refusal('E_ARGUMENT', /cosine/));
    expect(() => scheduleAt('cosine', 10, 9)).toThrow(refusal('E_ARGUMENT', /0 to 9/));
  });
});
