import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensor, tokens } from '../../src/core/tensor.ts';
import { loadArrays } from '../../src/data/arrays.ts';
import { loadCifar10 } from '../../src/data/cifar10.ts';
import { loadCsv, loadCsvInputs } from '../../src/data/csv.ts';
import { loadImdb } from '../../src/data/imdb.ts';
import { loadMnist } from '../../src/data/mnist.ts';
import { loadSpam } from '../../src/data/spam.ts';
import { readSafetensors, writeNpy, writeSafetensors } from '../../src/io/disk.ts';
import { pathOf } from '../../src/io/path.ts';
import { loadModel, saveModel } from '../../src/models/disk.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { writeCifar10, writeImdb } from '../support/datasets.ts';
import { make, reference, refusal } from '../support/models.ts';
import { patterns } from '../support/patterns.ts';
import { temporaryFolder } from '../support/processes.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
  // A folder whose URL is not its path.
  folder = join(folder, 'a b#c');
  mkdirSync(folder);
});
afterAll(() => rmSync(join(folder, '..'), { recursive: true }));
const url = (name: string) => pathToFileURL(join(folder, name));

describe('a file: URL stands for a path', () => {
  it('of models and checkpoints', async () => {
    const model = make();
    await saveModel(model, url('m.safetensors'));
    expect((await loadModel(url('m.safetensors').href, { backend: reference })).parameters).toEqual(
      model.parameters,
    );
    const data = patterns(8, 3);
    await saveCheckpoint(new Trainer(model, data, { epochs: 1, batch: 8 }), url('c.safetensors'));
    const again = await loadCheckpoint(url('c.safetensors'), data, { backend: reference });
    expect(again.plan.batch).toBe(8);
    await expect(loadModel(url('none'))).rejects.toThrow(refusal('E_FILE', /a b#c\/none: no such file/));
  });

  it('of tensors and tables', async () => {
    await writeSafetensors(url('t.safetensors'), new Map([['a', tensor([1])]]));
    expect((await readSafetensors(url('t.safetensors'))).tensors.get('a')).toEqual(tensor([1]));
    writeFileSync(join(folder, 'table.csv'), 'x,label\n1,0\n2,1\n');
    expect(await loadCsv(url('table.csv'))).toMatchObject({ name: 'table', classes: 2 });
    expect((await loadCsvInputs(url('table.csv'))).inputs.shape).toEqual([2, 1, 1]);
    await writeNpy(url('x.npy'), tokens([[1, 2]]));
    await writeNpy(url('y.npy'), tensor([3]));
    const { inputs, ...rest } = await loadArrays({ inputs: url('x.npy'), answers: url('y.npy') });
    expect(inputs).toEqual(tokens([[1, 2]]));
    expect(rest).toMatchObject({ name: 'x', classes: 4 });
  });

  it('of folders', async () => {
    writeCifar10(join(folder, 'cifar'));
    expect((await loadCifar10({ source: url('cifar'), split: 'test' })).labels.length).toBe(8);
    writeImdb(join(folder, 'imdb'));
    expect((await loadImdb({ source: url('imdb'), steps: 10 })).test.labels.length).toBe(80);
    const none = refusal('E_FILE', /a b#c\/none/);
    await expect(loadMnist({ source: url('none'), split: 'test' })).rejects.toThrow(none);
    await expect(loadSpam({ source: url('none') })).rejects.toThrow(none);
  });
});

it('pathOf refuses what is no path', () => {
  expect(pathOf('x', 'file.npy')).toBe('file.npy');
  for (const wrong of [
    '',
    undefined,
    null,
    7,
    new URL('https://a.org/x'),
    'file://host/x',
    new URL('data:,x'),
  ])
    expect(() => pathOf('x', wrong)).toThrow(
      refusal('E_ARGUMENT', /^x: expected that of a file, or a file: URL/),
    );
});
