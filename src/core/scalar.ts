/**
 * The words that the expressions of native/xi.def are made of, for numbers. kernels/xi-inl.h defines the same words for
 * vectors; both must treat ties, NaN and infinities alike.
 */

export const zero = 0;
export const one = 1;

/** x where x ≥ y; NaN if either is NaN. */
export function max(x: number, y: number): number {
  const larger = x < y ? y : x;
  return Number.isNaN(y) ? y : larger;
}

/** x where x ≤ y; NaN if either is NaN. */
export function min(x: number, y: number): number {
  const smaller = y < x ? y : x;
  return Number.isNaN(y) ? y : smaller;
}

export function positive(x: number): number {
  return x < 0 ? 0 : x;
}

/** 1 where x > y, else 0. */
export function beats(x: number, y: number): number {
  return x > y ? 1 : 0;
}

/** 1 where x ≥ y, else 0. */
export function wins(x: number, y: number): number {
  return x >= y ? 1 : 0;
}

/** ln(eˣ + eʸ) without overflow; equal infinities stay as they are. */
export function logaddexp(x: number, y: number): number {
  return max(x, y) + Math.log1p(Math.exp(minusDistance(x, y)));
}

/** ∂/∂x ln(eˣ + eʸ) = 1 / (1 + e^(y−x)); 1/2 at equal infinities. */
export function logaddexpWeight(x: number, y: number): number {
  const small = Math.exp(minusDistance(x, y));
  return (x >= y ? 1 : small) / (1 + small);
}

/** √(x² + y²), scaled by the larger operand; unlike Math.hypot, NaN beside ∞ stays NaN. */
export function hypot(x: number, y: number): number {
  const large = max(Math.abs(x), Math.abs(y));
  const small = min(Math.abs(x), Math.abs(y));
  const ratio = large === 0 || large === Number.POSITIVE_INFINITY ? 0 : small / large;
  return large * Math.sqrt(1 + ratio * ratio);
}

/** ∂/∂x √(x² + y²) = x / √(x² + y²); 0 at the origin. */
export function hypotWeight(x: number, y: number): number {
  const length = hypot(x, y);
  return length === 0 ? 0 : x / length;
}

function minusDistance(x: number, y: number): number {
  if (x === y) return 0;
  return x < y ? x - y : y - x;
}
