import { beforeAll, it } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { writeNpy } from '../../src/io/disk.ts';
import { saveModel } from '../../src/models/disk.ts';
import { make } from '../support/models.ts';
import { commandFolder } from '../support/processes.ts';

const { inFolder, fails } = commandFolder();

beforeAll(async () => {
  await saveModel(make({ xi: 'product' }), inFolder('m.safetensors'));
  const values = Float32Array.from({ length: 2 * 3 * 4 }, (_, n) => (n < 12 ? 1 : 3e38));
  await writeNpy(inFolder('x.npy'), tensor(values, [2, 3, 4]));
  await writeNpy(inFolder('y.npy'), tensor([0, 0]));
});

it.each([
  ['--data', 'x.npy+y.npy', 'evaluate', 'x'],
  ['-i', 'x.npy', 'score', 'x.npy'],
])('score %s fails where scores overflow, and names the first', async (option, source, where, name) => {
  const text = `xitensor: ${where}: expected finite scores, received .* for sequence \\[1\\] of ${name} \\(E_NUMERIC\\)`;
  for (const more of [[], ['--json'], ['-o', 'scores.npy']])
    await fails(['score', 'm.safetensors', option, source, ...more], 1, new RegExp(text));
});
