import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { type CP, cpFull } from '../../src/decompose/cp.ts';
import { type CpAlsSweep, cpAls } from '../../src/decompose/cp_als.ts';
import { htSvd } from '../../src/decompose/ht_svd.ts';
import { backends, distance, ofGolden, randomTensor, tensor64 } from '../support/decompose.ts';
import { type GoldenArray, golden } from '../support/golden.ts';
import { reference, refusal } from '../support/models.ts';

const { cases } = golden<{
  cases: { name: string; H: GoldenArray; R: number; best_rel_error: number }[];
}>('cp_als.json');

describe.each(backends)('CP, $name', ({ name, open }) => {
  const backend = open();

  it.each(cases)(
    'fits $name with $R terms as well as the best of many starts',
    ({ H, R, best_rel_error }) => {
      const tensor = ofGolden(H);
      const cp = cpAls(tensor, { rank: R, backend, starts: name === 'native' ? 10 : 4, tolerance: 1e-10 });
      expect(cp.error).toBeLessThanOrEqual(1.02 * best_rel_error + 1e-6);
      expect(distance(cpFull(cp), tensor)).toBeCloseTo(cp.error, 12);
      for (const { shape, data } of cp.factors) {
        for (let r = 0; r < R; r++) {
          const column = data.filter((_, at) => at % shape[1] === r);
          expect(Math.hypot(...column)).toBeCloseTo(1, 12);
        }
      }
      expect([...cp.weights.data]).toEqual([...cp.weights.data].sort((x, y) => y - x));
    },
  );
});

describe('cpAls', () => {
  it('gives the same for a seed, and never worse with more starts', () => {
    const H = randomTensor(new Rng(4), [4, 3, 5]);
    const fitted = (starts: number, seed = 1) => cpAls(H, { rank: 3, starts, seed, maxSweeps: 30 });
    expect(fitted(3)).toEqual(fitted(3));
    expect(fitted(5).error).toBeLessThanOrEqual(fitted(2).error + 1e-12);
    expect(fitted(5).errors).toHaveLength(5);
    // The first start is made of singular vectors, not of the seed.
    expect(fitted(1, 2)).toEqual(fitted(1));
  });

  it('finds the only term of a vector, more terms than needed, and nothing in zeros', () => {
    const vector = tensor64([4], [3, 0, -4, 0]);
    const cp = cpAls(vector, { rank: 1 });
    expect([cp.weights.data[0], cp.sweeps]).toEqual([expect.closeTo(5, 12), 1]);
    expect(distance(cpFull(cp), vector)).toBeLessThan(1e-12);
    const matrix = tensor64([2, 2], [1, 2, 2, 4]);
    expect(cpAls(matrix, { rank: 3 }).error).toBeLessThan(1e-7);
    const zero = cpAls(tensor64([2, 2, 2], new Float64Array(8)), { rank: 2 });
    expect(zero.error).toBe(0);
    expect(cpFull(zero).data.every((value) => value === 0)).toBe(true);
  });

  it.each([1e-200, 1e200])('takes values about %d', (scale) => {
    const H = tensor64(
      [2, 2],
      [1, 2, 2, 4].map((value) => value * scale),
    );
    const cp = cpAls(H, { rank: 1 });
    expect(cp.weights.data[0] / scale).toBeCloseTo(5, 12);
    expect(cp.error).toBeLessThan(1e-12);
  });

  const H = randomTensor(new Rng(1), [2, 3, 2]);
  it.each<[string, () => unknown, string]>([
    ['NaN', () => cpAls(tensor64([2, 2], [1, Number.NaN, 0, 0]), { rank: 1 }), 'E_NUMERIC'],
    ['rank 0', () => cpAls(H, { rank: 0 }), 'E_ARGUMENT'],
    ['no starts', () => cpAls(H, { rank: 1, starts: 0 }), 'E_ARGUMENT'],
    ['a negative tolerance', () => cpAls(H, { rank: 1, tolerance: -1 }), 'E_ARGUMENT'],
    ['too large a Gram matrix', () => cpAls(H, { rank: 3000, maxBytes: 2e5 }), 'E_MEMORY'],
    [
      'too large a factor',
      () => cpAls(tensor64([20], new Float64Array(20)), { rank: 15, maxBytes: 2000 }),
      'E_MEMORY',
    ],
    ['too large a product', () => cpAls(H, { rank: 1e6, maxBytes: 1e6 }), 'E_MEMORY'],
    ['no CP', () => cpFull({} as CP), 'E_ARGUMENT'],
    [
      'factors of other ranks',
      () => cpFull({ weights: tensor64([2], [1, 1]), factors: [tensor64([2, 1], [1, 1])] }),
      'E_SHAPE',
    ],
  ])('refuses %s', (_, work, expected) => {
    expect(work).toThrow(expect.objectContaining({ code: expected }));
  });
});

describe('columns of cpAls', () => {
  it.each<[string, number[], number, number]>([
    ['a term that vanishes', new Array(10).fill(2), 3, 1],
    ['elements near the least', [3, 3, 3], 2, 2 ** -1000],
  ])('have norm 1, for %s', (_, shape, rank, size) => {
    const tensor = tensor64(shape, new Float64Array(shape.reduce((n, extent) => n * extent, 1)).fill(size));
    const cp = cpAls(tensor, { rank, starts: 3 });
    for (const {
      shape: [n],
      data,
    } of cp.factors) {
      for (let r = 0; r < rank; r++)
        expect(Math.hypot(...Array.from({ length: n }, (_, i) => data[i * rank + r]))).toBeCloseTo(1, 12);
    }
    expect(cp.error).toBeLessThan(1e-7);
  });
});

describe('cpAls, while it runs', () => {
  const H = randomTensor(new Rng(3), [3, 4, 2]);
  const options = { rank: 2, starts: 3, maxSweeps: 5, tolerance: 0, backend: reference };

  it('tells of every sweep', () => {
    const told: CpAlsSweep[] = [];
    const { errors } = cpAls(H, { ...options, onSweep: (report) => told.push(report) });
    expect(told.map(({ start, sweep }) => `${start}.${sweep}`)).toEqual(
      [1, 2, 3].flatMap((start) => [1, 2, 3, 4, 5].map((sweep) => `${start}.${sweep}`)),
    );
    expect(told.filter(({ sweep }) => sweep === 5).map(({ error }) => error)).toEqual(errors);
  });

  it('stops by its signal, before the first sweep or behind the one that aborts it', () => {
    const stop = new AbortController();
    const onSweep = ({ start, sweep }: CpAlsSweep) => start === 2 && sweep === 4 && stop.abort('enough');
    const run = () => cpAls(H, { ...options, signal: stop.signal, onSweep });
    expect(run).toThrow(refusal('E_ABORTED', /stopped after sweep 4 of start 2 of 3/));
    expect(run).toThrow(expect.objectContaining({ cause: 'enough' }));
    expect(run).toThrow(refusal('E_ABORTED', /sweep 0 of start 1/));
    expect(() => cpAls(H, { ...options, signal: {} as never })).toThrow(refusal('E_ARGUMENT', /AbortSignal/));
    expect(() => cpAls(H, { ...options, onSweep: 1 as never })).toThrow(refusal('E_ARGUMENT', /onSweep/));
  });
});

describe('errors of cpAls', () => {
  const factors = [5, 6, 7].map((n, t) => randomTensor(new Rng(20 + t), [n, 3]));
  const exact = cpFull({ weights: tensor64([3], [1, 2, 3]), factors });

  it.each(backends)('go down to rounding where the tolerance says so, $name', ({ open }) => {
    const backend = open();
    const told: number[] = [];
    const onSweep = ({ start, error }: CpAlsSweep) => start === 1 && told.push(error);
    const asked = { rank: 3, starts: 2, maxSweeps: 5000, backend, onSweep };
    const cp = cpAls(exact, { ...asked, tolerance: 0 });
    expect(cp.error).toBeLessThan(3e-15);
    expect(Math.min(...cp.errors) / cp.error).toBeCloseTo(1, 0);
    expect(told.every((error, n) => n === 0 || error < told[n - 1] || error < 1e-14)).toBe(true);
    // The default ends a start that a sweep lowers by less than 1e-9.
    const usual = cpAls(exact, { ...asked, starts: 1 });
    expect(usual.errors[0] / usual.error).toBeCloseTo(1, 6);
    expect(usual.sweeps).toBeLessThan(cp.sweeps);
  });

  it('are those of the elements for every start, the least that of the result', () => {
    const noise = randomTensor(new Rng(30), [5, 6, 7]);
    for (const size of [1, 1e-3, 1e-6, 1e-9, 1e-12]) {
      const data = exact.data.map((value, n) => value + size * noise.data[n]);
      const cp = cpAls(tensor64([5, 6, 7], data), { rank: 3, starts: 4, tolerance: size * 1e-4 });
      expect(Math.min(...cp.errors) / cp.error).toBeCloseTo(1, size < 1e-11 ? 2 : 6);
    }
  });

  it('and a norm that overflows is called that', () => {
    const large = tensor64([2, 2], new Float64Array(4).fill(1e308));
    expect(() => cpAls(large, { rank: 1 })).toThrow(
      refusal('E_NUMERIC', /^cpAls: expected norms of the terms within/),
    );
    expect(() => htSvd(large)).toThrow(
      refusal('E_NUMERIC', /^htSvd: expected parts of the size of the norm within the range of float64/),
    );
  });
});
