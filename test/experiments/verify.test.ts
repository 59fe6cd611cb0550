import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { relativeError } from '../../src/core/distance.ts';
import type { Check } from '../../src/experiments/checks/check.ts';
import { CHECKS, chosen, run, verify } from '../../src/experiments/verify.ts';
import { refusal } from '../support/models.ts';

const backend = selectBackend().backend;

describe('verify', () => {
  it.each(CHECKS.map((check) => [check.id, check] as const))(
    '%s passes, with the same figure again',
    (_, check) => {
      const found = run(check, 3, backend);
      expect(found).toMatchObject({ pass: true, instances: check.instances });
      expect(found.statement.length).toBeGreaterThan(20);
      const again = { ...check, instances: Math.min(check.instances, 3) };
      expect(run(again, 3, backend)).toEqual(run(again, 3, backend));
    },
  );

  it.each(['wasm', 'reference'] as const)('the constructions pass on %s', async (name) => {
    const other = selectBackend({ prefer: [name] }).backend;
    const only = ['lemma', 'proposition', 'theorem'];
    for await (const { id, pass } of verify({ seed: 1, only, backend: other })) expect(pass, id).toBe(true);
  });

  it('fails what is false', () => {
    const wrong: Check = { ...CHECKS[0], tolerance: 1e-15, instances: 4, measure: (_, n) => n * 1e-3 };
    expect(run(wrong, 0, backend)).toMatchObject({ pass: false, figure: 3e-3 });
    const broken = { ...wrong, measure: (_: unknown, n: number) => (n === 1 ? Number.NaN : 0) };
    expect(run(broken, 0, backend)).toMatchObject({ pass: false, figure: Number.POSITIVE_INFINITY });
    const counted: Check = {
      ...wrong,
      figure: 'violations',
      tolerance: 0,
      measure: (_, n) => Number(n === 2),
    };
    expect(run(counted, 0, backend)).toMatchObject({ pass: false, figure: 1 });
  });

  it('has ids of its own, all of them in docs/theory.md', () => {
    const ids = CHECKS.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const page = readFileSync('docs/theory.md', 'utf8');
    for (const id of ids) expect(page).toContain(`\`${id}\``);
  });

  it('names sources that are there: every anchor is a heading of its page', () => {
    const anchors = CHECKS.flatMap(({ source }) => [...source.matchAll(/(docs\/[\w.]+)(\S*)/g)]);
    expect(anchors.length).toBeGreaterThan(8);
    for (const [, page, anchor] of anchors) {
      const headings = readFileSync(page, 'utf8').match(/^#+ .*$/gm) ?? [];
      const slugs = headings.map((line) => line.replace(/^#+ /, '#').toLowerCase().replaceAll(' ', '-'));
      expect(slugs, page).toContain(anchor);
    }
  });

  it('finds the theorems of the paper by their numbers', () => {
    const found = (prefix: string) => chosen([prefix]).map(({ id }) => id);
    expect(found('theorem-5.1').length).toBe(5);
    for (const prefix of ['lemma-5.1', 'lemma-5.2', 'proposition-A.4', 'theorem-5.2', 'theorem-5.3'])
      expect(found(prefix)).toEqual([prefix]);
  });

  it.each(['no-rank-bound', 'spans'])('%s holds of 2000 instances, near-singular ones among them', (id) => {
    const check = CHECKS.find((other) => other.id === id)!;
    expect(run({ ...check, instances: 2000 }, 0, backend)).toMatchObject({ figure: 0 });
  });

  it('finds no numerical rank above the exact one in as many networks as asked for', async () => {
    for await (const { id, instances, figure } of verify({ only: ['numerical'], instances: 500, seed: 7 }))
      expect({ id, instances, figure }).toEqual({ id: 'numerical-rank', instances: 500, figure: 0 });
    await expect(verify({ instances: 0, backend }).next()).rejects.toThrow(
      refusal('E_ARGUMENT', /verify instances/),
    );
  });

  it('refuses unknown checks and stops when asked', async () => {
    await expect(verify({ only: ['lemma-9'], backend }).next()).rejects.toThrow(
      refusal('E_ARGUMENT', /lemma-9/),
    );
    const signal = AbortSignal.abort();
    await expect(verify({ backend, signal }).next()).rejects.toThrow(refusal('E_ABORTED', /stopped/));
  });
});

it('errors are relative to the largest value, and infinite where nothing can be compared', () => {
  expect(relativeError([1, 2.5], [1, 2])).toBe(0.25);
  expect(relativeError([0.5], [0])).toBe(0.5);
  expect(relativeError([], [])).toBe(0);
  for (const [x, y] of [
    [[1], [1, 2]],
    [
      [Number.NaN, 1],
      [1, 1],
    ],
    [
      [1, 1],
      [Number.NaN, 1],
    ],
  ])
    expect(relativeError(x, y)).toBe(Number.POSITIVE_INFINITY);
});
