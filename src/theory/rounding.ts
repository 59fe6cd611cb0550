import type { Target } from './target.ts';

/**
 * λ[j,c] with `H = Σ_j λ_j (1 − E_j)`: S/(M^T − 1) − H_j, as Σ_j (1 − E_j) is M^T − 1 everywhere; S = ΣH. What S/(M^T − 1) lacks
 * would add up in M^T terms: it is taken in two parts, so that each λ is rounded for itself.
 */
export function complementWeights(target: Target): (j: number, c: number) => number {
  const { tuples, outputs, data } = target;
  const shares = totals(target).map(({ sum, rest }) => {
    const share = roundedUp(sum / (tuples - 1), 26);
    return { share, lack: (sum - share * (tuples - 1) + rest) / (tuples - 1) };
  });
  return (j, c) => {
    const { sum, rest } = added(shares[c].share, -data[j * outputs + c]);
    return sum + (rest + shares[c].lack);
  };
}

/** x + y as the nearest number and what that lacks, exactly (Knuth, The Art of Computer Programming 2, section 4.2.2). */
function added(x: number, y: number): { sum: number; rest: number } {
  const sum = x + y;
  const part = sum - x;
  return { sum, rest: x - (sum - part) + (y - part) };
}

/** Sums of all entries of an output in twice the precision. */
export function totals({ tuples, outputs, data }: Target): { sum: number; rest: number }[] {
  return Array.from({ length: outputs }, (_, c) => {
    let total = { sum: 0, rest: 0 };
    for (let n = 0; n < tuples; n++) {
      const { sum, rest } = added(total.sum, data[n * outputs + c]);
      total = { sum, rest: total.rest + rest };
    }
    return total;
  });
}

/** The least number of so many binary digits that is not below a value: products with numbers of few digits are exact. */
export function roundedUp(value: number, digits: number): number {
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - digits + 1);
  return unit === 0 ? value : Math.ceil(value / unit) * unit;
}
