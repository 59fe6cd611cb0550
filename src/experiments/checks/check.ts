import type { Backend } from '../../backend/interface.ts';
import type { Rng } from '../../core/rng.ts';

/** What a check measures: how its figure is read. */
export type Figure =
  /** Largest |difference| / largest |expected|, over the condition of the features where they are not the identity. */
  | 'relative error'
  /** Instances, or parts of them, of which the statement is false. */
  | 'violations';

/** What checks run on. */
export interface Bench {
  readonly rng: Rng;
  readonly backend: Backend;
}

/** A statement of the theory, and how to try it on a random instance. */
export interface Check {
  readonly id: string;
  readonly statement: string;
  /** Where it is stated or proven. */
  readonly source: string;
  readonly figure: Figure;
  readonly instances: number;
  /** Largest figure that passes. */
  readonly tolerance: number;
  /** Figure of one random instance. */
  measure(bench: Bench, instance: number): number;
}

/** Errors of an evaluation in float64 are some hundred ε at these sizes: 8 times what was seen over 100 seeds. */
export const EXACT = 1e-12;

/** Of a check that counts violations. */
export const COUNTED = { figure: 'violations', tolerance: 0 } as const;
