import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import { counted } from '../core/counted.ts';
import { XiError } from '../core/errors.ts';
import { checkWritable } from '../io/atomic.ts';
import { lock } from '../io/lock.ts';
import { saveModel } from '../models/disk.ts';
import { saveCheckpoint } from '../train/checkpoint.ts';
import { watch } from '../train/evaluate.ts';
import { runTrainer } from '../train/fit.ts';
import type { EpochReport, Metrics } from '../train/options.ts';
import type { Trainer } from '../train/trainer.ts';
import { filesIn, type Parts } from './data.ts';
import { interruption } from './interruption.ts';
import { metadataFor } from './known.ts';
import { percent, printJson } from './options.ts';
import { type ProgressView, progressView } from './progress.ts';
import { begin, type Flags, resume } from './train_begin.ts';

export type { Flags } from './train_begin.ts';

/** Trains, with a checkpoint beside the output until the model is written. */
export async function train(flags: Flags, command: Command): Promise<void> {
  const checkpoint = `${flags.out}.checkpoint.safetensors`;
  // Its name is longer than that of the model.
  for (const file of [flags.out, checkpoint]) await checkWritable(file);
  // Two trainings with one checkpoint would go on from each other's.
  const release = await lock(flags.out);
  await trainAlone(flags, command, checkpoint).finally(release);
}

async function trainAlone(flags: Flags, command: Command, checkpoint: string): Promise<void> {
  let view: ProgressView | undefined;
  const interrupted = interruption(() => {
    view?.stop();
    if (!flags.json)
      process.stderr.write('stopping after this step and saving a checkpoint; Ctrl-C again ends at once\n');
  });
  const { trainer, parts, source } = flags.resume
    ? await resume(flags, command, checkpoint)
    : await begin(flags, checkpoint);
  for (const file of [flags.out, checkpoint]) await checkWritable(file, filesIn(source.data));
  if (!flags.json && existsSync(flags.out)) process.stderr.write(`replaces ${flags.out}\n`);
  const metadata = metadataFor(trainer.data, parts, source, trainer.plan.loss);
  const save = () => saveCheckpoint(trainer, checkpoint, { ...source }, metadata);
  // In the place of another training's, which --resume would go on with if this one were killed before it saves.
  if (flags.force && existsSync(checkpoint)) await save();
  view = progressView(trainer.steps, trainer.progress.step, flags.json === true);
  for (const line of introduction(trainer)) view.line(line);
  // Those before a checkpoint too.
  const epochs: EpochReport[] = trainer.history.map((ended) => ({ ...ended, epochs: trainer.plan.epochs }));
  const held = heldOf(trainer);
  try {
    const run = runTrainer(trainer, {
      signal: interrupted.signal,
      onStep: view.step,
      checkpoint: save,
    });
    for await (const epoch of run) {
      epochs.push(epoch);
      view.line(describeEpoch(epoch, held));
    }
    await saveModel(trainer.model, flags.out, metadata);
    await rm(checkpoint, { force: true });
  } catch (error) {
    if (!(error instanceof XiError && error.code === 'E_ABORTED')) throw error;
    view.stop();
    interrupted.stopped();
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
  await conclude(flags, trainer, parts, epochs);
}

/** What is scored after each epoch. */
const heldOf = ({ plan }: Trainer): string => (plan.validationSplit > 0 ? 'validation' : 'test');

function introduction({ model, data, plan, count, stepsPerEpoch, validation }: Trainer): string[] {
  const { name, isa, threads } = model.backend;
  const held = plan.validationSplit > 0 ? `, ${validation?.inputs.shape[0]} held back` : '';
  return [
    String(model),
    `${counted(count, 'example')} of ${data.name}${held}, ${counted(plan.epochs, 'epoch')} of ` +
      `${counted(stepsPerEpoch, 'step')}, ${name} ${isa}, ${counted(threads, 'thread')}`,
  ];
}

/** The record, or the line, at the end of a training. */
async function conclude(
  flags: Flags,
  trainer: Trainer,
  { test }: Parts,
  epochs: readonly EpochReport[],
): Promise<void> {
  const { model, plan, data, stopping } = trainer;
  // Where examples were held back nobody has seen the test part yet; else an epoch has its figures.
  const unseen = plan.validationSplit > 0 && test !== undefined;
  const written = epochs.find(({ epoch }) => epoch === (stopping.best?.epoch ?? epochs.length));
  const last = unseen ? await watch(model, test, { loss: plan.loss }) : written?.validation;
  const part = unseen ? 'test' : heldOf(trainer);
  const { name, isa, threads } = model.backend;
  if (flags.json) {
    printJson({
      model: flags.out,
      config: model.config,
      plan,
      backend: { name, isa, threads },
      data: data.name,
      epochs,
      ...(unseen && { test: last }),
    });
  } else process.stdout.write(`wrote ${flags.out}${last ? `, ${describe(`${part} `, last).at(-1)}` : ''}\n`);
}

/** Loss, and accuracy where there is one. */
function describe(what: string, { loss, accuracy }: Metrics): string[] {
  const figures = [`${what}loss ${loss.toFixed(4)}`];
  if (!Number.isNaN(accuracy)) figures.push(`${what}accuracy ${percent(accuracy)}`);
  return figures;
}

function describeEpoch(report: EpochReport, held: string): string {
  const { epoch, epochs, validation, best, seconds } = report;
  const figures = [...describe('', report), ...(validation ? describe(`${held} `, validation) : [])];
  if (best?.epoch === epoch) figures.push('the best so far');
  return `epoch ${String(epoch).padStart(String(epochs).length)} of ${epochs}: ${figures.join(', ')}, ${seconds.toFixed(1)} s`;
}
