import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { loadArrays } from '../../src/data/arrays.ts';
import { loadCsv, loadCsvInputs } from '../../src/data/csv.ts';
import { checkDataset } from '../../src/data/dataset.ts';
import { loadSplice } from '../../src/data/splice.ts';
import { parseCsv } from '../../src/io/csv.ts';
import { writeNpy } from '../../src/io/disk.ts';
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

describe('parseCsv', () => {
  test('quotes, line ends and the numbers of lines', () => {
    const text = 'a,b\r\n"x, ""y""\nz",2\n\n,\n"",\nlast,1';
    expect(parseCsv(text, 't')).toEqual([
      { line: 1, fields: ['a', 'b'] },
      { line: 2, fields: ['x, "y"\nz', '2'] },
      { line: 5, fields: ['', ''] },
      { line: 6, fields: ['', ''] },
      { line: 7, fields: ['last', '1'] },
    ]);
    expect(parseCsv('', 't')).toEqual([]);
    expect(parseCsv('a,', 't')).toEqual([{ line: 1, fields: ['a', ''] }]);
  });

  test('gives back what was written', () => {
    const quote = (field: string) =>
      /[",\r\n]|^ | $/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
    const field = fc.string({ unit: fc.constantFrom('a', '1', ' ', ',', '"', '\n', '\r\n', 'é') });
    // A row of one empty field is an empty line.
    const row = fc
      .array(field, { minLength: 1, maxLength: 4 })
      .filter(([first, ...rest]) => first !== '' || rest.length > 0);
    fc.assert(
      fc.property(fc.array(row), fc.constantFrom('\n', '\r\n'), fc.boolean(), (rows, end, ended) => {
        const text = rows.map((fields) => fields.map(quote).join(',')).join(end) + (ended ? end : '');
        expect(parseCsv(text, 't').map(({ fields }) => fields)).toEqual(rows);
      }),
    );
  });

  test('spaces belong to a field in quotes alone', () => {
    const rows = parseCsv(' a\t, b c ," d "\n', 't');
    expect(rows).toEqual([{ line: 1, fields: ['a', 'b c', ' d '] }]);
  });

  test('fields of any length', () => {
    const [long, quotes] = ['x'.repeat(12_000_000), '"'.repeat(4_000_000)];
    const [{ fields }] = parseCsv(`"${long}","${quotes}${quotes}",b\n`, 't');
    expect(fields.map(({ length }) => length)).toEqual([long.length, quotes.length, 1]);
  });

  test.each([
    ['a,b\n1,"2\n3,4', /t, line 2: expected a field, in quotes as a whole or without any, received '"2'/],
    ['a,b\n1,x"y"\n', /t, line 2: .*received 'x"y"'/],
    ['"a"b,c\n', /t, line 1: .*received '"a"b,c'/],
    ['a,b\r1,2\r', /t, line 1: expected lines that end in LF or CRLF, not in CR alone, received 'b\r1,2\r'/],
    ['a\n"b"\r1\r', /t, line 2: expected lines that end in LF or CRLF/],
    ['a\rb"', /t, line 1: expected lines that end in LF or CRLF/],
    ['"a\rb', /t, line 1: expected a field, in quotes/],
  ])('refuses %j', (text, message) => expect(() => parseCsv(text, 't')).toThrow(refusal('E_FILE', message)));
});

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
      ['.5', '+2', '2', '2.0', '1e1'],
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

describe('loadArrays', () => {
  const load = async (inputs: ReturnType<typeof tensor>, answers: ReturnType<typeof tensor>) => {
    await writeNpy(inFolder('x.npy'), inputs);
    await writeNpy(inFolder('y.npy'), answers);
    return loadArrays({ inputs: inFolder('x.npy'), answers: inFolder('y.npy') });
  };
  const X = tensor(
    Float64Array.from({ length: 12 }, (_, n) => n),
    [2, 3, 2],
  );

  test('values or tokens, classes or targets', async () => {
    const labelled = checkDataset('x', await load(X, tensor([2, 0])));
    expect(labelled).toMatchObject({ name: 'x', classes: 3, inputs: { dtype: 'float32', shape: [2, 3, 2] } });
    const real = checkDataset('x', await load(X, tensor([[0.5], [1.5]])));
    expect(real).toMatchObject({ targets: { dtype: 'float32', shape: [2, 1] } });
    const words = checkDataset(
      'x',
      await load(
        tensor([
          [1, 0, 7],
          [3, 2, 1],
        ]),
        tensor([1, 0]),
      ),
    );
    expect(words.inputs).toEqual({ dtype: 'int32', shape: [2, 3], data: Int32Array.of(1, 0, 7, 3, 2, 1) });
  });

  test('lengths', async () => {
    const withLengths = async (lengths: ReturnType<typeof tensor>) => {
      await load(X, tensor([1, 0]));
      await writeNpy(inFolder('l.npy'), lengths);
      const [inputs, answers, path] = ['x.npy', 'y.npy', 'l.npy'].map(inFolder);
      return loadArrays({ inputs, answers, lengths: path });
    };
    const data = checkDataset('x', await withLengths(tensor([3, 2])));
    expect(data.lengths).toEqual(Int32Array.of(3, 2));
    const refused: [ReturnType<typeof tensor>, RegExp][] = [
      [tensor([3, 4]), /l\.npy, element 1: expected 2 to 3 steps, received 4/],
      [tensor([0, 3]), /l\.npy, element 0: expected 2 to 3 steps, received 0/],
      [tensor([3, 1]), /l\.npy, element 1: expected 2 to 3 steps, received 1/],
      [tensor([3, 1.5]), /l\.npy, element 1: expected a whole number/],
      [tensor([3]), /l\.npy: expected lengths \[2\]/],
    ];
    for (const [lengths, message] of refused)
      await expect(withLengths(lengths)).rejects.toThrow(refusal('E_FILE', message));
  });

  test.each<[string, number[] | number[][], number[] | number[][], string, RegExp]>([
    ['half a class', [[1, 2]], [0.5], 'E_FILE', /y\.npy, element 0: expected a whole number.*received 0.5/],
    ['a negative token', [[1, -2]], [0], 'E_FILE', /x\.npy, element 1: expected a whole number.*received -2/],
    [
      'too many classes',
      [[1, 2]],
      [0, 1],
      'E_FILE',
      /y\.npy: expected classes \[1\] or targets \[1, outputs\]/,
    ],
    ['one axis', [1, 2], [0, 1], 'E_SHAPE', /x\.npy: expected \[batch, steps, inputs\], or tokens/],
  ])('refuses %s', async (_, inputs, answers, code, message) => {
    await expect(load(tensor(inputs), tensor(answers))).rejects.toThrow(refusal(code, message));
  });
});

describe('the splice junctions', () => {
  test('are there whole, in stratified folds that do not overlap', async () => {
    const count = { rows: 0, ei: 0 };
    const seen = new Set<string>();
    for (let fold = 0; fold < 5; fold++) {
      const { train, test: held } = await loadSplice({ fold });
      expect(train.inputs.shape.slice(1)).toEqual([60, 4]);
      expect(train.labels.length + held.labels.length).toBe(3186);
      expect([637, 638]).toContain(held.labels.length);
      const ei = held.labels.filter((label) => label === 0).length;
      expect([153, 154]).toContain(ei);
      count.rows += held.labels.length;
      count.ei += ei;
      for (let n = 0; n < held.labels.length; n++)
        seen.add(`${held.inputs.data.subarray(240 * n, 240 * n + 240)}`);
    }
    expect(count).toEqual({ rows: 3186, ei: 767 });
    // Some sequences occur twice.
    expect(seen.size).toBeGreaterThan(2900);
  });

  test('are one-hot letters, the same for the same seed', async () => {
    const [{ train }, other] = [await loadSplice(), await loadSplice({ seed: 1 })];
    for (let row = 0; row < 100; row++)
      expect([...train.inputs.data.subarray(4 * row, 4 * row + 4)].sort()).toEqual([0, 0, 0, 1]);
    expect((await loadSplice()).train).toEqual(train);
    expect(other.train.inputs.data).not.toEqual(train.inputs.data);
    expect(train.classNames).toEqual(['ei', 'ie', 'n']);
    await expect(loadSplice({ fold: 5 })).rejects.toThrow(
      refusal('E_ARGUMENT', /fold: .*from 0 to 4, received 5/),
    );
  });
});
