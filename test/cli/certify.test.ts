import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { writeNpy } from '../../src/io/disk.ts';
import type { ModelOptions } from '../../src/models/config.ts';
import { saveModel } from '../../src/models/disk.ts';
import { createModel } from '../../src/models/model.ts';
import { commandFolder, xitensor } from '../support/processes.ts';

const { inFolder, fails } = commandFolder();

/** Writes a recurrent network of random weights, with as many features as its rank. */
function saveNetwork(
  name: string,
  options: Pick<ModelOptions, 'xi' | 'steps' | 'inputs' | 'outputs' | 'seed'> & { readonly rank: number },
): Promise<void> {
  const features = { size: options.rank };
  return saveModel(createModel({ kind: 'tt', ...options, features, init: 'normal' }), inFolder(name));
}

describe('certify', () => {
  const certify = (...args: string[]) => xitensor(['certify', ...args], { cwd: inFolder() });
  beforeAll(async () => {
    await saveNetwork('m.safetensors', {
      xi: 'rectifier',
      steps: 6,
      inputs: 4,
      outputs: 2,
      rank: 4,
      seed: 4,
    });
    const rng = new Rng(1);
    await writeNpy(
      inFolder('t.npy'),
      tensor(
        Float64Array.from({ length: 20 }, () => rng.normal()),
        [5, 4],
      ),
    );
  });
  const MODEL = ['m.safetensors', '--templates', 't.npy', '--samples', '30'];

  it('writes a certificate that --check verifies, and that does not survive a change', async () => {
    const made = await certify(...MODEL, '--exact', '--out', 'cert.json');
    expect(made).toMatchObject({ code: 0, stderr: '' });
    expect(made.stdout).toMatch(/rank \d+ of a 27 × 27 matrix, proven modulo 16777213/);
    expect(made.stdout).toMatch(
      /has width ≥ \d+ .*\nspectrum: .*\na shallow network with as many .*\nwrote cert.json\n$/,
    );
    const check = ['--check', 'cert.json', '--model', 'm.safetensors', '--templates', 't.npy'];
    expect(await certify(...check)).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/cert.json holds: rank ≥ \d+/),
    });
    const certificate = JSON.parse(readFileSync(inFolder('cert.json'), 'utf8'));
    expect(JSON.parse((await certify(...check, '--json')).stdout)).toMatchObject({
      valid: true,
      rank: certificate.rank,
    });
    writeFileSync(
      inFolder('cert.json'),
      JSON.stringify({ ...certificate, bound: { ...certificate.bound, refined: 99 } }),
    );
    await fails(['certify', ...check], 1, /checkCertificate bound: expected .*E_NUMERIC/);
    // All that is wrong in the file fails, and is no bad argument.
    const faulty: [object, RegExp][] = [
      [
        { ...certificate, xi: 'max' },
        /checkCertificate xi: expected 'rectifier', received 'max' \(E_NUMERIC\)/,
      ],
      [
        { ...certificate, rank: -1 },
        /^xitensor: cert\.json rank: expected an integer from 0 to 27, received -1 \(E_FILE\)/,
      ],
      [
        { ...certificate, more: 1 },
        /^xitensor: cert\.json: expected parts among format, .*, received 'more' \(E_FILE\)/,
      ],
      [{ ...certificate, version: 1 }, /cert\.json: expected version 2, received 1 \(E_FILE\)/],
      [
        { rank: 3 },
        /cert\.json: expected format 'xitensor-width-certificate', .*, received undefined \(E_FILE\)/,
      ],
    ];
    for (const [content, message] of faulty) {
      writeFileSync(inFolder('cert.json'), JSON.stringify(content));
      await fails(['certify', ...check], 1, message);
    }
  });

  it('prints a record with the certificate in it, which is not one itself', async () => {
    const record = JSON.parse((await certify(...MODEL, '--exact', '--json', '--out', 'own.json')).stdout);
    expect(record).not.toHaveProperty('format');
    expect(record.certificate).toEqual(JSON.parse(readFileSync(inFolder('own.json'), 'utf8')));
    expect(record).toMatchObject({ rank: record.certificate.rank, bound: record.certificate.bound });
  });

  it('says in the same words that no width will do', async () => {
    await saveNetwork('sum.safetensors', {
      xi: 'relusum',
      steps: 4,
      inputs: 2,
      outputs: 1,
      rank: 3,
      seed: 2,
    });
    await writeNpy(
      inFolder('four.npy'),
      tensor([
        [1, 2],
        [-1, 0.5],
        [0.25, -2],
        [3, 1],
      ]),
    );
    const model = ['sum.safetensors', '--templates', 'four.npy'];
    const words = 'no shallow network of any width agrees with it';
    const made = (await certify(...model, '--exact', '--out', 'sum.json')).stdout;
    expect(made).toContain(words);
    expect(made).toMatch(/\nspectrum: \d+ above 1e-3, \d+ above 1e-6, \d+ above 1e-9 of the largest/);
    expect((await certify(...model, '--check', 'sum.json')).stdout).toMatch(
      new RegExp(`^sum.json holds: rank ≥ \\d+, ${words} \\(modulo 16777213\\)\\n$`),
    );
  });

  it('gives a numerical bound with its tolerance and spectrum', async () => {
    const { code, stdout } = await certify(...MODEL, '--output', 'all', '--json');
    expect(code).toBe(0);
    const record = JSON.parse(stdout);
    expect(record).toMatchObject({
      method: 'spectrum',
      rows: 27,
      columns: 27,
      spectrum: { tolerance: 1e-10 },
    });
    expect(record.spectrum.singularValues.length).toBe(27);
    const shown = (await certify(...MODEL)).stdout;
    expect(shown).toMatch(/has width ≥ \d+ by a numerical rank, not proven; gap (Infinity|[\d.e+]+)/);
    expect((await certify(...MODEL, '--exact')).stdout).not.toMatch(/not proven/);
  });

  it('keeps to --max-bytes, to make a certificate and to check one', async () => {
    await certify(...MODEL, '--exact', '--out', 'limited.json');
    const check = ['--check', 'limited.json', ...MODEL.slice(0, 3)];
    const limit = ['--max-bytes', '10000'];
    await fails(
      ['certify', ...MODEL, '--exact', ...limit],
      1,
      /certify: expected at most \d+ bytes \(maxBytes\), received 729 exact scores, .*E_MEMORY/,
    );
    await fails(
      ['certify', ...check, ...limit],
      1,
      /checkCertificate: .* received 729 exact scores, .*E_MEMORY/,
    );
    expect(await certify(...check, '--max-bytes', '134217728')).toMatchObject({ code: 0 });
    await fails(['certify', ...check, '--max-bytes', '-1'], 2, /--max-bytes: expected an integer/);
  });

  it('proves a rank without a spectrum where the scores overflow', async () => {
    const sizes = { kind: 'cp', xi: 'product', steps: 2, inputs: 1, outputs: 1, rank: 1 } as const;
    const huge = createModel({ ...sizes, features: { size: 1, activation: 'identity' }, dtype: 'float64' });
    huge.setParameters({
      'features.A': tensor([[1]]),
      'features.b': tensor([0]),
      lambda: tensor([[1]]),
      v: tensor([[[1e200]], [[1e200]]]),
    });
    await saveModel(huge, inFolder('huge.safetensors'));
    await writeNpy(inFolder('one.npy'), tensor([[1]]));
    const asked = ['huge.safetensors', '--templates', 'one.npy', '--exact'];
    expect((await certify(...asked)).stdout).toMatch(
      /rank 1 of a 1 × 1 .*\n.*\nspectrum: none, the scores leave/,
    );
    expect(JSON.parse((await certify(...asked, '--json')).stdout)).toMatchObject({ rank: 1, spectrum: null });
  });

  it('asks for the templates of a model that does not say what it was trained on', async () => {
    await fails(
      ['certify', 'm.safetensors'],
      2,
      /--templates: expected mnist, .*m\.safetensors does not say what/,
    );
  });

  it('takes the letters of DNA', async () => {
    const { code, stdout } = await certify('m.safetensors', '--templates', 'splice', '--exact', '--json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ rows: 64, columns: 64 });
  });

  it('takes the steps of a table that the model was trained on, and asks for it', async () => {
    const rows = Array.from({ length: 30 }, (_, n) => [n % 3, (n * n) % 5, n % 2, n % 4, n % 2 ? 'a' : 'b']);
    writeFileSync(inFolder('table.csv'), ['p,q,r,s,class', ...rows.map((row) => row.join())].join('\n'));
    const table = ['--data', 'table.csv', '--label', 'class', '--inputs', '2'];
    const short = ['--rank', '3', '--features', '4', '--epochs', '1', '--json', '-o', 'table.safetensors'];
    expect(await xitensor(['train', ...table, ...short], { cwd: inFolder() })).toMatchObject({ code: 0 });
    const own = ['table.safetensors', '--templates', 'table.csv'];
    const { code, stdout } = await certify(...own, '--exact', '--json', '--out', 'table.json');
    expect(code).toBe(0);
    // Pairs (n mod 3, n² mod 5) and (n mod 2, n mod 4): 9 and 4, of which (0, 0) and (1, 1) are in both.
    expect(JSON.parse(stdout)).toMatchObject({ rows: 11, columns: 11 });
    const check = ['--check', 'table.json', ...own];
    expect(await certify(...check)).toMatchObject({ code: 0, stdout: expect.stringMatching(/holds/) });
    await fails(['certify', ...own.slice(0, 1)], 2, /--templates: expected data such as table.csv/);
    await fails(['certify', ...own, '--count', '12'], 2, /--count: expected at most 11 different steps/);
    writeFileSync(inFolder('numbers.csv'), 'p,q\n1,2\n');
    await fails(
      ['certify', 'm.safetensors', '--templates', 'numbers.csv'],
      1,
      /numbers.csv: expected steps of 4 inputs/,
    );
    await fails(['certify', 'm.safetensors', ...own.slice(1)], 1, /line 2, column class: expected/);
  });

  it('refuses wrong arguments', async () => {
    await fails(
      ['certify', ...MODEL, '--count', '3'],
      2,
      /--count: expected templates of images or of a table/,
    );
    const small = { steps: 2, inputs: 3, outputs: 1, rank: 1, features: { size: 2 } } as const;
    const spam = createModel({ kind: 'tt', xi: 'max', ...small });
    await saveModel(spam, inFolder('spam.safetensors'), { data: 'spam' });
    await fails(['certify', 'spam.safetensors'], 2, /--templates: expected mnist, .*trained on spam/);
    await fails(['certify'], 2, /expected one model file, received 'none' /);
    await fails(['certify', 'a', '--model', 'b'], 2, /expected one model file, received 'two' /);
    await fails(['certify', 'none.safetensors'], 1, /cannot read none.safetensors/);
    await fails(
      ['certify', 'm.safetensors', '--templates', 'mnit'],
      2,
      /received 'mnit'; did you mean 'mnist'\?/,
    );
    const hint = /expected a number or all, of the scores; --out names the file/;
    await fails(['certify', ...MODEL, '--output', 'cert.json'], 2, hint);
    await fails(['certify', ...MODEL, '--output', '2'], 2, /output: expected an integer from 0 to 1/);
    await fails(['certify', ...MODEL, '--exact', '--prime', '8'], 2, /a prime, received 8/);
    await fails(
      ['certify', ...MODEL, '--prime', '7'],
      2,
      /--prime: expected an --exact beside it, received 7/,
    );
    await fails(
      ['certify', '--check', 'm.safetensors', '--model', 'm.safetensors', '--templates', 't.npy'],
      1,
      /as JSON/,
    );
    const check = ['--check', 'cert.json', '--model', 'm.safetensors', '--samples', '9', '--exact'];
    await fails(
      ['certify', ...check],
      2,
      /no option that the certificate decides, received \[.*--samples.*--exact.*\]/,
    );
  });
});
