import { XiError } from '../core/errors.ts';
import { block, type Shallow, steps } from './build.ts';
import { digit, type Target } from './target.ts';

/** How far from additive a tensor may be, relative to its largest entry: the roundoff of means over its entries. */
const TOLERANCE = 1e-12;

/** `H[i_1…i_T] = constant + Σ_t φ_t(i_t)`, with φ_t ≥ 0 and min φ_t = 0, for one output. */
interface Additive {
  readonly constant: number;
  /** [T,M] */
  readonly phi: Float64Array;
}

/**
 * An additive tensor as a shallow network with ξ = sum (width 1 an output) or relusum (width 1 for an output of one sign, else 2,
 * which is the least; theory.md (d)).
 *
 * @throws XiError E_ARGUMENT for a tensor that is not additive: networks of any kind with ξ = sum, and shallow ones of any width with
 * relusum, reach only additive ones, T(M−1)+1 dimensions of M^T. Recurrent networks and trees with relusum reach more, of which no
 * construction is known here.
 */
export function shallowAdditive(where: string, target: Target, xi: 'sum' | 'relusum'): Shallow {
  const { M, T, outputs } = target;
  const parts = steps(outputs, (c) => additiveParts(where, target, c, xi));
  const terms = parts.flatMap(({ constant, phi }, c) => {
    const offset = (sign: number) => ({ c, sign, at: () => (sign * constant) / T });
    if (xi === 'sum') return [{ c, sign: 1, at: (t: number, m: number) => phi[t * M + m] + constant / T }];
    if (constant >= 0) return [{ c, sign: 1, at: (t: number, m: number) => phi[t * M + m] + constant / T }];
    const top = steps(T, (t) => phi.subarray(t * M, (t + 1) * M).reduce((x, y) => Math.max(x, y)));
    const highest = constant + top.reduce((x, y) => x + y, 0);
    // H ≤ 0: its mirror image has the constant −highest and the parts top − φ.
    if (highest <= 0)
      return [{ c, sign: -1, at: (t: number, m: number) => top[t] - phi[t * M + m] - highest / T }];
    return [{ c, sign: 1, at: (t: number, m: number) => phi[t * M + m] }, offset(-1)];
  });
  return {
    xi,
    A: steps(T, (t) => block([terms.length, M], (r, m) => terms[r].at(t, m))),
    lambda: block([terms.length, outputs], (r, c) => (terms[r].c === c ? terms[r].sign : 0)),
  };
}

function additiveParts(where: string, target: Target, c: number, xi: string): Additive {
  const { M, T, tuples, outputs, data } = target;
  const sums = new Float64Array(T * M);
  let total = 0;
  for (let n = 0; n < tuples; n++) {
    const value = data[n * outputs + c];
    total += value;
    for (let t = 0; t < T; t++) sums[t * M + digit(target, n, t)] += value;
  }
  const mean = total / tuples;
  // The projection on additive tensors: the effect of a template is the mean of its slice, less the mean of all.
  const phi = sums.map((sum) => sum / (tuples / M) - mean);
  checkAdditive(where, target, c, xi, { constant: mean, phi });
  let constant = mean;
  for (let t = 0; t < T; t++) {
    const part = phi.subarray(t * M, (t + 1) * M);
    const low = part.reduce((x, y) => Math.min(x, y));
    constant += low;
    for (let m = 0; m < M; m++) part[m] -= low;
  }
  return { constant, phi };
}

function checkAdditive(
  where: string,
  target: Target,
  c: number,
  xi: string,
  { constant, phi }: Additive,
): void {
  const { M, T, tuples, outputs, data } = target;
  let scale = 0;
  let worst = 0;
  for (let n = 0; n < tuples; n++) {
    let sum = constant;
    for (let t = 0; t < T; t++) sum += phi[t * M + digit(target, n, t)];
    scale = Math.max(scale, Math.abs(data[n * outputs + c]));
    worst = Math.max(worst, Math.abs(data[n * outputs + c] - sum));
  }
  if (worst > TOLERANCE * scale) {
    const reach =
      xi === 'sum'
        ? 'networks with ξ = sum reach only additive tensors'
        : 'of networks with ξ = relusum, shallow ones reach only additive tensors and others are known only for them:';
    const dimensions = `Σ_t φ_t(i_t), ${T * (M - 1) + 1} of ${tuples} dimensions`;
    throw new XiError(
      'E_ARGUMENT',
      `${where}: ${reach} ${dimensions}; received one whose best additive fit is off by ${(worst / scale).toPrecision(3)} of its largest entry`,
    );
  }
}
