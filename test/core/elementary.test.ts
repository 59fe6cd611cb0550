import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ln, power, sinCos } from '../../src/core/elementary.ts';
import { Rng } from '../../src/core/rng.ts';

const ULP = Number.EPSILON;

describe('functions that are the same in every engine', () => {
  it('ln: 2 units in the last place', () => {
    const within = (x: number) => Math.abs(ln(x) - Math.log(x)) <= 2 * ULP * Math.abs(Math.log(x));
    fc.assert(fc.property(fc.double({ min: 2 ** -1022, max: Number.MAX_VALUE, noNaN: true }), within));
    // Near 1, where the logarithm is small.
    fc.assert(fc.property(fc.double({ min: 0.7, max: 1.5, noNaN: true }), within));
    fc.assert(fc.property(fc.integer({ min: 1, max: 53 }), (n) => within(1 - 2 ** -n)));
    expect(ln(1)).toBe(0);
    expect(ln(2)).toBe(Math.LN2);
    expect(ln(0.5)).toBe(-Math.LN2);
  });

  it('sin and cos of a part of a turn', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (turns) => {
        const [sin, cos] = sinCos(turns);
        // The argument of Math.sin is rounded: 2π turns is off by up to 4 ε / 8.
        expect(Math.abs(sin - Math.sin(2 * Math.PI * turns))).toBeLessThanOrEqual(4 * ULP);
        expect(Math.abs(cos - Math.cos(2 * Math.PI * turns))).toBeLessThanOrEqual(4 * ULP);
      }),
    );
    const quarters = [0, 1, 2, 3, 4].map((n) => sinCos(n / 4).map((value) => value + 0));
    expect(quarters).toEqual([
      [0, 1],
      [1, 0],
      [0, -1],
      [-1, 0],
      [0, 1],
    ]);
    // An eighth and a twelfth of a turn, whose values are known.
    expect(sinCos(1 / 8)[0]).toBeCloseTo(Math.SQRT1_2, 15);
    expect(sinCos(1 / 12)[0]).toBeCloseTo(0.5, 15);
  });

  it('powers', () => {
    fc.assert(
      fc.property(fc.integer({ min: -9, max: 9 }), fc.nat(15), (base, n) => {
        expect(power(base, n)).toBe(Number(BigInt(base) ** BigInt(n)));
      }),
    );
    fc.assert(
      fc.property(fc.double({ min: 0.5, max: 1, noNaN: true }), fc.nat(1000), (base, n) => {
        expect(Math.abs(power(base, n) - base ** n)).toBeLessThanOrEqual(n * ULP * base ** n);
      }),
    );
    expect(power(0.999, 1e15)).toBe(0);
  });

  it('a seed gives these normal numbers, in every engine', () => {
    const rng = new Rng(2019, 7);
    const words = new Uint32Array(Float64Array.from({ length: 10000 }, () => rng.normal()).buffer);
    let hash = 0;
    for (const word of words) hash = (Math.imul(hash, 31) + word) | 0;
    expect(hash >>> 0).toBe(671102702);
  });
});
