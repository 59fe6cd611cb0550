import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/disk.ts';
import { commandFolder, xitensor } from '../support/processes.ts';

const { inFolder, fails } = commandFolder();
const NAMES = ['a', 'b', 'c', 'd'];

type Row = Readonly<Record<string, number | string>>;
let rows: Row[];
const write = (name: string, columns: readonly string[], as: readonly string[] = columns) =>
  writeFileSync(inFolder(name), [as, ...rows.map((row) => columns.map((column) => row[column]))].join('\n'));

async function record(...args: string[]) {
  const { code, stdout, stderr } = await xitensor([...args, '--json'], { cwd: inFolder() });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

beforeAll(async () => {
  const rng = new Rng(5);
  rows = Array.from({ length: 30 }, (_, n) => ({
    ...Object.fromEntries([...NAMES, 'extra'].map((name) => [name, rng.normal()])),
    label: 'xy'[n % 2],
  }));
  write('a.csv', [...NAMES, 'label']);
  write('shuffled.csv', ['d', 'label', 'b', 'a', 'c']);
  write('more.csv', ['extra', ...NAMES, 'label']);
  write('fewer.csv', ['d', 'a', 'label']);
  write('renamed.csv', [...NAMES, 'label'], ['a', 'B', 'c', 'D', 'label']);
  write('longer.csv', [...NAMES, 'extra', 'label']);
  write('shorter.csv', ['label', 'a', 'b']);
  const small = ['--rank', '3', '--features', '3', '--epochs', '1', '--data', 'a.csv'];
  await record('train', ...small, '-o', 'm.safetensors');
  await record('train', ...small, '--shared', '--variable', '--length', '5', '-o', 'v.safetensors');
  const { tensors, metadata } = await readSafetensors(inFolder('m.safetensors'));
  const { columns, ...old } = metadata;
  expect({ columns, table: old.table }).toEqual({
    columns: '["a","b","c","d"]',
    table: '{"label":"label"}',
  });
  await writeSafetensors(inFolder('old.safetensors'), tensors, old);
});

const scored = async (model: string, table: string) => {
  const { loss, accuracy } = await record('score', model, '--data', table);
  const { scores } = await record('score', model, '-i', table);
  return { loss, accuracy, scores };
};

it('score finds the columns of training by name, whatever else a table has and in whatever order', async () => {
  const own = await scored('m.safetensors', 'a.csv');
  for (const table of ['shuffled.csv', 'more.csv'])
    expect(await scored('m.safetensors', table), table).toEqual(own);
});

it.each([
  ['fewer.csv', /fewer\.csv, line 1: expected columns 'b', 'c', received d, a, label \(E_FILE\)/],
  ['renamed.csv', /renamed\.csv, line 1: expected columns 'b', 'd', received a, B, c, D, label \(E_FILE\)/],
])('a table that lacks columns is refused with their names: %s', async (table, message) => {
  for (const option of ['--data', '-i', '--templates']) {
    const command = option === '--templates' ? 'certify' : 'score';
    await fails([command, 'm.safetensors', option, table], 1, message);
  }
});

it('sequences of several lengths may end elsewhere than in training, but have its columns in its order', async () => {
  const own = await scored('v.safetensors', 'a.csv');
  const longer = await scored('v.safetensors', 'longer.csv');
  expect(longer.scores).not.toEqual(own.scores);
  expect((await scored('v.safetensors', 'shorter.csv')).scores).toHaveLength(rows.length);
  const message =
    /shuffled\.csv, line 1: expected column 'a' in place 1 of the numbers, as in training, received 'd'/;
  for (const option of ['--data', '-i'])
    await fails(['score', 'v.safetensors', option, 'shuffled.csv'], 1, message);
});

it('a model file that names no columns has them by place', async () => {
  const own = await scored('m.safetensors', 'a.csv');
  expect(await scored('old.safetensors', 'renamed.csv')).toEqual(own);
  expect(await scored('old.safetensors', 'shuffled.csv')).not.toEqual(own);
});

it('tables with other delimiters are read as training was, by name or by what is said', async () => {
  const table = readFileSync(inFolder('a.csv'), 'utf8');
  writeFileSync(inFolder('semicolons.csv'), table.replaceAll(',', ';'));
  writeFileSync(inFolder('tabs.tsv'), table.replaceAll(',', '\t'));
  const own = await scored('m.safetensors', 'a.csv');
  expect(await scored('m.safetensors', 'tabs.tsv')).toEqual(own);
  const message = /received a;b;c;d;label; did you mean the delimiter ';'\? \(E_FILE\)/;
  await fails(['score', 'm.safetensors', '--data', 'semicolons.csv'], 1, message);
  const { loss, accuracy, scores } = own;
  const semicolons = ['semicolons.csv', '--delimiter', ';'];
  expect(await record('score', 'm.safetensors', '--data', ...semicolons)).toMatchObject({ loss, accuracy });
  expect(await record('score', 'm.safetensors', '-i', ...semicolons)).toMatchObject({ scores });
  const small = ['--rank', '3', '--features', '3', '--epochs', '1', '-o', 's.safetensors'];
  await record('train', ...small, '--data', ...semicolons);
  // What was said in training is remembered.
  expect(await scored('s.safetensors', 'semicolons.csv')).toEqual(own);
  const tab = ['--data', 'tabs.tsv', '--delimiter', 'tab'];
  expect(await record('score', 's.safetensors', ...tab)).toMatchObject({ loss, accuracy });
  const npy = ['score', 'm.safetensors', '-i', 'x.npy', '--delimiter', ';'];
  await fails(npy, 2, /--input: expected no option of a data set, received \['--delimiter'\]/);
});
