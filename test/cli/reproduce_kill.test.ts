import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { COMMAND, type Outcome, start, temporaryFolder, xitensor } from '../support/processes.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder();
});
afterAll(() => rmSync(folder, { recursive: true }));

const args = (out: string) => [
  ...['reproduce', 'performance', '--quick', '--data', 'splice', '--epochs', '2', '--threads', '1'],
  ...['--out', out],
];
const records = (out: string) =>
  JSON.parse(readFileSync(join(out, 'performance/records.json'), 'utf8')).map((record: object) => ({
    ...record,
    seconds: 0,
  }));
const checkpointsIn = (out: string) =>
  existsSync(join(out, 'performance'))
    ? readdirSync(join(out, 'performance')).filter((name) => name.endsWith('.checkpoint.safetensors'))
    : [];

/** Kills the command a while after it has written a checkpoint; undefined where it ended before. */
async function killed(out: string, wait: number): Promise<Outcome> {
  const running = start([COMMAND, ...args(out)]);
  let ended = false;
  void running.done.then(() => {
    ended = true;
  });
  const before = checkpointsIn(out).join();
  while (!ended && checkpointsIn(out).join() === before) await pause(5);
  await pause(wait);
  running.child.kill('SIGKILL');
  return running.done;
}

it('killed within its trainings, the experiments go on with them and end as if nothing had happened', async () => {
  const [whole, out] = [join(folder, 'whole'), join(folder, 'killed')];
  expect(await xitensor(args(whole))).toMatchObject({ code: 0, stderr: '' });
  const seed = Math.floor(Math.random() * 2 ** 31);
  const rng = new Rng(seed);
  let resumed = 0;
  for (let n = 0; n < 3; n++) {
    // Some die within the epoch after the checkpoint, some in a later training.
    const { stdout } = await killed(out, rng.uniform() * 150);
    resumed += Number(stdout.includes('goes on after step'));
  }
  const last = await xitensor(args(out));
  expect(last, `seed ${seed}`).toMatchObject({ code: 0, stderr: '' });
  resumed += Number(last.stdout.includes('goes on after step'));
  expect(resumed, `seed ${seed}`).toBeGreaterThan(0);
  expect(last.stdout).toMatch(/; 14 of 15, about [\d.]+ s left/);
  expect(records(out)).toEqual(records(whole));
  const model = 'performance/showcase.safetensors';
  expect(readFileSync(join(out, model)).equals(readFileSync(join(whole, model)))).toBe(true);
  expect(checkpointsIn(out)).toEqual([]);
});
