import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { exactRank } from '../../src/analysis/exact_rank.ts';
import { gridTensor } from '../../src/analysis/grid.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { frobeniusError, relativeError } from '../../src/core/distance.ts';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, tensor, zeros } from '../../src/core/tensor.ts';
import { randomFeatures, randomNetwork, randomTensor } from '../../src/experiments/checks/instances.ts';
import { identity } from '../../src/theory/features.ts';
import { realization, realize } from '../../src/theory/realize.ts';
import { bruteGrid } from '../support/grids.ts';
import { refusal } from '../support/models.ts';

const backend = selectBackend().backend;
const modes = (M: number, T: number, ...outputs: number[]) => [...new Array<number>(T).fill(M), ...outputs];
const off = (model: Parameters<typeof bruteGrid>[0], templates: Tensor, H: Tensor) =>
  relativeError(bruteGrid(model, templates).data, H.data);

/** What a construction loses is proportional to the condition of F. */
const TOLERANCE = 1e-12;

const WAYS = [
  ['cp', 'rectifier', 'entries'],
  ['cp', 'rectifier', 'entries+constant'],
  ['cp', 'rectifier', 'fibres'],
  ['cp', 'max', 'fibres'],
  ['cp', 'min', 'entries'],
  ['cp', 'product', undefined],
  ['tt', 'rectifier', 'c1'],
  ['tt', 'rectifier', 'c0'],
  ['tt', 'max', undefined],
  ['tt', 'min', undefined],
  ['tt', 'product', undefined],
  ['ht', 'rectifier', undefined],
  ['ht', 'max', undefined],
  ['ht', 'min', undefined],
  ['ht', 'product', undefined],
] as const;

describe('realize', () => {
  it.each(WAYS)('holds any tensor, %s %s %s', (kind, xi, variant) => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          ...([
            [3, 1],
            [2, 2],
            [2, 3],
            [3, 3],
            [2, 5],
            [5, 2],
            [3, 4],
          ] as const),
        ),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.nat(),
        fc.constantFrom(1e-6, 1, 1e6),
        ([M, T], outputs, oneHot, seed, scale) => {
          const rng = new Rng(seed);
          const drawn = randomTensor(rng, modes(M, T, outputs));
          const H = { ...drawn, data: drawn.data.map((value) => scale * value) };
          const features = oneHot ? undefined : randomFeatures(rng, M);
          const made = realization(H, { kind, xi, variant, features, steps: T, backend });
          expect(off(made.model, made.templates, H)).toBeLessThan(TOLERANCE * made.condition);
        },
      ),
      { numRuns: 15 },
    );
  });

  it.each(WAYS)('holds tiny and huge tensors, %s %s %s', (kind, xi, variant) => {
    const drawn = randomTensor(new Rng(8), modes(3, 3));
    for (const scale of [2 ** -1020, 1e-300, 1e-272, 1e-150, 1e150, 1e290]) {
      const H = { ...drawn, data: drawn.data.map((value) => scale * value) };
      const { model, templates } = realization(H, { kind, xi, variant, backend });
      expect(off(model, templates, H)).toBeLessThan(TOLERANCE);
    }
  });

  it.each([
    ['tt', 'rectifier', 'c1'],
    ['tt', 'rectifier', 'c0'],
    ['tt', 'max', 'c1'],
    ['cp', 'rectifier', 'entries'],
  ] as const)('keeps the target for M = 5, T = 6, %s %s %s', (kind, xi, variant) => {
    const H = randomTensor(new Rng(6), modes(5, 6));
    const { model, templates } = realization(H, { kind, xi, variant, backend });
    expect(relativeError(gridTensor(model, templates).data, H.data)).toBeLessThan(1e-12);
  });

  it.each([
    ['normal', (rng: Rng) => rng.normal()],
    ['from 0 to 1', (rng: Rng) => rng.uniform()],
    ['from -1 to 1', (rng: Rng) => 2 * rng.uniform() - 1],
  ] as const)('keeps the target in both norms for entries %s', (_, draw) => {
    for (const [kind, seeds] of [
      ['cp', 6],
      ['tt', 2],
      ['ht', 1],
    ] as const)
      for (let seed = 0; seed < seeds; seed++) {
        const rng = new Rng(seed, 3);
        const H = tensor(
          Float64Array.from({ length: 5 ** 6 }, () => draw(rng)),
          modes(5, 6),
        );
        const { model, templates } = realization(H, { kind, xi: 'rectifier', backend });
        const grid = gridTensor(model, templates).data;
        expect(relativeError(grid, H.data), `${kind} ${seed}`).toBeLessThan(1e-12);
        expect(frobeniusError(grid, H.data), `${kind} ${seed}`).toBeLessThan(1e-12);
      }
  });

  it('rounds no sum of M^T entries that are all positive', () => {
    const rng = new Rng(1, 3);
    const H = tensor(
      Float64Array.from({ length: 5 ** 6 }, () => rng.uniform()),
      modes(5, 6),
    );
    const { model, templates } = realization(H, { kind: 'cp', xi: 'rectifier', variant: 'entries', backend });
    expect(frobeniusError(gridTensor(model, templates).data, H.data)).toBeLessThan(1e-12);
  });

  it('keeps the bound of fibres for M = 5, T = 6', () => {
    const H = randomTensor(new Rng(6), modes(5, 6));
    const { model, templates } = realization(H, { kind: 'cp', xi: 'rectifier', variant: 'fibres', backend });
    expect(model.config.rank).toEqual([5 ** 5 + 1]);
    const bound = 1.1 * Number.EPSILON * 5 ** 5;
    expect(relativeError(gridTensor(model, templates).data, H.data)).toBeLessThan(bound);
  });

  it.each([
    [1, 'fibres', 5],
    [3, 'entries', 8],
  ])('takes the narrowest shallow network of %d outputs', (outputs, variant, width) => {
    const H = randomTensor(new Rng(6), modes(2, 3, outputs));
    const made = realization(H, { kind: 'cp', xi: 'max', steps: 3, backend });
    expect([made.variant, made.model.config.rank]).toEqual([variant, [width]]);
  });

  it('has ranks by the TT-ranks of H, which it finds', () => {
    const bench = { rng: new Rng(4), backend };
    const sizes = { kind: 'tt', xi: 'product', steps: 5, inputs: 3, outputs: 1 } as const;
    const H = gridTensor(randomNetwork(bench, { ...sizes, rank: [2, 3, 4, 2] }), identity(3));
    const c1 = realization(H, { kind: 'tt', xi: 'rectifier', backend });
    expect(c1.ttRanks).toEqual([2, 3, 4, 2]);
    expect(c1.model.config).toMatchObject({ rank: [3, 4, 5, 3], projection: 3 });
    const c0 = realization(H, { kind: 'tt', xi: 'rectifier', variant: 'c0', backend });
    expect(c0.model.config).toMatchObject({ rank: [2, 3, 4, 2], projection: 6 });
    for (const { model } of [c1, c0]) expect(off(model, identity(3), H)).toBeLessThan(TOLERANCE);
  });

  it('drops what eps allows', () => {
    const rng = new Rng(8);
    const H = randomTensor(rng, modes(3, 4));
    const made = realization(H, { kind: 'tt', xi: 'rectifier', eps: 0.5, backend });
    const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
    const error =
      norm(bruteGrid(made.model, identity(3)).data.map((value, n) => value - H.data[n])) / norm(H.data);
    expect(error).toBeLessThanOrEqual(0.5 + TOLERANCE);
    expect(error).toBeGreaterThan(0.01);
    expect(Math.max(...made.ttRanks!)).toBeLessThan(9);
  });

  it('works on the features of real templates, and the model scores those', () => {
    const rng = new Rng(3);
    const activation = 'tanh' as const;
    const [A, b, templates] = [randomTensor(rng, [3, 7]), randomTensor(rng, [3]), randomTensor(rng, [3, 7])];
    const H = randomTensor(rng, modes(3, 3));
    const made = realization(H, {
      kind: 'tt',
      xi: 'rectifier',
      features: { A, b, activation, templates },
      backend,
    });
    expect(made.templates).toEqual(templates);
    expect(made.condition).toBeGreaterThan(1);
    expect(off(made.model, templates, H)).toBeLessThan(TOLERANCE * made.condition);
  });

  it('loses in proportion to the condition of the features', () => {
    const rng = new Rng(12);
    for (const power of [2, 5, 8]) {
      const F = identity(4);
      for (let m = 0; m < 4; m++)
        for (let n = 0; n < 4; n++) F.data[4 * m + n] = 1 + (m === n ? 10 ** -power : 0) * (1 + m);
      const H = randomTensor(rng, modes(4, 3));
      const made = realization(H, { kind: 'tt', xi: 'rectifier', features: F, backend });
      expect(made.condition).toBeGreaterThan(10 ** power);
      expect(off(made.model, made.templates, H)).toBeLessThan(100 * Number.EPSILON * made.condition);
    }
  });

  it.each([
    ['entries', 2, 2],
    ['entries+constant', 2, 2],
    ['fibres', 1.1, 1],
  ] as const)('keeps the bound of its rounding, %s', (variant, factor, power) => {
    for (const [M, T] of [
      [4, 5],
      [2, 8],
      [3, 4],
    ]) {
      const count = M ** T;
      const rng = new Rng(M, T);
      const values: ((n: number) => number)[] = [
        () => 0.1,
        () => -0.1,
        (n) => (n % 2 === 0 ? 0.1 : -0.1),
        (n) => (2 * n < count ? 0.1 : -0.1),
        () => rng.normal(),
      ];
      for (const value of values) {
        const H = tensor(
          Array.from({ length: count }, (_, n) => value(n)),
          modes(M, T),
        );
        const grid = bruteGrid(
          realize(H, { kind: 'cp', xi: 'rectifier', variant, backend }),
          identity(M),
        ).data;
        const most = H.data.reduce((size, x) => Math.max(size, Math.abs(x)), 0);
        const wrong = grid.reduce((size, x, n) => Math.max(size, Math.abs(x - H.data[n])), 0);
        const terms = variant === 'fibres' ? M ** (T - 1) : count;
        expect(wrong).toBeLessThanOrEqual(factor * Number.EPSILON * terms ** power * most);
      }
    }
  });

  it.each([null, '', 0, false, Number.NaN])('refuses %s as a variant', (variant) => {
    for (const [kind, xi] of [
      ['cp', 'max'],
      ['tt', 'rectifier'],
      ['ht', 'min'],
      ['tt', 'product'],
      ['cp', 'sum'],
    ] as const) {
      const options = { kind, xi, variant: variant as never, backend };
      expect(() => realize(identity(3), options)).toThrow(
        refusal('E_ARGUMENT', /realize variant .*expected/),
      );
    }
  });

  it('gives templates that its model takes', () => {
    for (const [kind, dtype] of [
      ['cp', 'float32'],
      ['tt', 'float32'],
      ['ht', 'float32'],
      ['tt', 'float64'],
    ] as const) {
      const H = tensor([1, 2, 3, 4], [2, 2]);
      const made = realization(H, { kind, xi: 'rectifier', dtype, backend });
      expect(made.templates.dtype).toBe(dtype);
      expect(off(made.model, made.templates, H)).toBeLessThan(1e-6);
      expect(exactRank(made.model, made.templates, [0]).rank).toBe(2);
    }
  });

  it('does not realize the rounding of a float32 tensor', () => {
    const values = Array.from({ length: 6 ** 4 }, (_, n) =>
      Math.sin([216, 36, 6, 1].reduce((sum, step) => sum + (Math.floor(n / step) % 6), 0)),
    );
    const H = tensor(values, [6, 6, 6, 6], 'float32');
    expect(realization(H, { kind: 'tt', xi: 'rectifier', backend }).ttRanks).toEqual([2, 2, 2]);
    expect(Math.max(...realization(H, { kind: 'tt', xi: 'rectifier', eps: 1e-13, backend }).ttRanks!)).toBe(
      11,
    );
  });

  it('has float32 models too', () => {
    const H = randomTensor(new Rng(2), modes(3, 4));
    const model = realize(H, { kind: 'tt', xi: 'rectifier', dtype: 'float32', backend });
    expect(model.config.dtype).toBe('float32');
    expect(off(model, tensor(identity(3), undefined, 'float32'), H)).toBeLessThan(1e-5);
  });

  it.each(['sum', 'relusum'] as const)('holds additive tensors, %s', (xi) => {
    fc.assert(
      fc.property(
        fc.constantFrom('cp' as const, 'tt' as const, 'ht' as const),
        fc.constantFrom(-20, 0, 20),
        fc.nat(),
        (kind, shift, seed) => {
          const rng = new Rng(seed);
          const [phi, M, T, C] = [randomTensor(rng, [3, 3, 2]).data, 3, 3, 2];
          const H = zeros(modes(M, T, C), 'float64');
          for (let n = 0; n < M ** T; n++)
            for (let c = 0; c < C; c++)
              H.data[n * C + c] =
                shift +
                phi[Math.floor(n / 9) * C + c] +
                phi[(3 + (Math.floor(n / 3) % 3)) * C + c] +
                phi[(6 + (n % 3)) * C + c];
          const model = realize(H, { kind, xi, backend });
          const width = xi === 'sum' || shift !== 0 ? 2 : 4;
          expect(Math.max(...model.config.rank)).toBeLessThanOrEqual(width);
          expect(off(model, identity(M), H)).toBeLessThan(TOLERANCE);
        },
      ),
      { numRuns: 30 },
    );
  });
});
