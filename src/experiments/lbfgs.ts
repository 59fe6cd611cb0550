/** A function to be made small, with its gradient. */
export type Objective = (x: Float64Array) => { readonly value: number; readonly gradient: Float64Array };

export interface MinimizeOptions {
  readonly iterations: number;
  /** Stops at this value. */
  readonly enough: number;
  /** Told before the first iteration and after each: how many are done, and the value there. It may throw. */
  readonly tell?: (iteration: number, value: number) => void;
}

/** The best point that was found. */
export interface Minimum {
  readonly x: Float64Array;
  readonly value: number;
}

const MEMORY = 12;
/** Wolfe's conditions: decrease and slope of a step (Nocedal & Wright 2006, Algorithm 3.5 gives these numbers). */
const DECREASE = 1e-4;
const SLOPE = 0.9;
const MAX_TRIALS = 30;
/** A search that gains less than 1 % in this many iterations has ended, at a kink or in a valley: another start is worth more. */
const PATIENCE = 40;
const GAIN = 0.99;

/**
 * L-BFGS (Liu & Nocedal 1989) with a bisecting line search for the weak Wolfe conditions, which makes BFGS work on piecewise smooth
 * functions too (Lewis & Overton 2013). Returns the best point.
 */
export function minimize(objective: Objective, start: Float64Array, options: MinimizeOptions): Minimum {
  let x = start;
  let here = objective(x);
  const pairs: { s: Float64Array; y: Float64Array; rho: number }[] = [];
  let mark = here.value;
  options.tell?.(0, here.value);
  for (let n = 0; n < options.iterations && here.value > options.enough; n++) {
    if (n > 0 && n % PATIENCE === 0) {
      if (here.value > GAIN * mark) break;
      mark = here.value;
    }
    const direction = descent(here.gradient, pairs);
    const slope = dot(direction, here.gradient);
    if (!(slope < 0)) {
      if (pairs.length === 0) break;
      pairs.length = 0;
      continue;
    }
    const next = search(objective, x, here, direction, slope);
    if (!next) {
      if (pairs.length === 0) break;
      pairs.length = 0;
      continue;
    }
    const s = next.x.map((value, k) => value - x[k]);
    const y = next.at.gradient.map((value, k) => value - here.gradient[k]);
    const curvature = dot(s, y);
    if (curvature > 0) {
      pairs.push({ s, y, rho: 1 / curvature });
      if (pairs.length > MEMORY) pairs.shift();
    }
    x = next.x;
    here = next.at;
    options.tell?.(n + 1, here.value);
  }
  return { x, value: here.value };
}

/** −H g by the two loops. */
function descent(
  gradient: Float64Array,
  pairs: readonly { s: Float64Array; y: Float64Array; rho: number }[],
): Float64Array {
  const q = gradient.map((value) => -value);
  const alphas: number[] = [];
  for (const { s, y, rho } of [...pairs].reverse()) {
    const alpha = rho * dot(s, q);
    alphas.unshift(alpha);
    for (let n = 0; n < q.length; n++) q[n] -= alpha * y[n];
  }
  const newest = pairs.at(-1);
  const scale = newest
    ? 1 / (newest.rho * dot(newest.y, newest.y))
    : 1 / Math.max(1, Math.sqrt(dot(gradient, gradient)));
  for (let n = 0; n < q.length; n++) q[n] *= scale;
  for (const [k, { s, y, rho }] of pairs.entries()) {
    const beta = rho * dot(y, q);
    for (let n = 0; n < q.length; n++) q[n] += (alphas[k] - beta) * s[n];
  }
  return q;
}

function search(
  objective: Objective,
  x: Float64Array,
  here: ReturnType<Objective>,
  direction: Float64Array,
  slope: number,
): { x: Float64Array; at: ReturnType<Objective> } | undefined {
  let [low, high, step] = [0, Number.POSITIVE_INFINITY, 1];
  let best: { x: Float64Array; at: ReturnType<Objective> } | undefined;
  for (let trial = 0; trial < MAX_TRIALS; trial++) {
    const to = x.map((value, n) => value + step * direction[n]);
    const at = objective(to);
    if (!(at.value <= here.value + DECREASE * step * slope)) high = step;
    else {
      best = { x: to, at };
      if (dot(at.gradient, direction) >= SLOPE * slope) return best;
      low = step;
    }
    step = high === Number.POSITIVE_INFINITY ? 2 * low : (low + high) / 2;
  }
  return best;
}

function dot(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let n = 0; n < x.length; n++) sum += x[n] * y[n];
  return sum;
}
