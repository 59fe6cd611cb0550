import { describe, expect, it } from 'vitest';
import type { Backend, Reduction } from '../../src/backend/interface.ts';
import { selectBackend } from '../../src/backend/select.ts';
import type { DType } from '../../src/core/tensor.ts';
import type { Xi } from '../../src/core/xi.gen.ts';
import { subjects } from '../support/subjects.ts';

const reference = selectBackend({ prefer: ['reference'] }).backend;
const { NaN: nan, POSITIVE_INFINITY: infinity } = Number;

interface Case {
  readonly combine: Xi;
  readonly reduce: Reduction;
  readonly rows: number;
  readonly columns: number;
  readonly terms: number;
  /** Elements of each side at (row or column, term). */
  readonly left: (m: number, s: number) => number;
  readonly right: (n: number, s: number) => number;
}

/** out[m,n] = ⊕_s left[m,s] ⊗ right[n,s], and the first winners of a max or min. */
function outcome(
  backend: Backend,
  dtype: DType,
  { combine, reduce, rows, columns, terms, left, right }: Case,
) {
  const put = (count: number, value: (n: number, s: number) => number) => {
    const data = backend.allocate(dtype, count * terms);
    data.write(Array.from({ length: count * terms }, (_, n) => value(Math.floor(n / terms), n % terms)));
    return { data, strides: [terms, 1] };
  };
  const plan = {
    ...{ xi: 'product' as const, combine, reduce, fromUnit: false },
    ...{ batch: [], rows: [rows], columns: [columns], terms: [terms] },
    ...{ left: [put(rows, left)], right: [put(columns, right)], outStrides: [columns, 1] },
  };
  const [out, plain, arg] = [dtype, dtype, 'float64' as const].map((type) =>
    backend.allocate(type, rows * columns),
  );
  backend.joined(plan, plain);
  const selects = reduce === 'max' || reduce === 'min';
  if (selects) backend.joined(plan, out, arg);
  return { plain: [...plain.read()], ...(selects && { out: [...out.read()], arg: [...arg.read()] }) };
}

/** Of tiles, of one row and of one column, whose elements have ways of their own, and of more terms than a block has. */
const SIZES = [
  { rows: 17, columns: 35, terms: 3 },
  { rows: 1, columns: 35, terms: 5 },
  { rows: 35, columns: 1, terms: 5 },
  { rows: 1, columns: 2, terms: 601 },
  { rows: 17, columns: 35, terms: 601 },
] as const;

const small = (n: number, s: number) => 1 + ((3 * n + s) % 5);
/** `value` at one place, small integers elsewhere. */
const once = (at: number, term: number, value: number) => (n: number, s: number) =>
  n === at && s === term ? value : small(n, s);

describe.each(subjects)('$label', ({ open }) => {
  const backend = open();
  const same = (one: Case) => {
    for (const dtype of ['float32', 'float64'] as const)
      expect(outcome(backend, dtype, one)).toEqual(outcome(reference, dtype, one));
  };

  describe.each(SIZES)('$rows rows, $columns columns and $terms terms', (sizes) => {
    const { rows, columns, terms } = sizes;
    it.each(['max', 'min'] as const)('find the first of equal terms by %s', (reduce) => {
      for (const at of [0, terms - 1]) {
        const value = reduce === 'max' ? 9 : -9;
        const left = (_: number, s: number) => (s >= at ? value : 1);
        same({ combine: 'sum', reduce, ...sizes, left, right: () => 0.5 });
      }
    });

    it.each(['max', 'min'] as const)('%s heed what is no number on either side', (reduce) => {
      for (const [combine, value] of [
        ['sum', nan],
        ['max', nan],
        ['sum', infinity],
        ['product', infinity],
        ['product', -infinity],
      ] as const) {
        for (const term of [0, terms - 1]) {
          const zeros = (_: number, s: number) => (s === term ? 0 : 2);
          const odd = [once(rows - 1, term, value), once(columns - 1, term, value)];
          same({ combine, reduce, ...sizes, left: odd[0], right: small });
          same({ combine, reduce, ...sizes, left: small, right: odd[1] });
          // 0 · ∞ is a NaN that arises.
          if (combine === 'product') same({ combine, reduce, ...sizes, left: odd[0], right: zeros });
        }
      }
    });

    it('logsumexp keeps what its largest factors would lose, and infinities', () => {
      for (const [dtype, far] of [
        ['float32', 200],
        ['float64', 1600],
      ] as const) {
        const apart = (n: number, s: number) => (s === 0 ? (n % 2 ? -far : 0) : n % 2 ? 0 : -far);
        for (const [left, right] of [
          [apart, (n: number, s: number) => apart(n + 1, s)],
          [apart, apart],
          [once(0, 0, infinity), small],
          [once(0, terms - 1, -infinity), small],
          [() => -infinity, small],
        ]) {
          const one: Case = { combine: 'sum', reduce: 'logsumexp', ...sizes, left, right };
          const [got, want] = [backend, reference].map((on) => outcome(on, dtype, one).plain);
          const epsilon = (dtype === 'float32' ? 2 ** -23 : 2 ** -52) * 8;
          for (const [n, value] of want.entries()) {
            if (!Number.isFinite(value)) expect(got[n]).toBe(value);
            else expect(Math.abs(got[n] - value)).toBeLessThanOrEqual(epsilon * Math.max(1, Math.abs(value)));
          }
        }
      }
    });
  });

  it('nothing wins where there are no terms', () => {
    for (const reduce of ['max', 'min'] as const)
      same({ combine: 'sum', reduce, rows: 3, columns: 5, terms: 0, left: small, right: small });
    expect(
      outcome(backend, 'float32', {
        ...{ combine: 'sum', reduce: 'max', rows: 1, columns: 2, terms: 0, left: small, right: small },
      }).arg,
    ).toEqual([-1, -1]);
  });

  // So large that lookups, and sweeps, would be cheaper than sums over pairs.
  it.each([
    ...(['rectifier', 'max', 'min', 'relusum', 'product'] as const).map((xi) => [xi, 10] as const),
    ...(['rectifier', 'max', 'min'] as const).map((xi) => [xi, 100] as const),
  ])('a grid step of %s and %i templates heeds what is no number', (xi, M) => {
    const sizes = { P: 512, M, L: 64, R: 2, K: 4 };
    const grid = (on: Backend, operand: 'a' | 'h' | 'G' | undefined, value: number) => {
      const put = (count: number, at: number) => {
        const values = Float32Array.from({ length: count }, (_, n) => ((7 * n) % 23) - 11);
        if (at >= 0) values[at] = value;
        return on.adopt(values);
      };
      const out = on.allocate('float32', sizes.P * sizes.M * sizes.K);
      const a = put(sizes.M * sizes.L, operand === 'a' ? 3 * sizes.L + 5 : -1);
      const h = put(sizes.P * sizes.R, operand === 'h' ? 77 : -1);
      const G = put(sizes.L * sizes.R * sizes.K, operand === 'G' ? 100 : -1);
      on.contractGrid(xi, sizes, a, h, G, out);
      return out.read().map((element) => element + 0); // zeros without a sign
    };
    for (const [operand, value] of [
      [undefined, 0],
      ['a', nan],
      ['h', nan],
      ['a', infinity],
      ['h', infinity],
      ['h', -infinity],
      ['G', nan],
      ['G', infinity],
    ] as const)
      expect(grid(backend, operand, value), `${operand} ${value}`).toEqual(grid(reference, operand, value));
  });

  // Sums of the weights alone would be 100·2¹²⁵: of lookups, and of sweeps.
  it.each([
    ['max', 700, 3],
    ['min', 700, 3],
    ['rectifier', 700, 3],
    ['max', 5000, 1000],
  ] as const)('a grid step of %s, %i rows and %i templates has no sum of weights alone', (xi, P, M) => {
    const [sizes, sign] = [{ P, M, L: 100, R: 1, K: 1 }, xi === 'min' ? 1 : -1];
    const values = (count: number, of: (n: number) => number) =>
      backend.adopt(Float32Array.from({ length: count }, (_, n) => of(n)));
    const out = backend.allocate('float32', P * M);
    const a = values(M * 100, (n) => sign * (n + 1));
    const h = values(P, () => (xi === 'rectifier' ? -1 : 2 ** -10));
    const G = values(100, () => 2 ** 125);
    backend.contractGrid(xi, sizes, a, h, G, out);
    const expected = xi === 'rectifier' ? 0 : 100 * 2 ** 115;
    for (const value of out.read()) if (value !== expected) expect(value).toBe(expected);
  });

  // (G·a)·h would be 1e60·1e-30, and 1e-60·1e30.
  it.each([1e30, 1e-30])('a grid step of products of %d keeps what an early sum would lose', (size) => {
    const sizes = { P: 512, M: 10, L: 3, R: 2, K: 4 };
    const put = (count: number, value: number) => backend.adopt(new Float32Array(count).fill(value));
    const out = backend.allocate('float32', sizes.P * sizes.M * sizes.K);
    const [a, h, G] = [put(30, size), put(1024, 1 / size), put(24, size)];
    backend.contractGrid('product', sizes, a, h, G, out);
    for (const value of out.read()) expect(value / size).toBeCloseTo(6, 4);
  });
});
