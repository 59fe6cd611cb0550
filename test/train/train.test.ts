import { describe, expect, it, test } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { tensor } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import type { ModelOptions } from '../../src/models/config.ts';
import { createModel } from '../../src/models/model.ts';
import { evaluate } from '../../src/train/evaluate.ts';
// Biome takes `fit(…)` for a focused test.
import { runTrainer, fit as train } from '../../src/train/fit.ts';
import { checkPlan, type EpochReport, type FitOptions } from '../../src/train/options.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { softmaxCrossEntropy } from '../support/loss.ts';
import { refusal } from '../support/models.ts';
import { patterns } from '../support/patterns.ts';
import { subjects } from '../support/subjects.ts';

const backend = selectBackend({ prefer: ['reference'] }).backend;
const OPTIONS = {
  ...{ kind: 'tt', xi: 'rectifier', steps: 3, inputs: 4, outputs: 2, rank: 4, seed: 1 },
  features: { size: 5 },
} as const satisfies ModelOptions;
const make = (options: object = {}) => createModel({ ...OPTIONS, backend, ...options });
type Figures = Pick<EpochReport, 'loss' | 'seconds'>;
async function drain(epochs: AsyncIterable<Figures>) {
  const all: Figures[] = [];
  for await (const epoch of epochs) all.push(epoch);
  return all;
}

describe('a step', () => {
  it.each([1e-3, 1e3, Number.POSITIVE_INFINITY])(
    'is Adam on the clipped gradient, written out, clip %d',
    (clip) => {
      const [count, rate] = [10, 0.02];
      const data = patterns(count, 3, 'float64');
      const model = make({ dtype: 'float64' });
      const twin = make({ dtype: 'float64' });
      const plan = { epochs: 6, batch: count, schedule: 'constant', learningRate: rate, clip } as const;
      const trainer = new Trainer(model, data, checkPlan('fit', plan));
      const m: Record<string, number[]> = {};
      const v: Record<string, number[]> = {};
      let clipped = 0;
      for (let step = 1; step <= 6; step++) {
        const scores = twin.score(data.inputs);
        const dScores = new Float64Array(count * 2);
        const { loss } = softmaxCrossEntropy(scores.data, data.labels, 2, dScores);
        const { parameters: gradients } = twin.gradients(data.inputs, tensor(dScores, [count, 2]));
        const parameters = twin.parameters;
        let squares = 0;
        for (const { data: g } of Object.values(gradients)) for (const value of g) squares += value * value;
        const scale = Math.min(1, clip / Math.sqrt(squares));
        if (scale < 1) clipped++;
        for (const [name, { data: p, shape }] of Object.entries(parameters)) {
          // A core [L,R,K] learns at 1/√(L·R) of the rate.
          const own = name.startsWith('G.') ? rate / Math.sqrt(shape[0] * shape[1]) : rate;
          const [first, second] = [(m[name] ??= []), (v[name] ??= [])];
          gradients[name].data.forEach((raw, n) => {
            const g = raw * scale;
            first[n] = 0.9 * (first[n] ?? 0) + 0.1 * g;
            second[n] = 0.999 * (second[n] ?? 0) + 0.001 * g * g;
            const corrected = Math.sqrt(second[n] / (1 - 0.999 ** step)) + 1e-8;
            p[n] -= (own * (first[n] / (1 - 0.9 ** step))) / corrected;
          });
        }
        twin.setParameters(parameters);
        expect(trainer.step().batchLoss).toBeCloseTo(loss / count, 9);
        for (const [name, { data: want }] of Object.entries(parameters)) {
          model.parameters[name].data.forEach((got, n) => {
            // A gradient near Adam's ε of 1e-8 magnifies rounding in sums of another order.
            expect(Math.abs(got - want[n]), `${name}[${n}] after step ${step}`).toBeLessThan(1e-6);
          });
        }
      }
      expect(clipped).toBe(clip < 1 ? 6 : 0);
    },
  );

  it('reports running figures of its epoch', () => {
    const trainer = new Trainer(make(), patterns(25, 3), checkPlan('fit', { epochs: 2, batch: 10 }));
    const reports = Array.from({ length: 6 }, () => trainer.step());
    expect(reports.map(({ epoch }) => epoch)).toEqual([1, 1, 1, 2, 2, 2]);
    expect(reports.map(({ step, steps }) => [step, steps])).toEqual([1, 2, 3, 4, 5, 6].map((n) => [n, 6]));
    const [one, two, three, four] = reports.map(({ batchLoss }) => batchLoss);
    expect(reports[2].loss).toBeCloseTo((10 * one + 10 * two + 5 * three) / 25, 9);
    expect(reports[3].loss).toBeCloseTo(four, 12);
    expect(trainer.running).toEqual({ loss: reports[5].loss, accuracy: reports[5].accuracy });
    // The second is open until endEpoch is told of it.
    expect(trainer.stopping.ended).toBe(1);
    expect(trainer.finished).toBe(true);
  });

  it('takes every example once an epoch, in another order each', () => {
    const plan = { epochs: 2, batch: 1, learningRate: 1e-12, schedule: 'constant' } as const;
    const trainer = new Trainer(
      make({ dtype: 'float64' }),
      patterns(20, 3, 'float64'),
      checkPlan('fit', plan),
    );
    const epoch = () => Array.from({ length: 20 }, () => trainer.step().batchLoss.toFixed(8));
    const [first, second] = [epoch(), epoch()];
    expect(second).not.toEqual(first);
    expect(second.sort()).toEqual(first.sort());
    expect(new Set(first).size).toBeGreaterThan(10);
  });

  const diverging = { xi: 'product', features: { size: 5, activation: 'identity' } };
  it('that diverges leaves finite parameters', async () => {
    const model = make({ ...diverging, steps: 12, rank: 6 });
    const options = { epochs: 200, batch: 10, learningRate: 9.9, schedule: 'constant', clip: 1e8 } as const;
    const failure = drain(train(model, patterns(40, 12), options));
    await expect(failure).rejects.toThrow(
      refusal('E_NUMERIC', /diverged at step \d+ .*a learning rate below 9.9/),
    );
    for (const { data } of Object.values(model.parameters)) expect(data.every(Number.isFinite)).toBe(true);
  });
});

test('a first step without finite scores is not laid to the learning rate', () => {
  const model = make({ xi: 'product', features: { size: 5, activation: 'identity' } });
  const { inputs, ...data } = patterns(10, 3);
  const large = { ...inputs, data: inputs.data.map((x) => 1e30 * (x + 1)) };
  expect(() => new Trainer(model, { ...data, inputs: large }, {}).step()).toThrow(
    refusal(
      'E_NUMERIC',
      /diverged at step 1 \(.*\): before any update, by the scale of inputs or initial weights$/,
    ),
  );
});

describe('callbacks', () => {
  const soon = () => new Promise<void>((resolve) => void setTimeout(resolve, 2));
  const options = { epochs: 2, batch: 10 };
  const data = patterns(20, 3);

  it('that return promises are waited for, in order', async () => {
    const told: string[] = [];
    const tell = (what: string) => async (report: { step?: number; epoch: number }) => {
      told.push(`${what} ${report.step ?? report.epoch}`);
      await soon();
      told.push('done');
    };
    const callbacks = { onStep: tell('step'), onEpoch: tell('epoch') };
    for await (const { epoch } of train(make(), data, { ...options, ...callbacks }))
      told.push(`yields ${epoch}`);
    const step = (n: number) => [`step ${n}`, 'done'];
    const epoch = (n: number) => [`epoch ${n}`, 'done', `yields ${n}`];
    expect(told).toEqual([...step(1), ...step(2), ...epoch(1), ...step(3), ...step(4), ...epoch(2)]);
  });

  it.each(['onStep', 'onEpoch'])('%s ends the training by an error, thrown or rejected', async (name) => {
    const failure = new Error('no space left');
    const callbacks = [
      () => {
        throw failure;
      },
      async () => {
        await soon();
        throw failure;
      },
    ];
    const ends = callbacks.map(async (callback) => {
      const trainer = new Trainer(make(), data, options);
      await expect(drain(runTrainer(trainer, { [name]: callback }))).rejects.toBe(failure);
      return trainer.progress.step;
    });
    expect(await Promise.all(ends)).toEqual(name === 'onStep' ? [1, 1] : [2, 2]);
  });

  it('may return what they like otherwise', async () => {
    const losses: number[] = [];
    await drain(train(make(), data, { ...options, onStep: ({ loss }) => losses.push(loss) }));
    expect(losses).toHaveLength(4);
  });
});

describe('fit', () => {
  const run = async (seed: number, options: object = {}) => {
    const model = make({ ...options, seed: 4 });
    const epochs = await drain(train(model, patterns(60, 3), { epochs: 3, batch: 16, seed }));
    return { parameters: model.parameters, losses: epochs.map(({ loss }) => loss) };
  };

  it('gives the same numbers for the same seed, others for another', async () => {
    const [one, same, other] = [await run(1), await run(1), await run(2)];
    expect(same).toEqual(one);
    expect(other.losses).not.toEqual(one.losses);
  });

  it('yields epochs with the figures of the validation data', async () => {
    const model = make();
    const validation = patterns(30, 3, 'float32', 9);
    const epochs = [];
    for await (const epoch of train(model, patterns(60, 3), { epochs: 2, validation })) {
      expect(epoch.validation).toEqual(evaluate(model, validation));
      epochs.push([epoch.epoch, epoch.epochs]);
    }
    expect(epochs).toEqual([
      [1, 2],
      [2, 2],
    ]);
  });

  it('tells how long each epoch took, without those before', async () => {
    const started = performance.now();
    const epochs = await drain(train(make(), patterns(60, 3), { epochs: 10 }));
    const seconds = epochs.reduce((sum, epoch) => sum + epoch.seconds, 0);
    expect(seconds).toBeLessThanOrEqual((performance.now() - started) / 1000);
  });

  it('lets the event loop run between steps', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++);
    await drain(train(make(), patterns(600, 3), { epochs: 20, batch: 10 }));
    clearInterval(timer);
    expect(turns).toBeGreaterThan(5);
  });

  it.each<[string, unknown, string, RegExp]>([
    ['epochs 0', { epochs: 0 }, 'E_ARGUMENT', /epochs: expected an integer from 1/],
    ['batch 1.5', { batch: 1.5 }, 'E_ARGUMENT', /batch/],
    ['learning rate 0', { learningRate: 0 }, 'E_ARGUMENT', /learningRate: expected a number above 0 to 10/],
    ['learning rate NaN', { learningRate: Number.NaN }, 'E_ARGUMENT', /learningRate: .*received NaN/],
    ['learning rate as a string', { learningRate: '0.1' }, 'E_ARGUMENT', /learningRate: .*received '0.1'/],
    [
      'an unknown schedule',
      { schedule: 'exponential' },
      'E_ARGUMENT',
      /schedule: expected one of constant, cosine, linear, step/,
    ],
    ['clip 0', { clip: 0 }, 'E_ARGUMENT', /fit clip: expected a number above 0, or Infinity, received 0/],
    ['clip NaN', { clip: Number.NaN }, 'E_ARGUMENT', /clip: .*received NaN/],
    ['clip as a string', { clip: 'Infinity' }, 'E_ARGUMENT', /clip: .*received 'Infinity'/],
    [
      'rates scaled by 0',
      { scaleRates: 0 },
      'E_ARGUMENT',
      /fit scaleRates: expected true or false, received 0/,
    ],
    ['β₂ = 1', { beta2: 1 }, 'E_ARGUMENT', /beta2/],
    ['an unknown option', { lr: 0.1 }, 'E_ARGUMENT', /fit: expected options among .*, received 'lr'/],
    ['null', null, 'E_ARGUMENT', /fit: expected options \{ epochs, batch, .*\}, received null/],
    ['callbacks that are none', { onEpoch: 3 }, 'E_ARGUMENT', /onEpoch: expected a function, received 3/],
  ])('refuses %s when it is called', (_, options, code, message) => {
    expect(() => train(make(), patterns(8, 3), options as FitOptions)).toThrow(refusal(code, message));
  });

  it('refuses misspelt callbacks of a run when it is called', () => {
    const trainer = new Trainer(make(), patterns(8, 3), {});
    expect(() => runTrainer(trainer, { onstep: () => {} } as object)).toThrow(
      refusal('E_ARGUMENT', /runTrainer: expected options among .*, received 'onstep'/),
    );
  });

  const good = patterns(8, 3);
  const bad = (inputs: Partial<Tensor>) => ({ ...good, inputs: { ...good.inputs, ...inputs } }) as Dataset;
  it.each<[string, unknown, string, RegExp]>([
    ['other steps', patterns(8, 4), 'E_SHAPE', /patterns: expected 3 steps of 4 inputs, received \[4, 4\]/],
    [
      'another dtype',
      patterns(8, 3, 'float64'),
      'E_DTYPE',
      /patterns inputs: expected float32, received 'float64'; tensor\(.* converts/,
    ],
    ['too many classes', { ...good, classes: 3 }, 'E_SHAPE', /at most 2 classes, received 3/],
    [
      'a label beyond the classes',
      { ...good, labels: good.labels.with(3, 2) },
      'E_ARGUMENT',
      /received 2 at 3/,
    ],
    ['a negative label', { ...good, labels: good.labels.with(3, -1) }, 'E_ARGUMENT', /received -1 at 3/],
    [
      'too few labels',
      { ...good, labels: good.labels.subarray(1) },
      'E_SHAPE',
      /8 labels, one for each input/,
    ],
    [
      'fewer names than classes',
      { ...good, classNames: ['a'] },
      'E_ARGUMENT',
      /classNames: expected a list of 2 names, received \['a'\]/,
    ],
    ['a text for names', { ...good, classNames: 'ab' }, 'E_ARGUMENT', /classNames: .*received 'ab'/],
    ['names that are none', { ...good, classNames: [1, 2] }, 'E_ARGUMENT', /classNames: .*received \[1, 2\]/],
    ['columns that are none', { ...good, columns: [1] }, 'E_ARGUMENT', /columns: expected a list of names/],
    [
      'labels of another kind',
      { ...good, labels: [0, 1] },
      'E_DTYPE',
      /data\.labels: expected an Int32Array, as Int32Array\.from\(labels\) makes, received \[0, 1\]$/,
    ],
    [
      'NaN',
      bad({ data: good.inputs.data.map((x, n) => (n === 5 ? Number.NaN : x)) }),
      'E_NUMERIC',
      /NaN at element 5/,
    ],
    ['nothing in it', patterns(0, 3), 'E_ARGUMENT', /at least one example/],
    ['misspelt lengths', { ...good, lenghts: Int32Array.of(1) }, 'E_ARGUMENT', /data: .*received 'lenghts'/],
    ['weights', { ...good, weights: 1 }, 'E_ARGUMENT', /expected options among name, .*received 'weights'/],
    ['no inputs', { ...good, inputs: undefined }, 'E_ARGUMENT', /inputs/],
    ['nothing', undefined, 'E_ARGUMENT', /data: expected a Dataset/],
  ])('refuses data with %s', async (_, data, code, message) => {
    const model = make();
    const before = model.parameters;
    expect(() => train(model, data as Dataset)).toThrow(refusal(code, message));
    expect(() => evaluate(model, data as Dataset)).toThrow(refusal(code, message));
    expect(model.parameters).toEqual(before);
  });
});

describe('validation data', () => {
  const data = { ...patterns(8, 3), classNames: ['a', 'b'], alphabet: 'acgt', columns: ['x', 'y'] };
  const begin = (validation: Dataset) => train(make(), data, { validation });

  it.each<[string, Partial<Dataset>, RegExp]>([
    ['other classes', { classNames: ['b', 'c'] }, /the classNames .*, \['a', 'b'\], received \['b', 'c'\]$/],
    ['classes in another order', { classNames: ['b', 'a'] }, /the classNames .*received \['b', 'a'\]$/],
    ['other letters', { alphabet: 'agct' }, /the alphabet of the training data, 'acgt', received 'agct'$/],
    ['other columns', { columns: ['y', 'x'] }, /the columns .*, \['x', 'y'\], received \['y', 'x'\]$/],
  ])('with %s are refused', (_, other, message) => {
    const validation = { ...patterns(8, 3), ...other };
    expect(() => begin(validation)).toThrow(refusal('E_ARGUMENT', message));
    expect(() => begin(validation)).toThrow(/^fit validation patterns: expected/);
    expect(() => new Trainer(make(), data, {}, validation)).toThrow(/^Trainer validation patterns: expected/);
  });

  it('that do not say, or say the same, are taken', () => {
    for (const validation of [patterns(8, 3), { ...data, name: 'other' }])
      expect(() => begin(validation)).not.toThrow();
  });
});

const trained = subjects.filter(({ label }) => !label.startsWith('reference'));
describe.each(trained)('every ξ learns which of two patterns appeared, $label', ({ open }) => {
  it.each(XI_NAMES.flatMap((xi) => [[xi, 'float32', false] as const, [xi, 'float64', true] as const]))(
    '%s, %s, shared: %s',
    async (xi, dtype, shared) => {
      const model = createModel({
        ...OPTIONS,
        steps: 5,
        rank: 8,
        features: { size: 8 },
        xi,
        dtype,
        shared,
        backend: open(),
      });
      const data = patterns(200, 5, dtype);
      const before = evaluate(model, data).loss;
      const options = { epochs: 12, batch: 20, learningRate: 0.01, schedule: 'constant' } as const;
      await drain(train(model, data, options));
      const after = evaluate(model, data);
      expect(after.loss).toBeLessThan(0.6 * Math.min(before, Math.LN2));
      expect(after.accuracy).toBeGreaterThan(0.8);
    },
  );
});
