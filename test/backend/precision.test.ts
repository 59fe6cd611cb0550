import { describe, expect, it } from 'vitest';
import type { Backend, Precision } from '../../src/backend/interface.ts';
import { probeBackend, selectBackend } from '../../src/backend/select.ts';
import { contract, contractGradient } from '../../src/contract/contract.ts';
import { Rng } from '../../src/core/rng.ts';
import { type DType, type Tensor, tensor } from '../../src/core/tensor.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import { openNative } from '../support/subjects.ts';

const EXPRESSION = 'ijk; bi,bj -> bk';
const SHAPES = [
  [20, 48, 24],
  [40, 20],
  [40, 48],
] as const;

/** 40,000 terms an output: sums much larger than their terms. */
const MANY_TERMS = [
  [200, 200, 16],
  [16, 200],
  [16, 200],
] as const;

function operands(dtype: DType = 'float32', shapes: readonly (readonly number[])[] = SHAPES): Tensor[] {
  const rng = new Rng(21);
  return shapes.map((shape) => {
    const count = shape.reduce((x: number, y: number) => x * y, 1);
    return tensor(
      Float64Array.from({ length: count }, () => rng.normal()),
      [...shape],
      dtype,
    );
  });
}

const reference = selectBackend({ prefer: ['reference'] }).backend;
const native = probeBackend('native');
const isas = native.usable ? native.isas.filter(({ usable }) => usable) : [];
const open = (isa: string) => openNative(isa);

const inFloat64 = ({ data, shape }: Tensor) => tensor(Float64Array.from(data), [...shape], 'float64');

/** Root mean square, relative to that of the values. */
function relativeError(got: Tensor, exact: Tensor): number {
  const square = (value: (n: number) => number) =>
    Array.from(exact.data).reduce((sum, _, n) => sum + value(n) ** 2, 0);
  return Math.sqrt(square((n) => got.data[n] - exact.data[n]) / square((n) => exact.data[n]));
}

const rootMeanSquare = ({ data }: Tensor) => Math.hypot(...data) / Math.sqrt(data.length);

/** Sizes of G, a, h and dout whose products or parts fall below 2⁻¹²⁶ somewhere, which tiles take for zero. */
const SMALL = [
  [1e-18, 1, 1e-18, 1e-18],
  [1e-18, 1e-18, 1e-18, 1e-18],
  [1e-20, 1e-8, 1e-8, 1e-20],
  [1e-36, 1e6, 1e6, 1],
  [1e6, 1e-36, 1e-36, 1e6],
  [1e6, 1, 1, 1e-36],
  [1, 1e-10, 1e-10, 1e-14],
  [1e10, 1e10, 1e10, 1e-33],
] as const;

/** Errors of the contraction and of the gradients of G, a and h, with operands of these sizes, and the exact values. */
function scaled(isa: string, xi: Xi, [ofG, ofA, ofH, ofDout]: readonly number[]) {
  const [dout, G, a, h] = operands('float32', [[40, 24], ...SHAPES]).map(({ data, shape }, n) => {
    const scale = [ofDout, ofG, ofA, ofH][n];
    return tensor(
      data.map((x) => scale * (0.2 + Math.abs(x))),
      [...shape],
      'float32',
    );
  });
  const all = (backend: Backend, of: (t: Tensor) => Tensor) => [
    contract(EXPRESSION, [G, a, h].map(of), { xi, backend }),
    ...contractGradient(EXPRESSION, [G, a, h].map(of), of(dout), { xi, backend }),
  ];
  const exact = all(reference, inFloat64);
  const got = all(open(isa), (t) => t);
  return { exact, errors: got.map((values, n) => relativeError(values, exact[n])) };
}

function errorOf(isa: string, precision: Precision, shapes: readonly (readonly number[])[] = SHAPES): number {
  const inputs = operands('float32', shapes);
  const exact = contract(EXPRESSION, inputs.map(inFloat64), { xi: 'rectifier', backend: reference });
  return relativeError(
    contract(EXPRESSION, inputs, { xi: 'rectifier', backend: open(isa), precision }),
    exact,
  );
}

/** Of the gradients of G, a and h. */
function errorsOfGradients(isa: string, [dout, ...inputs]: readonly Tensor[]): readonly number[] {
  const exact = contractGradient(EXPRESSION, inputs.map(inFloat64), inFloat64(dout), {
    xi: 'sum',
    backend: reference,
  });
  const got = contractGradient(EXPRESSION, inputs, dout, { xi: 'sum', backend: open(isa) });
  return got.map((gradient, n) => relativeError(gradient, exact[n]));
}

const tiled = isas.filter(({ tiles }) => tiles?.float32 !== undefined).map(({ name }) => name);

const here = tiled.length > 0;

if (here) describe('errors beside float64', errors);

function errors() {
  it.each(tiled)('%s: six products are as good as float32 within a factor of 2', (isa) => {
    expect(errorOf(isa, 'float32')).toBeLessThan(2 * errorOf('avx512', 'float32'));
    expect(errorOf(isa, 'float32', MANY_TERMS)).toBeLessThan(2 * errorOf('avx512', 'float32', MANY_TERMS));
  });

  it.each(tiled)('%s: so are the gradients', (isa) => {
    const inputs = operands('float32', [[40, 24], ...SHAPES]);
    const plain = errorsOfGradients('avx512', inputs);
    errorsOfGradients(isa, inputs).forEach((error, n) => {
      expect(error).toBeLessThan(2 * plain[n]);
      // And it is not float32 that ran.
      expect(error).not.toBe(plain[n]);
    });
  });

  it.each(tiled)('%s: and gradients that sum 2048 terms of one sign', (isa) => {
    const shapes = [
      [40, 1],
      [5, 2048, 1],
      [40, 5],
      [40, 2048],
    ];
    const inputs = operands('float32', shapes).map(({ data, shape }) =>
      tensor(data.map(Math.abs), [...shape], 'float32'),
    );
    const plain = errorsOfGradients('avx512', inputs);
    errorsOfGradients(isa, inputs).forEach((error, n) => {
      expect(error).toBeLessThan(2 * plain[n]);
    });
  });

  it.each(tiled)('%s: and what is too small for parts', (isa) => {
    for (const xi of ['rectifier', 'product', 'sum', 'l2'] as const) {
      for (const sizes of SMALL) {
        const { exact, errors } = scaled(isa, xi, sizes);
        const plain = scaled('avx512', xi, sizes).errors;
        errors.forEach((error, n) => {
          // Below that float32 has fewer bits itself.
          if (rootMeanSquare(exact[n]) > 1e-37)
            expect(error, `${xi} of ${sizes}, ${n}`).toBeLessThan(2 * plain[n] + 2 ** -26);
        });
      }
    }
  });

  it.each(tiled)('%s: also where one column of weights is smaller than all others', (isa) => {
    const [G, ...others] = operands('float32');
    const columns = SHAPES[0][2];
    const scaled = ({ data, shape }: Tensor, scale: (n: number) => number) =>
      tensor(
        data.map((x, n) => x * scale(n)),
        [...shape],
        'float32',
      );
    const column = ({ data, shape }: Tensor) =>
      tensor(
        data.filter((_, n) => n % columns === 0),
        [shape[0]],
        'float64',
      );
    // Of the first parts of it are lost, of the second, below the smallest normal number, all.
    for (const [ofColumn, ofOthers] of [
      [2 ** -120, 1],
      [2 ** -132, 2 ** 40],
    ]) {
      const inputs = [
        scaled(G, (n) => (n % columns === 0 ? ofColumn : 1)),
        ...others.map((operand) => scaled(operand, () => ofOthers)),
      ];
      const of = (backend: Backend, given: readonly Tensor[]) =>
        column(inFloat64(contract(EXPRESSION, given, { xi: 'max', backend })));
      const exact = of(reference, inputs.map(inFloat64));
      const [error, plain] = [isa, 'avx512'].map((name) => relativeError(of(open(name), inputs), exact));
      expect(error, `${ofColumn}`).toBeLessThan(2 * plain);
    }
  });

  it.each(tiled)('%s: three products, 2⁻¹⁷ and better; one product, 2⁻⁸', (isa) => {
    expect(errorOf(isa, 'bf16x3')).toBeLessThan(2 ** -17);
    expect(errorOf(isa, 'bf16')).toBeLessThan(2 ** -8);
    // And it is not float32 that ran.
    expect(errorOf(isa, 'bf16')).toBeGreaterThan(100 * errorOf(isa, 'bf16x3'));
    expect(errorOf(isa, 'bf16x3')).toBeGreaterThan(2 * errorOf('avx512', 'float32'));
  });
}

describe('precision of contract()', () => {
  const options = { xi: 'rectifier', precision: 'bf16' } as const;

  it('is float32, bit by bit, where there is no tile', () => {
    const plain = contract(EXPRESSION, operands(), { xi: 'rectifier', backend: reference });
    expect(contract(EXPRESSION, operands(), { ...options, backend: reference })).toEqual(plain);
    const plan = contract.plan(EXPRESSION, SHAPES, { ...options, backend: reference });
    expect(plan.steps.map(({ precision }) => precision)).toEqual(['float32']);
    expect(String(plan)).toContain('float32 instead of bf16: the backend has no faster tile for it');
  });

  const byDefault = isas.length > 0 ? open(isas[0].name) : undefined;
  // Intel's AVX-512 BF16 is slower than float32, and taken by name alone.
  const faster = byDefault?.tiles.bf16 !== undefined;

  if (byDefault && !faster) {
    it('is float32, bit by bit, on a processor without faster bf16 products', () => {
      const backend = byDefault;
      expect(backend.tiles).toEqual({});
      const plain = contract(EXPRESSION, operands(), { xi: 'rectifier', backend });
      expect(contract(EXPRESSION, operands(), { ...options, backend })).toEqual(plain);
    });
  }

  if (faster) it('is said by the plan, with the tile', planOfTile);

  function planOfTile() {
    const backend = open('avx512');
    const plan = contract.plan(EXPRESSION, SHAPES, { ...options, backend });
    expect(plan.steps.map(({ precision }) => precision)).toEqual(['bf16']);
    expect(String(plan)).toContain(`bf16 by the ${backend.tiles.bf16} tile in 1 of 1 steps`);
    const product = contract.plan(
      '; ik,kj -> ij',
      [
        [4, 5],
        [5, 6],
      ],
      { ...options, backend },
    );
    expect(String(product)).toContain('float32 instead of bf16: no step is computed by contract');
  }

  it('is one of three, and of float32 only', () => {
    expect(() => contract(EXPRESSION, operands(), { ...options, precision: 'fp8' as Precision })).toThrow(
      /precision: expected one of float32, bf16x3, bf16, received 'fp8'/,
    );
    expect(() => contract(EXPRESSION, operands('float64'), options)).toThrow(
      expect.objectContaining({ code: 'E_DTYPE' }),
    );
    const [G, a, h] = operands('float64').map(({ data }) => reference.adopt(data));
    const out = reference.allocate('float64', 40 * 24);
    const sizes = { B: 40, L: 20, R: 48, K: 24 };
    expect(() => reference.contract('max', sizes, a, h, G, out, 'bf16')).toThrow(/expected float32 operands/);
    expect(() => reference.packWeights(20, 48, 24, G, 'bf16x3')).toThrow(/expected float32 operands/);
  });
});
