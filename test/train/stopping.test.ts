import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { selectDataset, splitRows } from '../../src/data/dataset.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
import { evaluate } from '../../src/train/evaluate.ts';
// Biome takes `fit(…)` for a focused test.
import { runTrainer, fit as train } from '../../src/train/fit.ts';
import { checkPlan, type EpochReport, type FitOptions } from '../../src/train/options.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { make, refusal } from '../support/models.ts';
import { patterns } from '../support/patterns.ts';
import { temporaryFolder } from '../support/processes.ts';

const data = patterns(80, 3);
/** Other noise with labels that say nothing, so that learning the data by heart makes it worse. */
const shuffled = { ...patterns(30, 3, 'float32', 9), labels: patterns(30, 3, 'float32', 5).labels };
/** A rate at which the validation loss goes up and down. */
const OPTIONS = { epochs: 12, batch: 10, learningRate: 0.05, schedule: 'constant', patience: 3 } as const;

async function collect(epochs: AsyncIterable<EpochReport>): Promise<EpochReport[]> {
  const all: EpochReport[] = [];
  for await (const epoch of epochs) all.push(epoch);
  return all;
}

describe('early stopping', () => {
  it('ends after patience epochs without a better one, with the parameters of the best', async () => {
    const model = make();
    const epochs = await collect(train(model, data, { ...OPTIONS, validation: shuffled }));
    const losses = epochs.map(({ validation }) => validation!.loss);
    const best = losses.indexOf(Math.min(...losses));
    expect(epochs.length).toBeLessThan(OPTIONS.epochs);
    expect(epochs.length).toBe(best + 1 + OPTIONS.patience);
    expect(epochs.at(-1)!.best).toEqual({ epoch: best + 1, loss: losses[best] });
    expect(evaluate(model, shuffled)).toEqual(epochs[best].validation);
    // The same training without patience has other parameters at the end of that epoch only.
    const twin = make();
    const { patience, ...others } = OPTIONS;
    for await (const { epoch } of train(twin, data, others)) if (epoch === best + 1) break;
    expect(twin.parameters).toEqual(model.parameters);
  });

  it('restores the best parameters at the last epoch too, and without patience keeps the last', async () => {
    const [model, last] = [make(), make()];
    const epochs = await collect(train(model, data, { ...OPTIONS, patience: 100, validation: shuffled }));
    expect(epochs).toHaveLength(OPTIONS.epochs);
    expect(evaluate(model, shuffled).loss).toBe(epochs.at(-1)!.best!.loss);
    const plain = await collect(train(last, data, { ...OPTIONS, patience: 0, validation: shuffled }));
    expect(plain.at(-1)!.best).toBeUndefined();
    expect(evaluate(last, shuffled)).toEqual(plain.at(-1)!.validation);
    expect(last.parameters).not.toEqual(model.parameters);
  });

  it('counts an epoch that is as good as the best as one without a better one', async () => {
    // At this rate no parameter moves.
    const options = { ...OPTIONS, learningRate: Number.MIN_VALUE, validation: shuffled };
    const epochs = await collect(train(make(), data, options));
    expect(epochs.length).toBe(1 + OPTIONS.patience);
    expect(epochs.at(-1)!.best!.epoch).toBe(1);
  });

  it('holds a part of the examples back and trains on the others only', async () => {
    const options = { epochs: 2, batch: 10, validationSplit: 0.25, seed: 4 };
    const trainer = new Trainer(make(), data, checkPlan('fit', options));
    expect([trainer.count, trainer.stepsPerEpoch]).toEqual([60, 6]);
    const { train: kept, held } = splitRows(80, 0.25, 4);
    expect(trainer.validation).toEqual(selectDataset(data, held));
    expect([...kept, ...held].sort((a, b) => a - b)).toEqual([...Array(80).keys()]);
    const [epoch] = await collect(runTrainer(trainer, {}));
    expect(epoch.validation).toBeDefined();
    // Labels of examples held back have no influence.
    const spoilt = { ...data, labels: data.labels.map((label, n) => (held.includes(n) ? 1 - label : label)) };
    const [one, two] = [make(), make()];
    await collect(train(one, data, options));
    await collect(train(two, spoilt, options));
    expect(two.parameters).toEqual(one.parameters);
  });

  it.each<[string, FitOptions, RegExp]>([
    ['patience without anything to watch', { patience: 2 }, /patience: expected validation data or a/],
    ['two kinds of validation', { validationSplit: 0.5, validation: data }, /no validation data beside it/],
    ['a part that holds nothing', { validationSplit: 0.001 }, /a part of 80 examples that is one at least/],
    ['all of it', { validationSplit: 1 }, /validationSplit: expected a number from 0 and below 1/],
    ['half an epoch', { patience: 0.5 }, /patience: expected an integer/],
    ['decay without AdamW', { decay: 0.1 }, /decay: expected 0 for the optimizer 'adam'/],
    ['negative decay', { optimizer: 'adamw', decay: -1 }, /decay: expected a number from 0/],
    ['an unknown optimizer', { optimizer: 'sgd' as 'adam' }, /optimizer: expected one of adam, adamw/],
    ['an unknown loss', { loss: 'hinge' as 'mse' }, /loss: expected one of softmax, mse/],
  ])('refuses %s', (_, options, message) => {
    expect(() => train(make(), data, options)).toThrow(refusal('E_ARGUMENT', message));
  });
});

describe('a checkpoint of early stopping', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Runs until `step` is done, saves, and returns the path. */
  async function stopped(step: number, options: FitOptions, validation: typeof data | undefined) {
    const path = join(folder, `${step}.safetensors`);
    const controller = new AbortController();
    const trainer = new Trainer(make(), data, checkPlan('fit', options), validation);
    const run = runTrainer(trainer, {
      signal: controller.signal,
      onStep: (report) => report.step === step && controller.abort(),
      checkpoint: () => saveCheckpoint(trainer, path),
    });
    await expect(collect(run)).rejects.toThrow(/stopped after step/);
    return path;
  }

  // Eight steps an epoch; six of the split.
  it.each([5, 8, 16, 33])('after step %d goes on to the same bits', async (step) => {
    for (const split of [false, true]) {
      const { patience, ...plain } = OPTIONS;
      const all = {
        ...plain,
        patience,
        optimizer: 'adamw',
        decay: 0.3,
        ...(split && { validationSplit: 0.25 }),
      };
      const options = checkPlan('fit', all as FitOptions);
      const validation = split ? undefined : shuffled;
      const straight = new Trainer(make(), data, options, validation);
      const whole = await collect(runTrainer(straight, {}));
      if (step >= straight.progress.step) continue;
      const resumed = await loadCheckpoint(await stopped(step, options, validation), data, {
        validation,
        backend: straight.model.backend,
      });
      const rest = await collect(runTrainer(resumed, {}));
      expect(resumed.model.parameters).toEqual(straight.model.parameters);
      expect(resumed.stopping).toEqual(straight.stopping);
      const timeless = (epochs: EpochReport[]) => epochs.map(({ seconds, ...figures }) => figures);
      expect(timeless(rest)).toEqual(timeless(whole.slice(whole.length - rest.length)));
    }
  });

  it('that was stopped between an epoch and its validation does it on resuming', async () => {
    // The signal comes with the last step of an epoch, so that the validation never begins.
    const path = await stopped(8, OPTIONS, shuffled);
    const resumed = await loadCheckpoint(path, data, { validation: shuffled, backend: make().backend });
    expect([resumed.epochIsOpen, resumed.stopping.ended]).toEqual([true, 0]);
    const [epoch] = await collect(runTrainer(resumed, {}));
    expect(epoch).toMatchObject({ epoch: 1, best: { epoch: 1 }, validation: expect.any(Object) });
  });

  it('has the epochs that it was begun with', async () => {
    const path = await stopped(9, { ...OPTIONS, schedule: 'constant' }, shuffled);
    const more = loadCheckpoint(path, data, { validation: shuffled, epochs: OPTIONS.epochs + 1 });
    await expect(more).rejects.toThrow(
      refusal('E_ARGUMENT', /^loadCheckpoint epochs: expected \d+, of which its patience takes the best/),
    );
  });

  it('wants the validation data that it watched', async () => {
    const path = await stopped(9, OPTIONS, shuffled);
    const others = { ...shuffled, labels: shuffled.labels.map((label) => 1 - label) };
    const load = (validation?: typeof data) => loadCheckpoint(path, data, { validation });
    await expect(load(others)).rejects.toThrow(
      refusal('E_ARGUMENT', /validation: expected the values it was/),
    );
    await expect(load(data)).rejects.toThrow(refusal('E_ARGUMENT', /validation: expected the 30 examples/));
    const missing =
      /^loadCheckpoint validation: expected the validation data that .*, 30 examples of \w+, received undefined$/;
    await expect(load()).rejects.toThrow(refusal('E_ARGUMENT', missing));
  });
});
