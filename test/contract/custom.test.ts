import { describe, expect, it } from 'vitest';
import { REDUCTIONS } from '../../src/backend/interface.ts';
import { probeBackend, selectBackend } from '../../src/backend/select.ts';
import { contract, contractGradient, type XiOption } from '../../src/contract/contract.ts';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { XI, XI_NAMES } from '../../src/core/xi.gen.ts';
import * as library from '../../src/index.ts';
import { expectClose } from '../support/golden.ts';
import { drawTensor, normal, shapesOf } from '../support/operands.ts';

const backend = selectBackend({ prefer: ['reference'] }).backend;

describe('ξ as a function', () => {
  it('is called for every term', () => {
    const [x, y] = [
      tensor([1, 2, 3]),
      tensor([
        [4, 5],
        [6, 7],
        [8, 9],
      ]),
    ];
    const xi = (a: number, b: number) => a * b - 1;
    const out = contract('; i,ij -> j', [x, y], { xi });
    expect([...out.data]).toEqual([4 + 12 + 24 - 3, 5 + 14 + 27 - 3]);
    expect([...contract('; i -> i', [x], { xi }).data]).toEqual([1, 2, 3]);
    expect([...contract('; i -> i', [x], { xi: { value: xi, unit: 10 } }).data]).toEqual([9, 19, 29]);
  });

  it.each<[string, (x: number, y: number) => unknown, string]>([
    ['nothing', () => undefined, 'undefined'],
    ['a string', (x, y) => `${x}${y}`, "'24'"],
    ['a bigint', () => 3n, '3'],
    ['a list', (x) => [x], '[2]'],
  ])('refuses a function that returns %s', (_, own, received) => {
    const [x, y] = [tensor([2]), tensor([4])];
    const value = own as (x: number, y: number) => number;
    const refused = (name: string) => `${name}(2, 4): expected a number, received ${received}`;
    const call = (xi: XiOption) => () => contract('; i,i -> i', [x, y], { xi });
    expect(call(value)).toThrow(refused('ξ'));
    expect(call({ value })).toThrow(refused('ξ'));
    const plus = (a: number, b: number) => a + b;
    for (const [part, name] of [
      ['dx', '∂ξ/∂x'],
      ['dy', '∂ξ/∂y'],
    ]) {
      const xi = { value: plus, dx: () => 1, dy: () => 1, [part]: value };
      const gradient = () => contractGradient('; i,i -> i', [x, y], tensor([1]), { xi });
      expect(gradient).toThrow(refused(name));
    }
  });

  it('may be an object whose functions use one another', () => {
    const xi = {
      value(a: number, b: number) {
        return this.dx(a, b) * a + b;
      },
      dx: (_a: number, _b: number) => 3,
      dy: () => 1,
    };
    const [x, y] = [tensor([2]), tensor([4])];
    expect([...contract('; i,i -> i', [x, y], { xi }).data]).toEqual([10]);
    const [dx] = contractGradient('; i,i -> i', [x, y], tensor([1]), { xi });
    expect([...dx.data]).toEqual([3]);
  });

  it.each(XI_NAMES)('does what %s does, with its gradients', (name) => {
    const { value, dx, dy, unit } = XI[name];
    const rng = new Rng(7);
    for (const [expression, extents] of [
      ['ijk; bi,bj -> bk', { i: 3, j: 4, k: 2, b: 3 }],
      ['; ii,ij,j -> i', { i: 3, j: 4 }],
      ['; ij -> j', { i: 3, j: 4 }],
      ['; ij -> i', { i: 3, j: 0 }],
    ] as [string, Record<string, number>][]) {
      for (const reduce of REDUCTIONS) {
        for (const dtype of ['float64', 'float32'] as const) {
          const operands = shapesOf(expression, extents).map((shape) =>
            drawTensor(rng, shape, dtype, normal),
          );
          const tolerance = dtype === 'float64' ? 1e-11 : 1e-5;
          const own = { xi: { value, dx, dy, unit }, reduce };
          const table = { xi: name, reduce, backend };
          const [got, want] = [own, table].map((options) => contract(expression, operands, options));
          expect(got).toMatchObject({ dtype, shape: want.shape });
          expectClose(`${expression} ${reduce}`, got.data, want.data, tolerance);
          const dout = drawTensor(rng, want.shape, dtype, normal);
          const [mine, its] = [own, table].map((options) =>
            contractGradient(expression, operands, dout, options),
          );
          mine.forEach(
            ({ data }, n) => void expectClose(`gradient ${n} ${reduce}`, data, its[n].data, 10 * tolerance),
          );
        }
      }
    }
  });

  it.each(XI_NAMES)('wins where %s does', (name) => {
    const { value, unit } = XI[name];
    const rng = new Rng(11);
    const isSmooth = ['product', 'sum', 'logsumexp', 'l2'].includes(name);
    for (const [expression, extents] of [
      ['ijk; bi,bj -> bk', { i: 3, j: 4, k: 2, b: 3 }],
      ['; ii,ij,j -> ', { i: 3, j: 4 }],
      ['; ij -> i', { i: 3, j: 0 }],
    ] as [string, Record<string, number>][]) {
      for (const reduce of ['max', 'min'] as const) {
        const operands = shapesOf(expression, extents).map((shape) =>
          drawTensor(rng, shape, 'float64', normal),
        );
        const [own, table] = [{ value, unit }, name].map((xi) =>
          contract.arg(expression, operands, { xi, reduce, backend }),
        );
        expectClose(`${expression} ${reduce}`, own.value.data, table.value.data, 1e-12);
        expect(Object.keys(own.indices)).toEqual(Object.keys(table.indices));
        // Other operators have equal terms, of which a plan may choose another one.
        if (isSmooth) expect(own.indices).toEqual(table.indices);
      }
    }
  });

  it('lets the first of equal terms win, row by row', () => {
    const x = tensor([
      [1, 2, 5],
      [5, 0, 5],
    ]);
    const options = { xi: (a: number, b: number) => a + b, backend } as const;
    const all = contract.arg('; ij -> ', [x], { ...options, reduce: 'max' });
    expect(all.indices).toEqual({ i: Int32Array.of(0), j: Int32Array.of(2) });
    const rounded = tensor(x, x.shape, 'float32');
    const { value, indices } = contract.arg('; ij -> j', [rounded], { ...options, reduce: 'min' });
    expect(value).toEqual({ dtype: 'float32', shape: [3], data: Float32Array.of(1, 0, 5) });
    expect(indices).toEqual({ i: Int32Array.of(0, 1, 0) });
  });

  it('needs no unit for gradients', () => {
    const [x, y] = [tensor([2, 3]), tensor([5, 7])];
    const xi = {
      value: (a: number, b: number) => a * b,
      dx: (_: number, b: number) => b,
      dy: (a: number) => a,
    };
    const [dx, dy] = contractGradient('; i,i -> ', [x, y], tensor(Float64Array.of(1), []), { xi });
    expect([[...dx.data], [...dy.data]]).toEqual([
      [5, 7],
      [2, 3],
    ]);
  });

  it('is refused where it cannot run, or is none', () => {
    const x = tensor([1]);
    const xi = (a: number, b: number) => a + b;
    const dout = tensor(Float64Array.of(1), []);
    expect(() => contractGradient('; i -> ', [x], dout, { xi })).toThrow(/expected \{ value, dx, dy \}/);
    for (const wrong of [1, {}, { value: 3 }, { value: xi, unit: 'x' }, { value: xi, dz: xi }, null])
      expect(() => contract('; i -> ', [x], { xi: wrong as never })).toThrow(/xi/);
    expect(() => contract('; i -> ', [tensor([Number.NaN])], { xi })).toThrow(/no NaN/);
    if (!probeBackend('wasm').usable) return;
    const wasm = selectBackend({ prefer: ['wasm'] }).backend;
    expect(() => contract('; i -> ', [x], { xi, backend: wasm })).toThrow(
      /expected the reference backend .*received wasm/,
    );
  });
});

describe('an operator of one’s own beside infinities', () => {
  const { tensor } = library;
  const slope = (_: number, y: number): number => 0.5 / Math.sqrt(y);

  it('has gradients that are those of the table beside infinities', () => {
    const xi = { value: (x: number, y: number) => x + y, dx: () => 1, dy: () => 1 };
    const [one, infinite] = [tensor([1], []), tensor([1, Number.POSITIVE_INFINITY, 2])];
    const [got] = library.contractGradient('; k ->', [infinite], one, { xi, reduce: 'logsumexp' });
    const [want] = library.contractGradient('; k ->', [infinite], one, { xi: 'sum', reduce: 'logsumexp' });
    expect(got).toEqual(want);
    // The slope of the root at 0 is infinite, of a term that lost nothing.
    const root = { value: (x: number, y: number) => x + Math.sqrt(y), dx: () => 1, dy: slope, unit: 0 };
    const [gradient] = library.contractGradient('; k ->', [tensor([0, 4])], one, { xi: root, reduce: 'max' });
    expect([...gradient.data]).toEqual([0, 0.25]);
  });
});
