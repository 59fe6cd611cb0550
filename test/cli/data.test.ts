import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { readSafetensors, writeNpy } from '../../src/io/disk.ts';
import { COMMAND, fails as failsIn, start, temporaryFolder, xitensor } from '../support/processes.ts';

let folder: string;
const inFolder = (...parts: string[]) => join(folder, ...parts);
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));

const SMALL = ['--rank', '4', '--features', '4', '--batch', '20', '--learning-rate', '0.01', '--epochs', '3'];

/** Enough steps of them for what is small to be learnt. */
const LONG = [...SMALL.slice(0, -1), '60', '--schedule', 'constant'];

/** Runs a command in the folder and returns its record. */
async function record(...args: string[]) {
  const { code, stdout, stderr } = await xitensor([...args, '--json'], { cwd: folder });
  expect({ code, stderr }, stderr).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}
const train = (output: string, ...args: string[]) => record('train', ...args, '-o', output);

describe('data of each kind are trained on, and scored alike', () => {
  it('the splice junctions, with a part held back and the test part scored at the end', async () => {
    const plan = ['--validation', '0.2', '--patience', '2', '--optimizer', 'adamw', '--decay', '0.1'];
    const trained = await train('s.safetensors', '--data', 'splice:1', '--limit', '300', ...SMALL, ...plan);
    expect(trained).toMatchObject({
      config: { steps: 60, inputs: 4, outputs: 3 },
      plan: { validationSplit: 0.2, patience: 2, optimizer: 'adamw', decay: 0.1, loss: 'softmax' },
      data: 'splice-train',
    });
    expect(trained.epochs[0]).toMatchObject({ validation: expect.any(Object), best: { epoch: 1 } });
    // The fold is that of training.
    const { accuracy, loss } = await record('score', 's.safetensors');
    expect(trained.test).toEqual({ accuracy, loss });
    const { metadata } = await readSafetensors(inFolder('s.safetensors'));
    expect(metadata.classes).toBe('["ei","ie","n"]');
  });

  it('texts, with the vocabulary in the model', async () => {
    const rng = new Rng(1);
    const words = [...'abcdefghij'].map((letter) => `${letter}word`);
    for (const part of ['train', 'test']) {
      for (const name of ['neg', 'pos']) {
        mkdirSync(inFolder('aclImdb', part, name), { recursive: true });
        for (let n = 0; n < 30; n++) {
          const text = Array.from({ length: 6 }, () => words[rng.below(10)]);
          text[rng.below(6)] = name === 'pos' ? 'lovely' : 'dreadful';
          // A word that the training part does not know must not change the tokens of the others.
          if (part === 'test') text.unshift('unheard');
          writeFileSync(inFolder('aclImdb', part, name, `${n}_5.txt`), text.join(' '));
        }
      }
    }
    const options = [...LONG, '--length', '8', '--words', '14', '--activation', 'identity'];
    const trained = await train('i.safetensors', '--data', 'imdb:aclImdb', ...options);
    expect(trained.config).toMatchObject({ steps: 8, inputs: 14, features: { embedding: true } });
    expect(trained.epochs.at(-1).accuracy).toBeGreaterThan(0.95);
    const where =
      /--data: expected data such as imdb:DIR, with the folder aclImdb for DIR, which i\.safetensors was trained on/;
    await failsIn(['score', 'i.safetensors'], 2, where, folder);
    const scored = await record('score', 'i.safetensors', '--data', 'imdb:aclImdb');
    expect(scored).toMatchObject(trained.epochs.at(-1).validation);
    // Fewer documents have other frequencies; the words of the tokens are those of the model.
    const few = ['--split', 'train', '--limit', '10'];
    const some = await record('score', 'i.safetensors', '--data', 'imdb:aclImdb', ...few);
    expect(some).toMatchObject({ count: 10 });
    expect(some.accuracy).toBeGreaterThanOrEqual(0.9);
    expect(await record('score', 'i.safetensors', '--data', 'imdb:aclImdb', '--limit', '7')).toMatchObject({
      count: 7,
    });
    await failsIn(
      ['score', 'i.safetensors', '--data', 'imdb:aclImdb', '--words', '3'],
      2,
      /--words: expected none, as i\.safetensors has its vocabulary, received 3/,
      folder,
    );
    // The test part is whole, whatever was trained on.
    const ten = await train('ten.safetensors', '--data', 'imdb:aclImdb', '--limit', '10', ...SMALL);
    const { loss, accuracy } = ten.epochs.at(-1).validation;
    const all = await record('score', 'ten.safetensors', '--data', 'imdb:aclImdb');
    expect(all).toMatchObject({ count: 60, loss, accuracy });

    const own = [...SMALL, '--length', '20', '--activation', 'identity', '--shared', '--variable'];
    const variable = await train('v.safetensors', '--data', 'imdb:aclImdb', ...own);
    expect(variable.config).toMatchObject({ steps: 20, shared: true });
    expect(await record('score', 'v.safetensors', '--data', 'imdb:aclImdb')).toMatchObject(
      variable.epochs.at(-1).validation,
    );
    const stiff = own.filter((option) => option !== '--shared');
    const message = /imdb-train lengths: expected none, except for a shared tt network/;
    await failsIn(['train', '--data', 'imdb:aclImdb', ...stiff, '-o', 'w'], 2, message, folder);
  });

  it('a table of sequences of several lengths, after a stop as well', async () => {
    const rng = new Rng(4);
    const word = (last: string) =>
      Array.from({ length: 1 + rng.below(6) }, () => 'ab'[rng.below(2)]).join('') + last;
    const rows = Array.from({ length: 90 }, (_, n) => [word('cd'[n % 2]), 'xy'[n % 2]]);
    const file = (name: string, some: readonly string[][]) =>
      writeFileSync(inFolder(name), ['word,label', ...some.map((row) => row.join(',')), ''].join('\n'));
    file('words.csv', rows);
    file('short.csv', [
      ['abc', 'x'],
      ['ad', 'y'],
    ]);
    const columns = ['--sequence', 'word', '--variable'];
    const options = ['--data', 'words.csv', ...columns, '--shared', ...LONG];
    const trained = await train('l.safetensors', ...options);
    expect(trained.epochs.at(-1).accuracy).toBe(1);
    const steps = Math.max(...rows.map(([word]) => word.length));
    expect(trained.config).toMatchObject({ steps, inputs: 4 });
    const begun = start([COMMAND, 'train', ...options, '-o', 'half.safetensors'], { cwd: folder });
    await begun.until(/epoch +3 of 60/);
    begun.child.kill('SIGINT');
    expect((await begun.done).stdout).toContain('--resume goes on');
    const checkpoint = 'half.safetensors.checkpoint.safetensors';
    const begunWith = (await readSafetensors(inFolder(checkpoint))).metadata;
    expect(begunWith).toMatchObject({ alphabet: 'abcd', classes: '["x","y"]', variable: 'true' });
    copyFileSync(inFolder(checkpoint), inFolder(`moved.${checkpoint}`));
    const { epochs } = await record('train', '--resume', '-o', 'half.safetensors');
    expect(epochs.map(({ epoch }: { epoch: number }) => epoch)).toEqual(
      Array.from({ length: 60 }, (_, n) => n + 1),
    );
    expect(readFileSync(inFolder('half.safetensors'))).toEqual(readFileSync(inFolder('l.safetensors')));
    // Under another name the data are the same.
    file('renamed.csv', rows);
    const moved = ['--resume', '--data', 'renamed.csv', ...columns.slice(0, 2)];
    await record('train', ...moved, '-o', 'moved.half.safetensors');
    const [there, here] = await Promise.all(
      ['half.safetensors', 'moved.half.safetensors'].map((name) => readSafetensors(inFolder(name))),
    );
    expect(here.tensors).toEqual(there.tensors);
    expect(here.metadata).toEqual({ ...there.metadata, place: 'renamed.csv' });
    // A file of shorter words, which is read as the training data were.
    const score = ['score', 'l.safetensors', '--data', 'short.csv'];
    expect(await record(...score)).toMatchObject({ count: 2, accuracy: 1 });
    // Letters keep their places: those of other files would be numbered otherwise, or be as many by chance.
    const { metadata } = await readSafetensors(inFolder('l.safetensors'));
    expect(metadata).toMatchObject({ alphabet: 'abcd', classes: '["x","y"]', variable: 'true' });
    file('few.csv', [
      ['bc', 'x'],
      ['bd', 'y'],
    ]);
    const few = ['score', 'l.safetensors', '--data', 'few.csv', '--sequence', 'word'];
    expect(await record(...few)).toMatchObject({ count: 2, accuracy: 1 });
    file('other.csv', [
      ['bc', 'x'],
      ['ed', 'y'],
    ]);
    const other = ['score', 'l.safetensors', '--data', 'other.csv', '--sequence', 'word'];
    await failsIn(other, 1, /other\.csv, line 3, letter 1: expected one of a, b, c, d, received 'e'/, folder);
    file('one.csv', [
      ['ab', 'x'],
      ['c', 'y'],
    ]);
    const line = /one\.csv, line 3: expected at least 2 steps, received 1 \(E_FILE\)/;
    await failsIn(['score', 'l.safetensors', '-i', 'one.csv'], 1, line, folder);

    // abab… twice.
    const letters = Float32Array.from({ length: 2 * steps * 4 }, (_, n) =>
      Number(n % 8 === 0 || n % 8 === 5),
    );
    await writeNpy(inFolder('x.npy'), tensor(letters, [2, steps, 4]));
    await writeNpy(inFolder('l.npy'), tensor([2, steps]));
    const input = ['score', 'l.safetensors', '--input', 'x.npy'];
    const [one, two] = (await record(...input, '--lengths', 'l.npy')).scores;
    await writeNpy(inFolder('full.npy'), tensor([steps, steps]));
    const [same, whole] = (await record(...input, '--lengths', 'full.npy')).scores;
    await writeNpy(inFolder('one.npy'), tensor([2, 1]));
    const short = new RegExp(`one\\.npy, element 1: expected 2 to ${steps} steps, received 1 \\(E_FILE\\)`);
    await failsIn([...input, '--lengths', 'one.npy'], 1, short, folder);
    await writeNpy(inFolder('classes.npy'), tensor([0, 1]));
    const arrays = ['--data', 'x.npy+classes.npy+one.npy', '--shared', '-o', 'one.safetensors'];
    await failsIn(['train', ...arrays], 1, short, folder);
    expect(two).toEqual(whole);
    expect(one).not.toEqual(same);
    // Without lengths what lies behind the ends would be steps.
    const several = 'as the model was trained on sequences of several lengths, received';
    const [ofInput, ofData] = [
      new RegExp(`--input: expected an \\.npy file and --lengths beside it, ${several} 'x\\.npy'`),
      new RegExp(`--data: expected X\\.npy\\+Y\\.npy\\+LENGTHS\\.npy, ${several} 'x\\.npy\\+classes\\.npy'`),
    ];
    await failsIn(input, 2, ofInput, folder);
    await failsIn(['score', 'l.safetensors', '--data', 'x.npy+classes.npy'], 2, ofData, folder);
    await failsIn(
      ['score', 'l.safetensors', '--lengths', 'l.npy'],
      2,
      /--lengths: expected an --input/,
      folder,
    );
  });

  it('a table, whose classes keep their numbers', async () => {
    const rng = new Rng(2);
    const line = (name: string, high: number) =>
      [...Array.from({ length: 4 }, (_, n) => (n === high ? 1 : 0) + 0.1 * rng.normal()), name].join(',');
    const names = ['bird', 'cat', 'dog'];
    const rows = Array.from({ length: 90 }, (_, n) => line(names[n % 3], n % 3));
    writeFileSync(inFolder('all.csv'), ['a,b,c,d,kind', ...rows, ''].join('\n'));
    writeFileSync(inFolder('dogs.csv'), ['a,b,c,d,kind', line('dog', 2), line('dog', 2), ''].join('\n'));
    const columns = ['--label', 'kind', '--inputs', '2'];
    const options = [...LONG, ...columns, '--validation', '0.1'];
    const trained = await train('t.safetensors', '--data', 'all.csv', ...options);
    expect(trained).toMatchObject({ config: { steps: 2, inputs: 2, outputs: 3 }, data: 'all' });
    expect(trained.test).toBeUndefined();
    const dogs = { data: 'dogs', count: 2, accuracy: 1 };
    expect(await record('score', 't.safetensors', '--data', 'dogs.csv')).toMatchObject(dogs);
    await failsIn(
      ['score', 't.safetensors', '--data', 'dogs.csv', '--split', 'train'],
      2,
      /--split: expected data of two parts, received 'dogs.csv'/,
      folder,
    );
    expect(await record('score', 't.safetensors', '--data', 'dogs.csv', ...columns)).toMatchObject(dogs);
    const where =
      /--data: expected data such as all\.csv, which t\.safetensors was trained on, received none/;
    await failsIn(['score', 't.safetensors'], 2, where, folder);
  });

  it('a table of which some columns are no inputs', async () => {
    const rng = new Rng(4);
    const line = (n: number) => [n, (n % 2) + 0.1 * rng.normal(), `note ${n}`, rng.normal(), n % 2].join(',');
    const rows = Array.from({ length: 60 }, (_, n) => line(n));
    writeFileSync(inFolder('notes.csv'), ['id,a,note,b,label', ...rows, ''].join('\n'));
    const trained = await train('n.safetensors', '--data', 'notes.csv', '--columns', 'b,a', ...LONG);
    expect(trained.config).toMatchObject({ steps: 2, inputs: 1 });
    const { metadata } = await readSafetensors(inFolder('n.safetensors'));
    expect(metadata).toMatchObject({
      data: 'csv',
      place: 'notes.csv',
      table: '{"label":"label","columns":"b,a"}',
    });
    expect(metadata.columns).toBe('["b","a"]');
    expect(await record('score', 'n.safetensors', '--data', 'notes.csv')).toMatchObject({ accuracy: 1 });
    // A table without answers, and the steps said anew, which leaves the columns as they were.
    const unlabelled = rows.map((row) => row.slice(0, row.lastIndexOf(',')));
    writeFileSync(inFolder('new.csv'), ['id,a,note,b', ...unlabelled, ''].join('\n'));
    const { scores } = await record('score', 'n.safetensors', '-i', 'new.csv');
    const guesses = scores.map(([zero, one]: number[]) => (one > zero ? 1 : 0));
    expect(guesses).toEqual(rows.map((_, n) => n % 2));
    const again = await record('score', 'n.safetensors', '--data', 'notes.csv', '--inputs', '1');
    expect(again.accuracy).toBe(1);
    const own = ['score', 'n.safetensors', '-i', 'new.csv', '--lengths', 'l.npy'];
    await failsIn(own, 2, /--lengths: expected inputs as \.npy: a table has its own/, folder);
    // Said anew, the columns are others: it knows nothing of b in the place of a.
    const turned = await record('score', 'n.safetensors', '--data', 'notes.csv', '--columns', 'a,b');
    expect(turned.accuracy).toBeLessThan(0.9);
  });

  it('arrays with real targets', async () => {
    const rng = new Rng(3);
    const X = tensor(
      Float32Array.from({ length: 80 * 6 }, () => rng.normal()),
      [80, 2, 3],
    );
    const Y = tensor(
      Float32Array.from({ length: 80 }, (_, n) => X.data[6 * n]),
      [80, 1],
    );
    await writeNpy(inFolder('x.npy'), X);
    await writeNpy(inFolder('y.npy'), Y);
    const trained = await train('r.safetensors', '--data', 'x.npy+y.npy', ...SMALL);
    expect(trained).toMatchObject({ config: { outputs: 1 }, plan: { loss: 'mse' } });
    expect(trained.epochs[2]).toMatchObject({ accuracy: null, loss: expect.any(Number) });
    const once = ['--data', 'x.npy+y.npy', '--limit', '1', '--epochs', '1', '--rank', '2'];
    const { stdout } = await xitensor(['train', ...once, '--threads', '1', '-o', 'one.safetensors'], {
      cwd: folder,
    });
    expect(stdout).toMatch(/^1 example of x, 1 epoch of 1 step, .*, 1 thread$/m);
    const text = await xitensor(['score', 'r.safetensors', '--data', 'x.npy+y.npy'], { cwd: folder });
    expect(text.stdout).toMatch(/^x: mse loss \d\.\d{4}, /);
  });
});

it('a training with early stopping that is interrupted ends with the same bytes', async () => {
  // 40 steps an epoch, so that a signal falls within one.
  const options = [
    '--data',
    'splice',
    '--limit',
    '1000',
    '--validation',
    '0.2',
    '--patience',
    '50',
    '--epochs',
    '12',
  ];
  const args = [...options, '--rank', '6', '--features', '6', '--batch', '20'];
  await train('whole.safetensors', ...args);
  const begun = start([COMMAND, 'train', ...args, '-o', 'part.safetensors'], { cwd: folder });
  await begun.until(/epoch +3 of 12/);
  begun.child.kill('SIGINT');
  expect((await begun.done).stdout).toMatch(/validation loss .*, the best so far[\s\S]*--resume goes on/);
  const refused = await xitensor(['train', '--resume', '--validation', '0.1', '-o', 'part.safetensors'], {
    cwd: folder,
  });
  expect(refused.stderr).toMatch(/no option that the checkpoint decides, received \['--validation'\]/);
  await record('train', '--resume', '-o', 'part.safetensors');
  expect(readFileSync(inFolder('part.safetensors'))).toEqual(readFileSync(inFolder('whole.safetensors')));
});

describe('refused', () => {
  beforeAll(() => writeFileSync(inFolder('w.txt'), 'words'));
  it.each<[string, string[], 1 | 2, RegExp]>([
    [
      'an option of other data',
      ['--words', '5'],
      2,
      /of data mnist, mnist:DIR no option but --data, --limit, --patch/,
    ],
    [
      'data that nobody can fetch',
      ['--data', 'cifar10'],
      2,
      /--data: expected cifar10:DIR, as these data cannot be/,
    ],
    [
      'a misspelt name of data',
      ['--data', 'mnits'],
      2,
      /--data: expected one of mnist, .*, or a folder that is there, received 'mnits'; did you mean 'mnist'\?/,
    ],
    ['one with a fold', ['--data', 'splcie:1'], 2, /received 'splcie:1'; did you mean 'splice'\?/],
    [
      'a folder that is not there',
      ['--data', 'no/such'],
      2,
      /or a folder that is there, received 'no\/such' \(/,
    ],
    [
      'inputs without answers',
      ['--data', 'x.npy'],
      2,
      /--data: expected X\.npy\+Y\.npy, inputs and their answers, received 'x\.npy'/,
    ],
    [
      'a file of another kind',
      ['--data', 'w.txt'],
      2,
      /--data: expected one of mnist, .*, or a folder that is there, received 'w\.txt'/,
    ],
    [
      'a fold that is none',
      ['--data', 'splice:x'],
      2,
      /--data: expected splice, or one of its folds, splice:0 to splice:4, received 'splice:x'/,
    ],
    ['a fold too far', ['--data', 'splice:5'], 2, /--data: expected splice, or .* received 'splice:5'/],
    [
      'a part of a few examples that is less than one',
      ['--data', 'all.csv', '--label', 'kind', '--limit', '9', '--validation', '0.1'],
      2,
      /xitensor: --validation: expected a part of 9 examples that is one at least, received 0\.1/,
    ],
    [
      'a length of texts that is none',
      ['--data', 'imdb:aclImdb', '--length', '0'],
      2,
      /xitensor: --length: expected an integer from 1/,
    ],
    [
      'a vocabulary of nothing',
      ['--data', 'imdb:aclImdb', '--words', '1'],
      2,
      /xitensor: --words: expected an integer from 2/,
    ],
    [
      'a length of sequences that have one',
      ['--data', 'all.csv', '--length', '5'],
      2,
      /xitensor: --length: expected a --variable beside it, of a CSV file, received 5/,
    ],
    ['patience without a part to watch', ['--patience', '3'], 2, /--patience: expected a --validation part/],
    ['decay of Adam', ['--decay', '0.1'], 2, /decay: expected 0 for the optimizer 'adam'/],
    ['a table that is missing', ['--data', 'none.csv'], 1, /cannot read .*none\.csv: no such file/],
    [
      'a softmax of targets',
      ['--data', 'x.npy+y.npy', '--loss', 'softmax'],
      2,
      /loss: expected mse for the targets/,
    ],
    ['an unknown optimizer', ['--optimizer', 'sgd'], 2, /Allowed choices are adam, adamw/],
  ])('%s', async (_, args, code, message) => {
    await failsIn(['train', ...args, '-o', 'new.safetensors'], code, message, folder);
  });
});
