import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { readNpy, writeNpy } from '../../src/io/disk.ts';
import { loadModel } from '../../src/models/disk.ts';
import { writeDigits } from '../support/digits.ts';
import { commandFolder, xitensor } from '../support/processes.ts';

const { inFolder, fails } = commandFolder();
let model: string;
const DATA = () => ['--data', inFolder('digits'), '--patch', '4'];
const SMALL = ['--rank', '6', '--features', '5', '--batch', '50', '--learning-rate', '0.01'];

let record: string;
beforeAll(async () => {
  writeDigits(inFolder('digits'), { train: 600, test: 150 });
  model = inFolder('m.safetensors');
  const outcome = await xitensor(['train', ...DATA(), ...SMALL, '--epochs', '6', '-o', model, '--json']);
  expect(outcome).toMatchObject({ code: 0, stderr: '' });
  record = outcome.stdout;
});

describe('help', () => {
  it.each([['--help'], ['-h'], ['help'], []])('%s lists the commands', async (...args) => {
    const { code, stdout } = await xitensor(args.filter(Boolean));
    expect(code).toBe(0);
    for (const command of ['info', 'train', 'score', 'realize', 'verify', 'decompose'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} `, 'm'));
    expect(stdout).toContain('Exit status: 0 done, 1 failed, 2 bad arguments. What Ctrl-C stops');
  });

  it.each([
    ['info', ['--json']],
    ['train', ['--json', '--resume', '--out', '--rank', '--xi', '--epochs', '--backend', '--data', '--seed']],
    ['realize', ['--json', '--kind', '--xi', '--variant', '--features', '--steps', '--eps', '--out']],
    ['verify', ['--json', '--seed', '--only', '--list', '--backend']],
    ['score', ['--json', '--input', '--out', '--split', '--backend', '--limit']],
  ])('%s --help names its options', async (command, options) => {
    const { code, stdout, stderr } = await xitensor([command, '--help']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const option of options) expect(stdout).toContain(option);
  });

  it('--version is that of package.json', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
    expect(await xitensor(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n` });
  });
});

describe('bad arguments end with status 2 and leave nothing behind', () => {
  it.each<[string, string[], RegExp]>([
    ['an unknown command', ['frobnicate'], /unknown command 'frobnicate'/],
    ['an unknown option', ['train', '--frobnicate'], /unknown option '--frobnicate'/],
    ['an unknown option of info', ['info', '--verbose'], /unknown option '--verbose'/],
    ['a superfluous argument', ['info', 'all'], /too many arguments/],
    ['no model', ['score'], /missing required argument 'model'/],
    ['rank 0', ['train', '--rank', '0'], /rank: expected an integer from 1 to \d+, received 0/],
    ['a fractional rank', ['train', '--rank', '2.5'], /rank: .*received 2.5/],
    ['a rank that is no number', ['train', '--rank', 'big'], /'--rank <R>' argument 'big' is invalid/],
    ['an empty rank', ['train', '--rank', ''], /expected a number/],
    ['epochs 0', ['train', '--epochs', '0'], /epochs: expected an integer from 1/],
    ['infinite epochs', ['train', '--epochs', 'Infinity'], /epochs: .*received Infinity/],
    [
      'a part of all examples',
      ['train', '--validation', '1'],
      /xitensor: --validation: expected a number from 0 and below 1, received 1/,
    ],
    ['batch 0', ['train', '--batch', '0'], /batch: expected an integer from 1/],
    [
      'a negative learning rate',
      ['train', '--learning-rate', '-1'],
      /xitensor: --learning-rate: expected a number above 0/,
    ],
    ['beta 1', ['train', '--beta1', '1'], /beta1: expected a number from 0 and below 1, received 1/],
    ['epsilon 0', ['train', '--epsilon', '0'], /epsilon: expected a number above 0 and below 1, received 0/],
    [
      'an epsilon that float32 has not',
      ['train', '--epsilon', '1e-46'],
      /epsilon: .* above 0 in float32, received 1e-46/,
    ],
    ['an unknown ξ', ['train', '--xi', 'plus'], /'plus' is invalid. Allowed choices are product, /],
    ['an unknown dtype', ['train', '--dtype', 'float16'], /Allowed choices are float32, float64/],
    ['an unknown backend', ['train', '--backend', 'gpu'], /Allowed choices are native, wasm, reference/],
    [
      'an unknown instruction set',
      ['train', '--isa', 'avx3'],
      /xitensor: --isa: expected one of amx, .*, float64, received 'avx3'/,
    ],
    ['no threads', ['train', '--threads', '0'], /threads: expected an integer from 1 to 255, received 0/],
    [
      'a file and a part of a data set',
      ['score', 'm.safetensors', '-i', 'x.npy', '--limit', '3'],
      /--input: expected no option of a data set, received \['--limit'\]/,
    ],
    ['resume and force', ['train', '--resume', '--force'], /--resume: expected no --force/],
    ['limit 0', ['train', '--limit', '0'], /limit: expected an integer from 1/],
    ['an empty folder name', ['train', '--data', ''], /--data: expected one of mnist, .*received ''/],
    ['features 0', ['train', '--features', '0'], /xitensor: --features: expected an integer from 1/],
    ['a negative seed', ['train', '--seed', '-1'], /seed: expected an integer from 0/],
  ])('%s', async (_, args, message) => {
    const before = readdirSync(inFolder());
    await fails(args, 2, message);
    expect(readdirSync(inFolder())).toEqual(before);
  });

  it('ranks that do not fit the steps of the data', async () => {
    await fails(['train', ...DATA(), '--rank', '4,5'], 2, /rank: expected 3 ranks R_1 … R_{T−1} for 4 steps/);
  });

  it('patches that do not tile an image', async () => {
    await fails(
      ['train', '--data', inFolder('digits'), '--patch', '3'],
      2,
      /patch: expected a divisor of .*received 3/,
    );
  });
});

describe('train', () => {
  it('--json prints one record of what was done', () => {
    expect(record.split('\n')).toHaveLength(2);
    const metrics = { loss: expect.any(Number), accuracy: expect.any(Number) };
    const epoch = (n: number) => ({
      epoch: n,
      epochs: 6,
      ...metrics,
      validation: metrics,
      seconds: expect.any(Number),
    });
    expect(JSON.parse(record)).toEqual({
      model,
      config: expect.objectContaining({
        kind: 'tt',
        xi: 'rectifier',
        steps: 4,
        inputs: 16,
        outputs: 10,
        rank: [6, 6, 6],
      }),
      plan: expect.objectContaining({ epochs: 6, batch: 50, learningRate: 0.01, seed: 0 }),
      backend: { name: expect.any(String), isa: expect.any(String), threads: expect.any(Number) },
      data: 'mnist-train',
      epochs: [1, 2, 3, 4, 5, 6].map(epoch),
    });
  });

  it('learns, and leaves no checkpoint', () => {
    const { epochs } = JSON.parse(record) as { epochs: { loss: number }[] };
    expect(epochs[5].loss).toBeLessThan(epochs[0].loss);
    expect(readdirSync(inFolder()).sort()).toEqual(['digits', 'm.safetensors']);
  });

  it('draws the network and prints a line an epoch where there is no terminal', async () => {
    const output = inFolder('lines.safetensors');
    const { code, stdout, stderr } = await xitensor([
      'train',
      ...DATA(),
      ...SMALL,
      '--epochs',
      '2',
      '-o',
      output,
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^tt · ξ = rectifier · 4 steps of 16 inputs · 10 outputs/);
    const figures =
      'loss \\d+\\.\\d{4}, accuracy \\d+\\.\\d\\d %, test loss \\d+\\.\\d{4}, test accuracy \\d+\\.\\d\\d %';
    expect(lines.at(-3)).toMatch(new RegExp(`^epoch 1 of 2: ${figures}, \\d+\\.\\d s$`));
    expect(lines.at(-2)).toMatch(new RegExp(`^epoch 2 of 2: ${figures}, \\d+\\.\\d s$`));
    expect(lines.at(-1)).toMatch(/^wrote .*lines\.safetensors, test accuracy /);
    rmSync(output);
  });

  it('says that it replaces a model, before it begins', async () => {
    const output = inFolder('again.safetensors');
    const args = ['train', ...DATA(), ...SMALL, '--epochs', '1', '-o', output];
    expect(await xitensor(args)).toMatchObject({ code: 0, stderr: '' });
    expect(await xitensor(args)).toMatchObject({ code: 0, stderr: `replaces ${output}\n` });
    expect(await xitensor([...args, '--json'])).toMatchObject({ code: 0, stderr: '' });
    rmSync(output);
  });

  it('takes the real MNIST where no folder is named', async () => {
    const output = inFolder('mnist.safetensors');
    const args = ['train', '--limit', '500', '--epochs', '1', '--rank', '4', '--features', '4', '--json'];
    const { code, stdout } = await xitensor([...args, '-o', output]);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).config).toMatchObject({ steps: 16, inputs: 49 });
    rmSync(output);
  });
});

describe('score', () => {
  it('gives the figures that train gave', async () => {
    const { validation } = JSON.parse(record).epochs[5];
    const json = await xitensor(['score', model, ...DATA(), '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ data: 'mnist-test', count: 150, ...validation });
    const text = await xitensor([
      'score',
      model,
      ...DATA(),
      '--split',
      'train',
      '--limit',
      '40',
      '--backend',
      'reference',
    ]);
    expect(text.stdout).toMatch(
      /^mnist-train: accuracy \d+\.\d\d % \(\d+ of 40\), softmax loss .*, reference float64, /,
    );
  });

  it('scores a .npy file and writes one', async () => {
    const X = tensor(
      Float32Array.from({ length: 3 * 64 }, (_, n) => (n % 7) / 7),
      [3, 4, 16],
    );
    const [input, output] = [inFolder('x.npy'), inFolder('y.npy')];
    await writeNpy(input, X);
    const expected = (await loadModel(model)).score(X);
    const written = await xitensor(['score', model, '-i', input, '-o', output]);
    expect(written).toMatchObject({ code: 0, stdout: `wrote ${output}: scores [3, 10]\n` });
    expect(await readNpy(output)).toEqual(expected);
    const printed = await xitensor(['score', model, '-i', input, '--json']);
    expect(JSON.parse(printed.stdout)).toMatchObject({ shape: [3, 10] });
    expect(JSON.parse(printed.stdout).scores.flat()).toEqual([...expected.data]);
    await writeNpy(input, tensor(X, undefined, 'float64'));
    const lines = await xitensor(['score', model, '-i', input]);
    const [head, ...rows] = lines.stdout.trimEnd().split('\n');
    expect(head.split('\t')).toEqual(['prediction', ...'0123456789']);
    const scores = rows.flatMap((row) => row.split('\t').slice(1));
    expect(scores.map(Number)).toEqual([...expected.data]);
    for (const path of [input, output]) rmSync(path);
  });

  it.each<[string, readonly number[], number, RegExp]>([
    [
      'another number of steps',
      [3, 5, 16],
      0,
      /X: expected shape \[any, 4, 16\], received \[3, 5, 16\].*E_SHAPE/,
    ],
    ['two axes', [4, 16], 0, /x\.npy: expected \[batch, 4, 16\], received \[4, 16\]|E_SHAPE/],
    [
      'NaN',
      [1, 4, 16],
      Number.NaN,
      /x\.npy, element \[0, 0, 0\]: expected a finite number in float32, received NaN.*E_FILE/,
    ],
  ])('refuses inputs with %s', async (_, shape, value, message) => {
    const input = inFolder('x.npy');
    const count = shape.reduce((x, y) => x * y);
    await writeNpy(input, tensor(new Float32Array(count).fill(value), shape));
    await fails(['score', model, '-i', input, '-o', inFolder('y.npy')], 1, message);
    rmSync(input);
    expect(readdirSync(inFolder()).sort()).toEqual(['digits', 'm.safetensors']);
  });
});
