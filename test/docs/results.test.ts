import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, over dist/
import { pageOf, readKept } from '../../scripts/lib/results.mjs';
import type { PerformanceRecord } from '../../src/experiments/performance.ts';

const kept: { trainings: PerformanceRecord[] } = readKept();

describe('the published results', () => {
  it('are drawn from the trainings beside them, and no other file lies there', () => {
    const made: Record<string, string> = pageOf(kept);
    for (const [path, text] of Object.entries(made))
      expect(readFileSync(path, 'utf8') === text, path).toBe(true);
    const files = Object.keys(made).map((path) => path.replace('docs/results/', ''));
    expect(readdirSync('docs/results').sort()).toEqual(
      [...files.filter((file) => !file.includes('/')), 'trainings.json'].sort(),
    );
  });

  it('have every training of the experiments once, finished', () => {
    const names = kept.trainings.map(({ experiment, dataset, fold, kind, xi, rank, shared, seed }) =>
      [experiment, dataset, fold, kind, xi, rank, shared, seed].join(' '),
    );
    expect(new Set(names).size).toBe(names.length);
    for (const { experiment, dataset, history, epochs } of kept.trainings) {
      expect(history).toHaveLength(1);
      expect([experiment, dataset, epochs].every(Boolean)).toBe(true);
    }
  });
});
