import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { htRanks } from '../../src/decompose/ht.ts';
import { htSvd } from '../../src/decompose/ht_svd.ts';
import { type TensorTrain, ttEvaluate, ttFull, ttRanks } from '../../src/decompose/tt.ts';
import { ttAdd, ttDot, ttHadamard, ttNorm, ttRound, ttScale } from '../../src/decompose/tt_arithmetic.ts';
import { ttSvd } from '../../src/decompose/tt_svd.ts';
import {
  allIndices,
  backends,
  distance,
  ofGolden,
  randomTensor,
  randomTrain,
  sumOf,
  tensor64,
} from '../support/decompose.ts';
import { type GoldenArray, golden } from '../support/golden.ts';
import { gram } from '../support/matrices.ts';

interface Truncated {
  readonly of: 'A_plus_A' | 'A_plus_B' | 'decaying';
  readonly eps: number;
  readonly rmax: number | null;
  readonly ranks: number[];
  readonly rel_error: number;
  readonly safe: boolean;
}
const file = golden<
  Record<'full_A' | 'full_B' | 'add' | 'hadamard' | 'dot' | 'norm_A' | 'norm_B' | 'noisy', GoldenArray> &
    Record<'A' | 'B' | 'decaying', GoldenArray[]> &
    Record<'ranks_add' | 'ranks_hadamard', number[]> &
    Record<'round' | 'noisy_tt_svd', Truncated[]>
>('tt_ops.json');
const train = (cores: readonly GoldenArray[]): TensorTrain => ({ cores: cores.map(ofGolden) });
const code = (word: string) => expect.objectContaining({ code: word });

/** Shapes with extents 1 and odd ones, and a rank for each cut. */
const trains = fc
  .record({
    shape: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
    ranks: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 4, maxLength: 4 }),
    seed: fc.integer(),
  })
  .map(({ shape, ranks, seed }) => ({ shape, ranks: ranks.slice(0, shape.length - 1), seed }));

describe.each(backends)('tensor trains, $name', ({ open }) => {
  const backend = open();

  it('does the arithmetic of the golden data', () => {
    const [A, B] = [train(file.A), train(file.B)];
    expect(distance(ttFull(A, { backend }), ofGolden(file.full_A))).toBeLessThan(1e-13);
    const sum = ttAdd(A, B);
    expect(ttRanks(sum)).toEqual(file.ranks_add);
    expect(distance(ttFull(sum, { backend }), ofGolden(file.add))).toBeLessThan(1e-13);
    const squared = ttHadamard(A, B, { backend });
    expect(ttRanks(squared)).toEqual(file.ranks_hadamard);
    expect(distance(ttFull(squared, { backend }), ofGolden(file.hadamard))).toBeLessThan(1e-13);
    const [dot, normA, normB] = [file.dot, file.norm_A, file.norm_B].map(({ data }) => Number(data[0]));
    expect(ttDot(A, B, { backend })).toBeCloseTo(dot, 10);
    expect(ttNorm(A, { backend }) / normA).toBeCloseTo(1, 12);
    expect(ttNorm(B, { backend }) / normB).toBeCloseTo(1, 12);
  });

  it.each(file.round.filter(({ safe }) => safe))('rounds $of with eps $eps, rmax $rmax', (record) => {
    const { of, eps, rmax, ranks, rel_error } = record;
    const [A, B] = [train(file.A), train(file.B)];
    const from = { A_plus_A: ttAdd(A, A), A_plus_B: ttAdd(A, B), decaying: train(file.decaying) }[of];
    const rounded = ttRound(from, { eps, maxRanks: rmax ?? undefined, backend });
    expect(ttRanks(rounded)).toEqual(ranks);
    expect(distance(ttFull(rounded), ttFull(from))).toBeCloseTo(rel_error, 11);
    expect(rounded.error).toBeCloseTo(rel_error, 7);
  });

  it.each(file.noisy_tt_svd.filter(({ safe }) => safe))('decomposes with eps $eps, rmax $rmax', (record) => {
    const { eps, rmax, ranks, rel_error } = record;
    const noisy = ofGolden(file.noisy);
    const tt = ttSvd(noisy, { eps, maxRanks: rmax ?? undefined, backend });
    expect(ttRanks(tt)).toEqual(ranks);
    expect(distance(ttFull(tt), noisy)).toBeCloseTo(rel_error, 11);
    expect(tt.error).toBeCloseTo(rel_error, 11);
  });

  it('recovers ranks, keeps its promise of an error, and has orthogonal cores', () => {
    fc.assert(
      fc.property(trains, fc.constantFrom(1e-10, 0.05, 0.4), ({ shape, ranks, seed }, eps) => {
        const full = ttFull(randomTrain(new Rng(seed), shape, ranks));
        const tt = ttSvd(full, { eps, backend });
        const actual = distance(ttFull(tt), full);
        expect(actual).toBeLessThanOrEqual(eps + 1e-13);
        expect(Math.abs(actual - tt.error)).toBeLessThan(1e-13);
        const found = ttRanks(tt);
        for (const [t, rank] of ranks.entries()) expect(found[t + 1]).toBeLessThanOrEqual(rank);
        for (const {
          shape: [r, n, s],
          data,
        } of tt.cores.slice(0, -1))
          expect(gram(data as Float64Array, r * n, s)).toBeLessThan(1e-12);
      }),
      { numRuns: 40 },
    );
  });

  it('adds, multiplies and rounds as the dense tensors do', () => {
    fc.assert(
      fc.property(trains, fc.integer(), ({ shape, ranks, seed }, other) => {
        const [a, b] = [seed, other].map((n) => randomTrain(new Rng(n), shape, ranks));
        const [A, B] = [ttFull(a), ttFull(b)];
        const each = (join: (x: number, y: number) => number) =>
          tensor64(
            shape,
            A.data.map((x, n) => join(x, B.data[n])),
          );
        const scale = ttNorm(a) + ttNorm(b) || 1;
        const close = (tt: TensorTrain, expected: typeof A, size: number) => {
          const full = ttFull(tt, { backend }).data;
          for (const [n, value] of expected.data.entries())
            expect(Math.abs(full[n] - value)).toBeLessThanOrEqual(1e-12 * size);
        };
        close(
          ttAdd(a, b),
          each((x, y) => x + y),
          scale,
        );
        close(
          ttAdd(a, ttScale(a, -1)),
          each(() => 0),
          scale,
        );
        close(
          ttHadamard(a, b, { backend }),
          each((x, y) => x * y),
          scale ** 2,
        );
        const dot = sumOf(each((x, y) => x * y).data);
        expect(Math.abs(ttDot(a, b, { backend }) - dot)).toBeLessThanOrEqual(1e-12 * scale ** 2);
        expect(Math.abs(ttNorm(a, { backend }) - Math.sqrt(ttDot(a, a)))).toBeLessThanOrEqual(1e-7 * scale);
        expect(Array.from(ttEvaluate(a, allIndices(shape)))).toHaveLength(A.data.length);
        close({ cores: a.cores }, tensor64(shape, ttEvaluate(a, allIndices(shape))), scale);
        const rounded = ttRound(ttAdd(a, a), { eps: 1e-9, backend });
        for (const [t, rank] of ttRanks(rounded).entries()) expect(rank).toBeLessThanOrEqual(ttRanks(a)[t]);
        close(
          rounded,
          each((x) => 2 * x),
          1e4 * scale,
        );
      }),
      { numRuns: 40 },
    );
  });

  it('does not decompose the rounding of float32 elements', () => {
    const shape = [6, 6, 6, 6];
    const values = Array.from({ length: 6 ** 4 }, (_, n) =>
      Math.sin([216, 36, 6, 1].reduce((sum, step) => sum + (Math.floor(n / step) % 6), 0)),
    );
    const single = tensor(values, shape, 'float32');
    const found = ttSvd(single, { backend });
    expect(ttRanks(found)).toEqual([1, 2, 2, 2, 1]);
    expect(found.error).toBeLessThan(Math.sqrt(3) * 2 ** -23);
    expect(distance(ttFull(found, { backend }), tensor64(shape, values))).toBeLessThan(2 ** -23);
    expect(htRanks(htSvd(single, { backend }))).toEqual([[2, 2, 2, 2], [2, 2], [1]]);
    // As before, where it is asked for.
    expect(ttRanks(ttSvd(single, { backend, eps: 1e-12 }))[2]).toBeGreaterThan(6);
    expect(ttRanks(ttSvd(tensor64(shape, values), { backend }))).toEqual([1, 2, 2, 2, 1]);
  });

  it('takes float32, zeros, one axis and extreme scales', () => {
    const H = randomTensor(new Rng(3), [3, 4, 2]);
    const single = { dtype: 'float32' as const, shape: H.shape, data: Float32Array.from(H.data) };
    const doubled = tensor64(H.shape, single.data);
    expect(distance(ttFull(ttSvd(single, { backend })), doubled)).toBeLessThan(1e-13);
    const zero = ttSvd(tensor64([2, 3, 2], new Float64Array(12)), { backend });
    expect([ttRanks(zero), zero.error]).toEqual([[1, 1, 1, 1], 0]);
    const vector = tensor64([4], [1, -2, 3, 0]);
    const one = ttSvd(vector, { backend });
    expect(ttFull(one).data).toEqual(vector.data);
    expect(one.cores[0].data).not.toBe(vector.data);
    for (const scale of [1e-200, 1e200]) {
      const scaled = tensor64(
        H.shape,
        H.data.map((value) => value * scale),
      );
      const back = ttFull(ttSvd(scaled, { backend })).data.map((value) => value / scale);
      expect(distance(tensor64(H.shape, back), H)).toBeLessThan(1e-13);
    }
  });
});

it('what ttScale and ttRound make shares no memory with what they were given', () => {
  for (const shape of [[4], [3, 2, 3]]) {
    const tt = randomTrain(new Rng(2), shape, new Array(shape.length - 1).fill(2));
    const given = new Set(tt.cores.map(({ data }) => data.buffer));
    for (const { cores } of [ttScale(tt, 2), ttRound(tt)])
      for (const { data } of cores) expect(given.has(data.buffer)).toBe(false);
  }
});

describe('larger tensors', () => {
  const rng = new Rng(11);
  const lowRank = ttFull(randomTrain(rng, [12, 11, 10, 12, 9], [5, 9, 8, 4]));

  it('finds full ranks by proof, without an error', () => {
    const H = randomTensor(rng, [16, 20, 18, 16]);
    const tt = ttSvd(H);
    expect(ttRanks(tt)).toEqual([1, 16, 288, 16, 1]);
    expect(tt.error).toBe(0);
    expect(distance(ttFull(tt), H)).toBeLessThan(1e-13);
    // 18·16 = 288 columns after 320 rows; the first cores are those of the axes.
    expect(Array.from(tt.cores[0].data.subarray(0, 17))).toEqual([1, ...new Array(16).fill(0)].slice(0, 17));
  });

  it.each([1e-12, 1e-9, 1e-3])('randomized finds the ranks of an exact train within %d', (eps) => {
    const tt = ttSvd(lowRank, { eps, randomized: true });
    expect(ttRanks(tt)).toEqual(ttRanks(ttSvd(lowRank, { eps })));
    expect(tt.error).toBeLessThanOrEqual(eps);
    expect(distance(ttFull(tt), lowRank)).toBeLessThanOrEqual(Math.max(tt.error, 1e-14));
  });

  it('large tensors are sampled unasked, where that finds all there is', () => {
    const shape = [16, 16, 16, 16, 16];
    const exact = ttFull(randomTrain(rng, shape, [3, 5, 4, 2]));
    const tt = ttSvd(exact, { eps: 1e-10 });
    expect(ttRanks(tt)).toEqual([1, 3, 5, 4, 2, 1]);
    expect(distance(ttFull(tt), exact)).toBeLessThan(1e-13);
    // Noise of 0.3 eps is more than a sample may miss, and less than the steps may leave out.
    const noise = randomTensor(rng, shape);
    const size = Math.sqrt(sumOf(exact.data.map((value) => value * value)) / noise.data.length);
    const noisy = tensor64(
      shape,
      exact.data.map((value, n) => value + 3e-7 * size * noise.data[n]),
    );
    const rounded = ttSvd(noisy, { eps: 1e-6 });
    expect(ttRanks(rounded)).toEqual([1, 3, 5, 4, 2, 1]);
    expect(rounded.error).toBeGreaterThan(2e-7);
    expect(distance(ttFull(rounded), noisy)).toBeLessThanOrEqual(rounded.error * (1 + 1e-9));
  });

  it('randomized keeps its promise with noise and with limited ranks', () => {
    const noise = randomTensor(rng, lowRank.shape);
    const size = Math.sqrt(sumOf(lowRank.data.map((value) => value * value)) / noise.data.length);
    const noisy = tensor64(
      lowRank.shape,
      lowRank.data.map((value, n) => value + 1e-4 * size * noise.data[n]),
    );
    const tt = ttSvd(noisy, { eps: 1e-2, randomized: true, seed: 5 });
    expect(distance(ttFull(tt), noisy)).toBeLessThanOrEqual(tt.error);
    expect(tt.error).toBeLessThanOrEqual(1e-2);
    const [limited, best] = [true, false].map((randomized) =>
      ttSvd(noisy, { eps: 0, maxRanks: 6, randomized }),
    );
    expect(Math.max(...ttRanks(limited))).toBe(6);
    const actual = distance(ttFull(limited), noisy);
    expect(actual).toBeLessThanOrEqual(limited.error + 1e-13);
    expect(actual).toBeLessThan(1.1 * best.error);
  });
});

describe('randomized', () => {
  /** A matrix with these singular values. */
  const diagonal = (values: readonly number[]) => {
    const { length } = values;
    const H = tensor64([length, length], new Float64Array(length ** 2));
    for (const [n, value] of values.entries()) H.data[n * (length + 1)] = value;
    return H;
  };

  it('samples until it has all of a rank beyond the first sample, and says so', () => {
    const H = ttFull(randomTrain(new Rng(12), [170, 170], [30]));
    for (const options of [{ eps: 1e-9 }, { eps: 0, maxRanks: 30 }]) {
      const tt = ttSvd(H, { ...options, randomized: true });
      expect(ttRanks(tt)).toEqual([1, 30, 1]);
      expect(tt.error).toBeLessThan(1e-9);
    }
  });

  it('leaves no more out than eps and what the sample misses allow', () => {
    const eps = 1e-3;
    // A value of nearly eps, and a tail that 24 columns cannot have.
    const H = diagonal([1, 0.98 * eps, ...new Array(118).fill((0.2 * eps) / Math.sqrt(118))]);
    const tt = ttSvd(H, { eps, randomized: true });
    expect(tt.error).toBeLessThanOrEqual(eps);
    expect(distance(ttFull(tt), H)).toBeLessThanOrEqual(eps);
  });

  it('finds what lies in a row that no sample of some rows may have', () => {
    const low = ttFull(randomTrain(new Rng(31), [300, 200], [3]));
    for (let seed = 0; seed < 8; seed++) {
      const H = tensor64(low.shape, low.data.slice());
      for (let n = 0; n < 200; n++) H.data[seed * 37 * 200 + n] += n % 7;
      const tt = ttSvd(H, { eps: 1e-9, randomized: true, seed });
      expect(ttRanks(tt)).toEqual([1, 4, 1]);
      expect(distance(ttFull(tt), H)).toBeLessThan(1e-9);
    }
  });

  it('takes a sample with noise below what it may miss', () => {
    const H = ttFull(randomTrain(new Rng(32), [400, 300], [4]));
    const rng = new Rng(33);
    const noise = Float64Array.from(H.data, () => rng.normal());
    const norm = (values: ArrayLike<number>) =>
      Math.sqrt(Array.from(values).reduce((sum, value) => sum + value * value, 0));
    const scale = (1e-4 * norm(H.data)) / norm(noise);
    const noisy = tensor64(
      H.shape,
      H.data.map((value, n) => value + scale * noise[n]),
    );
    const tt = ttSvd(noisy, { eps: 1e-3, randomized: true });
    expect(ttRanks(tt)).toEqual([1, 4, 1]);
    // Without a sample the error would be that of the best rank 4.
    expect(tt.error).toBeGreaterThan(distance(ttFull(tt), noisy));
    expect(tt.error).toBeLessThanOrEqual(1e-3);
  });

  it.each([
    [1, undefined],
    [1e-10, 1e-2],
    [1e-20, undefined],
    [1e12, 1e-2],
  ])('with a limited rank comes near the best of a slowly falling spectrum of size %d', (size, eps) => {
    const H = diagonal(Array.from({ length: 120 }, (_, n) => size * (n + 1) ** -0.5));
    const [tt, best] = [true, false].map((randomized) => ttSvd(H, { maxRanks: 8, randomized, eps }));
    expect(ttRanks(tt)).toEqual([1, 8, 1]);
    expect(distance(ttFull(tt), H)).toBeLessThan(1.05 * best.error);
  });
});

describe('what is refused', () => {
  const H = randomTensor(new Rng(1), [2, 3, 2]);
  const tt = ttSvd(H);
  it.each<[string, () => unknown, string]>([
    ['NaN', () => ttSvd(tensor64([2, 2], [1, Number.NaN, 0, 0])), 'E_NUMERIC'],
    ['an infinity', () => ttSvd(tensor64([2, 2], [1, Number.POSITIVE_INFINITY, 0, 0])), 'E_NUMERIC'],
    ['a negative eps', () => ttSvd(H, { eps: -1 }), 'E_ARGUMENT'],
    ['an eps of NaN', () => ttRound(tt, { eps: Number.NaN }), 'E_ARGUMENT'],
    ['a list of too few ranks', () => ttSvd(H, { maxRanks: [2] }), 'E_ARGUMENT'],
    ['rank 0', () => ttSvd(H, { maxRanks: 0 }), 'E_ARGUMENT'],
    ['an unknown option', () => ttSvd(H, { tolerance: 1 } as object), 'E_ARGUMENT'],
    ['a scalar', () => ttSvd(tensor64([], [1])), 'E_ARGUMENT'],
    ['an empty tensor', () => ttSvd(tensor64([2, 0], [])), 'E_SHAPE'],
    ['no train', () => ttFull({} as TensorTrain), 'E_ARGUMENT'],
    ['ranks that do not meet', () => ttFull({ cores: [tt.cores[0], tt.cores[2], tt.cores[1]] }), 'E_SHAPE'],
    ['an open end', () => ttFull({ cores: [tt.cores[0]] }), 'E_SHAPE'],
    ['other extents', () => ttAdd(tt, ttSvd(randomTensor(new Rng(1), [2, 2, 2]))), 'E_SHAPE'],
    ['an index beyond', () => ttEvaluate(tt, Int32Array.of(0, 3, 0)), 'E_ARGUMENT'],
    ['part of a tuple', () => ttEvaluate(tt, Int32Array.of(0, 0)), 'E_SHAPE'],
    ['too many elements', () => ttFull(tt, { maxBytes: 95 }), 'E_MEMORY'],
    ['a tensor beyond the limit', () => ttSvd(H, { maxBytes: 95 }), 'E_MEMORY'],
    ['a sum beyond the limit', () => ttAdd(tt, tt, { maxBytes: 95 }), 'E_MEMORY'],
    ['too large a product', () => ttHadamard(tt, tt, { maxBytes: 95 }), 'E_MEMORY'],
    ['rounding beyond the limit', () => ttRound(tt, { maxBytes: 15 }), 'E_MEMORY'],
  ])('%s', (_, work, expected) => {
    expect(work).toThrow(code(expected));
  });

  it('names the size and the limit of what does not fit', () => {
    const long = randomTrain(new Rng(1), new Array(40).fill(4), new Array(39).fill(2));
    expect(() => ttFull(long)).toThrow(
      /at most 2147483648 bytes \(maxBytes\), received \d{9,} elements of float64, \d{9,} bytes$/,
    );
  });
});

it('takes for maxRanks what ttRanks gives', () => {
  for (const shape of [[3], [3, 4], [3, 4, 2, 5, 3]]) {
    const H = randomTensor(new Rng(4), shape);
    const small = ttSvd(H, { maxRanks: 2 });
    const ranks = ttRanks(small);
    expect(ttRanks(ttSvd(H, { maxRanks: ranks }))).toEqual(ranks);
    expect(ttRanks(ttRound(ttSvd(H), { maxRanks: ranks }))).toEqual(ranks);
    expect(ttSvd(H, { maxRanks: ranks })).toEqual(small);
  }
  const H = randomTensor(new Rng(4), [2, 2, 2]);
  const wrong = [2, 2, 2, 1];
  expect(() => ttSvd(H, { maxRanks: wrong })).toThrow(
    expect.objectContaining({ code: 'E_ARGUMENT', message: expect.stringMatching(/one rank or a list of/) }),
  );
});
