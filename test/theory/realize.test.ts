import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gridTensor } from '../../src/analysis/grid.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, tensor, zeros } from '../../src/core/tensor.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import {
  randomFeatures,
  randomNetwork,
  randomTensor,
  relativeError,
} from '../../src/experiments/checks/instances.ts';
import { createModel } from '../../src/models/model.ts';
import { identity } from '../../src/theory/features.ts';
import { oneHotTensor } from '../../src/theory/onehot.ts';
import { margins, openSetNetwork, shallowTwin } from '../../src/theory/openset.ts';
import { realization, realize } from '../../src/theory/realize.ts';
import { shallowToRecurrent, shallowToTree } from '../../src/theory/shallow.ts';
import { similarityNetwork } from '../../src/theory/similarity.ts';
import { addNetworks } from '../../src/theory/sums.ts';
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

  it('keeps the bound of fibres for M = 5, T = 6', () => {
    const H = randomTensor(new Rng(6), modes(5, 6));
    const { model, templates } = realization(H, { kind: 'cp', xi: 'rectifier', variant: 'fibres', backend });
    expect(model.config.rank).toEqual([5 ** 5 + 1]);
    const bound = 6 * Number.EPSILON * 5 ** 5;
    expect(relativeError(gridTensor(model, templates).data, H.data)).toBeLessThan(bound);
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

  const H = randomTensor(new Rng(1), [3, 3, 3]);
  it.each<[string, Tensor, object, string, RegExp]>([
    [
      'tensors that are not additive',
      H,
      { kind: 'tt', xi: 'sum' },
      'E_ARGUMENT',
      /only additive tensors Σ_t φ_t\(i_t\), 7 of 27/,
    ],
    ['relusum beyond what is known', H, { kind: 'ht', xi: 'relusum' }, 'E_ARGUMENT', /relusum.*off by/],
    ['l2', H, { kind: 'cp', xi: 'l2' }, 'E_ARGUMENT', /no exact construction is known/],
    ['logsumexp', H, { kind: 'tt', xi: 'logsumexp' }, 'E_ARGUMENT', /fitShallow/],
    [
      'a variant of another kind',
      H,
      { kind: 'cp', xi: 'max', variant: 'c1' },
      'E_ARGUMENT',
      /variant of kind cp.*entries/,
    ],
    ['c0 of max', H, { kind: 'tt', xi: 'max', variant: 'c0' }, 'E_ARGUMENT', /one of c1/],
    [
      'a variant of product',
      H,
      { kind: 'cp', xi: 'product', variant: 'entries' },
      'E_ARGUMENT',
      /one of linear/,
    ],
    [
      'unequal modes',
      zeros([3, 2, 3], 'float64'),
      { kind: 'tt', xi: 'max' },
      'E_SHAPE',
      /equal modes of extent 2/,
    ],
    ['one template', zeros([1, 1], 'float64'), { kind: 'tt', xi: 'max' }, 'E_SHAPE', /extent 2 or more/],
    ['other steps', H, { kind: 'tt', xi: 'max', steps: 1 }, 'E_SHAPE', /1 equal modes/],
    [
      'features that do not fit',
      H,
      { kind: 'tt', xi: 'max', features: identity(4) },
      'E_SHAPE',
      /features F/,
    ],
    [
      'singular features',
      H,
      { kind: 'tt', xi: 'max', features: zeros([3, 3]) },
      'E_NUMERIC',
      /invertible matrix/,
    ],
    ['eps of 1', H, { kind: 'tt', xi: 'max', eps: 1 }, 'E_ARGUMENT', /realize eps/],
    [
      'trees too large',
      zeros(modes(2, 17), 'float64'),
      { kind: 'ht', xi: 'max' },
      'E_MEMORY',
      /one-hot tree.* has/,
    ],
    [
      'NaN',
      tensor([
        [1, Number.NaN],
        [1, 2],
      ]),
      { kind: 'tt', xi: 'max' },
      'E_NUMERIC',
      /H: .*NaN/,
    ],
  ])('refuses %s', (_, tensorOf, options, code, message) => {
    expect(() => realize(tensorOf, { ...options, backend } as never)).toThrow(refusal(code, message));
  });
});

describe('sums and conversions', () => {
  it.each(XI_NAMES)('networks add, shared or not, with one set of features or two, %s', (xi: Xi) => {
    fc.assert(
      fc.property(
        fc.constantFrom('tt' as const, 'cp' as const),
        fc.integer({ min: 1, max: 4 }),
        fc.tuple(fc.boolean(), fc.boolean()),
        fc.boolean(),
        fc.nat(),
        (kind, steps, shared, sameFeatures, seed) => {
          const bench = { rng: new Rng(seed), backend };
          const sizes = { kind, xi, steps, inputs: 2, outputs: 2 };
          const p = randomNetwork(bench, { ...sizes, rank: 2, shared: shared[0] });
          const q = randomNetwork(bench, { ...sizes, rank: 3, shared: shared[1] });
          const { 'features.A': A, 'features.b': b } = p.parameters;
          if (sameFeatures) q.setParameters({ ...q.parameters, 'features.A': A, 'features.b': b });
          const sum = addNetworks(p, q);
          expect(sum.config.features.size).toBe(sameFeatures ? 2 : 4);
          expect(sum.config.rank.every((r) => r === 5)).toBe(true);
          const X = randomTensor(bench.rng, [7, steps, 2]);
          const [x, y] = [p.score(X).data, q.score(X).data];
          expect(
            relativeError(
              sum.score(X).data,
              x.map((value, n) => value + y[n]),
            ),
          ).toBeLessThan(TOLERANCE);
        },
      ),
      { numRuns: 12 },
    );
  });

  it.each(XI_NAMES)('a shallow network is a recurrent one and a tree, shared or not, %s', (xi: Xi) => {
    for (const [steps, shared] of [
      [1, false],
      [2, true],
      [3, false],
      [5, true],
    ] as const) {
      const bench = { rng: new Rng(steps), backend };
      const model = randomNetwork(bench, { kind: 'cp', xi, steps, inputs: 3, outputs: 2, rank: 4, shared });
      const X = randomTensor(bench.rng, [9, steps, 3]);
      const scores = model.score(X).data;
      expect(relativeError(shallowToRecurrent(model).score(X).data, scores)).toBeLessThan(TOLERANCE);
      if (steps > 1)
        expect(relativeError(shallowToTree(model).score(X).data, scores)).toBeLessThan(TOLERANCE);
    }
  });

  it('refuse what cannot be', () => {
    const bench = { rng: new Rng(1), backend };
    const sizes = { xi: 'max', steps: 3, inputs: 2, outputs: 1, rank: 2 } as const;
    const [cp, tt, ht] = (['cp', 'tt', 'ht'] as const).map((kind) =>
      randomNetwork(bench, { ...sizes, kind }),
    );
    expect(() => addNetworks(cp, tt)).toThrow(refusal('E_ARGUMENT', /the same kind, received cp and tt/));
    expect(() => addNetworks(ht, ht)).toThrow(refusal('E_ARGUMENT', /kind tt or cp, received 'ht'/));
    expect(() => addNetworks(cp, randomNetwork(bench, { ...sizes, kind: 'cp', xi: 'min' }))).toThrow(
      refusal('E_ARGUMENT', /same ξ, received max and min/),
    );
    expect(() => shallowToRecurrent(tt)).toThrow(refusal('E_ARGUMENT', /kind cp, received 'tt'/));
    expect(() => shallowToRecurrent({} as never)).toThrow(refusal('E_ARGUMENT', /expected a model/));
    const one = randomNetwork(bench, { ...sizes, kind: 'cp', steps: 1 });
    expect(() => shallowToTree(one)).toThrow(refusal('E_ARGUMENT', /at least two steps/));
  });
});

describe('networks of the theorems', () => {
  it('one-hot tensors', () => {
    fc.assert(
      fc.property(
        fc.constantFrom('product' as const, 'rectifier' as const, 'max' as const, 'min' as const),
        fc.constantFrom('cp' as const, 'tt' as const),
        fc.integer({ min: 1, max: 3 }).chain((size) =>
          fc.record({
            size: fc.constant(size),
            index: fc.array(fc.nat(size - 1), { minLength: 1, maxLength: 4 }),
          }),
        ),
        (xi, kind, { size, index }) => {
          const model = oneHotTensor({ kind, xi, size, index, backend });
          const expected = new Float64Array(size ** index.length);
          expected[index.reduce((at, m) => at * size + m, 0)] = 1;
          expect(bruteGrid(model, identity(size)).data).toEqual(expected);
        },
      ),
    );
  });

  it('the similarity network is 1 − Π [i_2k−1 = i_2k < q], exactly', () => {
    for (const [size, rank, steps] of [
      [1, 1, 2],
      [2, 2, 4],
      [3, 2, 4],
      [3, 7, 2],
      [4, 1, 2],
    ] as const) {
      const { data } = bruteGrid(similarityNetwork({ size, rank, steps, backend }), identity(size));
      const q = Math.min(size, rank);
      const expected = data.map((_, n) => {
        let matched = true;
        for (let k = 0, rest = n; k < steps / 2; k++) {
          const pair = rest % size ** 2;
          rest = Math.floor(rest / size ** 2);
          matched &&= Math.floor(pair / size) === pair % size && pair % size < q;
        }
        return Number(!matched);
      });
      expect(data).toEqual(expected);
    }
    expect(() => similarityNetwork({ size: 2, rank: 2, steps: 3, backend })).toThrow(
      refusal('E_ARGUMENT', /an even number/),
    );
  });

  it('networks in the open set, several outputs and real templates too', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 2, max: 4 }), fc.nat(), (M, T, seed) => {
        const model = openSetNetwork({ size: M, steps: T, rank: 3, projection: 5, seed, backend });
        const { selection, score, inside } = margins(model, identity(M));
        expect(inside && selection > 0.9 && score > 0).toBe(true);
        expect(off(shallowTwin(model), identity(M), bruteGrid(model, identity(M)))).toBeLessThan(TOLERANCE);
      }),
      { numRuns: 20 },
    );
  });

  it('margins by definition, and outside the set where they are negative', () => {
    const bench = { rng: new Rng(3), backend };
    const sizes = { kind: 'tt', xi: 'rectifier', steps: 3, inputs: 2, outputs: 2, rank: 3 } as const;
    const model = randomNetwork(bench, { ...sizes, shared: true });
    const templates = randomTensor(bench.rng, [4, 2]);
    const { selection, inside } = margins(model, templates);
    const { 'features.A': A, 'features.b': b, 'C.last': C } = model.parameters;
    let [lowest, highest] = [Number.POSITIVE_INFINITY, 0];
    for (let m = 0; m < 4; m++) {
      const f = [0, 1].map(
        (i) =>
          b.data[i] + A.data[2 * i] * templates.data[2 * m] + A.data[2 * i + 1] * templates.data[2 * m + 1],
      );
      for (let i = 0; i < 2; i++) lowest = Math.min(lowest, C.data[2 * i] * f[0] + C.data[2 * i + 1] * f[1]);
      for (let other = 0; other < 4; other++) {
        const X = zeros([1, 3, 2], 'float64');
        for (const [t, row] of [m, other].entries())
          X.data.set(templates.data.subarray(2 * row, 2 * row + 2), 2 * t);
        highest = Math.max(highest, ...model.states(X)[1].data);
      }
    }
    expect(selection).toBeCloseTo(lowest - highest, 12);
    expect(inside).toBe(false);
    expect(() => margins(randomNetwork(bench, { ...sizes, xi: 'max' }), templates)).toThrow(
      refusal('E_ARGUMENT', /rectifiers/),
    );
    const long = createModel({ ...sizes, steps: 40, features: { size: 2 }, dtype: 'float64', backend });
    expect(() => margins(long, templates)).toThrow(refusal('E_MEMORY', /4\^39/));
  });
});
