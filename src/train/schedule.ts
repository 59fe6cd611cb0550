import { power, sinCos } from '../core/elementary.ts';
import { integer, mismatch, oneOf } from '../core/errors.ts';

export const SCHEDULES = ['constant', 'cosine', 'linear', 'step'] as const;
/** How the learning rate goes over the steps; all but `constant` rise first. See docs/training.md. */
export type Schedule = (typeof SCHEDULES)[number];

/**
 * Part of all steps over which the schedules but `constant` rise, as a square, to the learning rate. Adam's first steps
 * have the full rate's length in directions that are mostly noise: a linear rise over 100 steps made float32 rounding grow
 * to a tenth of the loss within those steps, this one to 1e-5 of it, and MNIST ends 0.1 % better (docs/training.md).
 */
const WARM_UP = 0.25;
/** What `cosine` and `linear` fall to, as a part of the learning rate. */
const FLOOR = 0.01;
/** `step` falls to a tenth of what it is at each of these parts of the steps after the rise. */
const DROPS = [0.5, 0.75];

const FALL: Readonly<Record<Exclude<Schedule, 'constant'>, (phase: number) => number>> = {
  cosine: (phase) => FLOOR + (1 - FLOOR) * 0.5 * (1 + sinCos(phase / 2)[1]),
  linear: (phase) => FLOOR + (1 - FLOOR) * (1 - phase),
  step: (phase) => power(0.1, DROPS.filter((drop) => phase >= drop).length),
};

/**
 * Factor on the learning rate at a step from 1 to `steps`, as `fit` has it; for loops of one's own.
 *
 * @throws XiError E_ARGUMENT for an unknown schedule, or a step outside 0 … steps.
 */
export function scheduleAt(schedule: Schedule, step: number, steps: number): number {
  oneOf('scheduleAt schedule', schedule, SCHEDULES);
  integer('scheduleAt steps', steps, 1, Number.MAX_SAFE_INTEGER);
  if (!(typeof step === 'number' && step >= 0 && step <= steps))
    throw mismatch('E_ARGUMENT', 'scheduleAt step', `a number from 0 to ${steps}`, step);
  return rateFactor(schedule, step, steps);
}

/** {@link scheduleAt} of checked arguments. */
export function rateFactor(schedule: Schedule, step: number, steps: number): number {
  if (schedule === 'constant') return 1;
  const warm = WARM_UP * steps;
  if (step < warm) return (step / warm) ** 2;
  return FALL[schedule]((step - warm) / Math.max(1, steps - warm));
}
