import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { type CP, cpEvaluate, cpFull } from '../../src/decompose/cp.ts';
import { cpAls } from '../../src/decompose/cp_als.ts';
import { type HierarchicalTucker, htEvaluate, htFull, htRanks } from '../../src/decompose/ht.ts';
import { htAdd, htDot, htHadamard, htNorm, htScale } from '../../src/decompose/ht_arithmetic.ts';
import { htRound } from '../../src/decompose/ht_round.ts';
import { htSvd } from '../../src/decompose/ht_svd.ts';
import { timesPower } from '../../src/decompose/scale.ts';
import { type TensorTrain, ttEvaluate, ttFull, ttRanks } from '../../src/decompose/tt.ts';
import { ttAdd, ttDot, ttHadamard, ttNorm, ttRound, ttScale } from '../../src/decompose/tt_arithmetic.ts';
import { ttSvd } from '../../src/decompose/tt_svd.ts';
import { allIndices, backends, distance, randomTensor, randomTrain, tensor64 } from '../support/decompose.ts';
import { refusal } from '../support/models.ts';

const times = ({ shape, data }: Tensor, factor: number): Tensor =>
  tensor64(
    shape,
    data.map((value) => value * factor),
  );

describe.each(backends)('elements whose squares leave the range of float64, $name', ({ open }) => {
  const backend = open();
  const H = randomTensor(new Rng(1), [4, 3, 4]);
  const norm = Math.hypot(...H.data);

  it.each([2 ** 520, 2 ** 1000, 2 ** -520, 2 ** -1000])('times %s round as they do', (scale) => {
    const large = times(H, scale);
    const tt = ttRound(ttSvd(large, { backend }), { eps: 1e-10, backend });
    const ht = htRound(htSvd(large, { backend }), { eps: 1e-10, backend });
    expect(ttRanks(tt)).toEqual([1, 4, 4, 1]);
    expect(htRanks(ht)).toEqual([[4, 3, 4], [4], [1]]);
    for (const [full, error] of [
      [ttFull(tt, { backend }), tt.error],
      [htFull(ht, { backend }), ht.error],
    ] as const) {
      expect(distance(times(full, 1 / scale), H)).toBeLessThan(1e-13);
      expect(error).toBeLessThan(1e-10);
    }
    for (const found of [ttNorm(tt, { backend }), htNorm(ht, { backend })])
      expect(found / scale / norm).toBeCloseTo(1, 12);
    // The inner product with what is as small as these are large.
    const small = times(H, 1 / scale);
    expect(ttDot(tt, ttSvd(small, { backend }), { backend }) / norm ** 2).toBeCloseTo(1, 12);
    expect(htDot(ht, htSvd(small, { backend }), { backend }) / norm ** 2).toBeCloseTo(1, 12);
  });

  it.each([2 ** -1030, 2 ** -1066, 2 ** -1074])('subnormal ones keep eps, %s', (scale) => {
    const rng = new Rng(3);
    const whole = tensor64(
      [4, 3, 4, 2],
      Array.from({ length: 96 }, () => (rng.below(200) - 100) * 8),
    );
    const small = times(whole, scale);
    const [tt, ht] = [ttSvd(small, { backend }), htSvd(small, { backend })];
    // What the parts make, times 2^1000: elements themselves would be rounded to the few digits that subnormal numbers have.
    const [first, ...cores] = tt.cores;
    const train = ttFull({ cores: [times(first, 2 ** 1000), ...cores] }, { backend });
    const [leaf, ...leaves] = ht.leaves;
    const tree = htFull({ ...ht, leaves: [times(leaf, 2 ** 1000), ...leaves] }, { backend });
    for (const full of [train, tree]) expect(distance(full, times(small, 2 ** 1000))).toBeLessThan(1e-12);
    expect(ttRanks(ttSvd(small, { backend }))).toEqual(ttRanks(ttSvd(whole, { backend })));
  });

  it('a long train of ordinary cores has a norm, and rounds', () => {
    const steps = 240;
    const shape = new Array(steps).fill(4);
    const tt = randomTrain(new Rng(2), shape, new Array(steps - 1).fill(6));
    expect(ttNorm(tt, { backend })).toBeGreaterThan(1e160);
    const twice = ttRound(ttAdd(tt, tt), { eps: 1e-10, backend });
    expect(ttRanks(twice)).toEqual(ttRanks(ttRound(tt, { eps: 1e-10, backend })));
    expect(twice.error).toBeLessThan(1e-10);
    const difference = ttNorm(ttAdd(twice, ttScale(tt, -2)), { backend });
    expect(difference / ttNorm(tt, { backend })).toBeLessThan(1e-9);
    const at = Int32Array.from({ length: steps }, (_, t) => t % 4);
    expect(Number.isFinite(ttEvaluate(twice, at)[0])).toBe(true);
  });
});

it('a power of two is taken in steps that exist', () => {
  expect(timesPower(3, 2000)).toBe(Number.POSITIVE_INFINITY);
  expect(timesPower(3 * 2 ** -1000, 2000)).toBe(3 * 2 ** 1000);
  expect(timesPower(3 * 2 ** 1000, -2074)).toBe(3 * 2 ** -1074);
  expect(timesPower(-1, -3000)).toBe(-0);
});

describe('what would overflow is refused', () => {
  const huge = tensor64([2, 2], [1.7e308, -1.7e308, 1.7e308, 1.7e308]);
  const [tt, ht] = [ttSvd(tensor64([2, 2], [1e200, 0, 0, 1])), htSvd(tensor64([2, 2], [1e200, 0, 0, 1]))];
  it.each<[string, () => unknown]>([
    ['ttScale', () => ttScale(ttScale(tt, 1e200), 1e200)],
    ['ttDot', () => ttDot(tt, tt)],
    ['ttHadamard', () => ttHadamard(tt, tt)],
    ['ttNorm', () => ttNorm(ttAdd(ttScale(tt, 1.5e108), ttScale(tt, 1.5e108)))],
    ['ttSvd', () => ttSvd(huge)],
    ['htSvd', () => htSvd(huge)],
    ['cpAls', () => cpAls(huge, { rank: 2 })],
    ['htScale', () => htScale(htScale(ht, 1e200), 1e200)],
    ['htDot', () => htDot(ht, ht)],
    ['htHadamard', () => htHadamard(ht, ht)],
  ])('%s', (_, work) => {
    expect(work).toThrow(expect.objectContaining({ code: 'E_NUMERIC' }));
  });
});

describe('errors of hierarchical Tucker tensors are bounds', () => {
  const digits = fc.record({
    shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 }),
    seed: fc.nat(1e6),
    eps: fc.constantFrom(0.3, 0.5, 0.7),
  });

  it('where singular values are equal', () => {
    fc.assert(
      fc.property(digits, ({ shape, seed, eps }) => {
        const rng = new Rng(seed);
        const { data } = randomTensor(rng, shape);
        const H = tensor64(
          shape,
          data.map(() => Number(rng.below(3) === 0)),
        );
        const ht = htSvd(H, { eps });
        for (const cut of [ht, htRound(htSvd(H), { eps })]) {
          expect(distance(htFull(cut), H)).toBeLessThanOrEqual(cut.error + 1e-12);
          expect(cut.error).toBeLessThanOrEqual(eps);
        }
      }),
      { numRuns: 1000 },
    );
    const swap = htSvd(tensor64([2, 2], [0, 1, 1, 0]), { maxRanks: 1 });
    expect(distance(htFull(swap), tensor64([2, 2], [0, 1, 1, 0]))).toBeCloseTo(Math.SQRT1_2, 14);
    expect(swap.error).toBeCloseTo(Math.SQRT1_2, 14);
  });

  it('of given ranks at every node', () => {
    fc.assert(
      fc.property(fc.nat(1e6), fc.constantFrom([3, 2, 2, 2], [2, 2, 2, 2], [3, 3, 2]), (seed, shape) => {
        const H = randomTensor(new Rng(seed), shape);
        const cut = htRound(htSvd(H), {
          eps: 0,
          maxRanks: new Array(2 * shape.length - 2).fill(1 + (seed % 2)),
        });
        expect(distance(htFull(cut), H)).toBeLessThanOrEqual(cut.error + 1e-12);
      }),
      { numRuns: 1000 },
    );
  });
});

it('what full tensors need on the way is refused before it is made', () => {
  const ones = (rows: number, cols: number) => tensor64([rows, cols], new Float64Array(rows * cols).fill(1));
  const factors = [ones(100, 200), ones(100, 200), ones(1, 200), ones(1, 200)];
  const cp = { weights: tensor64([200], new Float64Array(200).fill(1)), factors };
  const limit = { maxBytes: 1e6 };
  expect(cpFull(cp, limit).data[0]).toBe(200);
  const even = { ...cp, factors: new Array(4).fill(ones(18, 200)) };
  expect(() => cpFull(even, { maxBytes: 18 ** 4 * 8 })).not.toThrow();
  const wide = { weights: tensor64([900], new Float64Array(900)), factors: [ones(20, 900), ones(20, 900)] };
  expect(() => cpFull(wide, { maxBytes: 20 ** 2 * 8 })).toThrow(
    expect.objectContaining({ code: 'E_MEMORY' }),
  );
  const transfer = tensor64([1, 400, 1], new Float64Array(400));
  const ht = { leaves: [ones(1000, 1), ones(1, 400)], transfers: [transfer] };
  expect(() => htFull(ht, { maxBytes: 1e5 })).toThrow(expect.objectContaining({ code: 'E_MEMORY' }));
});

describe('factors of any size, whose products leave the range of float64 on the way', () => {
  const constant = (value: number) => tensor64([1, 2, 1], [value, value]);
  const train = (...sizes: number[]): TensorTrain => ({ cores: sizes.map(constant) });
  const tree = (...sizes: number[]): HierarchicalTucker => ({
    leaves: sizes.map((value) => tensor64([2, 1], [value, value])),
    transfers: [1, 1, 1].map((value) => tensor64([1, 1, 1], [value])),
  });
  const terms = (...sizes: number[]): CP => ({
    weights: tensor64([1], [1]),
    factors: sizes.map((value) => tensor64([2, 1], [value, value])),
  });
  const [tiny, huge] = [1e-200, 1e200];
  const orders = [
    [tiny, tiny, huge, huge],
    [huge, huge, tiny, tiny],
    [tiny, huge, tiny, huge],
  ];
  const at = Int32Array.of(0, 1, 0, 1, 1, 1, 1, 1);

  it.each(orders)('make elements of 1: %s %s %s %s', (...sizes) => {
    const [tt, ht, cp] = [train(...sizes), tree(...sizes), terms(...sizes)];
    for (const { data } of [ttFull(tt), htFull(ht), cpFull(cp)])
      for (const value of data) expect(value).toBeCloseTo(1, 12);
    for (const values of [ttEvaluate(tt, at), htEvaluate(ht, at), cpEvaluate(cp, at)])
      expect([...values]).toEqual([expect.closeTo(1, 12), expect.closeTo(1, 12)]);
    for (const other of orders) {
      const sum = ttAdd(tt, ttAdd(train(...other), train(1, 1, 1, 1)));
      expect(ttEvaluate(sum, at)[0]).toBeCloseTo(3, 12);
      for (const value of ttFull(sum).data) expect(value).toBeCloseTo(3, 12);
      expect(htEvaluate(htAdd(ht, htAdd(tree(...other), tree(1, 1, 1, 1))), at)[1]).toBeCloseTo(3, 12);
      expect(htFull(htAdd(ht, tree(...other))).data[5]).toBeCloseTo(2, 12);
      expect(ttEvaluate(ttHadamard(tt, train(...other)), at)[0]).toBeCloseTo(1, 12);
      expect(ttFull(ttHadamard(tt, train(...other))).data[3]).toBeCloseTo(1, 12);
      expect(htEvaluate(htHadamard(ht, tree(...other)), at)[0]).toBeCloseTo(1, 12);
    }
  });

  it('and elements of very different sizes', () => {
    const u = tensor64([1, 2, 1], [1e-200, 1]);
    const v = tensor64([1, 2, 1], [1, 1e200]);
    const cores = [u, u, v, v];
    // u[0] u[0] v[1] v[1], and u[1] u[1] v[0] v[0].
    const both = Int32Array.of(0, 0, 1, 1, 1, 1, 0, 0);
    for (const value of ttEvaluate({ cores }, both)) expect(value).toBeCloseTo(1, 12);
    const last = { cores: [u, u, v, constant(1)] };
    expect(ttFull(last).data[2] / 1e-200).toBeCloseTo(1, 12);
    expect(ttFull(last).data[14] / 1e200).toBeCloseTo(1, 12);
    expect(() => ttFull({ cores })).toThrow(
      refusal('E_NUMERIC', /^ttFull: expected a result within the range/),
    );
  });

  it.each<[string, () => unknown]>([
    ['ttFull', () => ttFull(train(huge, huge, 1, 1))],
    ['ttEvaluate', () => ttEvaluate(train(huge, huge, 1, 1), at)],
    ['htFull', () => htFull(tree(huge, huge, 1, 1))],
    ['htEvaluate', () => htEvaluate(tree(huge, huge, 1, 1), at)],
    ['cpFull', () => cpFull(terms(huge, huge, 1, 1))],
    ['cpEvaluate', () => cpEvaluate(terms(huge, huge, 1, 1), at)],
    ['ttEvaluate', () => ttEvaluate(train(...new Array<number>(40).fill(1e20)), new Int32Array(40))],
  ])('are refused by %s where an element overflows', (name, work) => {
    expect(work).toThrow(refusal('E_NUMERIC', new RegExp(`^${name}: expected a result within the range`)));
  });

  it('agree with the same tensor of ordinary factors', () => {
    fc.assert(
      fc.property(
        fc.nat(1e6),
        fc.array(fc.integer({ min: -900, max: 900 }), { minLength: 9, maxLength: 9 }),
        (seed, powers) => {
          const rng = new Rng(seed);
          const tt = randomTrain(rng, [3, 2, 3, 2], [2, 3, 2]);
          // D_t and its inverse at each bond, which the tensor does not see.
          const bonds = [[0], [powers[0], powers[1]], powers.slice(2, 5), powers.slice(5, 7), [0]];
          const cores = tt.cores.map(({ shape, data }, t) => {
            const [, n, s] = shape;
            const scaled = data.map((value, at) =>
              timesPower(value, bonds[t + 1][at % s] - bonds[t][Math.floor(at / (n * s))]),
            );
            return tensor64(shape, scaled);
          });
          fc.pre(
            cores.every(({ data }) =>
              data.every((value) => Number.isFinite(value) && Math.abs(value) > 2 ** -1000),
            ),
          );
          expect(distance(ttFull({ cores }), ttFull(tt))).toBeLessThan(1e-14);
          const all = allIndices([3, 2, 3, 2]);
          const [values, wanted] = [ttEvaluate({ cores }, all), ttEvaluate(tt, all)].map((data) =>
            tensor64([36], data),
          );
          expect(distance(values, wanted)).toBeLessThan(1e-14);
        },
      ),
      { numRuns: 200 },
    );
  });
});
