import { describe, expect, it } from 'vitest';
import { BACKEND_NAMES } from '../../src/backend/interface.ts';
import { probeBackend } from '../../src/backend/select.ts';
import { ownSubjects } from '../../src/bench/own.ts';
import type { BenchResult } from '../../src/bench/records.ts';
import { WORKLOADS } from '../../src/bench/workloads.ts';
import { fails as failsIn, ROOT, xitensor } from '../support/processes.ts';

const fails = (args: readonly string[], code: 1 | 2, message: RegExp) =>
  failsIn(['bench', ...args], code, message, ROOT);

/** Every instruction set that runs here, by the names that records have. */
const usable = BACKEND_NAMES.flatMap((name) => {
  const probe = probeBackend(name);
  const isas = probe.usable ? probe.isas.filter((isa) => isa.usable) : [];
  return isas.map((isa) =>
    name === 'reference' || isa.name === 'wasm128' ? `xitensor/${name}` : `xitensor/${name}/${isa.name}`,
  );
});

describe('xitensor bench', () => {
  it('--json measures every instruction set of this machine and verifies what it computed', async () => {
    const { code, stdout, stderr } = await xitensor([
      'bench',
      'boundary',
      '--rounds',
      '2',
      '--quick',
      '--json',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const result: BenchResult = JSON.parse(stdout);
    expect(result.machine.processor).not.toBe('');
    expect(result.peak).toBeGreaterThan(0);
    const workloads = ['boundary backend.contract', 'boundary contract()'];
    const lines = result.records.map(({ workload, subject }) => [workload, subject]);
    expect(lines).toEqual(workloads.flatMap((workload) => usable.map((subject) => [workload, subject])));
    for (const record of result.records) {
      expect(record, record.subject).toMatchObject({ verified: true, threads: 1, fractionOfPeak: null });
      expect(record.rounds.filter((ms) => ms !== null && ms > 0)).toHaveLength(2);
      expect(record.medianMs).toBeGreaterThan(0);
    }
  });

  it('prints a table with the part of the peak, and no column for peers that are not there', async () => {
    const args = ['C1 rectifier f32', '--backend', 'reference', '--rounds', '1', '--quick'];
    const { code, stdout, stderr } = await xitensor(['bench', ...args]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/^.+, \d+ cores, .*\nFMA peak of a core, float32, \w+ \w+: [\d.]+ GFLOP\/s\n/);
    expect(stdout).toMatch(/\nsubject +threads +median +spread +GFLOP\/s +of peak +of limit +verified\n/);
    expect(stdout).toMatch(/\nxitensor\/reference +1 +[\d.]+ ms +[\d.]+ % .* yes\n/);
    expect(stdout).toMatch(/\nC1 rectifier f32 gradients\n/);
  });

  it('--list prints the names, of a group too', async () => {
    const { stdout } = await xitensor(['bench', '--list']);
    expect(stdout.trim().split('\n')).toEqual(WORKLOADS.map(({ name }) => name));
    const one = await xitensor(['bench', 's1', '--list', '--json']);
    expect(JSON.parse(one.stdout)).toEqual(WORKLOADS.filter(({ name }) => name.startsWith('S1')));
  });

  it.each<[string[], 1 | 2, RegExp]>([
    [['C9'], 2, /unknown workload 'C9': expected the start of a name in C1, .*; did you mean 'C1'\?/],
    [['C2 rectifer f32'], 2, /did you mean 'C2 rectifier f32'\?/],
    [['xyzzyxyzzy'], 2, /unknown workload 'xyzzyxyzzy': [^;]*boundary \(E_ARGUMENT\)\n$/],
    [['C1', '--rounds', '0'], 2, /--rounds: expected an integer from 1 to 1000, received 0/],
    [['C1', '--threads', '1.5'], 2, /threads: expected an integer from 1 to 255, received 1.5/],
    [['C1', '--isa', 'avx3'], 2, /isa: expected one of .*float64, received 'avx3'/],
    [['C1', '--backend', 'gpu'], 2, /Allowed choices are native, wasm, reference/],
    [
      ['C1', '--backend', 'reference', '--threads', '2'],
      1,
      /nothing to measure:\n {2}xitensor\/reference .*1 thread/,
    ],
    [['C1', '--round', '3'], 2, /unknown option '--round'\n\(Did you mean --rounds\?\)/],
  ])('%j ends with one clear line', (args, code, message) => fails(args, code, message));

  it('the environment chooses where no option does', () => {
    const before = process.env.XITENSOR_BACKEND;
    try {
      process.env.XITENSOR_BACKEND = 'reference';
      expect(ownSubjects().subjects.map(({ name }) => name)).toEqual(['xitensor/reference']);
      process.env.XITENSOR_BACKEND = 'gpu';
      expect(() => ownSubjects()).toThrow(/XITENSOR_BACKEND: expected one of/);
    } finally {
      if (before === undefined) delete process.env.XITENSOR_BACKEND;
      else process.env.XITENSOR_BACKEND = before;
    }
  });
});
