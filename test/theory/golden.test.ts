import { describe, expect, it } from 'vitest';
import type { Backend } from '../../src/backend/interface.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import type { Model } from '../../src/models/model.ts';
import { widthBound } from '../../src/theory/bounds.ts';
import { modelOf } from '../../src/theory/build.ts';
import { featureMap, identity } from '../../src/theory/features.ts';
import { oneHotTensor } from '../../src/theory/onehot.ts';
import { margins, shallowTwin } from '../../src/theory/openset.ts';
import { realization } from '../../src/theory/realize.ts';
import { shallowToRecurrent } from '../../src/theory/shallow.ts';
import { similarityNetwork } from '../../src/theory/similarity.ts';
import { addNetworks } from '../../src/theory/sums.ts';
import { asTensor, expectClose, type GoldenArray, golden, values } from '../support/golden.ts';
import { bruteGrid } from '../support/grids.ts';
import { subjects } from '../support/subjects.ts';

/** MANIFEST.md: relative to the largest entry. */
const GRID = 1e-11;
const CONSTRUCTION = 1e-9;

interface Cp {
  readonly lambda: GoldenArray;
  readonly v: GoldenArray;
}
interface Rnn {
  readonly C: GoldenArray[];
  readonly G: GoldenArray[];
}
const asBlock = (array: GoldenArray) => ({ shape: array.shape, data: values(array) });
const float64 = (array: GoldenArray) => asTensor(array, 'float64');

/** A golden network on features F. */
function rnnOf({ C, G }: Rnn, xi: Xi, F: Tensor, backend: Backend): Model {
  const ranks = G.map(({ shape }) => shape[2]);
  const own = Object.fromEntries([
    ...C.map((array, t) => [`C.${t}`, asBlock(array)]),
    ...G.map((array, t) => [`G.${t}`, asBlock(array)]),
  ]);
  const sizes = {
    xi,
    steps: C.length,
    outputs: ranks.at(-1)!,
    rank: ranks.slice(0, -1),
    projection: C[0].shape[0],
  };
  return modelOf({ kind: 'tt', ...sizes }, own, featureMap(F.shape[0], F), { backend });
}
function cpOf({ lambda, v }: Cp, xi: Xi, F: Tensor, backend: Backend): Model {
  const sizes = { xi, steps: v.shape[0], outputs: lambda.shape[1], rank: lambda.shape[0] };
  const own = { lambda: asBlock(lambda), v: asBlock(v) };
  return modelOf({ kind: 'cp', ...sizes }, own, featureMap(F.shape[0], F), { backend });
}

describe.each(subjects)('theorems on golden data, $label', ({ open }) => {
  const backend = open();
  const grid = (model: Model) => bruteGrid(model, identity(model.config.inputs));
  const close = (what: string, model: Model, expected: GoldenArray, tolerance = CONSTRUCTION) => {
    expect(grid(model).data.length, what).toBe(values(expected).length);
    expectClose(what, grid(model).data, values(expected), tolerance);
  };

  it('Lemma 5.1', () => {
    const { cases } = golden<{
      cases: { xi: Xi; F: GoldenArray; p: Rnn; q: Rnn; sum: Rnn; grid_sum: GoldenArray }[];
    }>('thm_lemma51.json');
    expect(cases).toHaveLength(8);
    for (const { xi, F, p, q, sum, grid_sum } of cases) {
      const f = float64(F);
      const ours = addNetworks(rnnOf(p, xi, f, backend), rnnOf(q, xi, f, backend));
      const theirs = rnnOf(sum, xi, f, backend);
      expect(ours.config.rank).toEqual(theirs.config.rank);
      expect(ours.parameters).toEqual(theirs.parameters);
      close(`sum, ${xi}`, ours, grid_sum, GRID);
    }
  });

  it('Proposition A.4', () => {
    const { cases } = golden<{
      cases: {
        xi: Xi;
        F: GoldenArray;
        cp: Cp;
        rnn: Rnn;
        rank1_term0: Rnn;
        grid: GoldenArray;
        grid_term0: GoldenArray;
      }[];
    }>('thm_propA4.json');
    expect(cases).toHaveLength(8);
    for (const { xi, F, cp, rank1_term0, grid, grid_term0 } of cases) {
      const f = float64(F);
      const shallow = cpOf(cp, xi, f, backend);
      close(`shallow, ${xi}`, shallow, grid, GRID);
      close(`recurrent, ${xi}`, shallowToRecurrent(shallow), grid, GRID);
      const [T, , M] = cp.v.shape;
      const outputs = cp.lambda.shape[1];
      const all = values(cp.v);
      const first = Float64Array.from(
        { length: T * M },
        (_, n) => all[Math.floor(n / M) * cp.v.shape[1] * M + (n % M)],
      );
      const term = modelOf(
        { kind: 'cp', xi, steps: T, outputs, rank: 1 },
        {
          lambda: { shape: [1, outputs], data: values(cp.lambda).slice(0, outputs) },
          v: { shape: [T, 1, M], data: first },
        },
        featureMap(M, f),
        { backend },
      );
      close(
        `the first term of ${rank1_term0.G.length} unit ranks, ${xi}`,
        shallowToRecurrent(term),
        grid_term0,
        GRID,
      );
      expect(shallowToRecurrent(term).config.rank.every((r) => r === 1)).toBe(true);
    }
  });

  it('Lemma 5.2', () => {
    const { cases } = golden<{
      cases: {
        F: GoldenArray;
        H: GoldenArray;
        onehot_index: number[];
        onehot: GoldenArray;
        shallow_MT: Cp;
        shallow_MT_plus_1: Cp;
        shallow_fibre: Cp;
      }[];
    }>('thm_lemma52.json');
    for (const { F, H, onehot_index, onehot, ...nets } of cases) {
      const [f, h] = [float64(F), float64(H)];
      for (const [variant, theirs] of [
        ['entries', nets.shallow_MT],
        ['entries+constant', nets.shallow_MT_plus_1],
        ['fibres', nets.shallow_fibre],
      ] as const) {
        const { model } = realization(h, { kind: 'cp', xi: 'rectifier', variant, features: f, backend });
        expect(model.config.rank).toEqual([theirs.lambda.shape[0]]);
        close(variant, model, H);
        close(`${variant} of the file`, cpOf(theirs, 'rectifier', f, backend), H);
      }
      for (const kind of ['cp', 'tt'] as const)
        close(
          'one-hot',
          oneHotTensor({
            kind,
            xi: 'rectifier',
            size: f.shape[0],
            index: onehot_index,
            features: f,
            backend,
          }),
          onehot,
        );
    }
  });

  it('universality of recurrent networks', () => {
    const { cases } = golden<{
      cases: {
        F: GoldenArray;
        H: GoldenArray;
        tt_ranks: number[];
        c1_ranks: number[];
        c1_L: number;
        c0_L: number;
        rectifier_c1: Rnn;
        rectifier_c0: Rnn;
        max_c1: Rnn;
        min_c1: Rnn;
      }[];
    }>('thm_universal_rnn.json');
    expect(cases.length).toBeGreaterThan(3);
    for (const { F, H, tt_ranks, c1_ranks, c1_L, c0_L, ...nets } of cases) {
      const f = float64(F);
      for (const [xi, variant, theirs] of [
        ['rectifier', 'c1', nets.rectifier_c1],
        ['rectifier', 'c0', nets.rectifier_c0],
        ['max', 'c1', nets.max_c1],
        ['min', 'c1', nets.min_c1],
      ] as const) {
        const outputs = theirs.G.at(-1)!.shape[2];
        const h = float64({ ...H, shape: [...new Array(theirs.C.length).fill(f.shape[0]), outputs] });
        const made = realization(h, {
          kind: 'tt',
          xi,
          variant,
          features: f,
          steps: theirs.C.length,
          backend,
        });
        expect(made.ttRanks).toEqual(tt_ranks.slice(1, -1));
        expect(made.model.config.rank).toEqual((variant === 'c1' ? c1_ranks : tt_ranks).slice(1, -1));
        expect(made.model.config.projection).toBe(variant === 'c1' ? c1_L : c0_L);
        close(`${xi} ${variant}`, made.model, H);
        close(`${xi} ${variant} of the file`, rnnOf(theirs, xi, f, backend), H);
      }
    }
  });

  it('universality of trees', () => {
    const { cases } = golden<{ cases: { F: GoldenArray; H: GoldenArray }[] }>('thm_universal_ht.json');
    for (const { F, H } of cases)
      for (const xi of ['rectifier', 'max', 'min', 'product'] as const)
        close(xi, realization(float64(H), { kind: 'ht', xi, features: float64(F), backend }).model, H);
  });

  it('Theorem 5.2', () => {
    const { cases } = golden<{
      cases: {
        M: number;
        R: number;
        T: number;
        F: GoldenArray;
        rnn: Rnn;
        H: GoldenArray | null;
        rank: number;
        min_pow: number;
        bound_paper_from_minpow: number;
        bound_paper: number;
        bound_refined: number;
      }[];
    }>('thm_theorem52.json');
    for (const { M, R, T, F, rnn, H, rank, ...bounds } of cases) {
      const f = float64(F);
      const model = similarityNetwork({ size: M, rank: R, steps: T, features: f, backend });
      const q = Math.min(M, R);
      expect(rank).toBe(q ** (T / 2) + (R < M ? 1 : 0));
      expect(model.config.rank.every((r) => r <= R)).toBe(true);
      expect(model.config.projection).toBe(rnn.C[0].shape[0]);
      const bound = widthBound({ xi: 'rectifier', size: M, steps: T, rank });
      expect(bound).toEqual({ paper: bounds.bound_paper, refined: bounds.bound_refined, impossible: false });
      expect(widthBound({ xi: 'rectifier', size: M, steps: T, rank: bounds.min_pow }).paper).toBe(
        bounds.bound_paper_from_minpow,
      );
      if (H) close(`M=${M} R=${R} T=${T}`, model, H);
    }
  });

  it('Theorem 5.3', () => {
    const { cases } = golden<{
      cases: {
        F: GoldenArray;
        rnn: Rnn;
        margins: [number, number];
        shallow: Cp;
        grid: GoldenArray;
        perturbed: Rnn;
        perturbed_margins: [number, number];
        perturbed_shallow: Cp;
        perturbed_grid: GoldenArray;
      }[];
    }>('thm_theorem53.json');
    for (const c of cases) {
      const f = float64(c.F);
      for (const [rnn, expected, shallow, array] of [
        [c.rnn, c.margins, c.shallow, c.grid],
        [c.perturbed, c.perturbed_margins, c.perturbed_shallow, c.perturbed_grid],
      ] as const) {
        const model = rnnOf(rnn, 'rectifier', f, backend);
        const found = margins(model, identity(f.shape[0]));
        expect(found.inside).toBe(true);
        expectClose(
          'margins',
          Float64Array.of(found.selection, found.score),
          Float64Array.from(expected),
          GRID,
        );
        const twin = shallowTwin(model);
        expect(twin.config.rank).toEqual([1]);
        close('recurrent', model, array, GRID);
        close('its twin', twin, array, GRID);
        expectClose('the twin', twin.parameters.v.data, values(shallow.v), GRID);
      }
    }
  });
});
