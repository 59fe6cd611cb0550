import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { PerformanceRecord } from '../../src/experiments/performance.ts';
import { writeCifar10, writeImdb } from '../support/datasets.ts';
import { COMMAND, fails as failsIn, start, temporaryFolder, xitensor } from '../support/processes.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));
const OPTIONS = ['--quick', '--data', 'splice', '--epochs', '1'];
const args = (out: string) => ['reproduce', 'performance', 'report', ...OPTIONS, '--out', out];
const fails = (list: readonly string[], code: 1 | 2, message: RegExp) =>
  failsIn(['reproduce', ...list], code, message, folder);
const text = (...path: string[]) => readFileSync(join(...path), 'utf8');
const records = (out: string) =>
  JSON.parse(text(out, 'performance/records.json')).map((record: object) => ({ ...record, seconds: 0 }));

describe('reproduce', () => {
  it('goes on after Ctrl-C with what it has, and ends as if nothing had happened', async () => {
    const whole = join(folder, 'whole');
    const first = await xitensor([...args(whole), '--json']);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(first.stdout)).toMatchObject({ quick: true, report: join(whole, 'report.html') });

    const out = join(folder, 'stopped');
    const running = start([COMMAND, ...args(out)]);
    await running.until(/fold1-seed0: /);
    running.child.kill('SIGINT');
    const stopped = await running.done;
    expect(stopped.code).toBe(0);
    expect(stopped.stdout).toContain('stopped; the same command goes on from here');
    const kept = readdirSync(join(out, 'performance'))
      .filter((name) => /^folds.*\.json$/.test(name))
      .map((name) => [name, text(out, 'performance', name)]);
    expect(kept.length).toBeGreaterThanOrEqual(2);
    expect(kept.length).toBeLessThan(15);

    expect(await xitensor(args(out))).toMatchObject({ code: 0, stderr: '' });
    for (const [name, content] of kept) expect(text(out, 'performance', name)).toBe(content);
    expect(records(out)).toEqual(records(whole));
    expect(text(out, 'performance/records.csv').trimEnd().split('\n')).toHaveLength(16);
    const page = text(out, 'report.html').replace(/Made on .*/, '');
    expect(await xitensor(args(out))).toMatchObject({ code: 0 });
    expect(text(out, 'report.html').replace(/Made on .*/, '')).toBe(page);

    await fails(['performance', ...OPTIONS, '--seed', '1', '--out', out], 2, /--force begins anew/);
  });

  it('takes images and texts from folders in their own formats', async () => {
    const [images, reviews, out] = ['cifar', 'aclImdb', 'formats'].map((name) => join(folder, name));
    writeCifar10(images);
    writeImdb(reviews);
    for (const [dataset, source, train, epochs, title] of [
      ['cifar10', images, 40, 8, 'CIFAR-10'],
      ['imdb', reviews, 80, 1, 'IMDB'],
    ] as const) {
      const place = join(out, dataset);
      const options = ['--quick', '--data', `${dataset}:${source}`, '--epochs', String(epochs)];
      const run = await xitensor(['reproduce', 'performance', 'report', ...options, '--out', place]);
      expect(run).toMatchObject({ code: 0, stderr: '' });
      const all: PerformanceRecord[] = JSON.parse(text(place, 'performance/records.json'));
      const of = (experiment: string) => all.filter((record) => record.experiment === experiment);
      expect(JSON.parse(text(place, 'xitensor-results.json')).data).toMatchObject([{ name: dataset, train }]);
      // Eight operators as tt, two of them as ht and cp as well; three budgets of all.
      expect([of('table1').length, of('figure2').length]).toEqual([12, 9]);
      expect(all.every(({ history, diverged }) => !diverged && history.length === epochs)).toBe(true);
      expect(text(place, 'report.html')).toContain(title);
      // What reviews teach, test/cli/data.test.ts tells.
      if (dataset === 'cifar10') expect(all[0].history.at(-1)!.testAccuracy).toBeGreaterThan(0.9);
    }
  });

  it('leaves a folder with other files alone, and with --force the files', async () => {
    const out = join(folder, 'other');
    mkdirSync(out);
    writeFileSync(join(out, 'mine.txt'), 'mine');
    await fails(['performance', ...OPTIONS, '--out', out], 1, /expected a new or empty folder.*mine\.txt/);
    expect(readdirSync(out)).toEqual(['mine.txt']);
    expect(await xitensor([...args(out), '--force', '--json'])).toMatchObject({ code: 0 });
    expect(text(out, 'mine.txt')).toBe('mine');
  });

  it('with --force clears results of ours alone, and not before all that is wanted is there', async () => {
    const out = join(folder, 'forced');
    const foreign = ['performance/thesis.txt', 'performance/raw/a.json', 'expressivity/notes.csv'];
    const ours = ['performance/table1-splice-tt-rectifier-rank4-seed0.json', 'expressivity/figure3.jsonl'];
    for (const name of [...foreign, ...ours]) {
      mkdirSync(join(out, name, '..'), { recursive: true });
      writeFileSync(join(out, name), 'mine');
    }
    const there = () => [...foreign, ...ours].filter((name) => existsSync(join(out, name)));
    const force = (...list: string[]) => xitensor([...args(out), '--force', '--json', ...list]);
    expect(await force('--workers', '0')).toMatchObject({ code: 2 });
    expect(await force()).toMatchObject({ code: 0 });
    // Nothing said that these were results of ours.
    expect(there()).toEqual([...foreign, ...ours]);
    const before = text(out, 'xitensor-results.json');
    expect(await force('--data', 'cifar10:nowhere')).toMatchObject({ code: 1 });
    expect(text(out, 'xitensor-results.json')).toBe(before);
    expect(await force('--seed', '1')).toMatchObject({ code: 0 });
    expect(there()).toEqual(foreign);
    const left = readdirSync(join(out, 'performance')).filter((name) => name.endsWith('-seed0.json'));
    expect(left).toEqual([]);
  });

  it('refuses records that were edited or cut short, with the file and what was expected there', async () => {
    const out = join(folder, 'edited');
    expect(await xitensor([...args(out), '--json'])).toMatchObject({ code: 0 });
    const name = readdirSync(join(out, 'performance')).find((file) => /^folds.*\.json$/.test(file))!;
    const report = ['report', '--out', out];
    const edited = async (path: string, edit: (text: string) => string, message: RegExp) => {
      const before = text(path);
      writeFileSync(path, edit(before));
      await fails(report, 1, message);
      await fails(['performance', ...OPTIONS, '--out', out], 1, message);
      writeFileSync(path, before);
    };
    const record = join(out, 'performance', name);
    const history = (value: string) => (json: string) =>
      json.replace(/"history": \[[^\]]*\]/, `"history": ${value}`);
    await edited(record, history('7'), /seed0\.json history: expected a list, received 7 \(E_FILE\)/);
    await edited(record, history('[null]'), /seed0\.json history\[0\]: expected an object of loss, accuracy/);
    await edited(record, (json) => json.slice(0, 100), /seed0\.json: expected JSON, which it is not/);
    const head = join(out, 'xitensor-results.json');
    const seeds = (json: string) => json.replace('"seeds": 1', '"seeds": "1"');
    await edited(
      head,
      seeds,
      /xitensor-results\.json seeds: expected an integer from 1 to 100, received '1'/,
    );
    await edited(head, () => 'null', /xitensor-results\.json: expected an object of format, .*received null/);
    expect(await xitensor(['reproduce', ...report])).toMatchObject({ code: 0, stderr: '' });
  });

  it('of two runs in one folder, the second is refused; what a killed one leaves is in nobody’s way', async () => {
    const out = join(folder, 'shared');
    const running = start([COMMAND, ...args(out)]);
    await running.until(/fold0-seed0: /);
    const held = new RegExp(`expected no other process to write there, found process ${running.child.pid} `);
    await fails(['performance', ...OPTIONS, '--out', out], 1, held);
    await fails(['performance', ...OPTIONS, '--force', '--json', '--out', out], 1, held);
    expect(await xitensor(['reproduce', 'report', '--out', out])).toMatchObject({ code: 0, stderr: '' });
    running.child.kill('SIGKILL');
    await running.done;
    expect(readdirSync(out)).toContain('xitensor-results.json.lock');
    expect(await xitensor(args(out))).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(out)).not.toContain('xitensor-results.json.lock');
  });

  it('names the settings in which a folder differs, and those alone', async () => {
    const out = join(folder, 'settings');
    mkdirSync(out);
    const data = { name: 'splice', source: 'splice', steps: 60, inputs: 4, outputs: 3 };
    const rest = { embedding: true, tokens: false, train: 2548, test: 638 };
    const settings = { format: 'xitensor-results', version: 1, quick: true, seed: 0, seeds: 1, epochs: 7 };
    const head = JSON.stringify({ ...settings, data: [{ ...data, ...rest }] });
    writeFileSync(join(out, 'xitensor-results.json'), head);
    const other = async (list: string[], message: string) =>
      fails([...list, '--out', 'settings'], 2, new RegExp(`--out settings: ${message} \\(E_ARGUMENT\\)`));
    const hint = '\\(--force begins anew there\\), received one for';
    await other(
      [...OPTIONS, '--seeds', '2'],
      `expected a folder for --seeds 2, --epochs 1 ${hint} --seeds 1, --epochs 7`,
    );
    await other(
      ['--quick', '--data', 'splice'],
      `expected a folder for --epochs left out ${hint} --epochs 7`,
    );
    await other(
      ['--seeds', '1', '--data', 'splice,spam', '--epochs', '7'],
      `expected a folder for no --quick, --data splice,spam ${hint} --quick, --data splice`,
    );
  });

  it.each<[string[], 1 | 2, RegExp]>([
    [['frobnicate'], 2, /'frobnicate' is invalid.*performance, expressivity, report/],
    [['--data', 'nope'], 2, /--data: expected some of mnist, .*received 'nope'/],
    [['--data', 'mnist,slpice'], 2, /received 'slpice'; did you mean 'splice'\?/],
    [['--data', 'splice,splice'], 2, /--data: expected every data set once/],
    [
      ['--data', 'mnist,splice:1'],
      2,
      /--data: expected splice whole, as every fold is tested, received 'splice:1'/,
    ],
    [['--seeds', '0'], 2, /seeds: expected an integer from 1/],
    [['--epochs', '0'], 2, /epochs: expected an integer from 1/],
    [['--networks', '1.5'], 2, /networks: expected an integer from 1/],
    [['--seed', '-1'], 2, /seed: expected an integer from 0/],
    [['report'], 1, /expected results, found none/],
  ])('refuses %j and writes nothing', async (list, code, message) => {
    const before = readdirSync(folder);
    await fails(list, code, message);
    expect(readdirSync(folder)).toEqual(before);
  });
});
