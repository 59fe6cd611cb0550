import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { Activation } from '../backend/interface.ts';
import { mismatch, XiError } from '../core/errors.ts';
import type { DType } from '../core/tensor.ts';
import type { AnyDataset } from '../data/dataset.ts';
import { readSafetensors } from '../io/disk.ts';
import { checkConfig, type ModelOptions } from '../models/config.ts';
import { configOf } from '../models/files.ts';
import { modelWith } from '../models/model.ts';
import { type DataSource, loadCheckpoint, trainingOf } from '../train/checkpoint.ts';
import { checkEpsilon, checkPlan, DEFAULT_PLAN, type TrainingPlan } from '../train/options.ts';
import { Trainer } from '../train/trainer.ts';
import {
  absolute,
  DATA_OPTIONS,
  type DataChoice,
  loadParts,
  movedTo,
  type Parts,
  pathsOf,
  shapeFor,
} from './data.ts';
import { type BackendChoice, givenOf, openChosen } from './options.ts';

const MODEL_OPTIONS = ['kind', 'xi', 'rank', 'projection', 'shared', 'diagonal', 'dtype', 'init'] as const;

type ModelFlags = Pick<ModelOptions, (typeof MODEL_OPTIONS)[number]> & {
  readonly features: number;
  readonly activation: Activation;
};

export interface Flags
  extends ModelFlags,
    Partial<Omit<TrainingPlan, 'validationSplit'>>,
    DataChoice,
    BackendChoice {
  readonly validation: number;
  readonly out: string;
  readonly resume?: boolean;
  readonly force?: boolean;
  readonly json?: boolean;
}

/** Options that decide the result; after --resume they come from the checkpoint. */
const DECIDING = [...MODEL_OPTIONS, 'features', 'activation', 'validation', ...Object.keys(DEFAULT_PLAN)];

/** A trainer that has done some steps or none, with the data behind it. */
export interface Begun {
  readonly trainer: Trainer;
  readonly parts: Parts;
  readonly source: DataChoice;
}

/** A training from its options. @throws XiError E_ARGUMENT when a checkpoint is in the way. */
export async function begin(flags: Flags, checkpoint: string): Promise<Begun> {
  if (existsSync(checkpoint) && !flags.force) {
    throw mismatch(
      'E_ARGUMENT',
      'train',
      '--resume to go on or --force to start anew, as there is a checkpoint',
      checkpoint,
    );
  }
  const planned = {
    ...Object.fromEntries(Object.keys(DEFAULT_PLAN).map((key) => [key, flags[key as keyof Flags]])),
    validationSplit: flags.validation,
  };
  const model = {
    ...(Object.fromEntries(MODEL_OPTIONS.map((key) => [key, flags[key]])) as Pick<
      ModelOptions,
      (typeof MODEL_OPTIONS)[number]
    >),
    seed: flags.seed,
    features: { size: flags.features, activation: flags.activation },
  };
  // Options are checked before the data are read, which decide steps and inputs.
  checkEpsilon('train', checkPlan('train', planned), flags.dtype ?? 'float32');
  if (typeof flags.rank === 'number') checkConfig('train', { ...model, steps: 2, inputs: 1, outputs: 1 });
  if (flags.patience && !flags.validation)
    throw mismatch('E_ARGUMENT', '--patience', 'a --validation part to watch', flags.patience);
  const backend = openChosen(flags);
  const source = absolute(flags);
  const parts = await loadParts(source, flags.dtype ?? 'float32', ['train', 'test']);
  const data = parts.train!;
  const { embedding, tokens: _, ...shape } = shapeFor(data, parts);
  const features = { ...model.features, ...(embedding && { embedding }) };
  const plan = checkPlan('train', planned, data);
  const made = modelWith('train', checkConfig('train', { ...model, ...shape, features }), backend);
  return { trainer: new Trainer(made, data, plan, watchedBesides(plan, parts)), parts, source };
}

/** The training in a checkpoint. @throws XiError E_ARGUMENT for options that it decides, E_FILE when it is none. */
export async function resume(flags: Flags, command: Command, checkpoint: string): Promise<Begun> {
  if (flags.force) throw mismatch('E_ARGUMENT', '--resume', 'no --force, which starts anew', '--force');
  refuse(command, DECIDING);
  if (!existsSync(checkpoint)) {
    const ended = existsSync(flags.out)
      ? `no such file, but ${flags.out}: its training has ended`
      : 'no such file';
    throw new XiError('E_FILE', `--resume: expected a checkpoint at ${checkpoint}, received ${ended}`);
  }
  const content = await readSafetensors(checkpoint);
  const saved = trainingOf(checkpoint, content);
  // A checkpoint that a program saved does not say where its data are.
  const source = saved.source
    ? sourceNow(flags, command, choiceIn(checkpoint, saved.source))
    : absolute(flags);
  const backend = openChosen(flags);
  const before = saved.backend;
  if (before.name !== backend.name || before.isa !== backend.isa) {
    process.stderr.write(
      `the checkpoint was made by ${before.name} ${before.isa}; on ${backend.name} ${backend.isa} the result will not be the same bits\n`,
    );
  }
  const dtype: DType = configOf(checkpoint, content.metadata).dtype;
  const parts = await loadParts(source, dtype, ['train', 'test']);
  const validation = watchedBesides(saved.plan as Partial<TrainingPlan>, parts);
  // A file may have another name where it is now: what counts is its values, which are compared.
  const data = saved.source ? { ...parts.train!, name: saved.data.name } : parts.train!;
  return { trainer: await loadCheckpoint(checkpoint, data, { backend, validation }), parts, source };
}

/** @throws XiError E_ARGUMENT for one of these options on the command line. */
function refuse(command: Command, names: readonly string[]): void {
  const given = givenOf(command, names);
  if (given.length > 0)
    throw mismatch('E_ARGUMENT', '--resume', 'no option that the checkpoint decides', given);
}

/** The data of a checkpoint where they are now, which --data says where they have moved. */
function sourceNow(flags: Flags, command: Command, saved: DataChoice): DataChoice {
  refuse(
    command,
    DATA_OPTIONS.filter((name) => name !== 'data' && flags[name] !== saved[name]),
  );
  if (givenOf(command, ['data']).length > 0) return movedTo(flags.data, saved);
  const gone = pathsOf(saved.data).find((path) => !existsSync(path));
  if (gone === undefined) return saved;
  const expected = `data at ${gone}, or --data that says where they are now`;
  throw new XiError('E_FILE', `--resume: expected ${expected}, received no such file or folder`);
}

/** Without examples held back the test part is scored after each epoch, for the user to see. */
function watchedBesides(plan: Partial<TrainingPlan>, { test }: Parts): AnyDataset | undefined {
  return plan.validationSplit ? undefined : test;
}

/** What options of data are on the command line, those that are no texts. */
const TYPES: Readonly<Record<string, string>> = {
  ...{ limit: 'number', patch: 'number', length: 'number', words: 'number', inputs: 'number' },
  classes: 'number',
  variable: 'boolean',
};

function choiceIn(path: string, source: DataSource): DataChoice {
  const unknown = Object.keys(source).filter((key) => !DATA_OPTIONS.includes(key as 'data'));
  if (unknown.length > 0)
    throw new XiError('E_FILE', `${path} source: expected ${DATA_OPTIONS.join(', ')}, received ${unknown}`);
  for (const [key, value] of Object.entries(source)) {
    const type = TYPES[key] ?? 'string';
    if (typeof value !== type) throw mismatch('E_FILE', `${path} source ${key}`, `a ${type}`, value);
  }
  return source as unknown as DataChoice;
}
