import { mismatch } from '../core/errors.ts';
import { count, figure, finite, listOf, parts, perhaps, recordOf, scalar, text } from '../core/form.ts';
import { DEFAULT_PLAN, type TrainingPlan } from './options.ts';
import type { EndedEpoch, Progress, Stopping } from './trainer.ts';

/** What a checkpoint says of a data set. */
export interface SavedData {
  readonly name: string;
  readonly count: number;
  /** SHA-256. */
  readonly digest: string;
}

/** The state of a training in the metadata of a checkpoint. */
export interface SavedTraining {
  readonly plan: Readonly<Record<string, unknown>>;
  readonly progress: Progress;
  readonly stopping: Stopping;
  /** Its accuracies are null where there are none. */
  readonly history: readonly EndedEpoch[];
  readonly data: SavedData;
  /** Data given for validation, where early stopping watches them. */
  readonly validation?: SavedData;
  readonly backend: { readonly name: string; readonly isa: string };
  /** Where the data came from, when the command read them. */
  readonly source?: DataSource;
}

/** What decides which data the command reads. */
export interface DataSource {
  /** The name of the data set, as `--data` takes it. */
  readonly data: string;
  readonly [option: string]: string | number | boolean | undefined;
}

const DATA = parts({ name: text, count, digest: text });
const METRICS = { loss: figure, accuracy: figure };
/** Its parts and their types. */
const TRAINING = parts({
  // A part that is missing would be a default, and another training.
  plan: (where, value) => {
    recordOf(scalar)(where, value);
    parts(Object.fromEntries(Object.keys(DEFAULT_PLAN).map((name) => [name, scalar])))(where, value);
  },
  progress: parts({ step: finite, loss: finite, correct: count }),
  stopping: parts({ ended: count, best: perhaps(parts({ epoch: count, loss: finite })) }),
  history: listOf(parts({ epoch: count, ...METRICS, seconds: finite, validation: perhaps(parts(METRICS)) })),
  data: DATA,
  backend: parts({ name: text, isa: text }),
  validation: perhaps(DATA),
  source: perhaps((where, value) => {
    recordOf(scalar)(where, value);
    parts({ data: text })(where, value);
  }),
});

/** JSON has no infinity, which the plan of a training without clipping has. */
const INFINITY = 'Infinity';

/** A plan as JSON can hold it. */
export const planInFile = (plan: TrainingPlan): Record<string, unknown> => ({
  ...plan,
  clip: plan.clip === Number.POSITIVE_INFINITY ? INFINITY : plan.clip,
});

/**
 * The state of a training: its parts, their types, and what must agree among them. What the plan and the data decide,
 * {@link Trainer} checks.
 *
 * @throws XiError E_FILE that names the part.
 */
export function checkTraining(where: string, value: unknown): SavedTraining {
  TRAINING(where, value);
  const saved = value as SavedTraining;
  const { progress, stopping, history, data } = saved;
  const refuse = (part: string, expected: string, received: unknown) =>
    mismatch('E_FILE', `${where} ${part}`, expected, received);
  // But for rounding.
  if (progress.loss < -1e-6 * data.count) throw refuse('progress loss', 'a number from 0', progress.loss);
  if (progress.correct > data.count)
    throw refuse('progress correct', `at most the ${data.count} examples`, progress.correct);
  for (const [n, { epoch, seconds }] of history.entries()) {
    const least = history[n - 1]?.epoch ?? 1;
    if (epoch < least) throw refuse(`history[${n}] epoch`, `an epoch from ${least}`, epoch);
    if (seconds < 0) throw refuse(`history[${n}] seconds`, 'a number from 0', seconds);
  }
  const { best } = stopping;
  // Nor need a trainer know its epochs, as one that a program resumed.
  const isKnown = history.some(
    ({ epoch, validation }) => epoch === best?.epoch && validation?.loss === best.loss,
  );
  if (best && history.length > 0 && !isKnown)
    throw refuse('stopping best', 'an epoch of the history, with its loss', best);
  const { plan } = saved;
  return plan.clip === INFINITY ? { ...saved, plan: { ...plan, clip: Number.POSITIVE_INFINITY } } : saved;
}
