import { DEFAULT_PLAN } from './options.ts';
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
  readonly plan: Record<string, unknown>;
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

type Check = (value: unknown) => boolean;

const text: Check = (value) => typeof value === 'string';
const finite: Check = Number.isFinite;
const scalar: Check = (value) => ['string', 'number', 'boolean'].includes(typeof value);
/** NaN is null in JSON. */
const figure: Check = (value) => value === null || finite(value);
const integerTo =
  (most: number): Check =>
  (value) =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= most;
const count = integerTo(Number.MAX_SAFE_INTEGER);
const listOf =
  (item: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(item);
/** An object with these parts; what else is in it is not read. */
const parts =
  (required: Readonly<Record<string, Check>>, optional: Readonly<Record<string, Check>> = {}): Check =>
  (value) => {
    if (typeof value !== 'object' || value === null) return false;
    const given = value as Readonly<Record<string, unknown>>;
    return (
      Object.entries(required).every(([key, check]) => check(given[key])) &&
      Object.entries(optional).every(([key, check]) => given[key] === undefined || check(given[key]))
    );
  };
const recordOf =
  (item: Check): Check =>
  (value) =>
    typeof value === 'object' && value !== null && Object.values(value).every(item);

const data = parts({ name: text, count, digest: text });
const metrics = { loss: figure, accuracy: figure };
const isState = parts(
  {
    plan: recordOf(scalar),
    progress: parts({ step: finite, loss: finite, correct: count }),
    stopping: parts({ ended: count }, { best: parts({ epoch: count, loss: finite }) }),
    history: listOf(parts({ epoch: count, ...metrics, seconds: finite }, { validation: parts(metrics) })),
    data,
    backend: parts({ name: text, isa: text }),
  },
  { validation: data, source: recordOf(scalar) },
);

/**
 * Whether a value is the state of a training: its parts, their types, and what must agree among them. What the plan and the data
 * decide, {@link Trainer} checks.
 */
export function isTraining(value: unknown): value is SavedTraining {
  if (!isState(value)) return false;
  const { plan, progress, stopping, history, data, source } = value as SavedTraining;
  const epochs = history.map(({ epoch }) => epoch);
  const { best } = stopping;
  return (
    // A part of a plan that is missing would be a default, and another training.
    Object.keys(DEFAULT_PLAN).every((key) => Object.hasOwn(plan, key)) &&
    // A loss is not below 0, but for rounding.
    progress.loss >= -1e-6 * data.count &&
    progress.correct <= data.count &&
    epochs.every((epoch, n) => epoch >= (epochs[n - 1] ?? 1)) &&
    history.every(({ seconds }) => seconds >= 0) &&
    // Nor need a trainer know its epochs, as one that a program resumed.
    (!best ||
      epochs.length === 0 ||
      history.some(({ epoch, validation }) => epoch === best.epoch && validation?.loss === best.loss)) &&
    (source === undefined || text(source.data))
  );
}
