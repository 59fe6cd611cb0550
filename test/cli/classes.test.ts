import { beforeAll, expect, it } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { writeNpy } from '../../src/io/disk.ts';
import { random } from '../support/models.ts';
import { commandFolder, xitensor } from '../support/processes.ts';

const { inFolder, fails } = commandFolder();
const SMALL = ['--rank', '2', '--features', '2', '--epochs', '1', '--json'];

beforeAll(async () => {
  await writeNpy(inFolder('x.npy'), random([6, 2, 3]));
  await writeNpy(inFolder('from1.npy'), tensor([1, 2, 3, 1, 2, 3]));
  await writeNpy(inFolder('from0.npy'), tensor([0, 1, 2, 0, 1, 2]));
});

it('classes of .npy files that are numbered from 1 are said to be one more', async () => {
  const warning = 'from1.npy: no example of class 0; classes are numbered from 0, so that there are 4\n';
  const command = async (...args: string[]) => {
    const { code, stderr } = await xitensor(args, { cwd: inFolder() });
    expect(code).toBe(0);
    return stderr;
  };
  const train = ['train', ...SMALL, '-o', 'm.safetensors', '--data'];
  expect(await command(...train, 'x.npy+from0.npy')).toBe('');
  expect(await command(...train, 'x.npy+from1.npy')).toMatch(new RegExp(`/${warning}$`));
  expect(await command('score', 'm.safetensors', '--data', 'x.npy+from1.npy')).toBe(warning);
});

it('of arrays the number of classes and of tokens can be said, and a limit does not lower it', async () => {
  const words = [
    [0, 1],
    [2, 0],
    [7, 3],
  ];
  await writeNpy(inFolder('words.npy'), tensor(words));
  await writeNpy(inFolder('of.npy'), tensor([0, 1, 0]));
  const data = ['--data', 'words.npy+of.npy'];
  const config = async (...args: string[]) => {
    const { code, stdout, stderr } = await xitensor(['train', ...SMALL, ...data, '-o', 'w', ...args], {
      cwd: inFolder(),
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    return JSON.parse(stdout).config;
  };
  expect(await config('--limit', '1')).toMatchObject({ inputs: 8, outputs: 2 });
  expect(await config('--words', '20', '--classes', '5')).toMatchObject({ inputs: 20, outputs: 5 });
  const train = ['train', ...SMALL, '-o', 'w'];
  await fails(
    [...train, ...data, '--words', '7'],
    2,
    /--words: expected more than the largest token of .*, 7, r/,
  );
  await fails([...train, ...data, '--classes', '1'], 1, /of\.npy, element 1: expected a class from 0 to 0/);
  const values = [...train, '--data', 'x.npy+from0.npy'];
  await fails([...values, '--words', '7'], 2, /--words: expected tokens \[n, T\] in .*x\.npy, received 7/);
  const score = ['score', 'w', ...data, '--classes', '5'];
  await fails(score, 2, /--data: expected no option that the model decides, received \['--classes'\]/);
});
