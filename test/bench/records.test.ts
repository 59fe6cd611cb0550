import { describe, expect, it } from 'vitest';
import { chartOf } from '../../bench/chart.ts';
import { docsOf, readSources, resultJson, resultName } from '../../bench/publish.ts';
import { checkTargets, targetLines, verdict } from '../../bench/targets.ts';
import { type BenchRecord, type BenchResult, fastest, timesFaster } from '../../src/bench/records.ts';
import { measures, type Subject } from '../../src/bench/subject.ts';
import { duration, tableOf } from '../../src/bench/table.ts';
import { median, timingOf } from '../../src/bench/timer.ts';
import { WORKLOADS } from '../../src/bench/workloads.ts';

const record = (
  subject: string,
  rounds: (number | null)[],
  more: Partial<BenchRecord> = {},
): BenchRecord => ({
  workload: 'C1 rectifier f32',
  subject,
  threads: 1,
  form: 'form of <it> | & more',
  ...timingOf(rounds.filter((ms) => ms !== null)),
  gflops: 100,
  fractionOfPeak: 0.5,
  fractionOfLimit: 0.6,
  verified: true,
  rounds,
  ...more,
});

const result = (records: BenchRecord[]): BenchResult => ({
  machine: {
    processor: 'Some(R) CPU X <1>',
    cores: 2,
    caches: ['L1d 48K'],
    platform: 'linux-x64',
    kernel: '6',
    node: 'v20',
    compiler: 'cc 12',
    date: '2026-01-02',
    peers: { torch: '1.13' },
  },
  peak: 200,
  records,
  absent: [{ subject: 'xitensor/native/neon', reason: 'not on x64' }],
});

describe('statistics', () => {
  it('median of odd, even and one', () => {
    expect([median([3, 1, 2]), median([4, 1, 3, 2]), median([7])]).toEqual([2, 2.5, 7]);
  });

  it('spread is the distance of the quartiles, and an outlier changes neither figure', () => {
    expect(timingOf([1, 1, 1, 1, 1, 1, 1, 99])).toEqual({ medianMs: 1, spread: 0 });
    expect(timingOf([1, 2, 3, 4]).spread).toBeCloseTo(2 / 2.5);
  });

  it('ratios are taken within rounds that both were in', () => {
    const ours = record('xitensor/native/avx512', [1, 10, 2]);
    // The machine was ten times slower in round 1: medians alone would say 4 / 2.
    expect(timesFaster(ours, record('torch', [4, 40, null]))).toBe(4);
    expect(timesFaster(ours, record('torch', [null, null, null], { medianMs: 6 }))).toBe(3);
  });

  it('the fastest is looked for among the threads asked for', () => {
    const records = [record('xitensor/native/avx2', [3]), record('xitensor/native/avx512', [2])];
    records.push(record('xitensor/native/avx512', [1], { threads: 2 }));
    expect(fastest(records, 'C1 rectifier f32', /native/)?.medianMs).toBe(2);
    expect(fastest(records, 'C1 rectifier f32', /wasm/)).toBeUndefined();
  });
});

describe('targets', () => {
  const outcome = (records: BenchRecord[], wanted: string) =>
    checkTargets(result(records)).find((o) => o.workload === 'C1 rectifier f32' && o.wanted === wanted);

  it('met, not met and without a figure', () => {
    const ours = record('xitensor/native/avx512', [1, 1], { fractionOfPeak: 0.8 });
    expect(outcome([ours], '≥ 80 % of the FMA peak')).toMatchObject({ met: true });
    expect(outcome([ours], '≥ 1.5 × torch')).toMatchObject({
      met: undefined,
      measured: 'no record of torch',
    });
    const records = [ours, record('torch', [1.4, 1.4])];
    expect(outcome(records, '≥ 1.5 × torch')).toMatchObject({
      met: false,
      measured: '1.40 ×, at most 2.33 × (xitensor/native/avx512)', // 1.4 / fractionOfLimit
    });
  });

  it('judge what is taken unasked, not the luckiest of ours', () => {
    const records = [
      record('xitensor/native/avx2', [1]),
      record('xitensor/native/avx512', [2]),
      record('torch', [2]),
    ];
    expect(outcome(records, '≥ 1.5 × torch')).toMatchObject({ met: false });
  });

  it('the tier of reduced products does not stand in for the vector units', () => {
    for (const isa of ['amx', 'avx512bf16']) {
      const tier = record(`xitensor/native/${isa}`, [0.1], { fractionOfPeak: 3 });
      expect(outcome([tier], '≥ 80 % of the FMA peak')?.met).toBeUndefined();
    }
  });

  it('but to a peer AMX is compared, with no limit of multiply-adds, which are told behind', () => {
    const records = [
      record('xitensor/native/amx', [1], { fractionOfLimit: 1.5 }),
      record('xitensor/native/avx512', [1.5]),
      record('xitensor/native/avx512bf16', [0.5]),
      record('torch', [3]),
    ];
    expect(outcome(records, '≥ 1.5 × torch')).toMatchObject({
      met: true,
      measured: '3.00 × (xitensor/native/amx); 2.00 × (xitensor/native/avx512)',
    });
  });

  it('and is measured where its kernels are its own', () => {
    const subject = (isa: string, tiles: object) =>
      ({ name: isa, threads: 1, backend: { isa, tiles }, answers: () => true }) as unknown as Subject;
    const own = subject('avx512bf16', { float32: 'avx512bf16', bf16: 'avx512bf16' });
    const plain = subject('avx512', { bf16: 'amx' });
    const none = subject('sse2', {});
    const measuredBy = (of: Subject) => WORKLOADS.filter((w) => measures(of, w)).map(({ name }) => name);
    expect(measuredBy(own)).toContain('C2 rectifier f32');
    expect(measuredBy(own)).toContain('N1 TT step rectifier f32');
    expect(measuredBy(own)).toContain('C2 rectifier bf16');
    expect(measuredBy(own).filter((name) => /^(S1|G|N2|N4|R|D)|f64/.test(name))).toEqual([]);
    const all = WORKLOADS.map(({ name }) => name).filter((name) => !/bf16/.test(name));
    expect([measuredBy(plain), measuredBy(none)]).toEqual([all, all]);
  });

  it('tell a target that is missed from one beyond the limit of the instructions', () => {
    const records = (fractionOfLimit: number) => [
      record('xitensor/native/avx2', [1], { fractionOfLimit }),
      record('torch', [1.2]),
    ];
    const outcome = (fractionOfLimit: number) =>
      checkTargets(result(records(fractionOfLimit))).find(
        ({ workload, wanted }) => workload === 'C1 rectifier f32' && wanted === '≥ 1.5 × torch',
      )!;
    expect([outcome(0.5), outcome(0.9)].map(verdict)).toEqual(['NOT MET', 'beyond the limit']);
    expect(targetLines([outcome(0.5), outcome(0.9)]).at(-1)).toMatch(/^0 targets met, 2 not met \(1 of them/);
  });

  it('lines end with a count', () => {
    expect(targetLines(checkTargets(result([]))).at(-1)).toMatch(
      /^0 targets met, 0 not met \(0 of them beyond the limit of our instructions\), \d+ without/,
    );
  });
});

describe('rendering', () => {
  const records = [record('xitensor/native/avx512', [1]), record('torch', [2], { verified: false })];

  it('the table tells how many times faster ours is, and of wrong results', () => {
    const table = tableOf('C1 rectifier f32', records);
    expect(table).toMatch(/torch .* 2\.00 × +NO {2}form of/);
    expect([duration(0.0123), duration(2), duration(123)]).toEqual(['12.30 µs', '2.000 ms', '123.0 ms']);
  });

  it('the page has the texts, the figures and what was not measured', () => {
    const docs = docsOf([{ name: 'r', result: result(records) }], { intro: '# Title', learnt: '## Learnt' });
    expect(Object.keys(docs)).toEqual(['docs/performance.md', 'docs/performance/r.svg']);
    const page = docs['docs/performance.md'];
    for (const part of [
      '# Title',
      '## Learnt',
      'performance/r.svg',
      '**wrong result**',
      'form of <it> \\| & more',
    ])
      expect(page).toContain(part);
    expect(page).toContain('xitensor/native/neon cannot run: not on x64');
  });

  it('the newest result of a machine is shown', () => {
    const older = { ...result(records), peak: 111 };
    const entries = [
      { name: '2026-02', result: result(records) },
      { name: '2026-01', result: older },
    ];
    const page = docsOf(entries, { intro: '', learnt: '' })['docs/performance.md'];
    expect(page).toContain('200 GFLOP/s');
    expect(page).not.toContain('111 GFLOP/s');
  });

  it('the picture escapes what it is given', () => {
    const svg = chartOf(result(records));
    expect(svg).toContain('CPU X &lt;1>');
    expect(svg.match(/<rect class="(native|peer)"/g)).toHaveLength(2);
  });

  it('JSON comes back as it was, under the name of machine and day', () => {
    const one = result(records);
    expect(JSON.parse(resultJson(one))).toEqual(one);
    expect(resultName(one)).toBe('2026-01-02-some-x-1');
  });

  it('docs/performance is what bench/results makes it', async () => {
    const { readFileSync } = await import('node:fs');
    const { results, texts } = readSources();
    for (const [path, text] of Object.entries(docsOf(results, texts)))
      expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
