import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import {
  modelOptions,
  type PerformanceRun,
  parameterCount,
  performanceOf,
  rankWithin,
  runName,
  spreadOf,
} from '../../src/experiments/performance.ts';
import { performancePlan, showcaseRun } from '../../src/experiments/performance_plan.ts';
import { createModel } from '../../src/models/model.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
import type { Trainer } from '../../src/train/trainer.ts';
import { reference } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';
import { DATA, SETTINGS } from '../support/results.ts';

const shape = { steps: 3, inputs: 2, outputs: 2, embedding: false, tokens: false };
const run: PerformanceRun = {
  ...{ experiment: 'table1', dataset: 'tiny', fold: null, kind: 'tt', xi: 'rectifier', rank: 3, features: 4 },
  ...{ shared: false, seed: 5, epochs: 3, batch: 10, learningRate: 0.02, schedule: 'cosine' },
  ...{ limit: 60, testLimit: 20 },
};
const machine = { processor: 'p', cores: 1, platform: 'x', node: 'v' };

/** The class is the sign of the sum of all inputs. */
function part(count: number, seed: number): Dataset {
  const rng = new Rng(seed);
  const values = Float32Array.from({ length: count * 6 }, () => rng.normal());
  const positive = (n: number) => values.subarray(6 * n, 6 * n + 6).reduce((a, b) => a + b) > 0;
  const labels = Int32Array.from({ length: count }, (_, n) => Number(positive(n)));
  return { name: 'tiny', inputs: tensor(values, [count, 3, 2]), labels, classes: 2 };
}
const data = { shape, train: part(80, 1), test: part(30, 2) };

describe('a run', () => {
  it('learns, records every epoch, and gives the same again', async () => {
    const { record, model } = await performanceOf(run, data, reference, machine);
    expect(record).toMatchObject({
      ...run,
      parameters: model.block.count,
      diverged: false,
      backend: 'reference',
      machine,
    });
    expect(record.history).toHaveLength(3);
    expect(record.history[2].loss).toBeLessThan(record.history[0].loss);
    const again = await performanceOf(run, data, reference, machine);
    expect({ ...again.record, seconds: 0 }).toEqual({ ...record, seconds: 0 });
  });

  it('sees as many examples as its limits say, and no others', async () => {
    const flip = (whole: Dataset, from: number) => ({
      ...whole,
      labels: whole.labels.map((label, n) => (n < from ? label : 1 - label)),
    });
    const history = async (train: Dataset, test: Dataset) =>
      (await performanceOf(run, { shape, train, test }, reference, machine)).record.history;
    const first = await history(part(80, 1), part(30, 2));
    expect(await history(flip(part(80, 1), 60), flip(part(30, 2), 20))).toEqual(first);
    expect(await history(flip(part(80, 1), 59), part(30, 2))).not.toEqual(first);
    expect(await history(part(80, 1), flip(part(30, 2), 19))).not.toEqual(first);
  });

  it.each([3, 6, 14])('stopped after step %d goes on to the same record and bits', async (step) => {
    const straight = await performanceOf(run, data, reference, machine);
    const [folder, stop] = [temporaryFolder(), new AbortController()];
    const path = join(folder, 'c.safetensors');
    const checkpoint = (trainer: Trainer) => saveCheckpoint(trainer, path);
    const first = performanceOf(run, data, reference, machine, {
      ...{ signal: stop.signal, checkpoint },
      onStep: (report) => report.step === step && stop.abort(),
    });
    await expect(first).rejects.toMatchObject({ code: 'E_ABORTED' });
    const seen: number[] = [];
    const { record, model } = await performanceOf(run, data, reference, machine, {
      onStep: (report) => void seen.push(report.step),
      resume: (begun) =>
        loadCheckpoint(path, begun.data, { backend: reference, validation: begun.validation }),
    });
    rmSync(folder, { recursive: true });
    expect(seen[0]).toBe(step + 1);
    expect({ ...record, seconds: 0 }).toEqual({ ...straight.record, seconds: 0 });
    expect(model.parameters).toEqual(straight.model.parameters);
  });

  it('records that it diverged, and stops when asked', async () => {
    const train = { ...data.train, inputs: tensor(new Float32Array(480).fill(3e38), [80, 3, 2]) };
    const { record } = await performanceOf({ ...run, xi: 'product' }, { ...data, train }, reference, machine);
    expect(record).toMatchObject({ diverged: true, history: [] });
    const hooks = { signal: AbortSignal.abort() };
    await expect(performanceOf(run, data, reference, machine, hooks)).rejects.toMatchObject({
      code: 'E_ABORTED',
    });
  });
});

describe('the plan', () => {
  const plan = performancePlan(SETTINGS);
  const seen = <K extends keyof PerformanceRun>(key: K, of: Partial<PerformanceRun> = {}) =>
    [
      ...new Set(
        plan.filter((one) => Object.entries(of).every(([k, v]) => one[k as K] === v)).map((one) => one[key]),
      ),
    ].sort();

  it('names every run once and has every operator, family, seed and fold', () => {
    expect(new Set(plan.map(runName)).size).toBe(plan.length);
    expect(seen('xi', { experiment: 'table1' })).toHaveLength(8);
    expect(seen('kind')).toEqual(['cp', 'ht', 'tt']);
    expect(seen('seed', { dataset: 'mnist' })).toEqual([3, 4]);
    expect(seen('fold', { dataset: 'splice' })).toEqual([0, 1, 2, 3, 4]);
    expect(performancePlan({ ...SETTINGS, epochs: 1 }).every(({ epochs }) => epochs === 1)).toBe(true);
    expect(plan).toContainEqual(showcaseRun(SETTINGS));
  });

  it('has the sizes of the paper when it is full', () => {
    const text = { name: 'imdb', steps: 100, inputs: 5000, outputs: 2, embedding: true, tokens: true };
    const full = performancePlan({ quick: false, seed: 0, seeds: 1, data: [DATA[0], text] });
    const first = (dataset: string) => full.find((one) => one.dataset === dataset);
    expect(first('mnist')).toMatchObject({ kind: 'tt', features: 32, rank: 64, batch: 250, limit: null });
    expect(first('imdb')).toMatchObject({ kind: 'tt', features: 50, rank: 50, batch: 250, limit: null });
  });

  it.each(['cp', 'ht'] as const)('gives %s the largest rank within the budget', (kind) => {
    const budget = parameterCount(run, shape);
    expect(budget).toBe(createModel({ ...modelOptions(run, shape), backend: reference }).block.count);
    const rank = rankWithin({ ...run, kind }, shape, budget);
    expect(parameterCount({ ...run, kind, rank }, shape)).toBeLessThanOrEqual(budget);
    expect(parameterCount({ ...run, kind, rank: rank + 1 }, shape)).toBeGreaterThan(budget);
  });
});

it('spreadOf has count, mean, least and largest', () => {
  expect(spreadOf([3, 1, 2])).toEqual({ count: 3, mean: 2, min: 1, max: 3 });
});
