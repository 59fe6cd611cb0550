import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import { type GoldenArray, golden } from '../support/golden.ts';
import { gram, largest, lowRank, product, residues, scaleColumns, subtract } from '../support/matrices.ts';
import { subjects } from '../support/subjects.ts';
import singular from './singular.json' with { type: 'json' };

const reference = selectBackend({ prefer: ['reference'] }).backend;
/** Sizes around 0, 1, the panels and blocks of reflectors (16, 64). */
const SHAPES = [
  [0, 0],
  [0, 3],
  [3, 0],
  [1, 1],
  [1, 7],
  [7, 1],
  [5, 5],
  [16, 17],
  [33, 9],
  [65, 64],
  [40, 130],
] as const;
/** With ranks, beyond what the reference takes: compressed by pivots from 129 columns on, tall and wide. */
const LARGE = [
  [200, 140, 140],
  [150, 300, 40],
  [160, 160, 150],
  [145, 145, 145],
  [2100, 20, 20],
  [17, 2300, 7],
] as const;

describe.each(subjects)('linear algebra, $label', ({ label, open }) => {
  const backend = open();
  const large = label.startsWith('reference') ? [] : LARGE;
  const shapes = [...SHAPES.map(([m, n]) => [m, n, Math.min(m, n)] as const), ...large];

  it.each(shapes)('decomposes %i × %i of rank %i', (m, n, rank) => {
    const k = Math.min(m, n);
    const A = lowRank(new Rng(m, n, rank), m, n, rank);
    const storage = backend.adopt(A);
    const bound = 40 * Math.max(m, n) * Number.EPSILON * (largest(A) || 1);
    const { U, s, Vt } = backend.svd(m, n, storage);
    expect([U.length, s.length, Vt.length]).toEqual([m * k, k, k * n]);
    expect(largest(subtract(product(scaleColumns(U, s), Vt, m, k, n), A))).toBeLessThanOrEqual(bound);
    expect(gram(U, m, k)).toBeLessThan(1e-12);
    const transposed = Float64Array.from({ length: n * k }, (_, at) => Vt[(at % k) * n + Math.floor(at / k)]);
    expect(gram(transposed, n, k)).toBeLessThan(1e-12);
    for (let i = 1; i < k; i++) expect(s[i]).toBeLessThanOrEqual(s[i - 1]);
    expect(s.filter((value) => value > 1e-10 * s[0]).length).toBe(rank);
    const tolerance = 16 * k * Number.EPSILON * (s[0] ?? 0);
    expect(largest(subtract(backend.singularValues(m, n, storage), s))).toBeLessThanOrEqual(tolerance);
    const left = backend.leftSvd(m, n, storage);
    expect(gram(left.U, m, k)).toBeLessThan(1e-12);
    expect(largest(subtract(left.s, s))).toBeLessThanOrEqual(tolerance);
    const places = Int32Array.from({ length: m + n }, (_, at) => (at < m ? at : (at - m) * m));
    const columnMajor = Float64Array.from({ length: m * n }, (_, at) => A[(at % m) * n + Math.floor(at / m)]);
    expect(backend.singularValues(m, n, backend.adopt(columnMajor), places)).toEqual(
      backend.singularValues(m, n, storage),
    );
    if (m * n < 10_000)
      expect(largest(subtract(reference.singularValues(m, n, reference.adopt(A)), s))).toBeLessThanOrEqual(
        tolerance,
      );
    // Independent of any decomposition: the sum of squares.
    const squares = A.reduce((sum, value) => sum + value * value, 0);
    expect(Math.abs(s.reduce((sum, value) => sum + value * value, 0) - squares)).toBeLessThanOrEqual(
      1e-12 * squares,
    );
    if (k > 0 && rank === k) {
      // The proof is through squares, so it needs a gap of about √ε.
      const isProvable = 0.019 * s[k - 1] ** 2 > 6 * Math.max(m, n) * Number.EPSILON * squares;
      if (isProvable) expect(backend.fullRank(m, n, storage, s[k - 1] * 0.99)).toBe(true);
      expect(isProvable || m === n).toBe(true);
      expect(backend.fullRank(m, n, storage, s[k - 1] * 1.01)).toBe(false);
    } else if (k > 0) expect(backend.fullRank(m, n, storage, 0)).toBe(false);
  });

  it.each(shapes)('finds Q and R of %i × %i of rank %i', (m, n, rank) => {
    const k = Math.min(m, n);
    const A = lowRank(new Rng(m, n, rank, 1), m, n, rank);
    const { Q, R } = backend.qr(m, n, backend.adopt(A));
    expect(gram(Q, m, k)).toBeLessThan(1e-13 * Math.max(10, k));
    expect(largest(subtract(product(Q, R, m, k, n), A))).toBeLessThanOrEqual(
      40 * Math.max(m, n) * Number.EPSILON * (largest(A) || 1),
    );
    for (let r = 0; r < k; r++) for (let c = 0; c < Math.min(r, n); c++) expect(R[r * n + c]).toBe(0);
    // R is unique up to the signs of its rows, where A has full rank.
    const T = backend.triangle(m, n, backend.adopt(A));
    if (rank === k) {
      const sizes = (X: Float64Array) => X.map(Math.abs);
      expect(largest(subtract(sizes(T), sizes(R)))).toBeLessThan(1e-10 * (largest(R) || 1));
    }
  });

  it.each([1e-300, 1e-150, 1e150, 1e300])('keeps its accuracy at scale %d', (scale) => {
    const A = lowRank(new Rng(5), 12, 9, 4);
    const s = backend.singularValues(12, 9, backend.adopt(A));
    const scaled = backend
      .svd(12, 9, backend.adopt(A.map((value) => value * scale)))
      .s.map((value) => value / scale);
    expect(largest(subtract(scaled, s))).toBeLessThan(1e-14 * s[0]);
  });

  it.each([Number.MIN_VALUE, 2 ** -1030, 1.7e308])('takes single elements of %d', (value) => {
    const A = backend.adopt(Float64Array.of(value));
    expect([...backend.singularValues(1, 1, A)]).toEqual([value]);
    expect(Math.abs(backend.qr(1, 1, A).R[0])).toBe(value);
  });

  it('finds graded, clustered and vanishing spectra to ε times the largest', () => {
    const n = 40;
    const rng = new Rng(6);
    const spectra = [
      Float64Array.from({ length: n }, (_, i) => 2 ** -i),
      Float64Array.from({ length: n }, (_, i) => 10 ** (-i / 2)),
      Float64Array.from({ length: n }, (_, i) => 10 ** (-(n - 1 - i) / 2)),
      Float64Array.from({ length: n }, (_, i) => (i < 20 ? 1 : 1e-9 * (1 + i * 1e-10))),
      new Float64Array(n).fill(1),
      Float64Array.from({ length: n }, (_, i) => (i === 3 ? 1 : 0)),
      new Float64Array(n),
    ];
    for (const spectrum of spectra) {
      const [P, Q] = [0, 1].map(() => backend.qr(n, n, backend.adopt(lowRank(rng, n, n, n))).Q);
      const A = product(scaleColumns(P, spectrum), Q, n, n, n);
      const sorted = spectrum.slice().sort().reverse();
      const { s } = backend.svd(n, n, backend.adopt(A));
      expect(largest(subtract(s, sorted))).toBeLessThanOrEqual(n * 4 * Number.EPSILON * sorted[0]);
    }
  });

  it('finds the smallest singular value of a Hilbert matrix', () => {
    // 1/(i+j+1), 6 × 6; from its exact inverse, whose norm is 1/σ₆ (A. Ralston's table: cond₂ = 1.4951058642e7).
    const A = Float64Array.from({ length: 36 }, (_, at) => 1 / (Math.floor(at / 6) + (at % 6) + 1));
    const s = backend.singularValues(6, 6, backend.adopt(A));
    expect(s[0] / s[5] / 1.4951058642254664e7).toBeCloseTo(1, 8);
  });

  it('agrees with the golden spectra', () => {
    const { cases } = golden<{
      cases: { matrix: GoldenArray; singular_values: GoldenArray; rank: number; safe: boolean }[];
    }>('matrank.json');
    for (const { matrix, singular_values, rank, safe } of cases) {
      const [m, n] = matrix.shape;
      const s = backend.singularValues(m, n, backend.adopt(Float64Array.from(matrix.data)));
      expect(largest(subtract(s, Float64Array.from(singular_values.data)))).toBeLessThan(1e-11 * s[0]);
      if (safe) expect(s.filter((value) => value > 1e-10 * s[0]).length).toBe(rank);
    }
  });

  it('proves no full rank of a graded matrix that is singular', () => {
    // Integers / 2²⁰: columns of a triangle, 1049 on the rest of the diagonal, and last a combination of those columns in 64ths.
    const size = 65;
    const A = new Float64Array(size * size);
    for (let n = 0; n < size - 1; n++) {
      const column = singular.columns[n] ?? [...Array(n).fill(0), 1049];
      for (const [r, value] of column.entries()) {
        A[r * size + n] = value / 2 ** 20;
        A[r * size + size - 1] += ((singular.last[n] ?? 0) / 64) * A[r * size + n];
      }
    }
    expect(backend.fullRank(size, size, backend.adopt(A), 0)).toBe(false);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])('refuses %d', (value) => {
    const A = backend.adopt(Float64Array.from([1, 2, 3, value]));
    for (const name of ['singularValues', 'svd', 'leftSvd', 'qr', 'triangle'] as const) {
      expect(() => backend[name](2, 2, A)).toThrow(expect.objectContaining({ code: 'E_NUMERIC' }));
    }
    expect(() => backend.fullRank(2, 2, A, 0)).toThrow(expect.objectContaining({ code: 'E_NUMERIC' }));
  });

  // 2^26 − 5 is the largest prime that is taken; from 2^24.5 on factors are split.
  it.each([2, 3, 65521, 8388593, 33554393, 67108859])('finds ranks modulo %i', (prime) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 0, max: 70 }),
        fc.integer({ min: 0, max: 70 }),
        fc.integer(),
        (m, n, r, seed) => {
          const A = residues(new Rng(seed), m, n, Math.min(m, n, r), prime);
          const rank = backend.rankModulo(m, n, backend.adopt(A), prime);
          expect(rank).toBe(reference.rankModulo(m, n, reference.adopt(A), prime));
          // A product of matrices with r columns; random ones have full rank but for a chance of about 1/prime.
          expect(rank).toBeLessThanOrEqual(Math.min(m, n, r));
          if (prime > 1e6) expect(rank).toBe(Math.min(m, n, r));
        },
      ),
      { numRuns: 6 },
    );
  });

  it('refuses what it cannot take', () => {
    const A = backend.adopt(new Float64Array(6));
    const code = (word: string) => expect.objectContaining({ code: word });
    expect(() => backend.svd(2, 2, A)).toThrow(code('E_SHAPE'));
    expect(() => backend.qr(-2, -3, A)).toThrow(code('E_SHAPE'));
    expect(() => backend.svd(2, 3, backend.adopt(new Float32Array(6)))).toThrow(code('E_DTYPE'));
    expect(() => backend.fullRank(2, 3, A, Number.NaN)).toThrow(code('E_ARGUMENT'));
    for (const prime of [0, 1, 4, 2 ** 26, 2 ** 31 - 1, 7.5]) {
      expect(() => backend.rankModulo(2, 3, A, prime)).toThrow(code('E_ARGUMENT'));
    }
    for (const value of [-1, 7, 0.5, Number.NaN]) {
      const X = backend.adopt(Float64Array.from([1, 2, 3, value]));
      expect(() => backend.rankModulo(2, 2, X, 7)).toThrow(code('E_ARGUMENT'));
    }
  });
});
