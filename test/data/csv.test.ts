import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { type CsvOptions, loadCsv, loadCsvInputs } from '../../src/data/csv.ts';
import { checkDataset } from '../../src/data/dataset.ts';
import { refusal } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);
const write = (text: string) => {
  writeFileSync(inFolder('t.csv'), text);
  return inFolder('t.csv');
};

describe('loadCsv', () => {
  test('columns of numbers are steps, classes have names', async () => {
    const path = write('x1,label,x2,x3,x4\n1,dog,2,3,4\n5,cat,6,7,-8e-1\n9,dog,10,11,12\n');
    const data = checkDataset('t', await loadCsv(path, { inputs: 2, dtype: 'float64' }));
    expect(data.inputs).toEqual(tensor([1, 2, 3, 4, 5, 6, 7, -0.8, 9, 10, 11, 12], [3, 2, 2]));
    expect(data).toMatchObject({ name: 't', classes: 2, classNames: ['cat', 'dog'] });
    expect([...data.labels]).toEqual([1, 0, 1]);
    expect((await loadCsv(path)).inputs).toMatchObject({ dtype: 'float32', shape: [3, 4, 1] });
    expect([...(await loadCsv(path, { classNames: ['dog', 'bird', 'cat'] })).labels]).toEqual([0, 2, 0]);
  });

  test('columns that are named are the inputs, in that order', async () => {
    const path = write('id,x1,note,x2,label\n7,1,first,2,a\n8,3,second,4,b\n');
    const data = checkDataset('t', await loadCsv(path, { columns: ['x2', 'x1'] }));
    expect(data.inputs).toEqual(tensor(Float32Array.of(2, 1, 4, 3), [2, 2, 1]));
    const one = await loadCsv(path, { columns: ['x1'], targets: ['x2'] });
    expect([...one.inputs.data, ...one.targets.data]).toEqual([1, 3, 2, 4]);
    await expect(loadCsv(path, { columns: ['x3'] })).rejects.toThrow(
      refusal('E_FILE', /line 1: expected a column 'x3', received id, x1, note, x2, label/),
    );
    await expect(loadCsv(path, { columns: ['x3', 'x2', 'x4'] })).rejects.toThrow(
      refusal('E_FILE', /line 1: expected columns 'x3', 'x4', received id, x1, note, x2, label$/),
    );
    const wide = Array.from({ length: 20 }, (_, n) => `c${n}`);
    await expect(loadCsv(path, { columns: wide })).rejects.toThrow(
      refusal('E_FILE', /expected columns 'c0', .*'c7', … 20 in all, received id/),
    );
  });

  test('classes that are numbers go by their values, however they are written', async () => {
    const data = await loadCsv(write('a,label\n1,1.0\n2,0\n3,01\n4,1\n5,-0.0\n6,+2e0\n'));
    expect(checkDataset('t', data)).toMatchObject({ classNames: ['0', '1', '+2e0'], classes: 3 });
    expect([...data.labels]).toEqual([1, 0, 1, 1, 0, 2]);
    const other = write('a,label\n1,1.0\n2,0.0\n');
    expect([...(await loadCsv(other, { classNames: ['1', '0'] })).labels]).toEqual([0, 1]);
    // Those of model files in which they were classes of their own stay so.
    expect([...(await loadCsv(other, { classNames: ['0', '0.0', '1', '1.0'] })).labels]).toEqual([3, 1]);
    // As texts, and as numbers of more digits than a double has, they differ.
    const texts = await loadCsv(write('a,label\n1,1.0\n2,1\n3,x\n'));
    expect(texts.classNames).toEqual(['1', '1.0', 'x']);
    const long = ['9007199254740992', '9007199254740993'];
    const digits = await loadCsv(write(`a,label\n1,${long[1]}\n2,${long[0]}\n`));
    expect(digits.classNames).toEqual(long);
    const unknown = loadCsv(write('a,label\n1,1.0\n'), { classNames: ['0', 'x'] });
    await expect(unknown).rejects.toThrow(
      refusal('E_FILE', /line 2, column label: expected one of 0, x, received '1\.0'/),
    );
  });

  test('other delimiters, by option or by name', async () => {
    const commas = await loadCsv(write('a,b,label\n1,2,x\n3,4,"y;z"\n'));
    expect(commas.classNames).toEqual(['x', 'y;z']);
    for (const delimiter of [';', '\t', '|', '\u{1f9f5}']) {
      const rows = [['a', 'b', 'label'], ['1', ' 2', 'x'], ['3', '4', '"y;z"\r'], []];
      const path = write(rows.map((row) => row.join(delimiter)).join('\n'));
      expect(await loadCsv(path, { delimiter }), delimiter).toEqual(commas);
    }
    const path = inFolder('t.tsv');
    writeFileSync(path, 'a\tb\tlabel\n1\t2\tx\n3\t4\ty;z\n');
    expect(await loadCsv(path)).toEqual(commas);
    expect((await loadCsvInputs(path, { columns: ['b'] })).inputs).toEqual(
      tensor(Float32Array.of(2, 4), [2, 1, 1]),
    );
    for (const delimiter of ['', ',,', '"', '\n', '1', 'x', '.', '-', 3])
      await expect(loadCsv(path, { delimiter } as CsvOptions)).rejects.toThrow(
        refusal(
          'E_ARGUMENT',
          /^loadCsv delimiter: expected one character, such as ',', ';' or a tab, received/,
        ),
      );
    // A first line that is one field says which was meant.
    await expect(loadCsv(write('a;b;label\n1;2;x\n'))).rejects.toThrow(
      refusal(
        'E_FILE',
        /line 1: expected a column 'label', received a;b;label; did you mean the delimiter ';'\?$/,
      ),
    );
    await expect(loadCsv(write('a\tlabel\n1,5\tx\n'))).rejects.toThrow(
      refusal(
        'E_FILE',
        /line 2: expected 1 fields .*, received '2 fields'; did you mean the delimiter '\\t'\?$/,
      ),
    );
  });

  test('inputs alone need no answers', async () => {
    const options = { columns: ['x2', 'x1'], label: 'kind', dtype: 'float64' } as const;
    const alone = await loadCsvInputs(write('x1,note,x2\n1,a,2\n3,b,4\n'), options);
    expect(alone).toEqual({ inputs: tensor([2, 1, 4, 3], [2, 2, 1]), columns: ['x2', 'x1'] });
    const path = write('x1,label\n1,a\n3,b\n');
    const { inputs, columns } = await loadCsv(path);
    expect(await loadCsvInputs(path)).toEqual({ inputs, columns });
    expect(columns).toEqual(['x1']);
    await expect(loadCsvInputs(path, { inputs: 3 })).rejects.toThrow(
      refusal('E_ARGUMENT', /^loadCsvInputs inputs: expected a divisor of the 1 columns of numbers/),
    );
    const letters = await loadCsvInputs(write('w\nbb\naba\n'), {
      sequence: 'w',
      alphabet: 'ab',
      variable: true,
    });
    expect([...letters.inputs.data]).toEqual([0, 1, 0, 1, 0, 0, 1, 0, 0, 1, 1, 0]);
    expect([...letters.lengths!]).toEqual([2, 3]);
  });

  test('classes that are numbers go by number; letters become one-hot rows', async () => {
    const path = write('class,word\n10,ab\n9,ba\n-10,bb\n');
    const data = await loadCsv(path, { label: 'class', sequence: 'word' });
    expect(data.classNames).toEqual(['-10', '9', '10']);
    expect(data.inputs.shape).toEqual([3, 2, 2]);
    expect([...data.inputs.data]).toEqual([1, 0, 0, 1, 0, 1, 1, 0, 0, 1, 0, 1]);
    const wider = await loadCsv(path, { label: 'class', sequence: 'word', alphabet: 'bca' });
    expect([...wider.inputs.data.subarray(0, 6)]).toEqual([0, 0, 1, 1, 0, 0]);
    expect([data.alphabet, wider.alphabet]).toEqual(['ab', 'bca']);
  });

  test('names in quotes keep their spaces', async () => {
    const path = write('x," x ",label\n1,2,"p "\n3,4,p\n5,6, p\n');
    const data = await loadCsv(path, { columns: [' x ', 'x'] });
    expect(data.classNames).toEqual(['p', 'p ']);
    expect([...data.labels]).toEqual([1, 0, 0]);
    expect([...data.inputs.data]).toEqual([2, 1, 4, 3, 6, 5]);
    const letters = await loadCsv(write('w,label\n"a ",x\n ba ,y\n" b",x\n'), {
      sequence: 'w',
    });
    expect(letters.alphabet).toBe(' ab');
    await expect(loadCsv(write('a,label\n1," "\n'))).rejects.toThrow(
      refusal('E_FILE', /line 2, column label: expected a class, received ' '/),
    );
  });

  test.each([
    [
      ['10.0', '9.0', '2.0'],
      ['2.0', '9.0', '10.0'],
    ],
    [
      ['-1', '1', '-10'],
      ['-10', '-1', '1'],
    ],
    [
      ['1e1', '+2', '.5', '2.0', '2'],
      ['.5', '2', '1e1'],
    ],
    [
      ['10', '9', '0x1'],
      ['0x1', '10', '9'],
    ],
    [
      ['10', '9', '1e999'],
      ['10', '1e999', '9'],
    ],
  ])('classes %j go by number if all are finite numbers: %j', async (names, order) => {
    const path = write(`a,label\n${names.map((name) => `1,${name}`).join('\n')}\n`);
    expect((await loadCsv(path)).classNames).toEqual(order);
  });

  test('letters are characters, also those that take two code units', async () => {
    const data = await loadCsv(write('w,label\n𝒜b,x\nb𝒜,y\n'), { sequence: 'w' });
    expect(data.inputs.shape).toEqual([2, 2, 2]);
    expect([...data.inputs.data]).toEqual([0, 1, 1, 0, 1, 0, 0, 1]);
    expect(data.alphabet).toBe('b𝒜');
  });

  test('sequences of several lengths end at their last number, or letter', async () => {
    const path = write('label,x1,x2,x3,x4,x5,x6\na,1,2,3,4,,\nb,3,4,5,6,7,8\na,7, 8,9,0\n');
    const data = checkDataset('t', await loadCsv(path, { inputs: 2, variable: true }));
    expect([...data.lengths!]).toEqual([2, 3, 2]);
    expect(data.inputs.shape).toEqual([3, 3, 2]);
    expect([...data.inputs.data]).toEqual([1, 2, 3, 4, 0, 0, 3, 4, 5, 6, 7, 8, 7, 8, 9, 0, 0, 0]);
    const wider = await loadCsv(path, { inputs: 2, variable: true, steps: 4 });
    expect(wider.inputs.shape).toEqual([3, 4, 2]);
    expect([...wider.inputs.data.subarray(8, 16)]).toEqual([3, 4, 5, 6, 7, 8, 0, 0]);
    const few = await loadCsv(write('label,x1,x2,x3\na,1,2,\nb,3,4\n'), { variable: true });
    expect(few.inputs.shape).toEqual([2, 2, 1]);
    expect([...few.inputs.data]).toEqual([1, 2, 3, 4]);

    const words = await loadCsv(write('w,label\nab,x\nbb,y\nbba,x\n'), { sequence: 'w', variable: true });
    expect([...words.lengths!]).toEqual([2, 2, 3]);
    expect([...words.inputs.data]).toEqual([1, 0, 0, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 1, 0]);
    expect(await loadCsv(write('w,label\nab,x\n'), { sequence: 'w' })).not.toHaveProperty('lengths');
  });

  test.each<[object, RegExp]>([
    [{ label: 3 }, /label: expected a string/],
    [{ sequence: 'w', alphabet: 5 }, /alphabet: expected a string/],
    [{ sequence: 'w', alphabet: '' }, /alphabet: expected letters, each once, received ''/],
    [{ sequence: 'w', alphabet: 'aba' }, /alphabet: expected letters, each once, received 'aba'/],
    [{ alphabet: 'ab' }, /alphabet: expected a sequence beside it/],
    [{ sequence: 'w', inputs: 2 }, /inputs: expected no sequence beside it/],
    [{ targets: [] }, /targets: expected a list of names, received \[\]/],
    [{ targets: 'w' }, /targets: expected a list of names/],
    [{ targets: ['w', 'w'] }, /targets: expected every column once/],
    [{ columns: [] }, /columns: expected a list of names, received \[\]/],
    [{ columns: ['w', 'w'] }, /columns: expected every column once/],
    [{ columns: ['w', 'label'] }, /columns: expected no column of answers, received 'label'/],
    [{ sequence: 'label' }, /sequence: expected no column of answers, received 'label'/],
    [{ sequence: 'w', label: 'w' }, /sequence: expected no column of answers, received 'w'/],
    [{ sequence: 'w', targets: ['w'] }, /sequence: expected no column of answers, received 'w'/],
    [{ columns: ['w'], sequence: 'w' }, /columns: expected no sequence beside them, received 'w'/],
    [{ classNames: [1, 2] }, /classNames: expected a list of names/],
  ])('refuses the columns %j', async (options, message) => {
    const path = write('w,label\nab,x\nba,y\n');
    await expect(loadCsv(path, options)).rejects.toThrow(refusal('E_ARGUMENT', message));
  });

  test('real targets', async () => {
    const data = await loadCsv(write('a,b,y,z\n1,2,3,4\n5,6,7,8\n'), { targets: ['z', 'y'] });
    expect(checkDataset('t', data).targets).toEqual(tensor(Float32Array.of(4, 3, 8, 7), [2, 2]));
    expect([...data.inputs.data]).toEqual([1, 2, 5, 6]);
  });

  test.each<[string, string, object, string, RegExp]>([
    ['no rows', 'a,label\n', {}, 'E_FILE', /t\.csv: expected a line of names and rows below it/],
    ['a missing column', 'a,b\n1,2\n', {}, 'E_FILE', /line 1: expected a column 'label', received a, b/],
    [
      'a row too short',
      'a,label\n1,x\n\n2\n',
      {},
      'E_FILE',
      /line 4: expected 2 fields.*received '1 fields'/,
    ],
    [
      'what is no number',
      'a,label\n1,x\nzwei,x\n',
      {},
      'E_FILE',
      /line 3, column a: expected a finite number, received 'zwei'/,
    ],
    [
      'a hexadecimal number',
      'a,label\n0x10,x\n',
      {},
      'E_FILE',
      /column a: expected a finite number, received '0x10'/,
    ],
    ['an empty number', 'a,label\n ,x\n', {}, 'E_FILE', /line 2, column a: expected a finite number/],
    ['an infinite number', 'a,label\n1e999,x\n', {}, 'E_FILE', /line 2, column a/],
    ['an empty class', 'a,label\n1,x\n1,\n', {}, 'E_FILE', /line 3, column label: expected a class/],
    [
      'an unknown class',
      'a,label\n1,x\n1,y\n',
      { classNames: ['x'] },
      'E_FILE',
      /line 3, column label: expected one of x, received 'y'/,
    ],
    [
      'another length',
      'w,label\nab,x\na,x\n',
      { sequence: 'w' },
      'E_FILE',
      /line 3: expected 2 letters, received '1 letters'/,
    ],
    [
      'an unknown letter',
      'w,label\nab,x\nac,x\n',
      { sequence: 'w', alphabet: 'ab' },
      'E_FILE',
      /line 3, letter 2: expected one of a, b, received 'c'/,
    ],
    [
      'a hole in a sequence',
      'a,b,c,label\n1,,3,x\n',
      { variable: true },
      'E_FILE',
      /line 2, column b: expected a finite number, received ''/,
    ],
    [
      'half a step',
      'a,b,c,d,label\n1,2,3,4,x\n1,2,3,,x\n',
      { variable: true, inputs: 2 },
      'E_FILE',
      /line 3: expected steps of 2 numbers, received '3 numbers'/,
    ],
    ['a sequence of nothing', 'a,label\n,x\n', { variable: true }, 'E_FILE', /line 2.*received '0 numbers'/],
    [
      'a sequence of no letter',
      'w,label\nab,x\n,x\n',
      { variable: true, sequence: 'w' },
      'E_FILE',
      /line 3: expected at least 2 steps, received 0/,
    ],
    [
      'a sequence of one number',
      'a,b,label\n1,2,x\n3,,x\n',
      { variable: true },
      'E_FILE',
      /line 3: expected at least 2 steps, received 1/,
    ],
    [
      'a sequence of one letter',
      'w,label\nab,x\na,x\n',
      { variable: true, sequence: 'w' },
      'E_FILE',
      /line 3: expected at least 2 steps, received 1/,
    ],
    [
      'room for one step',
      'a,label\n1,x\n',
      { variable: true, steps: 1 },
      'E_ARGUMENT',
      /loadCsv steps: expected an integer from 2/,
    ],
    ['no letter at all', 'w,label\n,x\n', { sequence: 'w' }, 'E_FILE', /line 2: expected some letters/],
    [
      'a sequence that is too long',
      'w,label\nab,x\nabc,x\n',
      { variable: true, sequence: 'w', steps: 2 },
      'E_FILE',
      /line 3: expected at most 2 steps, received 3/,
    ],
    [
      'a row too long',
      'a,label\n1,x,2\n',
      { variable: true },
      'E_FILE',
      /line 2: expected at most 2 fields.*received '3 fields'/,
    ],
    ['steps of equal lengths', 'a,label\n1,x\n', { steps: 2 }, 'E_ARGUMENT', /steps: expected variable/],
    ['variable: 1', 'a,label\n1,x\n', { variable: 1 }, 'E_ARGUMENT', /variable: expected true or false/],
    [
      'inputs that do not divide',
      'a,b,c,label\n1,2,3,x\n',
      { inputs: 2 },
      'E_ARGUMENT',
      /inputs: expected a divisor of the 3/,
    ],
    [
      'label and targets',
      'a,label\n1,2\n',
      { label: 'label', targets: ['a'] },
      'E_ARGUMENT',
      /no label beside them/,
    ],
    ['an unknown option', 'a,label\n1,2\n', { column: 1 }, 'E_ARGUMENT', /received 'column'/],
  ])('refuses %s', async (_, text, options, code, message) => {
    await expect(loadCsv(write(text), options)).rejects.toThrow(refusal(code, message));
  });
});
