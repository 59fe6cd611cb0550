import { XiError } from '../../core/errors.ts';
import { type Dyadic, toDouble } from './dyadic.ts';
import type { PrimeField } from './modular.ts';

/**
 * Values of consecutive rows of a node in both forms: residues, which are exact, and doubles, which decide comparisons as far
 * as their error bound lets them. All [rows, width].
 */
export interface Values {
  readonly rows: number;
  readonly width: number;
  readonly residues: Float64Array;
  /** Empty where nothing will be decided with them. */
  readonly doubles: Float64Array;
  /** For each component: a bound on |double − exact value|, over all rows. */
  readonly error: Float64Array;
  /** For each component: a bound on |double| and on |exact value|. */
  readonly top: Float64Array;
  /** All exact values are multiples of 2^grain. */
  readonly grain: number;
  /** 1 for rows that are known to be 0 in every component, by their making and not by their doubles. */
  readonly zero: Uint8Array;
}

/** Rows that are known exactly. */
export function exactValues(field: PrimeField, { integers, exponent }: Dyadic, width: number): Values {
  const rows = width === 0 ? 0 : integers.length / width;
  const residues = Float64Array.from(integers, (n) => field.ofDyadic(n, exponent));
  const doubles = new Float64Array(integers.length);
  const error = new Float64Array(width);
  const zero = new Uint8Array(rows).fill(1);
  integers.forEach((n, at) => {
    if (n !== 0n) zero[Math.floor(at / width)] = 0;
    const rounded = toDouble(n, exponent);
    doubles[at] = rounded.value;
    error[at % width] = Math.max(error[at % width], rounded.error);
  });
  const top = topOf(doubles, width, error);
  checkRange(top);
  return { rows, width, residues, doubles, error, top, grain: exponent, zero };
}

/** What stands beside an operand that the unit joins: zeros, whose sum with it is the operand. */
export function zeroValues(width: number): Values {
  const none = () => new Float64Array(width);
  const zero = Uint8Array.of(1);
  return { rows: 1, width, residues: none(), doubles: none(), error: none(), top: none(), grain: 0, zero };
}

export function topOf(doubles: Float64Array, width: number, error: Float64Array): Float64Array {
  const top = new Float64Array(width);
  for (let at = 0, k = 0; at < doubles.length; at++) {
    const size = Math.abs(doubles[at]);
    if (size > top[k]) top[k] = size;
    if (++k === width) k = 0;
  }
  // One rounding of the sum, upwards.
  return top.map((size, k) => (size + error[k]) * (1 + 2 ** -50));
}

/** Bounds that overflow bound nothing. */
export function checkRange(bounds: Float64Array): void {
  if (bounds.every(Number.isFinite)) return;
  throw new XiError(
    'E_NUMERIC',
    'exact evaluation: expected values within the range of float64, they overflow',
  );
}

/**
 * max(x, 0) of every value, in place. Where the bound does not tell the sign, `sign(row, k)` does; afterwards a double is 0 where, and
 * only where, the exact value is 0.
 */
export function positivePart(values: Values, sign: (row: number, k: number) => number): Values {
  const { rows, width, error, doubles, residues } = values;
  const zero = new Uint8Array(rows).fill(1);
  for (let row = 0, at = 0; row < rows; row++) {
    const dead = values.zero[row] === 1;
    for (let k = 0; k < width; k++, at++) {
      const x = doubles[at];
      const bound = error[k];
      if (x > bound) zero[row] = 0;
      else if (!dead && bound > 0 && x >= -bound && sign(row, k) > 0) {
        doubles[at] = Math.max(x, Number.MIN_VALUE);
        zero[row] = 0;
      } else doubles[at] = residues[at] = 0;
    }
  }
  return { ...values, zero };
}

/** −x of every value. */
export function negated(field: PrimeField, values: Values): Values {
  return {
    ...values,
    doubles: values.doubles.map((x) => -x),
    residues: values.residues.map((r) => field.negate(r)),
  };
}
