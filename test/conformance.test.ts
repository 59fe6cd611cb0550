import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, which runs before anything is compiled
import { bundleSuite } from '../scripts/lib/bundles.mjs';
// @ts-expect-error plain JavaScript
import { neonRunner } from '../scripts/neon.mjs';
import { suite } from './conformance/suite.ts';
import { RELAXED_FILE } from './support/processes.ts';
import { required, subjects } from './support/subjects.ts';

const covered: string[] = [];
afterAll(() => console.log(`conformance covered: ${covered.join(', ')}`));

for (const subject of subjects) {
  describe(subject.label, () => {
    covered.push(subject.label);
    for (const { name, run } of suite) it(name, () => run(subject.open()));
  });
}

/** Bundles the suite, runs it with a command that starts Node, and reports its cases here. */
function elsewhere(title: string, label: string, command: readonly string[]) {
  describe(title, () => {
    covered.push(label);
    const results = new Map<string, string | null>();
    beforeAll(async () => {
      const bundle = await bundleSuite(label.replaceAll(/\W+/g, '-'));
      const [program, ...args] = command;
      const { stdout, stderr } = spawnSync(program, [...args, bundle, ...label.split(' ').slice(0, 2)], {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
        env: { ...process.env, XITENSOR_TEST_RUNS: '5' },
      });
      const [head, ...lines] = stdout.split('\n').filter(Boolean);
      expect(head, stderr).toContain(`"isa":"${label.split(' ')[1]}"`);
      for (const line of lines) {
        const { name, error } = JSON.parse(line) as { name: string; error: string | null };
        results.set(name, error);
      }
    });
    for (const { name } of suite) it(name, () => expect(results.get(name)).toBeNull());
  });
}

/** The addon for AArch64, in an AArch64 Node, on an emulated processor. */
const runner = neonRunner();
if ('missing' in runner) {
  console.warn(`native neon is not covered: ${runner.missing}`);
} else {
  const command = [runner.command, ...runner.args];
  elsewhere('native neon under qemu', 'native neon (qemu)', command);
}

/** Node 20 has relaxed SIMD behind a flag, with the opcodes of the standard; later versions have it anyway, and no flag. */
const RELAXED = 'wasm relaxed128';
if (!subjects.some(({ label }) => label === RELAXED)) {
  if (!existsSync(RELAXED_FILE)) {
    console.warn(`${RELAXED} is not covered: ${RELAXED_FILE} is missing`);
  } else {
    const command = [process.execPath, '--experimental-wasm-relaxed-simd'];
    elsewhere(`${RELAXED} behind a flag`, RELAXED, command);
  }
}

describe('coverage', () => {
  it.each(required)('%s, which XITENSOR_REQUIRE names, was covered', (name) => {
    expect(covered).toContain(name);
  });
  it('has the reference and at least one more', () => expect(covered.length).toBeGreaterThan(1));
});
