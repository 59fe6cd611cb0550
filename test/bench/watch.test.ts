import { describe, expect, it, vi } from 'vitest';
import { BACKEND_NAMES } from '../../src/backend/interface.ts';
import { selectBackend } from '../../src/backend/select.ts';
import type { BenchRecord } from '../../src/bench/records.ts';
import { runBench } from '../../src/bench/run.ts';
import type { Subject } from '../../src/bench/subject.ts';
import { Watch, watchOf } from '../../src/bench/watch.ts';
import { selectWorkloads } from '../../src/bench/workloads.ts';

/** A clock that a test sets: each reading takes the next of these milliseconds, or the last for ever. */
function readings(list: readonly number[]): { watch: Watch; count(): number } {
  let n = 0;
  return { watch: new Watch(() => list[Math.min(n++, list.length - 1)], 0), count: () => n };
}
const calibration = (calm: number, disturbed: number) =>
  Array.from({ length: 100 }, (_, n) => (n < 10 ? calm : disturbed));

describe('a watch', () => {
  it('learns what calm is from the few shortest readings, and says which moment is not', async () => {
    const { watch } = readings([...calibration(1, 2), 1.05, 1.3, 1.1, 2]);
    expect(await watch.calm()).toBe(true);
    expect(await watch.calm()).toBe(false);
    expect(await watch.calm()).toBe(true);
    expect(await watch.calm()).toBe(false);
  });

  it('one lucky reading does not make all others disturbed', async () => {
    const { watch } = readings([0.1, ...Array.from({ length: 150 }, () => 1)]);
    expect(await watch.calm()).toBe(true);
  });

  it('waits until a moment is calm, and no longer than asked for', async () => {
    const soon = readings([...calibration(1, 2), 2, 2, 2, 1]);
    await soon.watch.wait(60_000);
    expect(soon.count()).toBe(104);
    const never = readings([...calibration(1, 2), 2]);
    await never.watch.wait(100);
    expect(never.count()).toBeGreaterThan(101);
  });

  it.each(BACKEND_NAMES)('reads the time of products of one panel that %s computes', async (name) => {
    const { backend } = selectBackend({ prefer: [name], threads: 1 });
    const products = vi.spyOn(backend, 'contractPacked');
    const watch = watchOf(backend);
    const before = products.mock.calls.length;
    await watch.calm();
    expect(products.mock.calls.length - before).toBeGreaterThan(100);
    for (const [xi, rows, , , packed] of products.mock.calls)
      expect([xi, rows, packed.L * packed.R, packed.K]).toEqual(['product', 56, 256, 32]);
    products.mockRestore();
  });
});

describe('a run', () => {
  /** A subject whose core is never, or always calm, and which takes as long as it does. */
  const subject = (name: string, ms: () => number, watch: Watch): Subject => ({
    name,
    threads: 1,
    answers: () => true,
    prepare: (_, inputs) => ({
      form: 'f',
      round: (calls) => calls * ms(),
      outputs: () => ({ arrays: { out: inputs.a.data } }),
      watch,
    }),
  });

  it('times again what did not end in a calm moment, and counts what never did', async () => {
    const { chosen: workloads } = selectWorkloads(['C1 product f32']);
    // Calm before each timing, disturbed behind the first of them, calm behind the second.
    const once = readings([...calibration(1, 1), 1, 2, 1, 1]).watch;
    const never = readings([...calibration(1, 2), 2]).watch;
    let lengths = 0;
    const first = () => (lengths++ < 4 ? 100 : 50);
    const subjects = [subject('again', first, once), subject('disturbed', () => 1, never)];
    const pace = { rounds: 1, roundMs: 20, patienceMs: 1 };
    const records: BenchRecord[] = [];
    await runBench(
      { workloads, subjects, peers: {}, absent: [], pace },
      { workload: (_, lines) => records.push(...lines) },
    );
    expect(records.map(({ subject, disturbed }) => [subject, disturbed])).toEqual([
      ['again', 0],
      ['disturbed', 1],
    ]);
    expect(records[0].rounds).toEqual([50]);
  });
});
