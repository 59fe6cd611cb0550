import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import type { Check } from '../../src/experiments/checks/check.ts';
import { relativeError } from '../../src/experiments/checks/instances.ts';
import { CHECKS, run, verify } from '../../src/experiments/verify.ts';
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
    const only = ['lemma', 'proposition', 'universality-c', 'theorem'];
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
