import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, tokens, zeros } from '../../src/core/tensor.ts';
import { type Dataset, selectDataset, takeDataset } from '../../src/data/dataset.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
import { evaluate } from '../../src/train/evaluate.ts';
// Biome takes `fit(…)` for a focused test.
import { fit as train } from '../../src/train/fit.ts';
import { checkPlan, type FitOptions } from '../../src/train/options.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { make, random, reference, refusal } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';
import { subjects } from '../support/subjects.ts';

const [STEPS, INPUTS] = [6, 4];
const SHARED = { steps: STEPS, shared: true };

/** Noise of several lengths in whose last step the class shows; `behind` stands where no sequence is any more. */
function endings(count: number, behind = 0, seed = 1): Dataset<Tensor> & { lengths: Int32Array } {
  const rng = new Rng(seed);
  const inputs = zeros([count, STEPS, INPUTS], 'float32');
  const lengths = Int32Array.from({ length: count }, () => 2 + rng.below(STEPS - 1));
  const labels = Int32Array.from({ length: count }, () => rng.below(2));
  inputs.data.forEach((_, n) => {
    const [row, step] = [Math.floor(n / (STEPS * INPUTS)), Math.floor(n / INPUTS) % STEPS];
    const own = 0.3 * rng.normal() + Number(step === lengths[row] - 1 && n % 2 === labels[row]);
    inputs.data[n] = step < lengths[row] ? own : behind;
  });
  return { name: 'endings', inputs, lengths, labels, classes: 2 };
}

async function trained(data: Dataset, options: FitOptions, model: object = {}) {
  const network = make({ ...SHARED, ...model });
  const epochs = [];
  for await (const { seconds: _, ...epoch } of train(network, data, options)) epochs.push(epoch);
  return { parameters: network.parameters, epochs, network };
}
const PLAN = { epochs: 3, batch: 16, learningRate: 0.01, seed: 2 } as const;

describe('training on sequences of several lengths', () => {
  it.each(subjects)('sees what stands within them and nothing else, $label', async ({ open }) => {
    const model = { backend: open() };
    const { parameters, epochs } = await trained(endings(50), { ...PLAN, validationSplit: 0.2 }, model);
    const spoilt = await trained(endings(50, 1e3), { ...PLAN, validationSplit: 0.2 }, model);
    expect({ parameters: spoilt.parameters, epochs: spoilt.epochs }).toEqual({ parameters, epochs });
    const { lengths: _, ...cut } = endings(50);
    expect((await trained(cut, PLAN, model)).parameters).not.toEqual(parameters);
  });

  it('learns what only their ends tell', async () => {
    const plan = { ...PLAN, epochs: 30, schedule: 'constant' } as const;
    const { network } = await trained(endings(200), plan);
    expect(evaluate(network, endings(200, 0, 7)).accuracy).toBeGreaterThan(0.95);
  });

  it('with all of them whole gives the bits of training without lengths', async () => {
    const { lengths: _, ...data } = endings(40);
    const whole = { ...data, lengths: new Int32Array(40).fill(STEPS) };
    expect((await trained(whole, PLAN)).parameters).toEqual((await trained(data, PLAN)).parameters);
  });

  it('takes one step on the gradient that the model gives', () => {
    const data = endings(20);
    const model = make({ ...SHARED, dtype: 'float64' });
    const wide = { ...data.inputs, dtype: 'float64' as const, data: Float64Array.from(data.inputs.data) };
    const plan = checkPlan('fit', { epochs: 1, batch: 20, schedule: 'constant', clip: 1e9 });
    const before = model.parameters;
    const scores = model.score(wide, { lengths: data.lengths });
    const dScores = zeros([20, 2], 'float64');
    for (let n = 0; n < 20; n++) {
      const [a, b] = [scores.data[2 * n], scores.data[2 * n + 1]];
      for (const c of [0, 1]) {
        const p = 1 / (1 + Math.exp(c === 0 ? b - a : a - b));
        dScores.data[2 * n + c] = (p - Number(data.labels[n] === c)) / 20;
      }
    }
    const { parameters } = model.gradients(wide, dScores, { lengths: data.lengths });
    const trainer = new Trainer(model, { ...data, inputs: wide }, plan);
    trainer.step();
    // Adam's first step has the length of the rate, against the sign of the gradient.
    for (const [name, { data: gradient }] of Object.entries(parameters)) {
      const m = trainer.m.tensors()[name].data;
      gradient.forEach((g, n) => {
        expect(Math.abs(m[n] - 0.1 * g), `${name}[${n}]`).toBeLessThan(1e-12);
      });
    }
    expect(model.parameters).not.toEqual(before);
  });

  it('takes tokens, and real targets', async () => {
    const { lengths, labels } = endings(60);
    const rng = new Rng(4);
    const data = Int32Array.from({ length: 60 * STEPS }, () => rng.below(INPUTS));
    const X = tokens(data, [60, STEPS]);
    const spoilt = tokens(
      data.map((token, n) => (n % STEPS < lengths[Math.floor(n / STEPS)] ? token : 0)),
      [60, STEPS],
    );
    const options = { features: { size: 6, embedding: true } };
    for (const answers of [{ labels, classes: 2 }, { targets: random([60, 2]) }]) {
      const [one, other] = await Promise.all(
        [X, spoilt].map((inputs) =>
          trained({ name: 'words', inputs, lengths, ...answers } as Dataset, PLAN, options),
        ),
      );
      expect(other.parameters).toEqual(one.parameters);
    }
  });

  it('is evaluated as the sequences are one by one', () => {
    const data = endings(1030);
    const model = make({ ...SHARED, init: 'normal' });
    const all = evaluate(model, data);
    const halves = [
      takeDataset(data, 0, 600),
      selectDataset(
        data,
        Array.from({ length: 430 }, (_, n) => 600 + n),
      ),
    ];
    const parts = halves.map((part) => ({ count: part.labels.length, ...evaluate(model, part) }));
    for (const key of ['loss', 'accuracy'] as const) {
      const sum = parts.reduce((total, part) => total + part.count * part[key], 0);
      expect(sum / 1030).toBeCloseTo(all[key], 6);
    }
    const scores = model.score(data.inputs, { lengths: data.lengths });
    const right = data.labels.filter(
      (label, n) => Number(scores.data[2 * n + 1] > scores.data[2 * n]) === label,
    );
    expect(all.accuracy).toBe(right.length / 1030);
  });
});

describe('a checkpoint of it', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('goes on to the same bits, on the same lengths only', async () => {
    const [data, path] = [endings(40), join(folder, 'c.safetensors')];
    const begin = () => new Trainer(make(SHARED), data, checkPlan('fit', PLAN));
    const [straight, stopped] = [begin(), begin()];
    while (!straight.finished) straight.step();
    for (let n = 0; n < 4; n++) stopped.step();
    await saveCheckpoint(stopped, path);
    const resumed = await loadCheckpoint(path, data, { backend: reference });
    while (!resumed.finished) resumed.step();
    expect(resumed.model.parameters).toEqual(straight.model.parameters);
    const other = { ...data, lengths: data.lengths.map((length) => Math.max(2, length - 1)) };
    await expect(loadCheckpoint(path, other)).rejects.toThrow(refusal('E_ARGUMENT', /the values it was/));
  });
});

describe('lengths are refused', () => {
  const data = endings(5);
  const bad = (lengths: unknown) => ({ ...data, lengths }) as Dataset;
  it.each<[string, Dataset, object, string, RegExp]>([
    [
      'by weights of each step',
      data,
      { shared: false },
      'E_ARGUMENT',
      /data endings lengths: expected none, except for a shared tt network.*'tt, not shared, 6 steps'/,
    ],
    ['by trees', data, { kind: 'ht' }, 'E_ARGUMENT', /received 'ht, shared/],
    [
      'that are a list',
      bad([2, 2, 2, 2, 2]),
      {},
      'E_DTYPE',
      /data\.lengths: expected an Int32Array, as Int32Array\.from\(lengths\) makes, /,
    ],
    [
      'that are too few',
      bad(Int32Array.of(2, 3)),
      {},
      'E_SHAPE',
      /data\.lengths: expected 5 lengths.*received 2/,
    ],
    ['beyond the steps', bad(Int32Array.of(2, 3, 7, 2, 2)), {}, 'E_ARGUMENT', /from 1 to 6, received 7 at 2/],
    ['of no step', bad(Int32Array.of(2, 0, 7, 2, 2)), {}, 'E_ARGUMENT', /from 1 to 6, received 0 at 1/],
    [
      'of one step',
      bad(Int32Array.of(2, 1, 6, 2, 2)),
      {},
      'E_ARGUMENT',
      /lengths\[1\].*from 2 to 6, received 1/,
    ],
  ])('%s', (_, set, options, code, message) => {
    const model = make({ ...SHARED, ...options });
    for (const act of [() => new Trainer(model, set, checkPlan('fit', PLAN)), () => evaluate(model, set)])
      expect(act).toThrow(refusal(code, message));
  });
});
