import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { type Tensor, zeros } from '../../src/core/tensor.ts';
import type { Dataset } from '../../src/data/dataset.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/disk.ts';
import { loadModel, saveModel } from '../../src/models/disk.ts';
import { createModel } from '../../src/models/model.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
// Biome takes `fit(…)` for a focused test.
import { runTrainer, fit as train } from '../../src/train/fit.ts';
import { checkPlan } from '../../src/train/options.ts';
import { sealed } from '../../src/train/seal.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { refusal } from '../support/models.ts';
import { patterns } from '../support/patterns.ts';
import { temporaryFolder } from '../support/processes.ts';
import { subjects } from '../support/subjects.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);
const PLAN = checkPlan('fit', { epochs: 4, batch: 16, learningRate: 0.01, seed: 3 });
/** 100 examples in batches of 16: seven steps an epoch, the last of them short. */
const STEPS = 28;
const data = { float32: patterns(100, 3), float64: patterns(100, 3, 'float64') };

type Setting = Pick<(typeof subjects)[number], 'open'> & { dtype?: 'float32' | 'float64' };
function trainerOf({ open, dtype = 'float32' }: Setting): Trainer {
  const shape = { kind: 'tt', xi: 'logsumexp', steps: 3, inputs: 4, outputs: 2, rank: 6, seed: 2 } as const;
  const model = createModel({ ...shape, features: { size: 6 }, dtype, backend: open() });
  return new Trainer(model, data[dtype], PLAN);
}

const state = ({ model, m, v, progress }: Trainer) => ({
  ...{ parameters: model.parameters, m: m.tensors(), v: v.tensors(), progress },
});
function straight(setting: Setting, steps = STEPS) {
  const trainer = trainerOf(setting);
  for (let n = 0; n < steps; n++) trainer.step();
  return state(trainer);
}

async function finish(trainer: Trainer) {
  const epochs = [];
  for await (const epoch of runTrainer(trainer, {})) epochs.push(epoch);
  return epochs;
}

/** Runs until `step` steps are done, then aborts. */
async function aborted(trainer: Trainer, step: number, path?: string) {
  const controller = new AbortController();
  const run = runTrainer(trainer, {
    signal: controller.signal,
    onStep: (report) => report.step === step && controller.abort(),
    ...(path && { checkpoint: () => saveCheckpoint(trainer, path) }),
  });
  const pattern = new RegExp(`stopped after step ${step} of ${STEPS}`);
  await expect(
    (async () => {
      for await (const _ of run);
    })(),
  ).rejects.toThrow(refusal('E_ABORTED', pattern));
}

const [first] = subjects;

describe('abort', () => {
  it.each([1, 7, 11])('after step %d leaves the parameters of that step, whole', async (step) => {
    const trainer = trainerOf(first);
    await aborted(trainer, step);
    expect(state(trainer)).toEqual(straight(first, step));
  });

  it('before the first step trains nothing', async () => {
    const { model } = trainerOf(first);
    const before = model.parameters;
    const reason = new Error('enough');
    const run = train(model, data.float32, { signal: AbortSignal.abort(reason) });
    const stopped = await run.next().catch((error) => error);
    expect(stopped).toEqual(refusal('E_ABORTED', /stopped after step 0/));
    expect(stopped.cause).toBe(reason);
    expect(model.parameters).toEqual(before);
  });
});

test('an epsilon that is 0, or 0 in float32, is refused', () => {
  const { model } = trainerOf(first);
  const trainer = (epsilon: number) => new Trainer(model, data.float32, { ...PLAN, epsilon });
  expect(() => trainer(0)).toThrow(refusal('E_ARGUMENT', /epsilon: .*above 0 and below 1, received 0/));
  expect(() => trainer(1e-46)).toThrow(refusal('E_ARGUMENT', /epsilon: .*in float32, received 1e-46/));
  expect(trainer(1e-40).plan.epsilon).toBe(1e-40);
});

test('the plan of a trainer is frozen', () => {
  expect(Object.isFrozen(trainerOf(first).plan)).toBe(true);
});

test('a trainer that has finished takes no more steps', () => {
  const trainer = trainerOf(first);
  while (!trainer.finished) trainer.step();
  const last = state(trainer);
  expect(() => trainer.step()).toThrow(refusal('E_ARGUMENT', /expected steps that are left, .* the last/));
  expect(state(trainer)).toEqual(last);
});

describe.each(subjects)('a checkpoint gives the same bits, $label', (subject) => {
  it.each([
    ['float32', 11],
    ['float64', 11],
    ['float32', 7],
    ['float32', 27],
  ] as const)('%s, stopped after step %d', async (dtype, step) => {
    const setting = { ...subject, dtype };
    const path = inFolder(`${subject.label}.safetensors`);
    await aborted(trainerOf(setting), step, path);
    const resumed = await loadCheckpoint(path, data[dtype], { backend: subject.open() });
    expect(state(resumed)).toEqual(straight(setting, step));
    const epochs = await finish(resumed);
    expect(state(resumed)).toEqual(straight(setting));
    expect(epochs.at(-1)).toMatchObject({ epoch: 4, epochs: 4 });
    expect(epochs).toHaveLength(4 - Math.floor(step / 7));
  });
});

describe('the file of a checkpoint', () => {
  const path = () => inFolder('c.safetensors');
  beforeAll(async () => {
    const trainer = trainerOf(first);
    for (let n = 0; n < 5; n++) trainer.step();
    await saveCheckpoint(trainer, path());
  });

  it('is a model file too', async () => {
    const model = await loadModel(path());
    expect(model.parameters).toEqual(straight(first, 5).parameters);
    await saveModel(model, inFolder('m.safetensors'));
    expect((await loadModel(inFolder('m.safetensors'))).config).toEqual(model.config);
    expect([...(await readSafetensors(inFolder('m.safetensors'))).tensors.keys()].join()).not.toContain(
      'adam',
    );
  });

  it('keeps what it is given beside, and losses that were no numbers', async () => {
    const trainer = trainerOf(first);
    for (let n = 0; n < 7; n++) trainer.step();
    trainer.endEpoch({ loss: Number.NaN, accuracy: 0.5 });
    const beside = { classes: '["a","b"]', xitensor: 'no configuration' };
    await saveCheckpoint(trainer, inFolder('beside.safetensors'), undefined, beside);
    const { metadata } = await readSafetensors(inFolder('beside.safetensors'));
    expect(metadata.classes).toBe(beside.classes);
    expect((await loadModel(inFolder('beside.safetensors'))).config).toEqual(trainer.model.config);
    const { history } = await loadCheckpoint(inFolder('beside.safetensors'), data.float32);
    expect(history[0].validation).toEqual({ loss: Number.NaN, accuracy: 0.5 });
  });

  it.each([
    { clip: Number.POSITIVE_INFINITY, scaleRates: false },
    { clip: 0.25, scaleRates: true },
  ])('keeps %o, and gives the same bits', async (choice) => {
    const trainer = new Trainer(trainerOf(first).model, data.float32, { ...PLAN, ...choice });
    const twin = new Trainer(trainerOf(first).model, data.float32, { ...PLAN, ...choice });
    for (let n = 0; n < 5; n++) trainer.step();
    await saveCheckpoint(trainer, inFolder('choice.safetensors'));
    const again = await loadCheckpoint(inFolder('choice.safetensors'), data.float32, {
      backend: first.open(),
    });
    expect(again.plan).toEqual(trainer.plan);
    expect(again.plan).toMatchObject(choice);
    while (!again.finished) again.step();
    while (!twin.finished) twin.step();
    expect(state(again)).toEqual(state(twin));
  });

  it('keeps the accuracies of real targets, which are no numbers', async () => {
    const real = { name: 'real', inputs: data.float32.inputs, targets: zeros([100, 2]) };
    const { loss: _, ...plan } = PLAN;
    const trainer = new Trainer(trainerOf(first).model, real, { ...plan, epochs: 1, batch: 100 });
    trainer.step();
    trainer.endEpoch({ loss: 1, accuracy: Number.NaN });
    await saveCheckpoint(trainer, inFolder('real.safetensors'));
    const { history } = await loadCheckpoint(inFolder('real.safetensors'), real);
    expect(history).toEqual(trainer.history);
    expect(history[0].accuracy).toBeNaN();
  });

  it('is written after each epoch but the last', async () => {
    let written = 0;
    const checkpoint = async () => void written++;
    for await (const _ of runTrainer(trainerOf(first), { checkpoint }));
    expect(written).toBe(PLAN.epochs - 1);
  });

  it('of a constant schedule goes on for more epochs, to the bits of a training that was begun with them', async () => {
    const constant = { ...PLAN, schedule: 'constant' } as const;
    const file = inFolder('more.safetensors');
    const short = new Trainer(trainerOf(first).model, data.float32, { ...constant, epochs: 2 });
    await finish(short);
    await saveCheckpoint(short, file);
    const load = (epochs: number) => loadCheckpoint(file, data.float32, { epochs, backend: first.open() });
    const more = await load(4);
    expect((await finish(more)).map(({ epoch, epochs }) => [epoch, epochs])).toEqual([
      [3, 4],
      [4, 4],
    ]);
    const long = new Trainer(trainerOf(first).model, data.float32, constant);
    await finish(long);
    expect(state(more)).toEqual(state(long));
    expect((await load(2)).finished).toBe(true);
    await expect(load(1)).rejects.toThrow(
      refusal('E_ARGUMENT', /^loadCheckpoint epochs: expected an integer from 2 to 1000000, received 1$/),
    );
    await expect(load(2.5)).rejects.toThrow(refusal('E_ARGUMENT', /an integer from 2 .*received 2\.5$/));
    await expect(loadCheckpoint(path(), data.float32, { epochs: 5 })).rejects.toThrow(
      refusal(
        'E_ARGUMENT',
        /^loadCheckpoint epochs: expected 4, as its schedule cosine goes by them, received 5$/,
      ),
    );
  });

  it('fits its data only', async () => {
    const other: [Dataset, string, RegExp][] = [
      [patterns(99, 3), 'E_ARGUMENT', /expected the 100 examples of patterns, received '99 of patterns'/],
      [{ ...data.float32, name: 'noise' }, 'E_ARGUMENT', /received '100 of noise'/],
      [patterns(100, 4), 'E_SHAPE', /3 steps of 4 inputs/],
      [data.float64, 'E_DTYPE', /float32/],
      [
        { ...data.float32, labels: data.float32.labels.map((label) => 1 - label) },
        'E_ARGUMENT',
        /the values it was/,
      ],
    ];
    for (const [set, code, message] of other) {
      await expect(loadCheckpoint(path(), set)).rejects.toThrow(refusal(code, message));
    }
  });

  it('takes no options of training, which are in it', async () => {
    await expect(loadCheckpoint(path(), data.float32, { batch: 4 } as object)).rejects.toThrow(
      refusal(
        'E_ARGUMENT',
        /loadCheckpoint: expected options among backend, validation, epochs, received 'batch'/,
      ),
    );
    await expect(loadModel(path(), { foo: 1 } as object)).rejects.toThrow(
      refusal('E_ARGUMENT', /loadModel: expected options among backend, received 'foo'/),
    );
  });

  type Parts = { tensors: Map<string, Tensor>; metadata: Record<string, string> };
  const training = ({ metadata }: Parts, edit: (saved: never) => void) => {
    const saved = JSON.parse(metadata.training);
    edit(saved as never);
    metadata.training = JSON.stringify(saved);
  };
  type Saved = {
    plan: Record<string, unknown>;
    progress: Record<string, unknown>;
    stopping: { best?: object };
    history: object[];
    data?: object;
  };
  it.each<[string, (parts: Parts) => void, RegExp]>([
    ['no training state', ({ metadata }) => delete metadata.training, /state under the key 'training'/],
    ['a state that is no JSON', ({ metadata }) => (metadata.training = '{'), /not valid JSON/],
    ['a state of another kind', ({ metadata }) => (metadata.training = 'null'), /training: expected/],
    ['a step beyond the end', (p) => training(p, (s: Saved) => (s.progress.step = 29)), /step.*received 29/],
    ['half a step', (p) => training(p, (s: Saved) => (s.progress.step = 2.5)), /step.*received 2.5/],
    ['a plan without epochs', (p) => training(p, (s: Saved) => (s.plan.epochs = 0)), /epochs: .*received 0/],
    ['an unknown key in its plan', (p) => training(p, (s: Saved) => (s.plan.lr = 1)), /'lr'/],
    [
      'no plan',
      (p) => training(p, (s: Partial<Saved>) => delete s.plan),
      /training plan: expected an object, received undefined/,
    ],
    [
      'no epochs',
      (p) => training(p, (s: Partial<Saved>) => delete s.history),
      /training history: expected a list/,
    ],
    [
      'an epoch that was not ended',
      (p) => training(p, (s: Saved) => (s.history = [{ epoch: 1, loss: 1, accuracy: 1, seconds: 1 }])),
      /history epoch: .*received 1/,
    ],
    [
      'a best epoch that was not ended',
      (p) => training(p, (s: Saved) => (s.stopping.best = { epoch: 1, loss: 1 })),
      /best epoch: .*received 1/,
    ],
    ...(
      [
        ['a list for a plan', { plan: [] }, /plan: expected an object, received \[\]$/],
        [
          'a sum below 0',
          { progress: { step: 5, loss: -5, correct: 7 } },
          /progress loss: expected a number from 0, received -5$/,
        ],
        [
          'a count below 0',
          { progress: { step: 5, loss: 5, correct: -7 } },
          /progress correct: expected an integer from 0 .*received -7$/,
        ],
        [
          'more right ones than examples',
          { progress: { step: 5, loss: 5, correct: 101 } },
          /progress correct: expected at most the 100 examples, received 101$/,
        ],
        [
          'a number for validation data',
          { validation: 5 },
          /validation: expected an object of name, count, digest/,
        ],
        ['a number for a source', { source: 5 }, /source: expected an object, received 5$/],
        [
          'a source without data',
          { source: { limit: 5 } },
          /source data: expected a text, received undefined$/,
        ],
        [
          'a text for a step',
          { progress: { step: '5', loss: 5, correct: 7 } },
          /progress step: expected a number, received '5'$/,
        ],
        [
          'an epoch before the one before',
          {
            progress: { step: 15, loss: 1, correct: 7 },
            stopping: { ended: 2 },
            history: [2, 1].map((epoch) => ({ epoch, loss: 1, accuracy: 1, seconds: 1 })),
          },
          /history\[1\] epoch: expected an epoch from 2, received 1$/,
        ],
        [
          'a best epoch that it does not know',
          {
            progress: { step: 15, loss: 1, correct: 7 },
            stopping: { ended: 2, best: { epoch: 1, loss: 1 } },
            history: [{ epoch: 2, loss: 1, accuracy: 1, seconds: 1 }],
          },
          /stopping best: expected an epoch of the history, with its loss, received \{ epoch, loss \}$/,
        ],
      ] as const
    ).map(([what, edit, message]): [string, (parts: Parts) => void, RegExp] => [
      what,
      (p) => training(p, (s: Saved) => Object.assign(s, edit)),
      new RegExp(`broken\\.safetensors training ${message.source}`),
    ]),
    [
      'a plan that lacks a part',
      (p) => training(p, (s: Saved) => delete s.plan.decay),
      /training plan decay: expected/,
    ],
    ['no data', (p) => training(p, (s: Saved) => delete s.data), /training data: expected/],
    ['a moment missing', ({ tensors }) => tensors.delete('adam.v.G.1'), /adam\.v: .*missing \['G\.1'\]/],
    ['a parameter missing', ({ tensors }) => tensors.delete('G.1'), /missing \['G\.1'\]/],
  ])('with %s is refused', async (_, spoil, message) => {
    const { tensors, metadata } = await readSafetensors(path());
    const parts = { tensors, metadata: { ...metadata } };
    spoil(parts);
    const broken = inFolder('broken.safetensors');
    // Written as such, so that it is not the checksum which tells.
    await writeSafetensors(broken, parts.tensors, sealed(parts));
    await expect(loadCheckpoint(broken, data.float32)).rejects.toThrow(refusal('E_FILE', message));
    rmSync(broken);
  });

  it('is not replaced by one with parameters or moments that are not finite, nor is a model', async () => {
    const spoilt = trainerOf(first);
    const file = inFolder('kept.safetensors');
    await saveCheckpoint(spoilt, file);
    const before = readFileSync(file);
    const { storage } = spoilt.v;
    storage.write(storage.read().fill(Number.POSITIVE_INFINITY));
    await expect(saveCheckpoint(spoilt, file)).rejects.toThrow(
      refusal('E_NUMERIC', /saveCheckpoint .*Infinity/),
    );
    const { storage: parameters } = spoilt.model.block;
    parameters.write(parameters.read().fill(Number.NaN));
    await expect(saveCheckpoint(spoilt, file)).rejects.toThrow(refusal('E_NUMERIC', /saveCheckpoint .*NaN/));
    await expect(saveModel(spoilt.model, file)).rejects.toThrow(refusal('E_NUMERIC', /saveModel .*NaN/));
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('that cannot be written stays as it was', async () => {
    writeFileSync(inFolder('file'), '');
    const before = readdirSync(folder);
    const refused = saveCheckpoint(trainerOf(first), inFolder('file/c.safetensors'));
    await expect(refused).rejects.toThrow(refusal('E_FILE', /cannot write/));
    expect(readdirSync(folder)).toEqual(before);
  });
});
