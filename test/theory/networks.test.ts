import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { relativeError } from '../../src/core/distance.ts';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, zeros } from '../../src/core/tensor.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { randomNetwork, randomTensor } from '../../src/experiments/checks/instances.ts';
import * as library from '../../src/index.ts';
import { createModel } from '../../src/models/model.ts';
import { identity } from '../../src/theory/features.ts';
import { oneHotTensor } from '../../src/theory/onehot.ts';
import { margins, openSetNetwork, shallowTwin } from '../../src/theory/openset.ts';
import { shallowToRecurrent, shallowToTree } from '../../src/theory/shallow.ts';
import { similarityNetwork } from '../../src/theory/similarity.ts';
import { addNetworks } from '../../src/theory/sums.ts';
import { bruteGrid } from '../support/grids.ts';
import { refusal } from '../support/models.ts';

const backend = selectBackend().backend;
const off = (model: Parameters<typeof bruteGrid>[0], templates: Tensor, H: Tensor) =>
  relativeError(bruteGrid(model, templates).data, H.data);

/** What a construction loses is proportional to the condition of F. */
const TOLERANCE = 1e-12;

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
      [2, 1, 2],
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
    expect(() => similarityNetwork({ size: 1, rank: 1, steps: 2, backend })).toThrow(
      refusal('E_ARGUMENT', /^similarityNetwork size: expected an integer from 2/),
    );
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

describe('large networks', () => {
  it('of more numbers than a call has arguments are made and added', () => {
    const open = library.openSetNetwork({ size: 400, steps: 2, rank: 2 });
    expect(open.config.projection).toBe(400);
    const sizes = {
      kind: 'cp',
      xi: 'product',
      steps: 2,
      inputs: 2,
      outputs: 10,
      features: { size: 2 },
    } as const;
    const wide = library.createModel({ ...sizes, rank: 10_000 });
    const sum = library.addNetworks(wide, wide);
    const x = library.zeros([1, 2, 2]);
    x.data.set([1, 2, 3, 4]);
    const [once, twice] = [wide, sum].map((network) => network.score(x).data);
    twice.forEach((score, c) => void expect(score).toBeCloseTo(2 * once[c], 3));
  });
});
