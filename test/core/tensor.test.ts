import { describe, expect, it } from 'vitest';
import { tensor } from '../../src/core/tensor.ts';

describe('tensor', () => {
  it('uses a typed array of the wanted dtype in place, and copies a tensor', () => {
    const values = Float64Array.of(1, 2);
    const first = tensor(values);
    expect(first.data).toBe(values);
    for (const copy of [tensor(first), tensor(first, [2, 1]), tensor(first, undefined, 'float64')]) {
      copy.data[0] = 9;
      expect(first.data[0]).toBe(1);
    }
    expect(tensor(first, [2, 1]).shape).toEqual([2, 1]);
    expect(tensor(first, undefined, 'float32').data).toEqual(Float32Array.of(1, 2));
  });

  it('takes lists of typed arrays', () => {
    const rows = tensor([Float32Array.of(1, 2), Float32Array.of(3, 4)]);
    expect(rows).toEqual({ dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) });
    const mixed = tensor([[Float32Array.of(1)], [[2]]]);
    expect(mixed).toEqual({ dtype: 'float64', shape: [2, 1, 1], data: Float64Array.of(1, 2) });
    expect(tensor([Int32Array.of(5, 6)]).dtype).toBe('float64');
    expect(tensor([Float32Array.of(0.5)], [1], 'float64').data).toEqual(Float64Array.of(0.5));
    expect(() => tensor([Float32Array.of(1, 2), Float32Array.of(3)])).toThrow(
      /^tensor axis 1: expected 2 entries \(ragged arrays have no shape\), received Float32Array/,
    );
    expect(() => tensor([BigInt64Array.of(1n)] as never)).toThrow(
      /^tensor: expected numbers at the innermost/,
    );
  });

  it('takes whatever has a length and numbers', () => {
    expect(tensor({ length: 2, 0: 3, 1: 4 })).toEqual(tensor([3, 4]));
    expect(() => tensor({ length: 2, 0: 3 } as never)).toThrow(
      /numbers at the innermost level, received undefined/,
    );
    expect(() => tensor({ length: 2 ** 40 })).toThrow(/^tensor: expected at most 2147483647 elements/);
    expect(() => tensor('12' as never)).toThrow(
      /^tensor: expected numbers at the innermost level, received '12'/,
    );
  });

  it('finds one extent −1 of the shape, as reshape does', () => {
    const six = Float32Array.of(1, 2, 3, 4, 5, 6);
    expect(tensor(six, [-1, 3]).shape).toEqual([2, 3]);
    expect(tensor(tensor(six), [3, -1]).shape).toEqual([3, 2]);
    expect(tensor([[1, 2]], [-1]).shape).toEqual([2]);
    for (const shape of [
      [4, -1],
      [0, -1],
    ])
      expect(() => tensor(six, shape)).toThrow(
        /^tensor shape: expected extents that divide 6 elements beside −1/,
      );
    expect(() => tensor(six, [-1, -1])).toThrow(
      /^tensor shape: expected non-negative integers, received \[-1, -1\]/,
    );
  });
});
