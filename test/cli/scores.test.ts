import { writeFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { loadCsv } from '../../src/data/csv.ts';
import { readSafetensors, writeNpy, writeSafetensors } from '../../src/io/disk.ts';
import { loadModel, saveModel } from '../../src/models/disk.ts';
import { createModel } from '../../src/models/model.ts';
import { evaluate } from '../../src/train/evaluate.ts';
import { commandFolder, xitensor } from '../support/processes.ts';

const { inFolder, fails } = commandFolder();
const SMALL = ['--rank', '4', '--features', '4', '--learning-rate', '0.05', '--batch', '8'];

async function output(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await xitensor(args, { cwd: inFolder() });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return stdout;
}

beforeAll(() => {
  const rng = new Rng(3);
  // Noise has nothing to learn: what is held back is predicted worse and worse.
  const rows = Array.from({ length: 60 }, (_, n) => [rng.normal(), rng.normal(), rng.normal(), 'xy'[n % 2]]);
  writeFileSync(inFolder('noise.csv'), ['a,b,c,label', ...rows.map((row) => row.join(','))].join('\n'));
});

it('train ends with the figure of the examples held back, of the epoch whose parameters are written', async () => {
  const held = ['--validation', '0.3', '--patience', '6'];
  const lines = (await output('train', '--data', 'noise.csv', ...SMALL, ...held, '-o', 'm'))
    .trimEnd()
    .split('\n');
  const best = lines.findLast((line) => line.includes('the best so far'))!;
  expect(best).toMatch(/^epoch +[1-4] /);
  const [figure] = /validation accuracy [\d.]+ %/.exec(best)!;
  expect(lines.at(-2)).not.toContain(figure);
  expect(lines.at(-1)).toBe(`wrote m, ${figure}`);
});

it('score of a model that does not say what it was trained on wants its data', async () => {
  const features = { size: 3 };
  const shape = { steps: 16, inputs: 49, outputs: 10, rank: 2 };
  await saveModel(createModel({ kind: 'tt', xi: 'max', features, ...shape }), inFolder('own'));
  const message =
    /--data: expected one of mnist, .*or --input instead, received none, and own does not say what it was trained on/;
  await fails(['score', 'own'], 2, message);
});

it('score takes the loss that was minimized, and names it', async () => {
  const record = async (...args: string[]) => JSON.parse(await output(...args, '--json'));
  for (const loss of ['softmax', 'mse']) {
    const args = ['--data', 'noise.csv', ...SMALL, '--loss', loss, '-o', loss];
    await output('train', ...args, '--epochs', '1');
    const scored = await record('score', loss, '--data', 'noise.csv');
    expect(scored.minimized).toBe(loss);
    const model = await loadModel(inFolder(loss));
    const own = evaluate(model, await loadCsv(inFolder('noise.csv')), { loss: loss as 'mse' });
    expect(scored.loss).toBe(own.loss);
    expect(await output('score', loss, '--data', 'noise.csv')).toContain(
      `, ${loss} loss ${own.loss.toFixed(4)}, `,
    );
  }
  const { tensors, metadata } = await readSafetensors(inFolder('mse'));
  await writeSafetensors(inFolder('odd'), tensors, { ...metadata, loss: 'hinge' });
  const message = /odd loss: expected one of softmax, mse, received 'hinge' \(E_FILE\)/;
  await fails(['score', 'odd', '--data', 'noise.csv'], 1, message);
});

it('score -i names the class of each score, and the one that is predicted', async () => {
  const rows = ['a,b,c', '1,-1,0.5', '0.2,0.3,-2', '0,0,1', ''].join('\n');
  writeFileSync(inFolder('new.csv'), rows);
  const { scores, ...rest } = JSON.parse(await output('score', 'softmax', '-i', 'new.csv', '--json'));
  const predictions = scores.map(([x, y]: number[]) => (x >= y ? 'x' : 'y'));
  expect(rest).toEqual({ input: 'new.csv', shape: [3, 2], classes: ['x', 'y'], predictions });
  const lines = scores.map((row: number[], n: number) => [predictions[n], ...row].join('\t'));
  expect(await output('score', 'softmax', '-i', 'new.csv')).toBe(
    ['prediction\tx\ty', ...lines, ''].join('\n'),
  );
  // Real targets have no classes.
  writeFileSync(inFolder('real.csv'), rows);
  const targets = ['--data', 'real.csv', ...SMALL, '--targets', 'c', '--epochs', '1', '-o', 'real'];
  await output('train', ...targets);
  expect(await output('score', 'real', '-i', 'new.csv')).toMatch(/^(-?[\d.e-]+\n){3}$/);
  const real = JSON.parse(await output('score', 'real', '-i', 'new.csv', '--json'));
  expect(Object.keys(real)).toEqual(['input', 'shape', 'scores']);
  // A file that names too few of them.
  const { tensors, metadata } = await readSafetensors(inFolder('softmax'));
  await writeSafetensors(inFolder('one'), tensors, { ...metadata, classes: '["x"]' });
  const message = /one classes: expected 2 names, one for each score, received \['x'\] \(E_FILE\)/;
  await fails(['score', 'one', '-i', 'new.csv'], 1, message);
});

it('score -i says that it reads tokens', async () => {
  const features = { size: 3 };
  const model = createModel({ kind: 'tt', xi: 'max', steps: 3, inputs: 5, outputs: 2, rank: 2, features });
  await saveModel(model, inFolder('words'));
  await writeNpy(inFolder('words.npy'), tensor([[0, 4, 2]]));
  const run = (...more: string[]) =>
    xitensor(['score', 'words', '-i', 'words.npy', ...more], { cwd: inFolder() });
  expect(await run()).toMatchObject({ code: 0, stderr: 'reads words.npy as tokens [1, 3]\n' });
  expect(await run('--json')).toMatchObject({ code: 0, stderr: '' });
});
