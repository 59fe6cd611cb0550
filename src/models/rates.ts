import type { Xi } from '../core/xi.gen.ts';

/** Operators whose fold moves by the sum of what its operands move by; the others move by no more than about one of them. */
const ADDING: readonly Xi[] = ['product', 'sum', 'relusum'];

/** Factor on the learning rate of weights under a sum over `terms`: Adam would move the sum by √terms as much as one. */
export const rateOfSum = (terms: number): number => 1 / Math.sqrt(terms);

/** Factor on the learning rate of the operands of a fold over T steps; those that share weights move together. */
export function rateOfFold(xi: Xi, steps: number, shared: boolean): number {
  if (!ADDING.includes(xi)) return 1;
  return shared ? 1 / steps : rateOfSum(steps);
}

/**
 * Factor on the learning rate of A and b. A product multiplies T numbers that share them: what moves its constant feature
 * moves the score T times, together for b and as far as the inputs agree for A.
 */
export function rateOfFeatures(name: string, xi: Xi, steps: number): number {
  if (xi !== 'product') return 1;
  return name === 'features.b' ? 1 / steps : rateOfSum(steps);
}
