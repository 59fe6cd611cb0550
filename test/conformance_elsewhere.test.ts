import { spawnSync } from 'node:child_process';
import { beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, which runs before anything is compiled
import { bundleSuite } from '../scripts/lib/bundles.mjs';
import { suite } from './conformance/suite.ts';
import { elsewhere } from './support/elsewhere.ts';
import { required, subjects } from './support/subjects.ts';

/** Bundles the suite, runs it with the command of each subject, and reports its cases here. */
describe.each(elsewhere)('$label', ({ label, command }) => {
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

describe('coverage', () => {
  const covered = [...subjects, ...elsewhere].map(({ label }) => label);
  console.log(`conformance covers: ${covered.join(', ')}`);

  it.each(required)('of %s, which XITENSOR_REQUIRE names', (name) => {
    expect(covered).toContain(name);
  });
  it('of the reference and at least one more', () => expect(covered.length).toBeGreaterThan(1));
});
