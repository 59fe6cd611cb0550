import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { matrix } from '../../src/decompose/matrix.ts';
import { maxvol } from '../../src/decompose/maxvol.ts';
import { type TensorTrain, ttEvaluate, ttFull, ttRanks } from '../../src/decompose/tt.ts';
import { ttAdd, ttNorm, ttRound, ttScale } from '../../src/decompose/tt_arithmetic.ts';
import { type TtCrossSweep, ttCross } from '../../src/decompose/tt_cross.ts';
import { allIndices, backends, randomTensor, randomTrain } from '../support/decompose.ts';
import { largest, lowRank, product, subtract } from '../support/matrices.ts';
import { reference, refusal } from '../support/models.ts';

/** A function of one index tuple as one of many. */
const ofEach = (T: number, f: (index: Int32Array) => number) => (indices: Int32Array) =>
  Float64Array.from({ length: indices.length / T }, (_, n) => f(indices.subarray(n * T, (n + 1) * T)));

describe('maxvol', () => {
  it('interpolates by rows whose coefficients are at most 1.02', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 12 }),
        fc.integer(),
        (m, cols, seed) => {
          const r = Math.min(m, cols);
          const A = lowRank(new Rng(seed), m, r, r);
          const { rows, C } = maxvol(matrix(m, r, A));
          expect(new Set(rows).size).toBe(r);
          expect(largest(C.data)).toBeLessThanOrEqual(1.02 + 1e-12);
          const chosen = Float64Array.from(rows.flatMap((row) => [...A.subarray(row * r, (row + 1) * r)]));
          expect(largest(subtract(product(C.data, chosen, m, r, r), A))).toBeLessThan(
            1e-9 * (largest(A) + 1),
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe.each(backends)('ttCross, $name', ({ open }) => {
  const backend = open();

  it('finds a train from its elements', () => {
    const from = randomTrain(new Rng(8), [5, 4, 6, 5, 4], [3, 4, 4, 2]);
    const found = ttCross((indices) => ttEvaluate(from, indices), [5, 4, 6, 5, 4], { backend });
    expect(found.converged).toBe(true);
    expect(ttRanks(found)).toEqual(ttRanks(from));
    expect(ttNorm(ttAdd(found, ttScale(from, -1)))).toBeLessThan(1e-9 * ttNorm(from));
  });

  it('compresses a smooth function on a grid of 12^8 from few elements', () => {
    const T = 8;
    const f = ofEach(T, (index) => 1 / Math.sqrt(1 + index.reduce((sum, i) => sum + (i / 11) ** 2, 0)));
    const found = ttCross(f, new Array(T).fill(12), { eps: 1e-7, backend, maxSweeps: 4 });
    expect(found.converged).toBe(true);
    expect(found.evaluations).toBeLessThan(12 ** 8 / 100);
    const other = Int32Array.from({ length: 40 * T }, (_, n) => (n * 7919 + 13 * Math.floor(n / T)) % 12);
    const [truth, value] = [f(other), ttEvaluate(found, other)];
    expect(largest(subtract(truth, value))).toBeLessThan(1e-6);
  });
});

/** ‖f − TT‖ / ‖f‖ over all elements. */
function errorOf(f: (indices: Int32Array) => Float64Array, shape: readonly number[], train: TensorTrain) {
  const truth = f(allIndices(shape));
  const full = ttFull(train).data;
  const square = (value: number) => value * value;
  const wrong = truth.reduce((sum, value, n) => sum + square(value - full[n]), 0);
  return Math.sqrt(wrong / truth.reduce((sum, value) => sum + square(value), 0));
}

const bump = (index: Int32Array, centre: readonly number[]) =>
  Math.exp(-index.reduce((sum, i, t) => sum + (i - centre[t]) ** 2, 0) / 2);

describe('ttCross of functions whose index sets keep each other too small', () => {
  it.each<[string, number[], (index: Int32Array) => number, number[]]>([
    [
      'two separated bumps',
      [20, 20, 20],
      (index) => bump(index, [3, 15, 7]) + 0.5 * bump(index, [15, 3, 17]),
      [1, 2, 2, 1],
    ],
    [
      '1/(1+i0+i2)/(1+i1+i3)',
      [10, 10, 10, 10],
      ([i, j, k, l]) => 1 / (1 + i + k) / (1 + j + l),
      [1, 8, 47, 8, 1],
    ],
    [
      'cos(i0 i2) sin(1+i1 i3)',
      [8, 8, 8, 8],
      ([i, j, k, l]) => Math.cos(i * k) * Math.sin(1 + j * l),
      [1, 8, 64, 8, 1],
    ],
    ['(1+i0 i2)(1+i1 i3)', [10, 10, 10, 10], ([i, j, k, l]) => (1 + i * k) * (1 + j * l), [1, 2, 4, 2, 1]],
    // Without its least element, one in 7776, the ranks are 5.
    ['max', [6, 6, 6, 6, 6], (index) => Math.max(...index), [1, 6, 6, 6, 6, 1]],
    ['a diagonal', [6, 6, 6, 6], ([i, j, k, l]) => (i === j && j === k && k === l ? 1 : 0), [1, 6, 6, 6, 1]],
  ])('finds %s, whatever the seed', (_, shape, each, ranks) => {
    const f = ofEach(shape.length, each);
    for (let seed = 0; seed < 20; seed++) {
      const found = ttCross(f, shape, { seed });
      expect({ seed, converged: found.converged }).toEqual({ seed, converged: true });
      expect(errorOf(f, shape, found)).toBeLessThan(2e-10);
      // Ranks to 1e-10; the elements asked for may have a few more.
      for (const [t, rank] of ttRanks(found).entries()) {
        expect(rank).toBeGreaterThanOrEqual(ranks[t]);
        expect(rank).toBeLessThanOrEqual(ranks[t] + 3);
      }
    }
  });

  it('stops where nothing gets better, and is not converged', () => {
    const noise = randomTensor(new Rng(5), [6, 6, 6, 6]).data;
    const f = ofEach(4, ([i, j, k, l]) => noise[((i * 6 + j) * 6 + k) * 6 + l]);
    const found = ttCross(f, [6, 6, 6, 6], { maxRanks: 3, maxSweeps: 1000 });
    expect(found.converged).toBe(false);
    expect(found.sweeps).toBeGreaterThanOrEqual(4);
    expect(found.sweeps).toBeLessThan(40);
  });

  it('gives the same for the same seed, and another error for another', () => {
    const f = ofEach(4, ([i, j, k, l]) => 1 / (1 + i + k) / (1 + j + l));
    const errors = [3, 3, 4].map((seed) => ttCross(f, [10, 10, 10, 10], { seed, maxRanks: 6 }).error);
    expect(errors[0]).toBe(errors[1]);
    expect(errors[0]).not.toBe(errors[2]);
  });
});

describe('what ttCross says of itself', () => {
  it('does not claim what it did not reach', () => {
    const rng = new Rng(2);
    const noise = randomTensor(rng, [4, 4, 4, 4]).data;
    const f = ofEach(4, ([i, j, k, l]) => noise[((i * 4 + j) * 4 + k) * 4 + l]);
    let asked = 0;
    const counted = (indices: Int32Array) => {
      asked += indices.length / 4;
      return f(indices);
    };
    const found = ttCross(counted, [4, 4, 4, 4], { maxRanks: 2, maxSweeps: 2 });
    expect(found.evaluations).toBe(asked);
    expect(found.converged).toBe(false);
    expect(found.error).toBeGreaterThan(0.1);
    expect(Math.max(...ttRanks(found))).toBe(2);
    const all = allIndices([4, 4, 4, 4]);
    const most = largest(subtract(f(all), ttEvaluate(found, all)));
    expect(found.largest).toBeLessThanOrEqual(most);
    expect(found.largest).toBeGreaterThan(0.8 * most);
    const larger = (indices: Int32Array) => f(indices).map((value) => value * 2 ** 300);
    const scaled = ttCross(larger, [4, 4, 4, 4], { maxRanks: 2, maxSweeps: 2 });
    expect(scaled.error).toBeCloseTo(found.error, 12);
    // The best sweep counts, not the last.
    const errors = [1, 2, 3, 4, 5, 6, 7, 8].map(
      (maxSweeps) => ttCross(f, [4, 4, 4, 4], { maxRanks: 2, maxSweeps }).error,
    );
    expect(errors).toEqual([...errors].sort((x, y) => y - x));
  });

  it('keeps to a list of ranks, of which those around a mode of one element are one', () => {
    const noise = randomTensor(new Rng(3), [4, 4, 4, 4]).data;
    const f = ofEach(4, ([i, j, k, l]) => noise[((i * 4 + j) * 4 + k) * 4 + l]);
    expect(ttRanks(ttCross(f, [4, 4, 4, 4], { maxRanks: [4, 7, 3], maxSweeps: 2 }))).toEqual([1, 4, 7, 3, 1]);
    const apart = ofEach(5, ([i, j, , k, l]) => noise[((i * 4 + j) * 4 + k) * 4 + l]);
    const found = ttCross(apart, [4, 4, 1, 4, 4], { maxRanks: [4, 9, 5, 3], maxSweeps: 2 });
    expect(ttRanks(found)).toEqual([1, 4, 5, 5, 3, 1]);
    expect(() => ttCross(f, [4, 4, 4, 4], { maxRanks: [4, 7] })).toThrow(
      /ttCross maxRanks: expected one rank or a list of 3/,
    );
  });

  it.each([1e155, 1e300, 1e-160, 1e-300])('takes values of the size of %s', (scale) => {
    const f = ofEach(2, ([i, j]) => scale / (1 + i + j));
    const found = ttCross(f, [6, 6], { eps: 1e-10 });
    expect(found.converged).toBe(true);
    expect(found.error).toBeLessThan(1e-10);
  });

  it('grows ranks past modes of one element', () => {
    const f = ofEach(6, ([, i, , , j, k]) => 1 / (1 + i + 2 * j + 3 * k));
    const found = ttCross(f, [1, 5, 1, 1, 4, 3], { eps: 1e-10, seed: 2 });
    expect(found).toMatchObject({ converged: true });
    expect(ttRanks(found)).toEqual([1, 1, 5, 5, 5, 3, 1]);
    const all = allIndices([1, 5, 1, 1, 4, 3]);
    expect(largest(subtract(f(all), ttEvaluate(found, all)))).toBeLessThan(1e-9);
    expect(
      ttFull(
        ttCross(
          ofEach(2, () => 3),
          [1, 1],
        ),
      ).data[0],
    ).toBe(3);
  });

  it('handles one axis, extents 1, constants and zeros', () => {
    const line = ttCross(
      ofEach(1, ([i]) => i * i),
      [5],
    );
    expect([...ttFull(line).data]).toEqual([0, 1, 4, 9, 16]);
    const odd = ttCross(
      ofEach(3, ([i, , k]) => i + 3 * k),
      [2, 1, 4],
    );
    expect(odd.converged).toBe(true);
    expect(ttFull(odd).data[5]).toBeCloseTo(4, 10);
    const zero = ttCross((indices) => new Float64Array(indices.length / 3), [3, 3, 3]);
    expect([zero.error, ttRanks(ttRound(zero))]).toEqual([0, [1, 1, 1, 1]]);
  });

  const two = ofEach(2, ([i, j]) => i * j);
  it.each<[string, () => unknown, string]>([
    [
      'NaN',
      () =>
        ttCross(
          ofEach(2, () => Number.NaN),
          [3, 3],
        ),
      'E_NUMERIC',
    ],
    ['too few values', () => ttCross(() => new Float64Array(1), [3, 3]), 'E_ARGUMENT'],
    ['no function', () => ttCross(7 as never, [3, 3]), 'E_ARGUMENT'],
    ['an extent 0', () => ttCross(two, [3, 0]), 'E_SHAPE'],
    ['a negative eps', () => ttCross(two, [3, 3], { eps: -1 }), 'E_ARGUMENT'],
    ['a superblock that does not fit', () => ttCross(two, [300, 300], { maxBytes: 1000 }), 'E_MEMORY'],
  ])('refuses %s', (_, work, expected) => {
    expect(work).toThrow(expect.objectContaining({ code: expected }));
  });
});

describe('ttCross, while it runs', () => {
  const f = ofEach(4, (index) => 1 / (1 + index.reduce((sum, i) => sum + i, 0)));
  const options = { eps: 0, maxSweeps: 3, maxRanks: 3, backend: reference };

  it('tells of every sweep', () => {
    const told: TtCrossSweep[] = [];
    // An extent 1 is taken out before.
    const found = ttCross((indices) => f(indices.filter((_, n) => n % 5 !== 2)), [6, 6, 1, 6, 6], {
      ...options,
      onSweep: (report) => told.push(report),
    });
    expect(told.map(({ sweep, maxSweeps, rank }) => [sweep, maxSweeps, rank])).toEqual([
      [1, 3, 3],
      [2, 3, 3],
      [3, 3, 3],
    ]);
    expect(Math.min(...told.map(({ error }) => error))).toBe(found.error);
    expect(told[2].evaluations).toBeLessThanOrEqual(found.evaluations);
  });

  it('stops by its signal, before the function is called again', () => {
    const stop = new AbortController();
    let calls = 0;
    const counted = (indices: Int32Array) => {
      if (++calls === 3) stop.abort();
      return f(indices);
    };
    const run = () => ttCross(counted, [6, 6, 6, 6], { ...options, signal: stop.signal });
    expect(run).toThrow(refusal('E_ABORTED', /ttCross: stopped after \d+ evaluations/));
    expect(calls).toBe(3);
    expect(run).toThrow(refusal('E_ABORTED', /after 0 evaluations/));
    const wrong = (option: object, message: RegExp) =>
      expect(() => ttCross(f, [6, 6, 6, 6], { ...options, ...option })).toThrow(
        refusal('E_ARGUMENT', message),
      );
    wrong({ signal: 1 }, /AbortSignal/);
    wrong({ onSweep: 1 }, /onSweep: expected a function/);
  });
});
