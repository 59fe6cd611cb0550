import { gridOf } from '../analysis/grid.ts';
import { reportOf } from '../analysis/ranks.ts';
import { singularValuesOf } from '../analysis/spectrum.ts';
import type { Backend } from '../backend/interface.ts';
import type { RankStudy } from './rank_config.ts';
import { randomNetwork } from './rank_network.ts';

/** Singular values of the odd matricization of one network's grid tensor, in parts of the largest. */
export interface Spectrum {
  readonly R: number;
  readonly index: number;
  readonly rank: number;
  readonly tolerance: number;
  readonly values: readonly number[];
}

/** Spectrum of network `index` of rank R of a study; determined by both. */
export function spectrumOf(backend: Backend, study: RankStudy, R: number, index: number): Spectrum {
  const { M, T, tolerance } = study;
  const { tree, F } = randomNetwork(study, R, index);
  const choice = new Array<readonly number[]>(T).fill(Array.from({ length: M }, (_, m) => m));
  const data = gridOf(backend, 'float64', tree, F, choice);
  const grid = { dtype: 'float64', shape: new Array<number>(T).fill(M), data } as const;
  const rows = Array.from({ length: Math.ceil(T / 2) }, (_, n) => 2 * n);
  const singularValues = singularValuesOf(backend, grid, rows);
  const { rank } = reportOf(singularValues, tolerance);
  return { R, index, rank, tolerance, values: relative(singularValues) };
}

/** Three digits of each value over the first: what a figure shows. */
export function relative(values: ArrayLike<number>): number[] {
  const largest = values[0] || 1;
  return Array.from(values, (value) => Number((value / largest).toPrecision(3)));
}
