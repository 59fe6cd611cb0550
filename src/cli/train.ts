import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { ACTIVATIONS, type Activation } from '../backend/interface.ts';
import { mismatch, XiError } from '../core/errors.ts';
import { DTYPES } from '../core/tensor.ts';
import { XI_NAMES } from '../core/xi.gen.ts';
import type { Dataset } from '../data/dataset.ts';
import { checkWritable, removePending } from '../io/atomic.ts';
import { readSafetensors } from '../io/safetensors.ts';
import { checkConfig, INITIALISATIONS, MODEL_KINDS, type ModelOptions } from '../models/config.ts';
import { configOf, saveModel } from '../models/files.ts';
import { createModel } from '../models/model.ts';
import { type DataSource, loadCheckpoint, saveCheckpoint, trainingOf } from '../train/checkpoint.ts';
import { type EpochReport, runTrainer } from '../train/fit.ts';
import { checkPlan, DEFAULT_PLAN, SCHEDULES, type TrainingPlan } from '../train/options.ts';
import { Trainer } from '../train/trainer.ts';
import {
  type BackendChoice,
  type DataChoice,
  loadData,
  number,
  numbers,
  openChosen,
  percent,
  printJson,
  withBackendOptions,
  withDataOptions,
} from './options.ts';
import { type ProgressView, progressView } from './progress.ts';

type ModelFlags = Pick<ModelOptions, 'kind' | 'xi' | 'rank' | 'projection' | 'shared' | 'dtype' | 'init'> & {
  readonly features: number;
  readonly activation: Activation;
};
type Flags = ModelFlags &
  TrainingPlan &
  DataChoice &
  BackendChoice & {
    readonly output: string;
    readonly resume?: boolean;
    readonly force?: boolean;
    readonly json?: boolean;
  };

/** Options that decide the result; after --resume they come from the checkpoint. */
const DECIDING = [
  ...['kind', 'xi', 'rank', 'projection', 'shared', 'dtype', 'init', 'features', 'activation'],
  ...Object.keys(DEFAULT_PLAN),
];

const DATA = ['data', 'patch', 'limit'];

const NOTES = `
With --resume only --output, --backend, --isa, --threads and --json may be given: the checkpoint,
<output>.checkpoint.safetensors, has all that decides the result.

Example:
  xitensor train --xi logsumexp --rank 32 --epochs 5 -o m.safetensors
  xitensor train --resume -o m.safetensors`;

export function trainCommand(): Command {
  const choice = (flag: string, text: string, values: readonly string[], standard: string) =>
    new Option(`${flag} <name>`, text).choices(values).default(standard);
  const command = new Command('train')
    .description(
      'trains a model on a data set, with progress and checkpoints; Ctrl-C stops it so that --resume goes on',
    )
    .option('-o, --output <file>', 'where the trained model goes', 'model.safetensors')
    .option('--resume', 'go on from the checkpoint beside the output, with the options it was begun with')
    .option('--force', 'start anew although there is a checkpoint')
    .addOption(choice('--kind', 'family of networks', MODEL_KINDS, 'tt'))
    .addOption(choice('--xi', 'operator ξ', XI_NAMES, 'rectifier'))
    .option('--rank <R>', 'rank, or R_1,…,R_{T−1}', numbers, 64)
    .option('--projection <L>', 'rows of the projections (default: the feature size)', number)
    .option('--features <M>', 'feature size', number, 32)
    .addOption(choice('--activation', 'activation σ of the features', ACTIVATIONS, 'relu'))
    .option('--shared', 'one middle core for all steps')
    .addOption(choice('--init', 'initial weights', INITIALISATIONS, 'identity'))
    .addOption(choice('--dtype', 'floating-point type', DTYPES, 'float32'))
    .option('--epochs <n>', 'passes over the data', number, DEFAULT_PLAN.epochs)
    .option('--batch <n>', 'examples a step', number, DEFAULT_PLAN.batch)
    .option('--learning-rate <rate>', 'of Adam', number, DEFAULT_PLAN.learningRate)
    .addOption(
      choice(
        '--schedule',
        'of the learning rate; cosine rises as a square over the first quarter of the steps, then falls as a cosine',
        SCHEDULES,
        DEFAULT_PLAN.schedule,
      ),
    )
    .option('--clip <norm>', 'largest norm of the gradient', number, DEFAULT_PLAN.clip)
    .option('--beta1 <b>', "decay of Adam's first moment", number, DEFAULT_PLAN.beta1)
    .option('--beta2 <b>', "decay of Adam's second moment", number, DEFAULT_PLAN.beta2)
    .option('--epsilon <e>', "of Adam's denominator", number, DEFAULT_PLAN.epsilon)
    .option('--seed <n>', 'of weights and of the order of examples', number, 0);
  const patchText = 'side of the patches that an image is cut into (default: 7)';
  return withBackendOptions(withDataOptions(command, patchText, 'train on the first n examples only'))
    .option('--json', 'print one record at the end, and no progress')
    .addHelpText('after', NOTES)
    .action((flags: Flags) => train(flags, command));
}

async function train(flags: Flags, command: Command): Promise<void> {
  const checkpoint = `${flags.output}.checkpoint.safetensors`;
  await checkWritable(flags.output);
  let view: ProgressView | undefined;
  const interrupted = interruption(() => {
    view?.stop();
    if (!flags.json)
      process.stderr.write('stopping after this step and saving a checkpoint; Ctrl-C again ends at once\n');
  });
  const { trainer, validation, source } = flags.resume
    ? await resumed(flags, command, checkpoint)
    : await begun(flags, checkpoint);
  const { model, plan } = trainer;
  const { backend } = model;
  view = progressView(trainer.steps, trainer.progress.step, flags.json === true);
  view.line(String(model));
  view.line(
    `${trainer.data.labels.length} examples of ${trainer.data.name}, ${plan.epochs} epochs of ${trainer.stepsPerEpoch} ` +
      `steps, ${backend.name} ${backend.isa}, ${backend.threads} ${backend.threads === 1 ? 'thread' : 'threads'}`,
  );
  const epochs: EpochReport[] = [];
  try {
    const run = runTrainer(trainer, {
      validation,
      signal: interrupted.signal,
      onStep: view.step,
      checkpoint: () => saveCheckpoint(trainer, checkpoint, source),
    });
    for await (const epoch of run) {
      epochs.push(epoch);
      view.line(describeEpoch(epoch));
    }
    await saveModel(model, flags.output);
    await rm(checkpoint, { force: true });
  } catch (error) {
    if (!(error instanceof XiError && error.code === 'E_ABORTED')) throw error;
    view.stop();
    const { step } = trainer.progress;
    if (flags.json) printJson({ stopped: true, step, steps: trainer.steps, checkpoint, epochs });
    else
      process.stdout.write(
        `\nstopped after step ${step} of ${trainer.steps}; --resume goes on from ${checkpoint}\n`,
      );
    return;
  } finally {
    view.stop();
    interrupted.end();
  }
  const last = epochs.at(-1);
  if (flags.json) {
    const used = { name: backend.name, isa: backend.isa, threads: backend.threads };
    printJson({
      model: flags.output,
      config: model.config,
      plan,
      backend: used,
      data: trainer.data.name,
      epochs,
    });
  } else {
    const figures = last?.validation ? `, test accuracy ${percent(last.validation.accuracy)}` : '';
    process.stdout.write(`wrote ${flags.output}${figures}\n`);
  }
}

async function begun(flags: Flags, checkpoint: string) {
  if (existsSync(checkpoint) && !flags.force) {
    throw mismatch(
      'E_ARGUMENT',
      'train',
      '--resume to go on or --force to start anew, as there is a checkpoint',
      checkpoint,
    );
  }
  const { kind, xi, rank, projection, shared, dtype, init, activation, seed } = flags;
  const plan = checkPlan(
    Object.fromEntries(Object.keys(DEFAULT_PLAN).map((key) => [key, flags[key as keyof Flags]])),
  );
  // Options are checked before the data are read; a patch size decides steps and inputs.
  const shape = {
    kind,
    xi,
    rank,
    projection,
    shared,
    dtype,
    init,
    seed,
    features: { size: flags.features, activation },
  };
  if (typeof rank === 'number') checkConfig({ ...shape, steps: 2, inputs: 1, outputs: 1 });
  const backend = openChosen(flags);
  const source = sourceOf(flags);
  const { data, validation } = await bothSplits(source, dtype ?? 'float32');
  const [, steps, inputs] = data.inputs.shape;
  const model = createModel({ ...shape, steps, inputs, outputs: data.classes, backend });
  return { trainer: new Trainer(model, data, plan), validation, source };
}

async function resumed(flags: Flags, command: Command, checkpoint: string) {
  if (flags.force) throw mismatch('E_ARGUMENT', '--resume', 'no --force, which starts anew', '--force');
  const refuse = (names: readonly string[]) => {
    const given = names.filter((name) => command.getOptionValueSource(name) === 'cli');
    if (given.length === 0) return;
    const options = given.map((name) => `--${name}`);
    throw mismatch('E_ARGUMENT', '--resume', 'no option that the checkpoint decides', options);
  };
  refuse(DECIDING);
  if (!existsSync(checkpoint))
    throw mismatch('E_FILE', '--resume', `a checkpoint at ${checkpoint}`, 'no such file');
  const { metadata } = await readSafetensors(checkpoint);
  const saved = trainingOf(checkpoint, metadata);
  // A checkpoint that a program saved does not say where its data are.
  if (saved.source) refuse(DATA);
  const source = saved.source ?? sourceOf(flags);
  const backend = openChosen(flags);
  const before = saved.backend;
  if (before.name !== backend.name || before.isa !== backend.isa) {
    process.stderr.write(
      `the checkpoint was made by ${before.name} ${before.isa}; on ${backend.name} ${backend.isa} the result will not be the same bits\n`,
    );
  }
  const { data, validation } = await bothSplits(source, configOf(checkpoint, metadata).dtype);
  return { trainer: await loadCheckpoint(checkpoint, data, { backend }), validation, source };
}

/** A folder as an absolute path, so that training can go on from another one. */
function sourceOf({ data, patch, limit }: DataChoice): DataSource {
  return { data: data === 'mnist' || data === '' ? data : resolve(data), patch, limit };
}

async function bothSplits(
  flags: DataChoice,
  dtype: 'float32' | 'float64',
): Promise<{ data: Dataset; validation: Dataset }> {
  const [data, validation] = await Promise.all([
    loadData(flags, 'train', dtype),
    loadData({ ...flags, limit: undefined }, 'test', dtype),
  ]);
  return { data, validation };
}

function describeEpoch({ epoch, epochs, loss, accuracy, validation, seconds }: EpochReport): string {
  const figures = [`loss ${loss.toFixed(4)}`, `accuracy ${percent(accuracy)}`];
  if (validation)
    figures.push(`test loss ${validation.loss.toFixed(4)}`, `test accuracy ${percent(validation.accuracy)}`);
  return `epoch ${String(epoch).padStart(String(epochs).length)} of ${epochs}: ${figures.join(', ')}, ${seconds.toFixed(1)} s`;
}

/**
 * The first Ctrl-C asks to stop after the running step, where a checkpoint is written; a second one, which is heard between
 * steps and while the checkpoint is being written, ends the process at once.
 */
function interruption(asked: () => void): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) {
      removePending();
      process.exit(130);
    }
    asked();
    controller.abort();
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  return {
    signal: controller.signal,
    end: () => {
      process.off('SIGINT', stop);
      process.off('SIGTERM', stop);
    },
  };
}
