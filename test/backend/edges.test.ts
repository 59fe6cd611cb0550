import { describe, expect, it } from 'vitest';
import type { Joined, Storage } from '../../src/backend/interface.ts';
import type { DType } from '../../src/core/tensor.ts';
import { XI, type Xi } from '../../src/core/xi.gen.ts';
import { subjects } from '../support/subjects.ts';

/** What random operands hardly ever meet: ties, signs of zeros, NaNs with bits of their own, the limits of φ. */
describe.each(subjects)('$label', ({ open }) => {
  const backend = open();
  const put = (values: ArrayLike<number>, dtype: DType = 'float32'): Storage => {
    const storage = backend.allocate(dtype, values.length);
    storage.write(values);
    return storage;
  };

  it.each(['float32', 'float64'] as const)(
    'a product of no terms is zero, or what was there, %s',
    (dtype) => {
      const none = { data: backend.allocate(dtype, 0), rowStride: 0, colStride: 1 };
      for (const accumulate of [false, true]) {
        const C = put([1, 2, 3, 4, 5, 6, 7], dtype);
        backend.matmul(2, 3, 0, none, none, { data: C, rowStride: 4, colStride: 1 }, accumulate);
        expect([...C.read()]).toEqual(accumulate ? [1, 2, 3, 4, 5, 6, 7] : [0, 0, 0, 4, 0, 0, 0]);
      }
    },
  );

  it.each(['softmax', 'mse'] as const)('the first of several largest scores is the answer of %s', (loss) => {
    const scores = put([...[1, 3, 3], ...[3, 1, 3], ...[3, 3, 3]]);
    const right = (...classes: number[]) =>
      backend.loss(loss, 3, 3, scores, Int32Array.from(classes)).correct;
    expect([right(1, 0, 0), right(2, 2, 2), right(2, 0, 1)]).toEqual([3, 0, 1]);
  });

  // Of more rows than a tile has, so that φ is asked for whole panels and for what is left.
  const RANGES: readonly (readonly [Xi, DType, number])[] = [
    ...([1e-30, 1e25, 3e38] as const).map((size) => ['l2', 'float32', size] as const),
    ...([1e-200, 1e-320, 1e170, 1e308] as const).map((size) => ['l2', 'float64', size] as const),
    ...([85, 100, 1e10, 3e38, -85, -100] as const).map((size) => ['logsumexp', 'float32', size] as const),
    ...([705, 800, 1e308, -705, -800] as const).map((size) => ['logsumexp', 'float64', size] as const),
  ];
  it.each(RANGES)('%s of operands beyond the range of φ, %s, %d', (xi, dtype, size) => {
    const [B, L, R] = [37, 3, 9];
    const epsilon = dtype === 'float32' ? 2 ** -23 : 2 ** -52;
    for (const [ofA, ofH] of [
      [size, 0.5 * size],
      [size, xi === 'l2' ? 0 : 1],
      [xi === 'l2' ? 0 : 1, size],
    ]) {
      // One row has the operands, in the first panel or in the last; the others lie within the range.
      for (const row of [0, B - 1]) {
        const a = Float64Array.from({ length: B * L }, (_, n) => (n === row * L + 1 ? ofA : 1 + (n % 3)));
        const h = Float64Array.from({ length: B * R }, (_, n) => (n === row * R + 7 ? ofH : 1 + (n % 5)));
        const G = new Float64Array(L * R);
        G[1 * R + 7] = 1;
        const [stored, hidden] = [put(a, dtype), put(h, dtype)];
        const out = backend.allocate(dtype, B);
        backend.contract(xi, { B, L, R, K: 1 }, stored, hidden, put(G, dtype), out);
        const [x, y, got] = [stored.read(), hidden.read(), out.read()];
        for (let b = 0; b < B; b++) {
          const [p, q] = [x[b * L + 1], y[b * R + 7]];
          const want = XI[xi].value(p, q);
          const bound = 8 * epsilon * (xi === 'l2' ? want : Math.max(1, Math.abs(want))) + 1e-323;
          if (!Number.isFinite(want)) expect(got[b]).toBe(want);
          else expect(Math.abs(got[b] - want), `row ${b}`).toBeLessThanOrEqual(bound);
        }
      }
    }
  });

  it('max and min of zeros have the sign of the first, in tiles too', () => {
    const [M, N] = [17, 35];
    for (const [xi, sign] of [
      ['max', 1],
      ['max', -1],
      ['min', 1],
      ['min', -1],
    ] as const) {
      const plan: Joined = {
        ...{ xi, combine: xi, reduce: 'max', fromUnit: false, batch: [], rows: [M], columns: [N] },
        ...{ terms: [1], outStrides: [N, 1] },
        left: [{ data: put(new Float32Array(M).fill(0 * sign)), strides: [1, 0] }],
        right: [{ data: put(new Float32Array(N).fill(0 * -sign)), strides: [1, 0] }],
      };
      const out = backend.allocate('float32', M * N);
      backend.joined(plan, out);
      expect(out.read().every((value) => Object.is(value, 0 * sign))).toBe(true);
    }
  });

  it.each(['logsumexp', 'l2', 'max', 'relusum'] as const)('a NaN of any bits makes a NaN of %s', (xi) => {
    for (const bits of [0x7fc00000, 0x7fc00001, 0xffc00003, 0x7fffffff]) {
      const operands = new Float32Array(2 * 19).fill(1);
      new Int32Array(operands.buffer)[5] = bits;
      const out = backend.allocate('float32', 19);
      const z = backend.adopt(operands);
      backend.fold(xi, 2, 19, z, out);
      expect([...out.read()].map(Number.isNaN)).toEqual(Array.from({ length: 19 }, (_, n) => n === 5));
    }
  });

  it('a NaN of any bits makes a NaN of tanh and of a softmax', () => {
    for (const bits of [0x7fc00001, 0xffc00003, 0x7fffffff]) {
      const values = new Float32Array(19).fill(1);
      new Int32Array(values.buffer)[5] = bits;
      const z = backend.allocate('float32', 19);
      z.write(values);
      expect(backend.loss('softmax', 1, 19, backend.adopt(values), Int32Array.of(2)).loss).toBeNaN();
      backend.activate('tanh', 1, 19, backend.allocate('float32', 19), z);
      expect([...z.read()].map(Number.isNaN)).toEqual(Array.from({ length: 19 }, (_, n) => n === 5));
    }
  });
});
