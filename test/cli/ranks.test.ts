import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { RankRecords } from '../../src/cli/rank_records.ts';
import { runWorkers } from '../../src/cli/workers.ts';
import { XiError } from '../../src/core/errors.ts';
import { checkStudy } from '../../src/experiments/rank_config.ts';
import { temporaryName } from '../../src/io/temporary.ts';
import { COMMAND, commandFolder, start, xitensor } from '../support/processes.ts';

const { inFolder, fails } = commandFolder();

const SMALL = ['--templates', '3', '--steps', '4', '--rank', '1,2', '--networks', '12'];

describe('ranks', () => {
  it('refuses a file for the folder', async () => {
    writeFileSync(inFolder('H.npy'), '');
    const message = /cannot write .*H\.npy: there is a file of that name \(EEXIST\) \(E_FILE\)/;
    await fails(['ranks', ...SMALL, '--out', inFolder('H.npy')], 1, message);
  });

  it.each<[string, object, RegExp]>([
    ['an unknown rank R', { R: 0 }, /R from 1/],
    ['half an index', { index: 0.5 }, /index from 0/],
    ['an index below 0', { index: -1 }, /index from 0/],
    ['a rank above the size of the matrix', { rank: 5 }, /rank from 0 to 4/],
    ['a rank below 0', { rank: -1 }, /rank from 0 to 4/],
    ['a gap that is a text', { gap: 'x' }, /gap, a number or null/],
    ['no gap', { gap: undefined }, /gap, a number or null/],
    ['an exact rank in a study without', { exact: 1 }, /without exact/],
  ])('refuses records with %s', async (_, edit, message) => {
    const path = inFolder('edited.jsonl');
    const study = checkStudy({ M: 2, T: 4, ranks: [1], networks: 2 });
    const record = { R: 1, index: 0, rank: 1, gap: 2, ...edit };
    const write = (...lines: object[]) =>
      writeFileSync(path, [{ study }, ...lines, ''].map((line) => line && JSON.stringify(line)).join('\n'));
    write({ ...record, index: 1, R: 1, rank: 1, gap: 2, exact: undefined }, record);
    const opened = () => RankRecords.open(path, study);
    const refused = (line: number, text: RegExp) =>
      expect.objectContaining({
        code: 'E_FILE',
        message: expect.stringMatching(new RegExp(`edited\\.jsonl, line ${line}: .*${text.source}`)),
      });
    await expect(opened()).rejects.toThrow(refused(3, message));
    const good = { R: 1, index: 0, rank: 1, gap: null };
    write(good, good);
    await expect(opened()).rejects.toThrow(refused(3, /every network once/));
    const exact = checkStudy({ ...study, exact: true });
    writeFileSync(path, [{ study: exact }, good, ''].map((line) => line && JSON.stringify(line)).join('\n'));
    await expect(RankRecords.open(path, exact)).rejects.toThrow(refused(2, /exact from 0/));
  });

  it('refuses networks that are too large for memory before any is drawn', async () => {
    const size = ['--templates', '3', '--steps', '3', '--networks', '1'];
    await fails(
      ['ranks', ...size, '--rank', '1000000'],
      1,
      /at most \d+ entries, received 3 × 1000000 × 1000000 .*E_MEMORY/,
    );
  });

  it('begins at once, however many networks there are', async () => {
    const options = ['--templates', '2', '--steps', '2', '--networks', '10000000', '--workers', '1'];
    const out = inFolder('millions');
    const running = start(['--max-old-space-size=96', COMMAND, 'ranks', ...options, '--out', out]);
    const records = join(out, 'records.jsonl');
    while (!existsSync(records) || readFileSync(records, 'utf8').split('\n').length < 20)
      await new Promise((resolve) => setTimeout(resolve, 20));
    running.child.kill('SIGTERM');
    expect(await running.done).toMatchObject({
      code: 143,
      stdout: expect.stringMatching(/stopped after \d+ of 40000000 networks/),
    });
  });

  it('reads files of many records piece by piece', async () => {
    const path = inFolder('many.jsonl');
    const study = checkStudy({ M: 2, T: 4, ranks: [1], networks: 10_000 });
    const write = (...lines: object[]) =>
      writeFileSync(path, [{ study }, ...lines, ''].map((line) => line && JSON.stringify(line)).join('\n'));
    const all = Array.from({ length: 9000 }, (_, index) => ({ R: 1 + (index % 2), index, rank: 1, gap: 2 }));
    write(...all);
    const before = readFileSync(path, 'utf8');
    const found: object[] = [];
    const records = await RankRecords.open(path, study, (record) => void found.push(record));
    await records.close();
    expect(found).toEqual(all);
    expect(readFileSync(path, 'utf8')).toBe(before);
    write(...all, all[4]);
    await expect(RankRecords.open(path, study)).rejects.toThrow(/line 9002: expected every network once/);
  });

  it('of two processes in one folder, the second is refused and loses nothing', async () => {
    const out = inFolder('shared');
    const study = checkStudy({ M: 2, T: 2, ranks: [1], networks: 2 });
    mkdirSync(out);
    const path = join(out, 'records.jsonl');
    const first = await RankRecords.open(path, study);
    const options = ['--templates', '2', '--steps', '2', '--rank', '1', '--networks', '2', '--out', out];
    const other = new RegExp(`records\\.jsonl: expected no other process .*found process ${process.pid} `);
    await fails(['ranks', ...options], 1, other);
    first.add({ R: 1, index: 0, rank: 1, gap: null });
    await first.close();
    expect(readFileSync(path, 'utf8').trim().split('\n')).toHaveLength(2);
    // What a killed process leaves is in nobody's way.
    const gone = start(['-e', '']);
    await gone.done;
    const left = temporaryName().replace(`-${process.pid}-`, `-${gone.child.pid}-`);
    writeFileSync(`${path}.lock`, left);
    expect(await xitensor(['ranks', ...options])).toMatchObject({ code: 0, stderr: '' });
    expect(readdirSync(out).sort()).toEqual(['histograms.csv', 'histograms.json', 'records.jsonl']);
  });

  it('gives the same histograms for any number of workers', async () => {
    for (const workers of ['1', '2']) {
      const outcome = await xitensor([
        'ranks',
        ...SMALL,
        '--exact',
        '--workers',
        workers,
        '--out',
        inFolder(workers),
        '--json',
      ]);
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
      const { study, distributions } = JSON.parse(outcome.stdout);
      expect(study).toMatchObject({
        xi: 'rectifier',
        M: 3,
        T: 4,
        L: 3,
        ranks: [1, 2],
        networks: 12,
        seed: 0,
      });
      for (const { networks, exact } of distributions)
        expect({ networks, ...exact }).toMatchObject({ networks: 12, above: 0 });
    }
    for (const name of ['histograms.json', 'histograms.csv'])
      expect(readFileSync(inFolder('2', name))).toEqual(readFileSync(inFolder('1', name)));
    expect(readdirSync(inFolder('1')).sort()).toEqual(['histograms.csv', 'histograms.json', 'records.jsonl']);
    expect(readFileSync(inFolder('1', 'records.jsonl'), 'utf8').trim().split('\n').length).toBe(25);
  });

  it('goes on from what it finds, cut off in the middle of a line', async () => {
    const out = inFolder('resumed');
    const args = ['ranks', ...SMALL, '--exact', '--workers', '1', '--out', out, '--json'];
    expect(await xitensor(args)).toMatchObject({ code: 0 });
    const records = join(out, 'records.jsonl');
    const whole = readFileSync(records, 'utf8');
    const lines = whole.split('\n');
    // What was computed is not computed again: an altered record stays.
    const altered = JSON.stringify({ ...JSON.parse(lines[1]), rank: 8, exact: 7 });
    const kept = [lines[0], altered, ...lines.slice(2, 10)].join('\n');
    writeFileSync(records, `${kept}\n${lines[10]}`);
    truncateSync(records, kept.length + 10);
    const outcome = await xitensor(args);
    expect(outcome).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(outcome.stdout).distributions[0]).toMatchObject({ networks: 12, exact: { above: 1 } });
    const after = readFileSync(records, 'utf8').trim().split('\n');
    expect(after.length).toBe(25);
    expect(after.filter((line) => !lines.includes(line))).toEqual([altered]);
  });

  it('goes on with more networks and other ranks, and leaves out those that are not asked for', async () => {
    const study = (out: string, rank: string, networks: string) =>
      xitensor([
        ...['ranks', '--templates', '3', '--steps', '4', '--rank', rank, '--networks', networks],
        ...['--workers', '1', '--out', inFolder(out), '--json'],
      ]);
    const histograms = (out: string) => readFileSync(inFolder(out, 'histograms.json'));
    expect(await study('grown', '1,2', '3')).toMatchObject({ code: 0 });
    const records = inFolder('grown', 'records.jsonl');
    const before = readFileSync(records, 'utf8').trim().split('\n').slice(1);
    for (const [rank, networks, lines] of [
      ['2,3', '5', 14],
      ['1', '2', 14],
    ] as const) {
      expect(await study('grown', rank, networks)).toMatchObject({ code: 0 });
      const all = readFileSync(records, 'utf8').trim().split('\n');
      expect(all.length).toBe(lines);
      expect(all).toEqual(expect.arrayContaining(before));
      expect(await study(`fresh${rank}`, rank, networks)).toMatchObject({ code: 0 });
      expect(histograms('grown')).toEqual(histograms(`fresh${rank}`));
    }
  });

  it('stops at Ctrl-C and goes on to the same end', async () => {
    const long = ['--templates', '6', '--steps', '6', '--rank', '4', '--networks', '80', '--workers', '2'];
    const args = (out: string) => [COMMAND, 'ranks', ...long, '--out', inFolder(out)];
    const first = start(args('stopped'));
    const records = inFolder('stopped', 'records.jsonl');
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      try {
        if (readFileSync(records, 'utf8').split('\n').length > 4) break;
      } catch {}
    }
    first.child.kill('SIGINT');
    const stopped = await first.done;
    expect(stopped).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/stopped after \d+ of 80 networks; the same/),
    });
    expect(await start(args('stopped')).done).toMatchObject({ code: 0 });
    expect(await start(args('straight')).done).toMatchObject({ code: 0 });
    expect(readFileSync(inFolder('stopped', 'histograms.json'))).toEqual(
      readFileSync(inFolder('straight', 'histograms.json')),
    );
  });

  it('prints what is done at Ctrl-C, as partial, where nothing can go on later', async () => {
    const study = [
      '--templates',
      '6',
      '--steps',
      '6',
      '--rank',
      '1,4',
      '--networks',
      '100000',
      '--workers',
      '1',
    ];
    for (const json of [[], ['--json']]) {
      const running = start([COMMAND, 'ranks', ...study, ...json]);
      await new Promise((resolve) => setTimeout(resolve, 3000));
      running.child.kill('SIGINT');
      const { code, stdout } = await running.done;
      expect(code).toBe(1);
      if (json.length === 0) {
        expect(stdout).toMatch(
          /^R 1: \d+ networks, mean rank [\d.]+ .*\n[\s\S]*partial: stopped after \d+ of 200000 networks, without --out/,
        );
        expect(stdout).not.toMatch(/NaN/);
        continue;
      }
      const { stopped, done, distributions } = JSON.parse(stdout);
      expect(stopped).toBe(true);
      const counted = distributions.reduce((sum: number, one: { networks: number }) => sum + one.networks, 0);
      expect(counted).toBe(done);
    }
  });

  it('names the options that were typed', async () => {
    await fails(['ranks', '--steps', '1'], 2, /^xitensor: --steps: expected an integer from 2/);
    await fails(['ranks', '--rank', '0'], 2, /^xitensor: --rank: expected an integer from 1/);
    await fails(['ranks', '--templates', '0'], 2, /^xitensor: --templates: /);
    await fails(['ranks', '--projection', '0'], 2, /^xitensor: --projection: /);
  });

  it('says that no bound is proven for l2', async () => {
    const { code, stdout } = await xitensor(['ranks', ...SMALL, '--xi', 'l2']);
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /R 1: 12 networks, mean rank [\d.]+ .*the paper's formula gives [\d.]+ on average, which is no bound/,
    );
    expect(stdout).not.toMatch(/mean bound|refined/);
    expect(stdout).toMatch(/singular values above 1e-10 of the largest/);
    expect(stdout).toMatch(/no bound on the width is proven for this ξ/);
  });

  it('stops when records cannot be written, and says so when a worker fails', async () => {
    const study = checkStudy({ M: 2, T: 2, ranks: [1], networks: 3 });
    const records = await RankRecords.open(inFolder('full.jsonl'), study);
    const { file } = records as unknown as { file: { appendFile: unknown } };
    file.appendFile = () => Promise.reject(Object.assign(new Error(), { code: 'ENOSPC' }));
    const record = (index: number) => ({ R: 1, index, rank: 1, gap: null });
    records.add(record(0));
    await new Promise(setImmediate);
    const full = /cannot write .*full\.jsonl: no space left on the device/;
    expect(() => records.add(record(1))).toThrow(full);
    await expect(records.close()).rejects.toThrow(full);

    const small = ['ranks', '--templates', '2', '--steps', '2', '--networks', '2'];
    const absent = process.arch === 'arm64' ? 'sse2' : 'neon';
    await fails([...small, '--isa', absent, '--out', 'nosuch'], 1, /no backend can be used/);
    expect(existsSync(inFolder('nosuch'))).toBe(false);
    const worker = inFolder('worker.mjs');
    writeFileSync(
      worker,
      `throw Object.assign(new Error('no room'), { name: 'XiError', code: 'E_MEMORY' });`,
    );
    const run = runWorkers(pathToFileURL(worker), {}, 1, [1], {
      signal: new AbortController().signal,
      onResult() {},
    });
    await expect(run).rejects.toThrow(
      expect.objectContaining({ name: 'XiError', code: 'E_MEMORY', message: 'no room' }),
    );
    await expect(run).rejects.toBeInstanceOf(XiError);
  });

  it('refuses wrong arguments and files of another study', async () => {
    await fails(['ranks', '--figure', '6'], 2, /Allowed choices are 3, 4, 5/);
    await fails(
      ['ranks', '--figure', '3', '--templates', '4'],
      2,
      /no option that the figure decides, received \['--templates'\]/,
    );
    await fails(['ranks', '--templates', '100'], 1, /a grid of at most \d+ entries, received 100\^6/);
    await fails(['ranks', '--xi', 'l2', '--exact'], 2, /exact: expected/);
    await fails(['ranks', '--workers', '0'], 2, /workers: expected an integer from 1/);
    await fails(
      ['ranks', ...SMALL, '--seed', '1', '--out', inFolder('1')],
      1,
      /records\.jsonl: expected records of a study with exact false, seed 1, received exact true, seed 0 \(/,
    );
    writeFileSync(inFolder('1', 'records.jsonl'), '{"other":1}\n');
    await fails(
      ['ranks', ...SMALL, '--out', inFolder('1')],
      1,
      /records\.jsonl, line 1: expected a study, received \{"other":1\}/,
    );
    appendFileSync(inFolder('2', 'records.jsonl'), 'nonsense\n');
    await fails(
      ['ranks', ...SMALL, '--exact', '--out', inFolder('2')],
      1,
      /line 26: expected a record, received nonsense/,
    );
  });
});
