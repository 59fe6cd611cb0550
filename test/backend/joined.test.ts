import { describe, expect, it } from 'vitest';
import type { Backend, Joined, Storage } from '../../src/backend/interface.ts';
import { put } from '../conformance/case.ts';
import { refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

/** out[m,n] = ⊕_s left[m,s] + right[n,s] with two rows, three columns and two terms. */
function planOf(left: Storage, right: Storage, change: Partial<Joined> = {}): Joined {
  return {
    ...{ xi: 'sum', combine: 'sum', reduce: 'max', fromUnit: false },
    ...{ batch: [], rows: [2], columns: [3], terms: [2], outStrides: [3, 1] },
    left: [{ data: left, strides: [2, 1] }],
    right: [{ data: right, strides: [2, 1] }],
    ...change,
  };
}

describe.each(subjects)('joined on $label', ({ open }) => {
  const backend: Backend = open();
  const left = put(backend, 'float64', [0, 1, 5, 2]);
  const right = put(backend, 'float64', [0, 0, 3, 1, -1, 7]);

  it('reduces sums of rows and columns, and says which term won first', () => {
    const [out, arg] = [6, 6].map((length) => backend.allocate('float64', length));
    backend.joined(planOf(left, right), out, arg);
    expect([...out.read()]).toEqual([1, 3, 8, 5, 8, 9]);
    expect([...arg.read()]).toEqual([1, 0, 1, 0, 0, 1]);
    const turned = backend.allocate('float64', 6);
    backend.joined(planOf(left, right, { outStrides: [1, 2] }), turned);
    expect([...turned.read()]).toEqual([1, 5, 3, 8, 8, 9]);
    // Of no terms none won.
    backend.joined(planOf(left, right, { terms: [0] }), out, arg);
    expect([...out.read()]).toEqual(new Array(6).fill(Number.NEGATIVE_INFINITY));
    expect([...arg.read()]).toEqual(new Array(6).fill(-1));
  });

  it('folds several operands on either side, some of which do not vary', () => {
    const out = backend.allocate('float64', 6);
    const wide = {
      left: [
        { data: left, strides: [2, 1] },
        { data: right, strides: [1, 0] },
      ],
      right: [
        { data: right, strides: [2, 0] },
        { data: left, strides: [0, 1] },
      ],
    };
    backend.joined(planOf(left, right, { ...wide, reduce: 'sum' }), out);
    const [l, r] = [left.read(), right.read()];
    const want = [0, 1].flatMap((m) =>
      [0, 1, 2].map((n) => [0, 1].reduce((sum, s) => sum + l[2 * m + s] + r[m] + r[2 * n] + l[s], 0)),
    );
    expect([...out.read()]).toEqual(want);
  });

  it('walks several axes of terms, along which an operand may stand still', () => {
    const [x, y, z] = [16, 2, 4].map((length) =>
      put(
        backend,
        'float64',
        Float64Array.from({ length }, (_, n) => ((n * n + 3 * n) % 7) - 3),
      ),
    );
    const plan: Joined = {
      ...{ xi: 'sum', combine: 'sum', reduce: 'sum', fromUnit: false },
      ...{ batch: [], rows: [2], columns: [2], terms: [2, 4], outStrides: [2, 1] },
      left: [{ data: x, strides: [4, 8, 1] }],
      right: [
        { data: y, strides: [1, 0, 0] },
        { data: z, strides: [2, 1, 0] },
      ],
    };
    const out = backend.allocate('float64', 4);
    backend.joined(plan, out);
    const [a, b, c] = [x, y, z].map((storage) => storage.read());
    const want = [0, 1].flatMap((m) =>
      [0, 1].map((n) => {
        let sum = 0;
        for (let s = 0; s < 8; s++) {
          const [p, q] = [s >> 2, s & 3];
          sum += a[4 * m + 8 * p + q] + b[n] + c[2 * n + p];
        }
        return sum;
      }),
    );
    expect([...out.read()]).toEqual(want);
  });

  it('is the neutral element without terms', () => {
    for (const [reduce, neutral] of [
      ['sum', 0],
      ['max', Number.NEGATIVE_INFINITY],
      ['min', Number.POSITIVE_INFINITY],
      ['logsumexp', Number.NEGATIVE_INFINITY],
    ] as const) {
      const out = put(backend, 'float64', new Float64Array(6).fill(7));
      backend.joined(planOf(left, right, { reduce, terms: [0] }), out);
      expect([...out.read()]).toEqual(new Array(6).fill(neutral));
    }
  });

  it('gives no share to terms that are −∞', () => {
    const low = put(backend, 'float64', [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0]);
    const out = backend.allocate('float64', 2);
    const plan = planOf(low, low, { reduce: 'logsumexp', columns: [], right: [], outStrides: [1] });
    backend.joined(plan, out);
    const gradient = backend.allocate('float64', 4);
    backend.joinedGradient(plan, out, put(backend, 'float64', [1, 1]), { left: [gradient], right: [] });
    const shares = gradient.read();
    [0, 0, 0.5, 0.5].forEach((share, n) => void expect(shares[n]).toBeCloseTo(share, 14));
  });

  const alone = { data: left, strides: [2, 1] };
  it.each([
    [
      'too few elements of an operand',
      'E_SHAPE',
      /left 0: expected at least 7 elements/,
      { rows: [3], outStrides: [1, 3], left: [{ data: left, strides: [2, 2] }] },
    ],
    [
      'a stride too few',
      'E_SHAPE',
      /right 0: expected strides of 0 \+ 1 \+ 1/,
      { right: [{ data: right, strides: [2] }] },
    ],
    ['strides of out too few', 'E_SHAPE', /out: expected strides of 2 axes/, { outStrides: [3] }],
    [
      'elements of out that fall together',
      'E_SHAPE',
      /out: expected strides that keep elements apart/,
      { outStrides: [2, 1] },
    ],
    ['an out that is too short', 'E_SHAPE', /out: expected at least 9 elements/, { outStrides: [6, 1] }],
    [
      'a negative stride',
      'E_SHAPE',
      /non-negative integer extents and strides/,
      { left: [{ data: left, strides: [-2, 1] }] },
    ],
    ['half an extent', 'E_SHAPE', /non-negative integer extents and strides/, { terms: [0.5] }],
    ['no left side', 'E_ARGUMENT', /1 to 4 operands on the left/, { left: [] }],
    ['five operands', 'E_ARGUMENT', /1 to 4 operands on the left/, { left: new Array(5).fill(alone) }],
    ['25 axes', 'E_ARGUMENT', /at most 24 axes of out and of terms/, { terms: new Array(25).fill(1) }],
    ['columns without a right side', 'E_SHAPE', /columns: expected none without a right side/, { right: [] }],
    ['an unknown operator', 'E_ARGUMENT', /combine: expected one of product/, { combine: 'plus' as 'sum' }],
    ['an unknown reduction', 'E_ARGUMENT', /reduce: expected one of sum, max/, { reduce: 'any' as 'sum' }],
  ] as [string, string, RegExp, Partial<Joined>][])('refuses %s', (_, code, message, change) => {
    const out = backend.allocate('float64', 6);
    expect(() => backend.joined(planOf(left, right, change), out)).toThrow(refusal(code, message));
    expect([...out.read()]).toEqual([0, 0, 0, 0, 0, 0]);
  });

  it('refuses what is no plan, operand or storage', () => {
    const out = backend.allocate('float64', 6);
    const own = backend as unknown as Record<string, (...list: unknown[]) => unknown>;
    const raw = new Float64Array(6);
    const changed = (change: object) => planOf(left, right, change as Partial<Joined>);
    for (const kernel of ['joined', 'joinedGradient']) {
      const refuses = (message: string, ...list: unknown[]) =>
        expect(() => own[kernel](...list)).toThrow(
          refusal('E_ARGUMENT', new RegExp(`^${kernel} ${message}`)),
        );
      refuses('plan: expected \\{ batch, rows,', undefined, out);
      refuses('batch: expected a list, received undefined', {}, out);
      refuses('terms: expected a list, received Int32Array', changed({ terms: Int32Array.of(2) }), out);
      refuses('out: expected a storage', changed({}));
      refuses('out: expected a storage', changed({}), raw);
      refuses('left 0: expected \\{ data, strides \\}', changed({ left: [null] }), out);
      refuses('left 0: expected a storage', changed({ left: [{ data: raw, strides: [2, 1] }] }), out);
    }
    const summed = changed({ reduce: 'sum' });
    expect(() => own.joined(planOf(left, right), out, raw)).toThrow('joined arg: expected a storage');
    expect(() => own.joinedGradient(summed, out)).toThrow('to: expected { left, right }');
    const to = { left: [raw], right: [null] };
    expect(() => own.joinedGradient(summed, out, raw, to)).toThrow('dout: expected a storage');
    expect(() => own.joinedGradient(summed, out, out, to)).toThrow('left gradients: expected a storage');
    expect(() => own.joinedGradient(summed, out, out, { left: [null] })).toThrow(
      'right gradients: expected 1',
    );
  });

  it('refuses other dtypes, and arg and gradients where there are none', () => {
    const [out, arg] = [6, 6].map((length) => backend.allocate('float64', length));
    const narrow = backend.allocate('float32', 6);
    expect(() => backend.joined(planOf(left, right), narrow)).toThrow(
      refusal('E_DTYPE', /left 0: expected float32/),
    );
    expect(() => backend.joined(planOf(left, right), out, narrow)).toThrow(
      refusal('E_DTYPE', /arg: expected float64/),
    );
    const summed = planOf(left, right, { reduce: 'sum' });
    expect(() => backend.joined(summed, out, arg)).toThrow(
      refusal('E_ARGUMENT', /a reduction with a winner/),
    );
    const to = { left: [null], right: [backend.allocate('float64', 5)] };
    expect(() => backend.joinedGradient(planOf(left, right), out, out, to)).toThrow(
      refusal('E_ARGUMENT', /sum or logsumexp/),
    );
    expect(() => backend.joinedGradient(summed, out, out, to)).toThrow(
      refusal('E_SHAPE', /right gradients: expected 6/),
    );
    expect(() => backend.joinedGradient(summed, out, out, { ...to, left: [] })).toThrow(
      refusal('E_SHAPE', /left gradients: expected 1 storages/),
    );
  });
});
