import { gridOf } from '../analysis/grid.ts';
import { oddModes } from '../analysis/matricize.ts';
import { type RankReport, reportOf } from '../analysis/ranks.ts';
import { singularValuesOf } from '../analysis/spectrum.ts';
import type { Backend } from '../backend/interface.ts';
import type { RankStudy } from './rank_config.ts';
import { type RandomNetwork, randomNetwork } from './rank_network.ts';

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
  const { rank, tolerance, singularValues } = networkReport(backend, study, randomNetwork(study, R, index));
  return { R, index, rank, tolerance, values: relative(singularValues) };
}

/** The odd matricization of a network's grid tensor over all templates of a study, by its singular values. */
export function networkReport(backend: Backend, study: RankStudy, { tree, F }: RandomNetwork): RankReport {
  const { M, T, tolerance } = study;
  const data = gridOf(backend, 'float64', tree, F, allTemplates(study));
  const grid = { dtype: 'float64', shape: new Array<number>(T).fill(M), data } as const;
  return reportOf(singularValuesOf(backend, grid, oddModes(T)), tolerance);
}

/** Every template at every step. */
export const allTemplates = ({ M, T }: RankStudy): (readonly number[])[] =>
  new Array<readonly number[]>(T).fill(Array.from({ length: M }, (_, m) => m));

/** Three digits of each value over the first: what a figure shows. */
export function relative(values: ArrayLike<number>): number[] {
  const largest = values[0] || 1;
  return Array.from(values, (value) => Number((value / largest).toPrecision(3)));
}
