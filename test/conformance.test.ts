import { spawnSync } from 'node:child_process';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, which runs before anything is compiled
import { neonRunner } from '../scripts/neon.mjs';
import { suite } from './conformance/suite.ts';
import { required, subjects } from './support/subjects.ts';

const covered: string[] = [];
afterAll(() => console.log(`conformance covered: ${covered.join(', ')}`));

for (const subject of subjects) {
  describe(subject.label, () => {
    covered.push(subject.label);
    for (const { name, run } of suite) it(name, () => run(subject.open()));
  });
}

/** The addon for AArch64, in an AArch64 Node, on an emulated processor. */
const runner = neonRunner();
if ('missing' in runner) {
  console.warn(`native neon is not covered: ${runner.missing}`);
} else {
  describe('native neon under qemu', () => {
    covered.push('native neon (qemu)');
    const results = new Map<string, string | null>();
    beforeAll(async () => {
      const bundle = '.setup/neon/conformance.mjs';
      await build({
        entryPoints: ['test/conformance/run.ts'],
        bundle: true,
        platform: 'node',
        format: 'esm',
        outfile: bundle,
        logLevel: 'error',
      });
      const { stdout, stderr } = spawnSync(runner.command, [...runner.args, bundle], {
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
        env: { ...process.env, XITENSOR_TEST_RUNS: '5' },
      });
      const [head, ...lines] = stdout.split('\n').filter(Boolean);
      expect(head, stderr).toContain('"isa":"neon"');
      for (const line of lines) {
        const { name, error } = JSON.parse(line) as { name: string; error: string | null };
        results.set(name, error);
      }
    });
    for (const { name } of suite) it(name, () => expect(results.get(name)).toBeNull());
  });
}

describe('coverage', () => {
  it.each(required)('%s, which XITENSOR_REQUIRE names, was covered', (name) => {
    expect(covered).toContain(name);
  });
  it('has the reference and at least one more', () => expect(covered.length).toBeGreaterThan(1));
});
