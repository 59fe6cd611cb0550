import type { Backend } from '../backend/interface.ts';
import { defaultBackend } from '../backend/select.ts';
import { checkBackend } from '../backend/selection.ts';
import { aborted, integer, knownKeys, mismatch } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';
import { nextTurn } from '../core/turns.ts';
import type { Check, Figure } from './checks/check.ts';
import { CONSTRUCTION_CHECKS } from './checks/constructions.ts';
import { RANK_CHECKS } from './checks/ranks.ts';
import { TERM_CHECKS } from './checks/terms.ts';

/** Every statement that is checked, in the order of the theory. */
export const CHECKS: readonly Check[] = [...CONSTRUCTION_CHECKS, ...RANK_CHECKS, ...TERM_CHECKS];

/** A statement and what came out of trying it. */
export interface Verification {
  /** Short name, as `only` takes it. */
  readonly id: string;
  /** In one sentence. */
  readonly statement: string;
  /** Where it stands in the paper, or what it is. */
  readonly source: string;
  /** How many were tried. */
  readonly instances: number;
  /** Whether the figure is an error or a number of violations. */
  readonly kind: Figure;
  /** The largest relative error, or the number of violations, over the instances. */
  readonly figure: number;
  /** The largest figure that passes. */
  readonly tolerance: number;
  /** Whether the figure is at most the tolerance. */
  readonly pass: boolean;
}

/** Which statements {@link verify} tries, on which instances. */
export interface VerifyOptions {
  /** Of the instances; 0 by default. */
  readonly seed?: number;
  /** Ids, or beginnings of ids, of the checks to run; all by default. */
  readonly only?: readonly string[];
  /** Instances of each check instead of its own number. */
  readonly instances?: number;
  /** Where it is computed; the best of this machine by default. */
  readonly backend?: Backend;
  /** Stops between two instances with E_ABORTED. */
  readonly signal?: AbortSignal;
}

/**
 * Tries every statement of the theory on random instances, check by check; docs/theory.md has the statements. What a check does
 * depends on the seed and its id alone.
 *
 * @throws XiError E_ARGUMENT for unknown ids; E_ABORTED.
 */
export async function* verify(options: VerifyOptions = {}): AsyncGenerator<Verification> {
  knownKeys('verify', options, ['seed', 'only', 'instances', 'backend', 'signal']);
  const seed = integer('verify seed', options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  checkBackend('verify', options.backend);
  const { backend = defaultBackend(), instances } = options;
  if (instances !== undefined) integer('verify instances', instances, 1, 10 ** 9);
  for (const check of chosen(options.only)) {
    // Others get their turn, Ctrl-C among them.
    await nextTurn();
    if (options.signal?.aborted) throw aborted('verify: stopped', options.signal);
    yield run({ ...check, instances: instances ?? check.instances }, seed, backend);
  }
}

/** The checks whose ids begin with one of these. */
export function chosen(only: readonly string[] | undefined): readonly Check[] {
  if (only === undefined) return CHECKS;
  if (!Array.isArray(only) || only.length === 0)
    throw mismatch('E_ARGUMENT', 'verify only', 'a list of ids, or of their beginnings', only);
  for (const prefix of only) {
    if (typeof prefix !== 'string' || !CHECKS.some(({ id }) => id.startsWith(prefix))) {
      throw mismatch(
        'E_ARGUMENT',
        'verify only',
        `beginnings of ${CHECKS.map(({ id }) => id).join(', ')}`,
        prefix,
      );
    }
  }
  return CHECKS.filter(({ id }) => only.some((prefix) => id.startsWith(prefix)));
}

/** One check on its instances. */
export function run(check: Check, seed: number, backend: Backend): Verification {
  const { id, statement, source, instances, figure: kind, tolerance } = check;
  const letters = Array.from(id, (letter) => letter.codePointAt(0)!);
  let figure = 0;
  for (let instance = 0; instance < instances; instance++) {
    const measured = check.measure({ rng: new Rng(seed, instance, ...letters), backend }, instance);
    const value = Number.isNaN(measured) ? Number.POSITIVE_INFINITY : measured;
    figure = kind === 'violations' ? figure + value : Math.max(figure, value);
  }
  return { id, statement, source, instances, kind, figure, tolerance, pass: figure <= tolerance };
}
