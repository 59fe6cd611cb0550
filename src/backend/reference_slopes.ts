import type { XiRow } from '../core/xi.gen.ts';

/**
 * What of a gradient passes through ξ with this slope, ∂ξ/∂x or ∂ξ/∂y. A slope of 0 or 1 chooses, as kernels do by masks: what it
 * does not choose gets 0, also of an infinite gradient; all other slopes multiply, so that 0 · ∞ is NaN.
 */
export function passed({ bound }: XiRow, gradient: number, slope: number): number {
  // Pieces and sums of them have no other slopes than 0 and 1.
  const chooses = bound === 'pieces' || bound === 'additive';
  return chooses && slope === 0 ? 0 : gradient * slope;
}
