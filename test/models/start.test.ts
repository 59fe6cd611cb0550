import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, zeros } from '../../src/core/tensor.ts';
import { XI_NAMES } from '../../src/core/xi.gen.ts';
import { createModel } from '../../src/models/model.ts';
import { checkPlan } from '../../src/train/options.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { random } from '../support/models.ts';

const { backend } = selectBackend({ threads: 1 });
const [COUNT, INPUTS, CLASSES] = [40, 4, 3];

/**
 * Each class has a random pattern under noise: a sum over all steps separates them, no single step does. For networks that
 * share their weights it is the same in every step.
 */
function patterns(steps: number, constant: boolean, seed = 5) {
  const rng = new Rng(seed, steps);
  const size = steps * INPUTS;
  const means = random([CLASSES, size], 'float32', steps).data;
  const inputs = zeros([COUNT, steps, INPUTS], 'float32');
  const labels = Int32Array.from({ length: COUNT }, () => rng.below(CLASSES));
  for (let n = 0; n < inputs.data.length; n++) {
    const mean = means[labels[Math.floor(n / size)] * size + (n % (constant ? INPUTS : size))];
    inputs.data[n] = rng.normal() + 0.7 * mean;
  }
  return { name: 'patterns', inputs, labels, classes: CLASSES };
}

const rms = ({ data }: Tensor) => Math.sqrt(backend.sumSquares(backend.adopt(data)) / data.length);

const LENGTHS = [16, 60, 100];

/**
 * What part of the first loss is left after 30 steps: mostly a tenth, but more where 60 or 100 steps that share their weights move
 * together: a product then learns at 1/T, the rectifier's first step, without the rise of the schedules, goes too far.
 */
const LEFT = 0.4;
const MORE: Readonly<Record<string, number>> = {
  'tt, shared, rectifier, 100': 0.5,
  'ht, shared, product, 60': 0.6,
  'ht, shared, product, 100': 0.85,
};

describe.each([
  ['cp', { kind: 'cp', rank: 16 }],
  ['cp, shared', { kind: 'cp', rank: 16, shared: true }],
  ['tt', { kind: 'tt', rank: 8 }],
  ['tt, shared', { kind: 'tt', rank: 8, shared: true }],
  ['ht', { kind: 'ht', rank: 8 }],
  ['ht, shared', { kind: 'ht', rank: 8, shared: true }],
  ['ht, diagonal', { kind: 'ht', rank: 16, diagonal: true }],
  ['ht, diagonal and shared', { kind: 'ht', rank: 16, diagonal: true, shared: true }],
] as const)('the start of %s', (name, options) => {
  const shared = name.endsWith('shared');
  const cases = XI_NAMES.flatMap((xi) => LENGTHS.map((steps) => [xi, steps] as const));
  it.each(cases)('is of order one and learns in 30 steps, %s over %d steps', (xi, steps) => {
    const data = patterns(steps, shared);
    const model = createModel({
      ...{ ...options, xi, steps, inputs: INPUTS, outputs: CLASSES, features: { size: 8 } },
      ...{ seed: 1, backend },
    });
    const scores = model.score(data.inputs);
    expect(rms(scores)).toBeGreaterThan(0.1);
    expect(rms(scores)).toBeLessThan(20);
    const { inputs, parameters } = model.gradients(data.inputs, random([COUNT, CLASSES]));
    // For a score of order one, ∂score/∂X over T·N inputs has entries of order 1/√(T·N).
    const slope = rms(inputs) * Math.sqrt(steps * INPUTS);
    expect(slope).toBeGreaterThan(0.1);
    expect(slope).toBeLessThan(100);
    // Sums over a batch and, for shared weights, over the steps.
    for (const gradient of Object.values(parameters)) expect(rms(gradient) / (COUNT * steps)).toBeLessThan(5);

    const plan = { epochs: 30, batch: COUNT, learningRate: 0.01, schedule: 'constant' } as const;
    const trainer = new Trainer(model, data, checkPlan('fit', plan));
    const losses: number[] = [];
    while (!trainer.finished) losses.push(trainer.step().batchLoss);
    const left = MORE[[name, xi, steps].join(', ')] ?? LEFT;
    expect(losses[29], `losses ${losses.map((loss) => loss.toFixed(2)).join(' ')}`).toBeLessThan(
      left * losses[0],
    );
  });
});

describe('the start of tt, logsumexp,', () => {
  it.each([true, false])('does not explode over 100 steps, shared: %s', (shared) => {
    const worst = [1, 2, 3, 4, 5, 6].map((seed) => {
      const data = patterns(100, shared, seed);
      const model = createModel({
        ...{ kind: 'tt', xi: 'logsumexp', rank: 8, shared, steps: 100, inputs: INPUTS, outputs: CLASSES },
        ...{ features: { size: 8 }, seed, backend },
      });
      const trainer = new Trainer(model, data, checkPlan('fit', { epochs: 100, batch: COUNT }));
      const losses: number[] = [];
      while (!trainer.finished) losses.push(trainer.step().batchLoss);
      return Math.max(...losses) / losses[0];
    });
    expect(Math.max(...worst), `largest by first losses ${worst.join(' ')}`).toBeLessThan(10);
  });
});

describe('one core for all steps', () => {
  const common = {
    kind: 'tt',
    shared: true,
    inputs: 2,
    outputs: 2,
    features: { size: 8 },
    seed: 1,
    backend,
  } as const;

  it.each(XI_NAMES)('starts with another weight for each step, %s', (xi) => {
    const [steps, batch] = [30, 20];
    const model = createModel({ ...common, xi, steps, rank: 12 });
    // The same input at every step: what differs is the step.
    const X = random([batch, steps, 2]);
    X.data.forEach((_, n) => {
      const row = Math.floor(n / (2 * steps));
      X.data[n] = X.data[2 * steps * row + (n % 2)];
    });
    const { inputs } = model.gradients(X, random([batch, 2]));
    const columns = Array.from({ length: steps }, (_, t) =>
      Array.from({ length: 2 * batch }, (_, n) => inputs.data[(n >> 1) * 2 * steps + 2 * t + (n % 2)]),
    );
    for (let t = 1; t < steps - 1; t++) {
      for (let s = 1; s < t; s++) {
        const distance = Math.hypot(...columns[t].map((value, n) => value - columns[s][n]));
        expect(distance / Math.hypot(...columns[t], ...columns[s]), `steps ${s} and ${t}`).toBeGreaterThan(
          0.01,
        );
      }
    }
  });

  it('learns what a step in the middle of 60 says', () => {
    const steps = 60;
    const rng = new Rng(3);
    const count = 400;
    const inputs = zeros([count, steps, 2], 'float32');
    const labels = new Int32Array(count);
    for (let n = 0; n < count; n++) {
      for (let t = 0; t < steps; t++) {
        const letter = rng.below(2);
        inputs.data[2 * (n * steps + t) + letter] = 1;
        if (t === steps >> 1) labels[n] = letter;
      }
    }
    const data = { name: 'middle', inputs, labels, classes: 2 };
    const model = createModel({ ...common, xi: 'rectifier', steps, rank: 32 });
    const trainer = new Trainer(model, data, checkPlan('fit', { epochs: 30, batch: 20 }));
    while (!trainer.finished) trainer.step();
    expect(trainer.running.accuracy).toBeGreaterThan(0.95);
  });
});
