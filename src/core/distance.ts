/** max |x − y| / max |y|. */
export function relativeError(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let [error, scale] = [0, 0];
  for (let n = 0; n < y.length; n++) {
    error = Math.max(error, Math.abs(x[n] - y[n]));
    scale = Math.max(scale, Math.abs(y[n]));
  }
  return x.length === y.length && !Number.isNaN(error) ? error / (scale || 1) : Number.POSITIVE_INFINITY;
}

/** ‖x − y‖ / ‖y‖ in the Frobenius norm, of values scaled so that no square overflows. */
export function frobeniusError(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let [largest, distance, norm] = [0, 0, 0];
  for (let n = 0; n < y.length; n++) largest = Math.max(largest, Math.abs(y[n]));
  for (let n = 0; n < y.length && largest > 0; n++) {
    distance += ((y[n] - x[n]) / largest) ** 2;
    norm += (y[n] / largest) ** 2;
  }
  return norm > 0 ? Math.sqrt(distance / norm) : 0;
}
