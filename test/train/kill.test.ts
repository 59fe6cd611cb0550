import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { readSafetensors } from '../../src/io/disk.ts';
import { trainingOf } from '../../src/train/checkpoint.ts';
import { ROOT, run, start, temporaryFolder } from '../support/processes.ts';

/**
 * Trains with a checkpoint after every step, from the checkpoint that is there; prints a line a step and writes the
 * parameters at the end. Early stopping watches, so that all that a checkpoint can hold is in it.
 */
const CHILD = `
import { existsSync } from 'node:fs';
import { createModel, loadCheckpoint, runTrainer, saveCheckpoint, saveModel, openBackend, Trainer } from '${pathToFileURL(join(ROOT, 'dist/index.js'))}';
import { checkPlan } from '${pathToFileURL(join(ROOT, 'dist/train/options.js'))}';
const [checkpoint, output] = process.argv.slice(2);
const backend = await openBackend({ prefer: ['reference'] });
const count = 60;
const inputs = { dtype: 'float32', shape: [count, 3, 4], data: Float32Array.from({ length: count * 12 }, (_, n) => Math.sin(n * n)) };
const data = { name: 'waves', inputs, labels: Int32Array.from({ length: count }, (_, n) => n % 2), classes: 2 };
const plan = checkPlan('fit', { epochs: 12, batch: 12, learningRate: 0.01, validationSplit: 0.2, patience: 100, optimizer: 'adamw', seed: 3 });
const shape = { kind: 'tt', xi: 'rectifier', steps: 3, inputs: 4, outputs: 2, rank: 24, features: { size: 24 }, seed: 1, backend };
const trainer = existsSync(checkpoint)
  ? await loadCheckpoint(checkpoint, data, { backend })
  : new Trainer(createModel(shape), data, plan);
console.log('from', trainer.progress.step);
while (!trainer.finished || trainer.epochIsOpen) {
  const controller = new AbortController();
  const run = runTrainer(trainer, {
    signal: controller.signal,
    onStep: ({ step }) => { console.log('step', step); controller.abort(); },
    checkpoint: () => saveCheckpoint(trainer, checkpoint),
  });
  await (async () => { for await (const _ of run); })().catch((error) => { if (error.code !== 'E_ABORTED') throw error; });
}
await saveModel(trainer.model, output);
console.log('done');
`;

const KILLS = 10;

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
  writeFileSync(join(folder, 'child.mjs'), CHILD);
});
afterAll(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);

it('a training killed at any moment goes on from the last or the one before checkpoint, to the same bits', async () => {
  const child = [inFolder('child.mjs'), inFolder('c.safetensors')];
  const straight = await run([
    inFolder('child.mjs'),
    inFolder('straight.c'),
    inFolder('straight.safetensors'),
  ]);
  expect(straight).toMatchObject({ code: 0, stderr: '' });
  const seed = Math.floor(Math.random() * 2 ** 31);
  const rng = new Rng(seed);
  let killed = 0;
  for (let attempt = 0; ; attempt++) {
    const running = start([...child, inFolder('m.safetensors')]);
    // Anything may be under way: a step, a checkpoint's write, its rename.
    let pause: NodeJS.Timeout | undefined;
    if (attempt < KILLS) {
      await running.until(rng.uniform() < 0.3 ? /from \d+\n/ : /step \d+\n|done/);
      pause = setTimeout(() => running.child.kill('SIGKILL'), rng.uniform() * 60);
    }
    const { code, signal, stdout, stderr } = await running.done;
    clearTimeout(pause);
    expect(stderr, `seed ${seed}`).toBe('');
    if (signal === 'SIGKILL') {
      killed++;
      const told = Math.max(...[...stdout.matchAll(/(?:from|step) (\d+)/g)].map(([, step]) => Number(step)));
      const path = inFolder('c.safetensors');
      if (!existsSync(path)) continue;
      // Whole, and at most the step that was just done behind.
      const { progress } = trainingOf(path, await readSafetensors(path));
      expect(progress.step, `seed ${seed}`).toBeGreaterThanOrEqual(told - 1);
      expect(progress.step).toBeLessThanOrEqual(told + 1);
      continue;
    }
    expect(code).toBe(0);
    break;
  }
  expect(killed, `seed ${seed}`).toBeGreaterThan(2);
  const [got, want] = await Promise.all(
    ['m.safetensors', 'straight.safetensors'].map((name) => readSafetensors(inFolder(name))),
  );
  expect(got).toEqual(want);
  // What the killed ones were writing is gone: the last one cleared it away.
  expect(readdirSync(folder).sort()).toEqual([
    'c.safetensors',
    'child.mjs',
    'm.safetensors',
    'straight.c',
    'straight.safetensors',
  ]);
});
