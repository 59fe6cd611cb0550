import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Prepared, Subject } from '../../src/bench/subject.ts';
import type { Inputs, MaxPlusWorkload } from '../../src/bench/workloads.ts';

const FLAGS = ['-O3', '-march=native'];

async function prepare(order: string, { n }: MaxPlusWorkload, inputs: Inputs): Promise<Prepared> {
  const folder = mkdtempSync(join(tmpdir(), 'xitensor-bench-'));
  const file = (name: string) => join(folder, name);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once('exit', remove);
  const compiler = process.env.CC || 'cc';
  execFileSync(compiler, [...FLAGS, resolve('bench/peers/naive.c'), '-o', file('naive'), '-lm'], {
    stdio: 'pipe',
  });
  for (const name of ['A', 'B']) writeFileSync(file(name), inputs[name].data as Float32Array);
  const child = spawn(file('naive'), [order, String(n), file('A'), file('B'), file('C')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    form: `loops ${order.split('').join(', ')}; ${compiler} ${FLAGS.join(' ')}`,
    round: async (calls) => {
      child.stdin.write(`${calls}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error(`naive.c ended with status ${child.exitCode}`);
      return Number(value);
    },
    outputs: async () => {
      child.stdin.end();
      await closed;
      return { arrays: { out: new Float32Array(new Uint8Array(readFileSync(file('C'))).buffer) } };
    },
    release: remove,
  };
}

const inOrder = (name: string, order: string): Subject => ({
  name,
  threads: 1,
  answers: ({ kind }) => kind === 'maxplus',
  prepare: (workload, inputs) => prepare(order, workload as MaxPlusWorkload, inputs),
});

/** The textbook's loops, whose max no compiler may reorder, and the loops interchanged, which it vectorizes. */
export const naiveC: readonly Subject[] = [inOrder('naive-c', 'ijk'), inOrder('c-interchanged', 'ikj')];
