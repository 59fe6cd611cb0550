import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { loadArrays } from '../../src/data/arrays.ts';
import { checkDataset } from '../../src/data/dataset.ts';
import { writeNpy } from '../../src/io/disk.ts';
import { refusal } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);

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

  test('no example is refused with the file', async () => {
    const none = load(tensor(new Float64Array(0), [0, 3, 2]), tensor(new Float64Array(0), [0]));
    await expect(none).rejects.toThrow(
      refusal('E_FILE', /x\.npy: expected at least one example, received \[0, 3, 2\]/),
    );
  });

  test('more classes than have examples', async () => {
    const withClasses = async (answers: ReturnType<typeof tensor>, classes: number) => {
      await load(X, answers);
      return loadArrays({ inputs: inFolder('x.npy'), answers: inFolder('y.npy'), classes });
    };
    expect(checkDataset('x', await withClasses(tensor([1, 0]), 5))).toMatchObject({ classes: 5 });
    const refused: [ReturnType<typeof tensor>, number, 'E_FILE' | 'E_ARGUMENT', RegExp][] = [
      [tensor([0, 5]), 5, 'E_FILE', /y\.npy, element 1: expected a class from 0 to 4, received 5/],
      [tensor([0, 1]), 0, 'E_ARGUMENT', /loadArrays classes: expected an integer from 1/],
      [tensor([[0.5], [1]]), 2, 'E_ARGUMENT', /loadArrays classes: expected classes \[2\] in .*y\.npy/],
    ];
    for (const [answers, classes, code, message] of refused)
      await expect(withClasses(answers, classes)).rejects.toThrow(refusal(code, message));
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
      'values without the axis of inputs',
      [[1, 2.5]],
      [0],
      'E_FILE',
      /x\.npy, element 1: .*, as two axes are tokens \[batch, steps\], and values \[batch, steps, inputs\], received 2\.5/,
    ],
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
