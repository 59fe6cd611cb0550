import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { balancedBipartitions, gridOutput, matricize } from '../../src/analysis/matricize.ts';
import { bipartitionRanks, matricizationRank, prefixRanks, reportOf } from '../../src/analysis/ranks.ts';
import { Rng } from '../../src/core/rng.ts';
import { DTYPES, type Tensor, tensor } from '../../src/core/tensor.ts';
import {
  asTensor,
  expectClose,
  type GoldenArray,
  type GoldenNet,
  golden,
  goldenNames,
  values,
} from '../support/golden.ts';
import { refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

interface RankCase {
  readonly rows: number[];
  readonly rank: number;
  readonly safe: boolean;
  readonly singular_values: GoldenArray;
}

type RankedNet = GoldenNet & { readonly matrank_odd_even: RankCase; readonly matrank_prefix: RankCase[] };

for (const subject of subjects) {
  describe(subject.label, () => {
    const backend = subject.open();
    const agrees = (what: string, H: Tensor, want: RankCase) => {
      const { rank, singularValues, tolerance, gap } = matricizationRank(H, want.rows, { backend });
      expect(tolerance).toBe(1e-10);
      expectClose(what, singularValues, values(want.singular_values), 1e-11);
      if (!want.safe) return;
      expect(rank, what).toBe(want.rank);
      // No golden singular value lies between 1e-12 and 1e-8 of the largest.
      if (rank > 0) expect(gap).toBeGreaterThan(100);
    };

    it.each(golden<{ cases: (RankCase & { H: GoldenArray; matrix: GoldenArray })[] }>('matrank.json').cases)(
      'matrank.json, rows $rows, rank $rank',
      (want) => {
        const H = asTensor(want.H, 'float64');
        const matrix = matricize(H, want.rows);
        expect(matrix.shape).toEqual(want.matrix.shape);
        expect(matrix.data).toEqual(values(want.matrix));
        agrees('singular values', H, want);
      },
    );

    it.each(goldenNames(/^net_/))('ranks of %s', (file) => {
      const net = golden<RankedNet>(file);
      const grid = gridOutput(asTensor(net.grid!, 'float64'), 0);
      for (const want of [net.matrank_odd_even, ...net.matrank_prefix])
        agrees(`rows ${want.rows}`, grid, want);
      const cuts = prefixRanks(grid, { backend });
      expect(cuts.length).toBe(net.matrank_prefix.length);
      cuts.forEach((cut, t) => {
        if (net.matrank_prefix[t].safe) expect(cut.rank).toBe(net.matrank_prefix[t].rank);
      });
    });

    it('finds the rank of products of integers, wide, tall, empty and of one row', () => {
      const sizes = {
        m: fc.integer({ min: 0, max: 40 }),
        n: fc.integer({ min: 0, max: 40 }),
        r: fc.integer({ min: 0, max: 12 }),
      };
      fc.assert(
        fc.property(fc.record({ ...sizes, seed: fc.nat(1000) }), ({ m, n, r, seed }) => {
          const rng = new Rng(seed);
          const draw = (length: number) => Float64Array.from({ length }, () => rng.normal());
          const k = Math.min(m, n, r);
          const [U, V] = [draw(m * k), draw(k * n)];
          const data = Float64Array.from({ length: m * n }, (_, at) => {
            const [row, column] = [Math.floor(at / n), at % n];
            let sum = 0;
            for (let i = 0; i < k; i++) sum += U[row * k + i] * V[i * n + column];
            return sum;
          });
          const { rank, singularValues } = matricizationRank(tensor(data, [m, n]), [0], { backend });
          expect(rank).toBe(k);
          expect(singularValues.length).toBe(Math.min(m, n));
        }),
        { numRuns: 50 },
      );
    });
  });
}

describe('the report', () => {
  const backend = subjects[0].open();
  it('has tolerance, gap, effective rank and entropy', () => {
    const { entropy, effectiveRank, ...rest } = matricizationRank(
      tensor([
        [3, 0],
        [0, 3],
      ]),
      [0],
      { backend },
    );
    expect(rest).toMatchObject({ rank: 2, tolerance: 1e-10, gap: Number.POSITIVE_INFINITY });
    expect(entropy).toBeCloseTo(Math.LN2, 12);
    expect(effectiveRank).toBeCloseTo(2, 12);
    const skew = reportOf(Float64Array.of(2 ** 600, 2 ** 560, 2 ** 550), 1e-10);
    expect(skew).toMatchObject({ rank: 1, gap: 2 ** 40 });
    expect(skew.effectiveRank).toBeCloseTo(1, 12);
    expect(reportOf(Float64Array.of(4, 2), 0.5)).toMatchObject({ rank: 1, gap: 2 });
    expect(reportOf(Float64Array.of(4, 2), 0.4).rank).toBe(2);
    expect(reportOf(Float64Array.of(8, 4, 1), 0.2)).toMatchObject({ rank: 2, gap: 4 });
    expect(reportOf(Float64Array.of(0, 0), 0)).toMatchObject({ rank: 0, entropy: 0, effectiveRank: 0 });
    expect(reportOf(new Float64Array(0), 0)).toMatchObject({ rank: 0, entropy: 0, effectiveRank: 0 });
  });

  it('goes over all cuts and balanced bipartitions', () => {
    expect(balancedBipartitions(4)).toEqual([
      [0, 1],
      [0, 2],
      [0, 3],
    ]);
    expect(balancedBipartitions(3)).toEqual([[0], [1], [2]]);
    expect(balancedBipartitions(6).length).toBe(10);
    expect(balancedBipartitions(1)).toEqual([[]]);
    // δ(i,k)·δ(j,l): the cut {0,2} has rank 1, the others have 4.
    const H = tensor(
      Float64Array.from({ length: 16 }, (_, n) =>
        Number((n >> 3) % 2 === (n >> 1) % 2 && (n >> 2) % 2 === n % 2),
      ),
      [2, 2, 2, 2],
    );
    const ranks = bipartitionRanks(H, { backend }).map(({ rowModes, rank }) => [rowModes, rank]);
    expect(ranks).toEqual([
      [[0, 1], 4],
      [[0, 2], 1],
      [[0, 3], 4],
    ]);
    expect(prefixRanks(H, { backend }).map(({ rank }) => rank)).toEqual([2, 4, 2]);
    expect(prefixRanks(tensor([1]), { backend })).toEqual([]);
  });

  it('takes float32, and any order of row modes', () => {
    const H = tensor(Float32Array.of(1, 2, 3, 4, 5, 6, 7, 9), [2, 2, 2]);
    expect(matricizationRank(H, [2, 0], { backend })).toEqual(matricizationRank(H, [0, 2], { backend }));
    expect(matricize(H, [1]).data).toEqual(Float32Array.of(1, 2, 5, 6, 3, 4, 7, 9));
    expect(matricizationRank(H, [], { backend }).rank).toBe(1);
  });

  it('counts no rounding of float32 as rank', () => {
    const rng = new Rng(5);
    // A float32 product of random numbers has full rank at 1e-10.
    const factors = [30, 40].map((rows) => Float64Array.from({ length: rows * 3 }, () => rng.normal()));
    const product = (r: number, c: number) =>
      [0, 1, 2].reduce((sum, k) => sum + factors[0][3 * r + k] * factors[1][3 * c + k], 0);
    const values = Float64Array.from({ length: 1200 }, (_, n) => product(Math.floor(n / 40), n % 40));
    const [wide, narrow] = DTYPES.toReversed().map((dtype) => tensor(values, [30, 40], dtype));
    const ranks = (H: Tensor, options = {}) => {
      const { rank, tolerance } = matricizationRank(H, [0], { backend, ...options });
      return { rank, tolerance };
    };
    expect(ranks(wide)).toEqual({ rank: 3, tolerance: 1e-10 });
    expect(ranks(narrow)).toEqual({ rank: 3, tolerance: 40 * 2 ** -23 });
    expect(ranks(narrow, { tolerance: 1e-10 })).toEqual({ rank: 30, tolerance: 1e-10 });
    expect(prefixRanks(narrow, { backend })[0]).toMatchObject(ranks(narrow));
    expect(() => matricizationRank(narrow, [3], { backend })).toThrow(refusal('E_ARGUMENT', /rowModes/));
    const wrong = { backend, tolerance: null } as object;
    expect(() => matricizationRank(narrow, [0], wrong)).toThrow(refusal('E_ARGUMENT', /tolerance/));
  });

  it('knows a tensor again, by signs and places too', () => {
    const rng = new Rng(6);
    const fresh = () =>
      tensor(
        Float64Array.from({ length: 120 * 120 }, () => rng.normal()),
        [120, 120],
      );
    const changes: ((data: Float64Array) => void)[] = [
      (data) => data.set(data.map(Math.abs)),
      (data) => data.reverse(),
      (data) => data.copyWithin(0, 120, 240),
      (data) => data.fill(1e-200),
      (data) => {
        data[77] = -data[77];
      },
    ];
    for (const change of changes) {
      const H = fresh();
      const report = matricizationRank(H, [0], { backend });
      expect(report.method).toBe('inertia');
      change(H.data as Float64Array);
      expect(() => report.gap).toThrow(refusal('E_ARGUMENT', /RankReport: .*a changed one/));
    }
    const H = fresh();
    expect(matricizationRank(H, [0], { backend }).singularValues.length).toBe(120);
  });

  it('has no spectrum whose largest value overflows', () => {
    const huge = tensor(Float64Array.of(1.7e308, -1.7e308, 1.7e308, 1.7e308), [2, 2]);
    expect(() => matricizationRank(huge, [0], { backend }).rank).toThrow(refusal('E_NUMERIC', /overflow/));
  });

  it.each<[() => unknown, string, RegExp]>([
    [() => matricizationRank(tensor([1]), [1]), 'E_ARGUMENT', /rowModes: expected an integer from 0 to 0/],
    [() => matricizationRank(tensor([[1]]), [0, 0]), 'E_ARGUMENT', /each mode once/],
    [() => matricizationRank(tensor([1]), [0], { tolerance: 1 }), 'E_ARGUMENT', /tolerance/],
    [() => matricizationRank(tensor([1]), [0], { tolerence: 1 } as object), 'E_ARGUMENT', /options among/],
    [() => matricizationRank(tensor([Number.NaN]), [0]), 'E_NUMERIC', /finite/],
    [() => gridOutput(tensor([1, 2]), 2), 'E_ARGUMENT', /output/],
  ])('refuses %s', (call, code, message) => expect(call).toThrow(refusal(code, message)));
});
