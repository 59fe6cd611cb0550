import {
  finalAccuracy,
  type PerformanceRecord,
  type PerformanceRun,
  spreadOf,
} from '../experiments/performance.ts';
import { FOLDS } from '../experiments/performance_plan.ts';
import type { DataRecord } from '../experiments/results.ts';
import { html, type Markup } from './markup.ts';
import { count, percent } from './words.ts';

/** Examples that a run was trained and tested on. */
export interface Sizes {
  readonly trained: number;
  readonly tested: number;
}

/** The sizes of a run, null for data that the results do not describe. Folds are of equal size; the first have one more. */
export function sizesOf(
  { dataset, fold, limit, testLimit }: PerformanceRun,
  data: readonly DataRecord[],
): Sizes | null {
  const set = data.find(({ name }) => name === dataset);
  if (!set) return null;
  const all = set.train + set.test;
  const test = fold === null ? set.test : Math.ceil((all - fold) / FOLDS);
  const train = fold === null ? set.train : all - test;
  return { trained: Math.min(train, limit ?? train), tested: Math.min(test, testLimit ?? test) };
}

/** What was trained and tested on, in words: all, a part, or every example once in its fold. */
export function samplesOf(set: DataRecord, records: readonly PerformanceRecord[]): string {
  const own = records.filter(({ dataset }) => dataset === set.name);
  const all = set.train + set.test;
  const folds = new Set(own.flatMap(({ fold }) => fold ?? []));
  if (folds.size > 0)
    return `${count(all)} sequences in ${FOLDS} folds${folds.size < FOLDS ? `, ${folds.size} of them tested` : ', each tested once'}`;
  const sizes = own.length > 0 ? sizesOf(own[0], [set]) : null;
  const part = (used: number, of: number) => (used === of ? count(of) : `${count(used)} of ${count(of)}`);
  const { trained, tested } = sizes ?? { trained: set.train, tested: set.test };
  return `trained on ${part(trained, set.train)}, tested on ${part(tested, set.test)} sequences`;
}

/**
 * The 95 % interval of Wilson (1927) for the probability of a right answer, where a part `accuracy` of n independent examples is
 * right. Unlike accuracy ± 1.96 σ it stays between 0 and 1.
 */
export function wilson(accuracy: number, n: number): readonly [low: number, high: number] {
  const z = 1.959964;
  const middle = (accuracy + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((accuracy * (1 - accuracy)) / n + (z / (2 * n)) ** 2);
  return [Math.max(0, middle - half), Math.min(1, middle + half)];
}

/** Accuracy over some runs: mean, and least to largest where there are several; of one run the 95 % interval of its test examples. */
export function accuracyCell(records: readonly PerformanceRecord[], data: readonly DataRecord[]): Markup {
  const known = records.map(finalAccuracy).filter((value) => value !== null);
  const diverged = records.filter((record) => record.diverged).length;
  if (known.length === 0) return html`${diverged > 0 ? 'diverged' : '–'}`;
  const { mean, min, max } = spreadOf(known);
  const sizes = sizesOf(records[0], data);
  const ends = known.length > 1 ? [min, max] : sizes && wilson(mean, sizes.tested);
  const spread = ends && html`<small>${percent(ends[0])} – ${percent(ends[1])}</small>`;
  return html`${percent(mean)}${spread}${diverged > 0 && html`<small>${diverged} diverged</small>`}`;
}
