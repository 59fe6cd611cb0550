import type { Core, JoinTree, Node } from '../analysis/joins.ts';
import { Rng } from '../core/rng.ts';
import type { Tensor } from '../core/tensor.ts';
import type { RankStudy } from './rank_config.ts';

/** A random recurrent network, and its features F [M,M] of M templates. */
export interface RandomNetwork {
  readonly tree: JoinTree;
  readonly F: Tensor;
}

/** Entries with mean 0 and variance 1. */
const DRAWS: Readonly<Record<RankStudy['entries'], (rng: Rng) => number>> = {
  normal: (rng) => rng.normal(),
  uniform: (rng) => Math.sqrt(3) * (2 * rng.uniform() - 1),
};

/** Network `index` of rank R: C, G and F of independent entries, one output; determined by the study's seed, R and index. */
export function randomNetwork(study: RankStudy, R: number, index: number): RandomNetwork {
  const { xi, M, T, L, shared, entries, seed } = study;
  const rng = new Rng(seed, R, index);
  const draw = (length: number) => Float64Array.from({ length }, () => DRAWS[entries](rng));
  const parts = (length: (t: number) => number) => {
    const all: Float64Array[] = [];
    for (let t = 0; t < T; t++) all.push(shared && t > 1 && t < T - 1 ? all[1] : draw(length(t)));
    return all;
  };
  const bound = (t: number) => (t === 0 || t === T ? 1 : R);
  const C = parts(() => L * M);
  const G = parts((t) => L * bound(t) * bound(t + 1));
  const F = { dtype: 'float64', shape: [M, M], data: draw(M * M) } as const;
  let root: Node = { mode: 0, width: L, projection: C[0] };
  for (let t = 0; t < T; t++) {
    const core: Core = { form: 'full', values: G[t] };
    const minor = { mode: t, width: L, projection: C[t] };
    root = { major: t === 0 ? null : root, minor, core, R: bound(t), width: bound(t + 1) };
  }
  return { tree: { xi, root, modes: T }, F };
}
