import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matricizationRank } from '../../src/analysis/ranks.ts';
import type { Backend } from '../../src/backend/interface.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { lowRank, product, scaleColumns } from '../support/matrices.ts';
import { subjects } from '../support/subjects.ts';

/** A matrix [m,n] with these singular values, up to rounding. */
function withSpectrum(backend: Backend, m: number, n: number, s: Float64Array, seed: number): Float64Array {
  const k = s.length;
  const [P, Q] = [m, n].map((rows, side) => {
    const random = backend.adopt(lowRank(new Rng(seed, side), rows, k, k));
    return backend.qr(rows, k, random).Q;
  });
  const right = Float64Array.from({ length: k * n }, (_, at) => Q[(at % n) * k + Math.floor(at / n)]);
  return product(scaleColumns(P, s), right, m, k, n);
}

const spectrum = (count: number, value: (i: number) => number) =>
  Float64Array.from({ length: count }, (_, i) => value(i));

const above = (s: Float64Array, tolerance: number) => s.filter((x) => x > tolerance * Math.max(...s)).length;

/** Sizes, the last ones tall enough for a triangle first, and spectra none of whose values is within 1 % of the threshold. */
const CASES: readonly (readonly [string, number, number, Float64Array, number])[] = [
  ['decays through the threshold', 150, 150, spectrum(150, (i) => 10 ** (-i / 11.35)), 1e-10],
  ['decays through the threshold, tall', 200, 110, spectrum(110, (i) => 10 ** (-i / 8.35)), 1e-10],
  ['decays through the threshold, wide', 110, 200, spectrum(110, (i) => 10 ** (-i / 8.35)), 1e-10],
  ['decays through a large threshold', 130, 140, spectrum(130, (i) => 10 ** (-i / 11.35)), 1e-4],
  [
    'has 1 % of room on either side',
    128,
    128,
    spectrum(128, (i) => (i < 50 ? 1 : i % 2 ? 1.01e-10 : 0.99e-10)),
    1e-10,
  ],
  ['is all of one size', 130, 130, spectrum(130, () => 3), 1e-10],
  ['is all of one size but one', 130, 130, spectrum(130, (i) => (i === 7 ? 1e-13 : 3)), 1e-10],
  ['has one value', 140, 130, spectrum(130, (i) => Number(i === 0)), 1e-10],
  ['has few values', 140, 130, spectrum(130, (i) => (i < 5 ? 1 / (1 + i) : 0)), 1e-10],
  ['has as many values as a block', 140, 130, spectrum(130, (i) => Number(i < 64)), 1e-10],
  ['has 30 values', 150, 150, spectrum(150, (i) => (i < 30 ? 10 ** (-i / 10) : 0)), 1e-10],
  ['has few values, of many', 470, 460, spectrum(460, (i) => (i < 70 ? 10 ** (-i / 15) : 0)), 1e-10],
  ['ends in small values', 410, 400, spectrum(400, (i) => 10 ** (-i / (i < 200 ? 18.35 : 36.7))), 1e-12],
  ['is that of a very tall matrix', 2200, 100, spectrum(100, (i) => 10 ** (-i / 7.35)), 1e-10],
];

describe.each(subjects.filter(({ label }) => !label.startsWith('reference')))(
  '$label proves ranks',
  ({ open }) => {
    const backend = open();

    it.each(CASES)('where the spectrum %s, %i × %i', (_, m, n, s, tolerance) => {
      const A = withSpectrum(backend, m, n, s, m + n);
      expect(backend.numericalRank(m, n, backend.adopt(A), tolerance)).toBe(above(s, tolerance));
    });

    it.each([1e-300, 1e-150, 1e150, 1e290])('at scale %d', (scale) => {
      const s = spectrum(120, (i) => scale * 10 ** (-i / 9.35));
      const A = withSpectrum(
        backend,
        120,
        120,
        s.map((x) => x / scale),
        3,
      ).map((x) => x * scale);
      // Below 1e-308 numbers lose bits, and values their size.
      const tolerance = scale < 1e-200 ? 1e-6 : 1e-10;
      expect(backend.numericalRank(120, 120, backend.adopt(A), tolerance)).toBe(above(s, tolerance));
    });

    it('or nothing, and never another rank than that of the spectrum', () => {
      let proven = 0;
      fc.assert(
        fc.property(
          fc.record({
            m: fc.integer({ min: 90, max: 150 }),
            n: fc.integer({ min: 90, max: 150 }),
            decay: fc.integer({ min: 2, max: 40 }),
            digits: fc.integer({ min: 1, max: 13 }),
            copies: fc.integer({ min: 1, max: 4 }),
            zeros: fc.integer({ min: 0, max: 40 }),
            seed: fc.nat(1e6),
          }),
          ({ m, n, decay, digits, copies, zeros, seed }) => {
            const k = Math.min(m, n);
            const tolerance = 1.07 * 10 ** -digits;
            const base = withSpectrum(
              backend,
              m,
              n,
              spectrum(k, (i) => 10 ** (-Math.floor(i / 3) / decay)),
              seed,
            );
            // Equal rows, and rows of zeros.
            const A = base.map((_, at) => {
              const row = Math.floor(at / n);
              return row < zeros ? 0 : base[(row - (row % copies)) * n + (at % n)];
            });
            const rank = backend.numericalRank(m, n, backend.adopt(A), tolerance);
            if (rank === null) return;
            proven++;
            expect(rank).toBe(above(backend.singularValues(m, n, backend.adopt(A)), tolerance));
          },
        ),
        { numRuns: 40 },
      );
      expect(proven).toBeGreaterThan(0);
    });

    it('not where a value is within rounding of the threshold, where there is no tolerance, and of small matrices', () => {
      const s = spectrum(120, (i) => (i < 40 ? 1 : i === 40 ? 1e-10 * (1 + 1e-7) : 1e-14));
      const A = backend.adopt(withSpectrum(backend, 120, 120, s, 4));
      expect(backend.numericalRank(120, 120, A, 1e-10)).toBeNull();
      expect(backend.numericalRank(120, 120, A, 1e-9)).toBe(40);
      expect(backend.numericalRank(120, 120, A, 0)).toBeNull();
      expect(backend.numericalRank(1, 2, backend.adopt(Float64Array.of(1, 2)), 1e-10)).toBeNull();
    });

    it('of zeros and of nothing', () => {
      expect(backend.numericalRank(120, 130, backend.adopt(new Float64Array(120 * 130)), 1e-10)).toBe(0);
      for (const [m, n] of [
        [0, 0],
        [0, 5],
        [5, 0],
      ])
        expect(backend.numericalRank(m, n, backend.adopt(new Float64Array(0)), 1e-10)).toBe(0);
    });

    it('of finite matrices and tolerances below 1 alone', () => {
      for (const bad of [Number.NaN, Number.NEGATIVE_INFINITY]) {
        const A = new Float64Array(120 * 120).fill(1);
        A[777] = bad;
        expect(() => backend.numericalRank(120, 120, backend.adopt(A), 1e-10)).toThrow(
          expect.objectContaining({ code: 'E_NUMERIC' }),
        );
      }
      for (const bad of [1, -1, Number.NaN])
        expect(() => backend.numericalRank(1, 1, backend.adopt(Float64Array.of(1)), bad)).toThrow(
          /tolerance/,
        );
    });

    it.each([
      [150, 150],
      [110, 200],
      [200, 110],
      [2200, 100],
      [100, 2200],
    ])('of %i × %i elements that lie elsewhere', (m, n) => {
      const k = Math.min(m, n);
      const s = spectrum(k, (i) => 10 ** (-i / 9.35));
      const A = withSpectrum(backend, m, n, s, m + 2 * n);
      const rng = new Rng(m, n);
      const [rowAt, columnAt] = [m, n].map((count) => rng.permutation(count));
      const shuffled = new Float64Array(m * n);
      const places = new Int32Array(m + n);
      rowAt.forEach((at, i) => {
        places[i] = at;
      });
      columnAt.forEach((at, j) => {
        places[m + j] = at * m;
      });
      A.forEach((value, at) => {
        shuffled[places[Math.floor(at / n)] + places[m + (at % n)]] = value;
      });
      const stored = backend.adopt(shuffled);
      expect(backend.numericalRank(m, n, stored, 1e-10, places)).toBe(above(s, 1e-10));
      expect(backend.singularValues(m, n, stored, places)).toEqual(
        backend.singularValues(m, n, backend.adopt(A)),
      );
      for (const scale of [1e-170, 1e170]) {
        const scaled = backend.adopt(shuffled.map((x) => x * scale));
        expect(backend.numericalRank(m, n, scaled, 1e-10, places)).toBe(above(s, 1e-10));
      }
      shuffled[m * n - 1] = Number.POSITIVE_INFINITY;
      expect(() => backend.numericalRank(m, n, backend.adopt(shuffled), 1e-10, places)).toThrow(
        expect.objectContaining({ code: 'E_NUMERIC' }),
      );
    });

    it('of places within the elements alone', () => {
      const A = backend.adopt(new Float64Array(6));
      const bad: readonly (readonly [unknown, string])[] = [
        [Int32Array.of(0, 1, 2, 3), 'E_SHAPE'],
        [Int32Array.of(0, 3, 0, 1, 3), 'E_ARGUMENT'],
        [Int32Array.of(0, 3, -1, 1, 2), 'E_ARGUMENT'],
        [Float64Array.of(0, 3, 0, 1, 2), 'E_DTYPE'],
      ];
      for (const [places, code] of bad) {
        expect(() => backend.numericalRank(2, 3, A, 1e-10, places as Int32Array)).toThrow(
          expect.objectContaining({ code }),
        );
        expect(() => backend.singularValues(2, 3, A, places as Int32Array)).toThrow(
          expect.objectContaining({ code }),
        );
      }
      expect(backend.numericalRank(2, 3, A, 1e-10, Int32Array.of(0, 3, 0, 1, 2))).toBe(0);
      const nothing = backend.adopt(new Float64Array(0));
      expect(backend.numericalRank(0, 2, nothing, 1e-10, new Int32Array(2))).toBe(0);
    });

    it('and reports find the spectrum later, of what they looked at', () => {
      const s = spectrum(120, (i) => 10 ** (-i / 9.35));
      const H = tensor(withSpectrum(backend, 120, 120, s, 5), [120, 120]);
      const first = matricizationRank(H, [0], { backend });
      expect(first).toMatchObject({ rank: above(s, 1e-10), method: 'inertia' });
      expect(first.singularValues.length).toBe(120);
      expect(first.gap).toBeCloseTo(10 ** (1 / 9.35), 3);
      const second = matricizationRank(H, [0], { backend });
      (H.data as Float64Array)[5] = 7;
      expect(() => second.gap).toThrow(expect.objectContaining({ code: 'E_ARGUMENT' }));
      expect(first.effectiveRank).toBeGreaterThan(1);
    });
  },
);

describe('the reference', () => {
  const { backend } = selectBackend({ prefer: ['reference'] });
  it('leaves ranks to its singular values', () => {
    expect(backend.numericalRank(1, 1, backend.adopt(Float64Array.of(1)), 1e-10)).toBeNull();
    expect(() => backend.numericalRank(1, 1, backend.adopt(Float64Array.of(Number.NaN)), 1e-10)).toThrow(
      expect.objectContaining({ code: 'E_NUMERIC' }),
    );
    expect(matricizationRank(tensor([[1]]), [0], { backend })).toMatchObject({ rank: 1, method: 'spectrum' });
  });
});
