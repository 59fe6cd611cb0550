import { beforeAll, expect, it } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { writeNpy } from '../../src/io/disk.ts';
import { random } from '../support/models.ts';
import { commandFolder, xitensor } from '../support/processes.ts';

const { inFolder } = commandFolder();
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
