import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';
import { writeNpy } from '../../src/io/disk.ts';
import { saveModel } from '../../src/models/disk.ts';
import { createModel } from '../../src/models/model.ts';
import { COMMAND, fails, run, temporaryFolder, xitensor } from '../support/processes.ts';

let folder: string;
beforeAll(async () => {
  folder = temporaryFolder();
  const place = (name: string) => join(folder, name);
  const ramp = (...shape: number[]) =>
    tensor(
      Float64Array.from({ length: shape.reduce((a, b) => a * b) }, (_, n) => (n % 5) / 4),
      shape,
      'float64',
    );
  const options = {
    kind: 'tt',
    xi: 'rectifier',
    steps: 3,
    inputs: 2,
    outputs: 2,
    rank: 2,
    features: { size: 2 },
  } as const;
  await saveModel(createModel(options), place('m.safetensors'));
  await writeNpy(place('x.npy'), ramp(6, 3, 2));
  await writeNpy(place('y.npy'), tensor(Float64Array.from([0, 1, 0, 1, 0, 1]), [6], 'float64'));
  await writeNpy(place('templates.npy'), ramp(4, 2));
  await writeNpy(place('H.npy'), ramp(2, 2, 2));
  writeFileSync(place('table.csv'), 'a,label\n1,x\n2,y\n');
  symlinkSync('m.safetensors', place('link.safetensors'));
  linkSync(place('x.npy'), place('hard.npy'));
  mkdirSync(place('sub'));
});
afterAll(() => rmSync(folder, { recursive: true }));

it('a message is one line without control characters, whatever a file is called', async () => {
  const name = 'a\u001b[2J\nb\u009b.npy';
  const escaped = /^xitensor: cannot read a\\u001b\[2J\\u000ab\\u009b\.npy: no such file[^\n]*\(E_FILE\)\n$/;
  await fails(['decompose', name], 1, escaped, folder);
});

beforeAll(() => symlinkSync('/dev/zero', join(folder, 'zero.npy')));
it.each([
  ['score', ['score', 'm.safetensors', '-i', '/dev/zero']],
  ['decompose', ['decompose', '/dev/zero']],
  ['train', ['train', '--data', 'zero.npy+y.npy', '-o', 'z.safetensors']],
])('%s refuses a device, whose bytes may have no end', async (_, args) => {
  await fails(args, 1, /cannot read .*zero.*: expected a file or a pipe, found a device \(E_FILE\)/, folder);
});

it('reads a pipe to its end', async () => {
  const line = `cat x.npy | "${process.execPath}" "${COMMAND}" score m.safetensors -i /dev/stdin --json`;
  const { stdout } = await run(['-c', line], { program: 'sh', cwd: folder });
  const { stdout: file } = await xitensor(['score', 'm.safetensors', '-i', 'x.npy', '--json'], {
    cwd: folder,
  });
  const scores = (text: string) => JSON.parse(text).scores;
  expect(scores(stdout)).toEqual(scores(file));
});

describe('a command does not write over what it reads', () => {
  it.each<[string, string[]]>([
    ['m.safetensors', ['score', 'm.safetensors', '-i', 'x.npy', '-o', 'm.safetensors']],
    ['m.safetensors', ['score', 'm.safetensors', '-i', 'x.npy', '-o', 'link.safetensors']],
    ['m.safetensors', ['score', 'link.safetensors', '-i', 'x.npy', '-o', './sub/../m.safetensors']],
    ['x.npy', ['score', 'm.safetensors', '-i', 'x.npy', '-o', 'x.npy']],
    ['x.npy', ['score', 'm.safetensors', '-i', 'x.npy', '-o', 'hard.npy']],
    ['y.npy', ['score', 'm.safetensors', '-i', 'x.npy', '--lengths', 'y.npy', '-o', 'y.npy']],
    ['y.npy', ['score', 'm.safetensors', '--data', 'x.npy+y.npy', '-o', 'y.npy']],
    ['m.safetensors', ['certify', 'm.safetensors', '--templates', 'templates.npy', '--out', 'm.safetensors']],
    ['templates.npy', ['certify', 'm.safetensors', '--templates', 'templates.npy', '--out', 'templates.npy']],
    ['H.npy', ['decompose', 'H.npy', '-o', 'H.npy']],
    ['H.npy', ['realize', 'H.npy', '-o', 'H.npy']],
    ['templates.npy', ['realize', 'H.npy', '--features', 'templates.npy', '-o', 'templates.npy']],
    ['x.npy', ['train', '--data', 'x.npy+y.npy', '-o', 'x.npy']],
    ['table.csv', ['train', '--data', 'table.csv', '-o', 'table.csv']],
  ])('%s: %j', async (file, args) => {
    const before = readFileSync(join(folder, file));
    await fails(
      args,
      2,
      /output .*: expected a file other than the inputs, received '.*' \(E_ARGUMENT\)/,
      folder,
    );
    expect(readFileSync(join(folder, file)).equals(before)).toBe(true);
  });
});
