import { describe, expect, it } from 'vitest';
import { gridOutput } from '../../src/analysis/matricize.ts';
import { prefixRanks } from '../../src/analysis/ranks.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import { ttFull, ttRanks } from '../../src/decompose/tt.ts';
import { ttSvd } from '../../src/decompose/tt_svd.ts';
import { widthBound } from '../../src/theory/bounds.ts';
import { backends, distance, ofGolden } from '../support/decompose.ts';
import { type GoldenArray, golden, goldenNames } from '../support/golden.ts';

interface Net {
  readonly xi: Xi;
  readonly sizes: { readonly M: number; readonly T: number };
  readonly grid: GoldenArray;
  readonly matrank_odd_even: { readonly rank: number };
  readonly width_bound: { readonly paper: number | null; readonly refined: number | null };
  readonly tt_svd: {
    readonly eps: number;
    readonly rmax: number | null;
    readonly ranks: number[];
    readonly rel_error: number;
    readonly safe: boolean;
  }[];
}
/** Networks of two steps and more; of some there is no grid. */
const nets = goldenNames(/^(net|edge_T2)_/).filter((name) => golden<Partial<Net>>(name).tt_svd);

describe.each(backends)('grids of networks as tensor trains, $name', ({ open }) => {
  const backend = open();

  // eps = 0 is passed as it stands: zeros that rounding has made something of are no rank.
  it.each(nets)('%s', (name) => {
    const net = golden<Net>(name);
    const H = gridOutput(ofGolden(net.grid), 0);
    for (const { eps, rmax, ranks, rel_error, safe } of net.tt_svd) {
      if (!safe) continue;
      const tt = ttSvd(H, { eps, maxRanks: rmax ?? undefined, backend });
      expect(ttRanks(tt), `eps ${eps}, rmax ${rmax}`).toEqual(ranks);
      expect(distance(ttFull(tt, { backend }), H)).toBeCloseTo(rel_error, 11);
      expect(tt.error).toBeCloseTo(rel_error, 7);
    }
  });
});

it('there are golden networks of all families', () => expect(nets.length).toBeGreaterThanOrEqual(40));

it.each(nets)('the width that the rank of %s asks for', (name) => {
  const { xi, sizes, matrank_odd_even, width_bound } = golden<Net>(name);
  const bound = widthBound({ xi, size: sizes.M, steps: sizes.T, rank: matrank_odd_even.rank });
  expect(bound).toMatchObject({ ...width_bound, impossible: width_bound.refined === null });
});

it('the spectra of all unfoldings of a noisy tensor', () => {
  const { noisy, noisy_unfolding_sv } = golden<{ noisy: GoldenArray; noisy_unfolding_sv: GoldenArray[] }>(
    'tt_ops.json',
  );
  const cuts = prefixRanks(ofGolden(noisy));
  expect(cuts.length).toBe(noisy_unfolding_sv.length);
  for (const [t, { singularValues }] of cuts.entries())
    for (const [n, value] of singularValues.entries())
      expect(value).toBeCloseTo(Number(noisy_unfolding_sv[t].data[n]), 11);
});
