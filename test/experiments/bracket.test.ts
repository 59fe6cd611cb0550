import { describe, expect, it } from 'vitest';
import { gridTensor } from '../../src/analysis/grid.ts';
import { gridOutput } from '../../src/analysis/matricize.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { relativeError } from '../../src/core/distance.ts';
import { Rng } from '../../src/core/rng.ts';
import { tensor, zeros } from '../../src/core/tensor.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import { bracketWidth } from '../../src/experiments/bracket.ts';
import { randomNetwork, randomTensor } from '../../src/experiments/checks/instances.ts';
import { fitShallow, type ShallowIteration } from '../../src/experiments/fit_shallow.ts';
import { minimize } from '../../src/experiments/lbfgs.ts';
import { identity } from '../../src/theory/features.ts';
import { similarityNetwork } from '../../src/theory/similarity.ts';
import { bruteGrid } from '../support/grids.ts';
import { reference, refusal } from '../support/models.ts';

const backend = selectBackend().backend;
const shallowGrid = (xi: Xi, width: number, seed: number, steps = 4) => {
  const bench = { rng: new Rng(seed), backend };
  const model = randomNetwork(bench, { kind: 'cp', xi, steps, inputs: 3, outputs: 1, rank: width });
  return gridOutput(gridTensor(model, identity(3)), 0);
};

describe('minimize', () => {
  it('finds the minimum of Rosenbrock’s function', () => {
    const rosenbrock = ([x, y]: Float64Array) => ({
      value: (1 - x) ** 2 + 100 * (y - x * x) ** 2,
      gradient: Float64Array.of(-2 * (1 - x) - 400 * x * (y - x * x), 200 * (y - x * x)),
    });
    const { x, value } = minimize(rosenbrock, Float64Array.of(-1.2, 1), { iterations: 200, enough: 1e-24 });
    expect(value).toBeLessThan(1e-20);
    expect(x[0]).toBeCloseTo(1, 8);
  });

  it('gets to the kink of a piecewise linear function', () => {
    const kinked = ([x, y]: Float64Array) => ({
      value: Math.abs(x) + 3 * Math.abs(y - x),
      gradient: Float64Array.of(Math.sign(x) - 3 * Math.sign(y - x), 3 * Math.sign(y - x)),
    });
    expect(minimize(kinked, Float64Array.of(2, -3), { iterations: 300, enough: 1e-8 }).value).toBeLessThan(
      1e-6,
    );
  });
});

describe('fitShallow', () => {
  it.each(['product', 'sum', 'l2', 'logsumexp', 'rectifier'] as const)(
    'finds a network of the width that made the tensor, %s',
    (xi) => {
      const H = shallowGrid(xi, 1, 3, 3);
      const { model, residual } = fitShallow(H, { xi, width: 1, starts: 20, tolerance: 1e-8, backend });
      expect(residual).toBeLessThan(1e-7);
      // The residual is attained: by the model, on every tuple.
      const grid = bruteGrid(model, identity(3));
      expect(relativeError(grid.data, H.data)).toBeLessThan(1e-6);
    },
  );

  it('tells of every iteration, and stops by its signal', () => {
    const H = shallowGrid('product', 2, 5, 3);
    const stop = new AbortController();
    const told: ShallowIteration[] = [];
    const options = { xi: 'product', width: 1, starts: 2, iterations: 6, backend } as const;
    const { residual } = fitShallow(H, { ...options, onIteration: (report) => told.push(report) });
    expect(told.map(({ start, iteration }) => `${start}.${iteration}`)).toEqual(
      [1, 2].flatMap((start) => [1, 2, 3, 4, 5, 6].map((n) => `${start}.${n}`)),
    );
    expect(Math.min(...told.map((one) => one.residual))).toBe(residual);
    const onIteration = ({ start, iteration }: ShallowIteration) => start + iteration === 5 && stop.abort();
    const run = () => fitShallow(H, { ...options, signal: stop.signal, onIteration });
    expect(run).toThrow(refusal('E_ABORTED', /stopped after iteration 4 of start 1 of 2/));
    expect(run).toThrow(refusal('E_ABORTED', /iteration 0 of start 1/));
    expect(() => fitShallow(H, { ...options, signal: {} as never })).toThrow(refusal('E_ARGUMENT', /signal/));
  });

  it('reports the residual of what it returns, and the same for the same seed', () => {
    const H = randomTensor(new Rng(1), [3, 3, 3]);
    const options = { xi: 'rectifier', width: 2, starts: 3, iterations: 60, seed: 5, backend } as const;
    const { model, residual, starts } = fitShallow(H, options);
    const grid = bruteGrid(model, identity(3)).data;
    const norm = (values: ArrayLike<number>) => Math.hypot(...Array.from(values));
    const off = norm(grid.map((value, n) => value - H.data[n])) / norm(H.data);
    expect(residual).toBeCloseTo(off, 10);
    expect(residual).toBeGreaterThan(0.01);
    expect(starts).toBe(3);
    expect(fitShallow(H, options).residual).toBe(residual);
  });

  it.each([2 ** -40, 2 ** -515, 2 ** -565, 2 ** 515, 2 ** 531])(
    'does the same for a tensor times %s',
    (scale) => {
      const H = tensor([
        [1, -2],
        [-3, 0.5],
      ]);
      const scaled = tensor(
        H.data.map((value) => value * scale),
        [2, 2],
      );
      for (const xi of ['rectifier', 'product', 'l2', 'logsumexp'] as const) {
        const options = { xi, width: 1, starts: 2, iterations: 50, steps: 2, backend } as const;
        const [plain, other] = [fitShallow(H, options), fitShallow(scaled, options)];
        expect(other.residual).toBe(plain.residual);
        expect(other.model.parameters.v).toEqual(plain.model.parameters.v);
        const grid = bruteGrid(other.model, identity(2)).data;
        const off = grid.map((value, n) => value / scale - H.data[n]);
        expect(Math.hypot(...off) / Math.hypot(...H.data)).toBeCloseTo(plain.residual, 10);
        expect(bracketWidth(scaled, { xi, starts: 2, backend })).toEqual(
          bracketWidth(H, { xi, starts: 2, backend }),
        );
      }
    },
  );

  it('gives the residual of what it returns among subnormal numbers', () => {
    const H = tensor([2 ** -1070, 3 * 2 ** -1073, -(2 ** -1072), 2 ** -1074], [2, 2]);
    const { model, residual } = fitShallow(H, { xi: 'product', width: 2, steps: 2, backend });
    const grid = bruteGrid(model, identity(2)).data;
    const off = grid.map((value, n) => (value - H.data[n]) * 2 ** 1000);
    const size = H.data.map((value) => value * 2 ** 1000);
    expect(Math.hypot(...off) / Math.hypot(...size)).toBeCloseTo(residual, 12);
  });

  it.each<[string, object, RegExp]>([
    ['width', { width: 0 }, /fitShallow width/],
    ['tolerance', { tolerance: -1 }, /fitShallow tolerance/],
    ['an unknown option', { rank: 2 }, /fitShallow: expected options/],
  ])('refuses a wrong %s', (_, wrong, message) => {
    const options = { xi: 'max' as const, width: 2, backend: reference, ...wrong };
    expect(() => fitShallow(randomTensor(new Rng(1), [2, 2]), options)).toThrow(
      refusal('E_ARGUMENT', message),
    );
  });
});

describe('bracketWidth', () => {
  it('closes where the rank is the width', () => {
    expect(bracketWidth(shallowGrid('product', 2, 7), { xi: 'product', starts: 20, backend })).toMatchObject({
      lower: 2,
      upper: 2,
      evidence: 'fit',
    });
  });

  it('tells of the fits of each width, and stops by its signal', () => {
    const H = randomTensor(new Rng(6), [3, 3, 3]);
    const stop = new AbortController();
    const widths = new Set<number>();
    const options = { xi: 'rectifier', starts: 1, iterations: 3, fits: 2, backend } as const;
    const { lower } = bracketWidth(H, { ...options, onIteration: ({ width }) => widths.add(width) });
    expect([...widths]).toEqual([lower, lower + 1]);
    const onIteration = ({ width }: { width: number }) => width > lower && stop.abort();
    const run = () => bracketWidth(H, { ...options, signal: stop.signal, onIteration });
    expect(run).toThrow(refusal('E_ABORTED', /^bracketWidth .*stopped after iteration 1 of start 1 of 1/));
    expect(run).toThrow(refusal('E_ABORTED', /^bracketWidth: stopped before the ranks/));
    expect(() => bracketWidth(H, { ...options, signal: {} as never })).toThrow(
      refusal('E_ARGUMENT', /bracketWidth signal/),
    );
  });

  it('contains the width that made the tensor', () => {
    for (const xi of ['rectifier', 'max', 'min'] as const) {
      const bracket = bracketWidth(shallowGrid(xi, 2, 11, 3), {
        xi,
        starts: 2,
        iterations: 100,
        fits: 2,
        backend,
      });
      expect(bracket.lower).toBeLessThanOrEqual(2);
      expect(bracket.upper).toBeGreaterThanOrEqual(bracket.lower);
    }
  });

  it('falls back on the construction', () => {
    const model = similarityNetwork({ size: 2, rank: 2, steps: 4, backend });
    const H = gridOutput(gridTensor(model, identity(2)), 0);
    expect(bracketWidth(H, { xi: 'rectifier', fits: 0, backend })).toMatchObject({
      lower: 2,
      upper: 9,
      evidence: 'construction',
    });
  });

  it('knows zero, and what no width reaches', () => {
    expect(bracketWidth(zeros([3, 3], 'float64'), { xi: 'max', backend })).toMatchObject({
      lower: 0,
      upper: 0,
    });
    expect(() => bracketWidth(identity(3), { xi: 'sum', backend })).toThrow(refusal('E_ARGUMENT', /rank 3/));
    expect(() =>
      bracketWidth(
        tensor([
          [1, 5],
          [2, -1],
        ]),
        { xi: 'l2', fits: 1, starts: 1, iterations: 5, backend },
      ),
    ).toThrow(refusal('E_NUMERIC', /no fit of width 1 to 1/));
  });
});
