import { cpSync, existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { writeNpy } from '../../src/io/disk.ts';
import { saveModel } from '../../src/models/disk.ts';
import { createModel } from '../../src/models/model.ts';
import { writeCifar10, writeImdb } from '../support/datasets.ts';
import { blocksFor, commandsOf, nextTo } from '../support/docs.ts';
import { COMMAND, run, temporaryFolder } from '../support/processes.ts';

const PRINTED = blocksFor('output of commands');

/** What a page takes for granted; it is made below. */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  'README.md': ['H.npy', 'inputs.npy'],
  'docs/decompositions.md': ['H.npy'],
  'docs/ranks.md': ['m.safetensors'],
  'docs/reproduce.md': ['DIR'],
};

const SEARCH = '--optimizer adamw --decay 1 --validation 0.1 --patience 10';
const DNA = '--data splice:0 --rank 16 --features 16 --batch 50 --learning-rate 2e-3 --epochs 40';
const SMALL_PAPER = '--quick --data splice --epochs 1 --networks 1';

/** Commands that would take minutes, each with the options that are added behind it: of two of a name the later one counts. */
const SMALLER: Readonly<Record<string, string>> = {
  'train --data mnist --epochs 8 -o m.safetensors': '--epochs 1 --limit 500 --rank 8',
  'train --data splice --validation 0.1 --patience 10 --optimizer adamw --batch 50 --rank 16':
    '--epochs 1 --limit 300',
  [`train ${DNA} ${SEARCH} -o dna.safetensors`]: '--epochs 2 --limit 500',
  [`train ${DNA} ${SEARCH}`]: '--epochs 1 --limit 300',
  'train --data splice:0 --shared --rank 32 --features 16 --batch 50 --epochs 30 --validation 0.1 --patience 10':
    '--epochs 1 --limit 300',
  'certify m.safetensors --exact --out cert.json': '--samples 32',
  'certify m.safetensors --templates mnist --samples 2048 --exact --out cert.json': '--samples 32',
  'certify dna.safetensors --templates splice --window 19,41 --output all': '--samples 64',
  'ranks --figure 3 --out figure3': '--networks 2',
  'bench C1 --quick': '--backend native',
  'reproduce --quick': SMALL_PAPER,
  // All three stages are run by the line above it.
  'reproduce --out full': `performance report ${SMALL_PAPER}`,
  // The e-mails would be fetched, and MNIST is in the README.
  'reproduce performance --data mnist,spam,splice,cifar10:DIR,imdb:DIR --out table1':
    '--data splice,cifar10:DIR,imdb:DIR --quick --epochs 1',
  'reproduce report --out full': SMALL_PAPER,
};

/** Commands of several pages that are run on the first of them only: nothing behind them needs what they make. */
const ONCE = ['reproduce --quick'];

/** Processor time, since the machine may be busy with other tests; a command that takes longer needs a smaller form. */
const LIMIT_SECONDS = 40;

/** What is imported into a command so that it says at its end how long it computed. */
const CLOCK = `data:text/javascript,${encodeURIComponent(`
import { writeFileSync } from 'node:fs';
process.on('exit', () => writeFileSync(process.env.CLOCK_FILE, JSON.stringify(process.cpuUsage())));`)}`;

let given: string;
beforeAll(async () => {
  given = temporaryFolder();
  const rng = new Rng(1);
  const normal = (shape: readonly number[]) =>
    tensor(
      Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => rng.normal()),
      shape,
    );
  await writeNpy(join(given, 'H.npy'), normal([4, 4, 4]));
  await writeNpy(join(given, 'inputs.npy'), normal([5, 16, 49]));
  const features = { size: 8 };
  const shape = { steps: 16, inputs: 49, outputs: 10, rank: 4, features };
  await saveModel(
    createModel({ kind: 'tt', xi: 'rectifier', ...shape, seed: 1 }),
    join(given, 'm.safetensors'),
  );
  writeCifar10(join(given, 'DIR'));
  writeImdb(join(given, 'DIR'));
});
afterAll(() => rmSync(given, { recursive: true, force: true }));

/** The words of each command of a page, with the block that it stands in, in their order. */
const PAGES = [...new Set(blocksFor('commands').map(({ page }) => page))].map((page) => ({
  page,
  commands: blocksFor('commands')
    .filter((block) => block.page === page)
    .flatMap((block) => commandsOf(block.code).map((words) => ({ block, words }))),
}));

const linesOf = (program: string) =>
  PAGES.flatMap(({ commands }) => commands.map(({ words }) => words.join(' ')))
    .filter((line) => line.startsWith(`${program} `))
    .map((line) => line.slice(program.length + 1));

const firstWith = (line: string) =>
  PAGES.find(({ commands }) => commands.some(({ words }) => words.slice(2).join(' ') === line))?.page;

/** Runs a command, or what stands for it. */
async function runs(words: readonly string[], cwd: string): Promise<string> {
  const line = words.join(' ');
  const smaller = SMALLER[line];
  const clock = join(cwd, 'clock.json');
  const args = ['--import', CLOCK, COMMAND, ...words, ...(smaller?.split(' ') ?? [])];
  const { code, stdout, stderr } = await run(args, { cwd, env: { CLOCK_FILE: clock } });
  expect({ code, stderr: code === 0 ? '' : stderr }, line).toEqual({ code: 0, stderr: '' });
  const { user, system } = JSON.parse(readFileSync(clock, 'utf8'));
  const slow = `npx xitensor ${line} computes longer: give it a smaller form in ${import.meta.filename}`;
  expect((user + system) / 1e6, slow).toBeLessThan(LIMIT_SECONDS);
  return stdout;
}

/** What differs from run to run and from machine to machine, as the page and a run both may have it. */
const timeless = (text: string) =>
  text
    .replace(/\d[\d.]* m?s\b/g, '… s')
    // The last bits of sums are those of an instruction set.
    .replace(/error \d\.\de-1\d/g, 'error …')
    .replace(/\b(native|wasm|reference) \w+/g, '…')
    .trim();

describe('the commands of the documentation, as a user runs them', () => {
  it.concurrent.each(PAGES)('$page', { timeout: 600_000 }, async ({ page, commands }) => {
    const cwd = temporaryFolder();
    for (const name of GIVEN[page] ?? []) cpSync(join(given, name), join(cwd, name), { recursive: true });
    for (const { block, words } of commands) {
      if (words[0] === 'npm') continue;
      const line = words.slice(2).join(' ');
      if (ONCE.includes(line) && page !== firstWith(line)) continue;
      expect(words.slice(0, 2)).toEqual(['npx', 'xitensor']);
      const printed = await runs(words.slice(2), cwd);
      const next = nextTo(block);
      if (next && PRINTED.includes(next)) expect(timeless(printed)).toBe(timeless(next.code));
      else if (words.includes('--json')) expect(JSON.parse(printed)).toBeTypeOf('object');
      else expect(printed).not.toBe('');
      // What a command says that it writes is there.
      for (const [flag, name] of words.map((word, n) => [word, words[n + 1]]))
        if (['-o', '--out'].includes(flag) && name !== 'all')
          expect(existsSync(join(cwd, name)), name).toBe(true);
    }
    rmSync(cwd, { recursive: true });
  });

  it('have a smaller form only where they are there', () => {
    const lines = linesOf('npx xitensor');
    expect(Object.keys(SMALLER).filter((line) => !lines.includes(line))).toEqual([]);
    for (const once of ONCE) expect(lines.filter((line) => line === once).length).toBeGreaterThan(1);
    expect(Object.keys(GIVEN).filter((page) => !PAGES.some((other) => other.page === page))).toEqual([]);
  });
});

describe('the scripts of npm that the documentation names', () => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8'));

  it('in blocks are the two of the README, which run this file, and the commands of this page', () => {
    expect(linesOf('npm')).toEqual(['run demo', 'test']);
    expect(scripts.test).toBe('node scripts/test.mjs');
    expect(scripts.demo).toBe('node scripts/demo.mjs');
    const demo = readFileSync('scripts/demo.mjs', 'utf8');
    const steps = [...demo.matchAll(/await cli\((.*)\);/g)].map(([, words]) => words.replaceAll(/[',]/g, ''));
    expect(steps).toEqual(['info', 'reproduce --quick --out OUT']);
    const lines = linesOf('npx xitensor');
    for (const step of steps) expect(lines).toContain(step.replace(' --out OUT', ''));
  });
});
