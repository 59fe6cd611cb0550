import { createRequire } from 'node:module';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { probeBackend } from '../../src/backend/select.ts';
import { DTYPE_ID } from '../../src/core/abi.gen.ts';
import { XI } from '../../src/core/xi.gen.ts';
import { ROOT } from '../support/processes.ts';

const FAR = 1e8;
const native = probeBackend('native');

/** What the addon itself does with arguments that passed every check in JavaScript, or went around them. */
describe.runIf(native.usable)('the addon', () => {
  type Argument = number | Float32Array | Float64Array | Int32Array | null;
  const addon = createRequire(import.meta.url)(
    join(ROOT, `prebuilds/${process.platform}-${process.arch}/xitensor.node`),
  ) as Readonly<Record<string, (...args: readonly Argument[]) => number>>;
  const isa = native.usable ? native.isas.find(({ usable }) => usable)!.index : 0;
  const context = isa | (1 << 8);
  const [f32, f64] = [DTYPE_ID.float32, DTYPE_ID.float64];
  const f = (n: number) => new Float32Array(n);
  const d = (n: number) => new Float64Array(n);
  const words = (...list: number[]) => Int32Array.from(list);
  // batch 2, rows 3, columns 5, terms 4; left [2,3,4], right [2,5,4], out [2,3,5]
  const plan = words(...[1, 1, 1, 1, 1, 1], ...[2, 3, 5, 4], ...[12, 4, 1], ...[20, 4, 1], ...[15, 5, 1]);
  const joined = (x: Argument, y: Argument) => [
    ...[context, f32, XI.max.id, 0, 1, 0, plan, plan.length, x, y],
    ...[null, null, null, null, null, null],
  ];
  const gradient = joined(f(24), f(40)).with(4, 0);

  /** Each with arguments that fit; every array of each is then one element too short. */
  const CALLS: readonly (readonly [string, readonly Argument[]])[] = [
    ['xt_contract', [context, f32, 1, 2, 3, 4, 5, f(6), f(8), f(60), f(10)]],
    ['xt_contract', [context, f64, 1, 2, 3, 4, 5, d(6), d(8), d(60), d(10)]],
    ['xt_packed_length', [context, f32, 3, 4, 5, d(1)]],
    ['xt_contract_gradient', [context, f32, 1, 2, 3, 4, 5, f(6), f(8), f(60), f(10), f(6), f(8), f(60), 0]],
    ['xt_contract_grid', [context, f32, 1, 2, 3, 4, 5, 6, f(12), f(10), f(120), f(36)]],
    ['xt_joined', [...joined(f(24), f(40)), f(30), d(30)]],
    ['xt_joined_gradient', [...gradient, f(30), f(30), f(24), f(40), null, null, null, null, null, null]],
    ['xt_fold', [context, f32, 1, 3, 4, f(12), f(4)]],
    ['xt_fold_gradient', [context, f32, 1, 3, 4, f(12), f(4), f(12)]],
    [
      'xt_project_fold',
      [context, f32, XI.max.id, 3, 2, 4, 5, 3, f(30), 15, 5, f(60), 5, 20, f(12), f(6), f(8), f(8)],
    ],
    ['xt_winner_sums', [context, f32, 6, 2, 4, 5, f(8), f(8), 0, f(120), 5, 20, f(60), 30, 5]],
    ['xt_outer', [context, f32, 1, 3, 4, f(3), f(4), f(12)]],
    ['xt_matmul', [context, f32, 2, 3, 4, f(11), 7, 1, f(12), 3, 1, f(8), 5, 0]],
    ['xt_activate', [context, f32, 1, 3, 4, f(4), f(12)]],
    ['xt_activate_gradient', [context, f32, 1, 3, 4, f(12), f(12), f(4)]],
    ['xt_embed', [context, f32, 3, 2, 4, words(3, 0, 3), f(8), f(6)]],
    ['xt_embed_gradient', [context, f32, 3, 2, 4, words(3, 0, 3), f(6), f(8)]],
    ['xt_loss', [context, f32, 1, 3, 2, f(6), null, f(6), f(6), d(2)]],
    ['xt_loss', [context, f32, 0, 3, 2, f(6), words(0, 1, 1), null, f(6), d(2)]],
    ['xt_adam', [context, f32, 7, f(7), f(7), f(7), f(7), 0.1, 0.9, 0.99, 1e-8, 0.1, 0.01, 1, 0]],
    ['xt_sum_squares', [context, f32, 7, f(7), f(7), d(1)]],
    ['xt_singular_values', [context, 3, 4, d(12), words(0, 4, 8, 0, 1, 2, 3), d(3)]],
    ['xt_svd', [context, 3, 4, d(12), d(9), d(3), d(12)]],
    ['xt_qr', [context, 3, 4, d(12), d(9), d(12)]],
    ['xt_full_rank', [context, 3, 4, d(12), 0, d(1)]],
    ['xt_numerical_rank', [context, 3, 4, d(12), words(0, 4, 8, 0, 1, 2, 3), 0, d(2)]],
    ['xt_rank_modulo', [context, 3, 4, d(12), 7, d(1)]],
    ['xt_populate', [f(4096), 16384]],
    ['xt_peak', [context, f32, 1, d(2)]],
  ];

  it.each(CALLS)('refuses an array of %s that is too short', (name, args) => {
    expect(addon[name](...args)).toBe(0);
    const detached = new Float32Array(1024);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    const arrays = args.flatMap((value, n) => (ArrayBuffer.isView(value) ? [n] : []));
    for (const n of arrays) {
      const short = (args[n] as Float32Array).subarray(0, -1);
      const boasting = Object.defineProperty(short, 'length', { value: FAR });
      expect(addon[name](...args.with(n, boasting)), `argument ${n}`).toBe(1);
      expect(addon[name](...args.with(n, detached)), `argument ${n}, detached`).toBe(1);
    }
  });

  it('refuses packed weights of another length than its tile has', () => {
    const length = d(1);
    addon.xt_packed_length(context, f32, 3, 4, 5, length);
    const packed = f(length[0]);
    const pack = (to: Float32Array) => addon.xt_pack_weights(context, f32, 3, 4, 5, f(60), to);
    const contract = (from: Float32Array) =>
      addon.xt_contract_packed(context, f32, 1, 2, 3, 4, 5, f(6), f(8), from, f(10));
    expect([pack(packed), contract(packed)]).toEqual([0, 0]);
    expect([pack(packed.subarray(1)), contract(packed.subarray(1))]).toEqual([1, 1]);
  });

  it('refuses places beyond the matrix', () => {
    for (const places of [words(0, 4, 9, 0, 1, 2, 3), words(0, 4, 8, 0, -1, 2, 3)]) {
      expect(addon.xt_numerical_rank(context, 3, 4, d(12), places, 0, d(2))).toBe(1);
      expect(addon.xt_singular_values(context, 3, 4, d(12), places, d(3))).toBe(1);
    }
  });

  it('refuses sizes whose bytes do not fit', () => {
    const [many, big] = [2 ** 32, 2 ** 31];
    expect(addon.xt_contract(context, f32, 1, many, many, many, many, f(6), f(8), f(60), f(10))).toBe(1);
    expect(addon.xt_matmul(context, f32, big, 3, 4, f(11), many, 1, f(12), 3, 1, f(8), 5, 0)).toBe(1);
    expect(addon.xt_packed_length(context, f32, many, many, 1, d(1))).toBe(1);
  });

  it('refuses results whose elements fall together, which threads would share', () => {
    const places = (...strides: number[]) =>
      plan.with(-3, strides[0]).with(-2, strides[1]).with(-1, strides[2]);
    const run = (to: Int32Array) => addon.xt_joined(...joined(f(24), f(40)).with(6, to), f(30), null);
    expect(run(places(15, 5, 1))).toBe(0);
    for (const strides of [
      [0, 5, 1],
      [15, 0, 1],
      [15, 4, 1],
      [14, 5, 1],
    ])
      expect(run(places(...strides)), `${strides}`).toBe(1);
    const sums = (row: number, step: number) =>
      addon.xt_winner_sums(context, f32, 6, 2, 4, 5, f(8), f(8), 0, f(120), 5, 20, f(99), row, step);
    expect([sums(30, 5), sums(5, 10), sums(5, 0)]).toEqual([0, 0, 0]);
    expect([sums(4, 10), sums(5, 5), sums(0, 5), sums(29, 5)]).toEqual([1, 1, 1, 1]);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 32])('takes no %s for a count of 32 bits', (count) => {
    expect(() => addon.xt_outer(context, count, 1, 3, 4, f(3), f(4), f(12))).toThrow(TypeError);
  });

  it.each([-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY])('takes no %s for a size', (size) => {
    expect(() => addon.xt_outer(context, f32, 1, size, 4, f(3), f(4), f(12))).toThrow(TypeError);
  });
});
