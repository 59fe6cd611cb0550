/**
 * Functions whose last bit ECMAScript leaves to the engine, and in which V8, JavaScriptCore and two versions of V8 differ: here of
 * additions, multiplications and divisions alone, which are exact to the last bit everywhere, so that a seed gives the same numbers
 * in every engine.
 */

const float = new Float64Array(1);
const words = new Uint32Array(float.buffer);
/** Which half of a double has the exponent: every platform with typed arrays in use is little-endian, but none has to be. */
export const HIGH = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** 1/21, 1/19, …, 1/3: with |s| ≤ 0.172, s²³/23 is 10⁻¹⁷ of s. */
const ARTANH = Float64Array.from({ length: 10 }, (_, n) => 1 / (21 - 2 * n));

/** ln x for a normal x > 0, to 2 units in the last place: x = m 2ᵉ with m in [√½, √2), ln m = 2 artanh((m − 1) / (m + 1)). */
export function ln(x: number): number {
  float[0] = x;
  let exponent = (words[HIGH] >>> 20) - 1023;
  words[HIGH] = (words[HIGH] & 0xfffff) | 0x3ff00000;
  let [mantissa] = float;
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let sum = 0;
  for (const coefficient of ARTANH) sum = sum * square + coefficient;
  return exponent * Math.LN2 + 2 * (s + s * (square * sum));
}

const inverseFactorial = (n: number): number => (n === 0 ? 1 : inverseFactorial(n - 1) / n);
// With |x| ≤ π/4, x¹⁸/18! is 2·10⁻¹⁸.
const SIN = Float64Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? 1 : -1) * inverseFactorial(17 - 2 * n));
const COS = Float64Array.from({ length: 8 }, (_, n) => (n % 2 === 0 ? 1 : -1) * inverseFactorial(16 - 2 * n));

/** sin(2π turns) and cos(2π turns) for turns in [0, 1], to 10⁻¹⁶. */
export function sinCos(turns: number): [sin: number, cos: number] {
  const quarter = Math.floor(4 * turns + 0.5);
  const x = 2 * Math.PI * (turns - quarter / 4);
  const square = x * x;
  let sin = 0;
  let cos = 0;
  for (let n = 0; n < SIN.length; n++) {
    sin = sin * square + SIN[n];
    cos = cos * square + COS[n];
  }
  sin = x + x * (square * sin);
  cos = 1 + square * cos;
  switch (quarter % 4) {
    case 0:
      return [sin, cos];
    case 1:
      return [cos, -sin];
    case 2:
      return [-sin, -cos];
    default:
      return [-cos, sin];
  }
}

/** baseⁿ for an integer n ≥ 0. */
export function power(base: number, n: number): number {
  let result = 1;
  for (let square = base, rest = n; rest > 0; square *= square, rest = Math.floor(rest / 2))
    if (rest % 2 === 1) result *= square;
  return result;
}
