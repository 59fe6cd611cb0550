import { createHash } from 'node:crypto';
import type { Backend } from '../backend/interface.ts';
import { integer, knownKeys, mismatch, XiError } from '../core/errors.ts';
import { type AnyDataset, checkDataset, countOf, hasTargets } from '../data/dataset.ts';
import { readSafetensors, writeSafetensors } from '../io/disk.ts';
import { type Path, pathOf } from '../io/path.ts';
import type { SafetensorsContent } from '../io/safetensors.ts';
import {
  checkParameters,
  configOf,
  finiteTensors,
  inFile,
  modelMetadata,
  withPrefix,
} from '../models/files.ts';
import { modelWith } from '../models/model.ts';
import { checkSquares } from './adam.ts';
import { checkEpsilon, checkPlan, MAX_EPOCHS, type Metrics, type TrainingPlan } from './options.ts';
import { checkTraining, type DataSource, planInFile, type SavedData, type SavedTraining } from './saved.ts';
import { checkSeal, sealed } from './seal.ts';
import { type EndedEpoch, Trainer } from './trainer.ts';

export type { DataSource } from './saved.ts';

const digests = new WeakMap<AnyDataset, string>();

/** SHA-256 of inputs, labels or targets and lengths; of a data set that does not change, taken once. */
function digestOf(data: AnyDataset): string {
  let digest = digests.get(data);
  if (digest === undefined) {
    const hash = createHash('sha256');
    for (const { buffer, byteOffset, byteLength } of [
      data.inputs.data,
      hasTargets(data) ? data.targets.data : data.labels,
      ...(data.lengths ? [data.lengths] : []),
    ]) {
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
    digests.set(data, (digest = hash.digest('hex')));
  }
  return digest;
}

const describe = (data: AnyDataset): SavedData => ({
  name: data.name,
  count: countOf(data),
  digest: digestOf(data),
});

/** What was given for validation, if the result depends on it. */
function watched({ plan, validation }: Trainer): AnyDataset | undefined {
  return plan.patience > 0 && plan.validationSplit === 0 ? validation : undefined;
}

/**
 * Writes everything that training needs to go on: a model file that also holds Adam's moments (`adam.m.*`, `adam.v.*`),
 * where early stopping watches the best parameters (`best.*`), and, in the metadata, the plan and how far it has come, beside
 * what a model file of `saveModel` would be given, and a checksum of all of it. Appears whole or not at all.
 *
 * @throws XiError E_NUMERIC for parameters or moments that are not finite, which could not be loaded again; E_FILE.
 */
export async function saveCheckpoint(
  trainer: Trainer,
  path: Path,
  source?: DataSource,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  if (!(trainer instanceof Trainer)) throw mismatch('E_ARGUMENT', 'saveCheckpoint', 'a Trainer', trainer);
  const { model, data, plan, progress, stopping, history, best } = trainer;
  const named = (prefix: string, block: typeof trainer.m) =>
    finiteTensors('saveCheckpoint', block.tensors()).map(
      ([name, tensor]) => [prefix + name, tensor] as const,
    );
  const saved: SavedTraining = {
    plan: planInFile(plan),
    progress,
    stopping,
    history,
    data: describe(data),
    validation: watched(trainer) && describe(watched(trainer)!),
    backend: { name: model.backend.name, isa: model.backend.isa },
    source,
  };
  const tensors = new Map([
    ...named('', model.block),
    ...named('adam.m.', trainer.m),
    ...named('adam.v.', trainer.v),
    ...(best && stopping.best ? named('best.', best) : []),
  ]);
  const all = { ...metadata, ...modelMetadata(model), training: JSON.stringify(saved) };
  await writeSafetensors(path, tensors, sealed({ tensors, metadata: all }));
}

/** What goes with a checkpoint that is gone on from. */
export interface CheckpointOptions {
  /** Where the model computes; the best of this machine by default. */
  readonly backend?: Backend;
  /** The validation data that training was begun with. */
  readonly validation?: AnyDataset;
  /**
   * More epochs than the checkpoint has in all, where that is training as if it had been begun with them: with the schedule
   * `constant` and without `patience`. Its own by default.
   */
  readonly epochs?: number;
}

/**
 * A trainer as it was when {@link saveCheckpoint} wrote the file; training goes on to the bit-identical result on the
 * same backend and instruction set.
 *
 * @throws XiError E_FILE when the file is broken or holds no training; E_ARGUMENT when the data are not those it was
 * trained on, or for an option of training, which is the checkpoint's.
 */
export async function loadCheckpoint(
  file: Path,
  data: AnyDataset,
  options: CheckpointOptions = {},
): Promise<Trainer> {
  knownKeys('loadCheckpoint', options, ['backend', 'validation', 'epochs']);
  const path = pathOf('loadCheckpoint', file);
  const content = await readSafetensors(path);
  const { tensors, metadata } = content;
  checkDataset('loadCheckpoint data', data);
  const saved = trainingOf(path, content);
  const config = configOf(path, metadata);
  const named = checkParameters(path, config, tensors);
  checkSame(`${path} data`, saved.data, data);
  const own = inFile(path, () => checkPlan(path, saved.plan));
  const plan = { ...own, epochs: epochsFor(own, options.epochs) };
  if (plan.patience > 0 && plan.validationSplit === 0 && !options.validation) {
    const which = saved.validation ? `, ${saved.validation.count} examples of ${saved.validation.name}` : '';
    const expected = `the validation data that training was begun with${which}`;
    throw mismatch('E_ARGUMENT', 'loadCheckpoint validation', expected, options.validation);
  }
  inFile(path, () => checkEpsilon(path, plan, config.dtype));
  const model = modelWith('loadCheckpoint', config, options.backend, named);
  const trainer = new Trainer(model, data, plan, options.validation, 'loadCheckpoint');
  checkValues(`${path} data`, saved.data, data);
  const watching = watched(trainer);
  if (watching && saved.validation) {
    checkSame(`${path} validation`, saved.validation, watching);
    checkValues(`${path} validation`, saved.validation, watching);
  }
  inFile(path, () => {
    trainer.m.assign(`${path} adam.m`, withPrefix(tensors, 'adam.m.'));
    const squares = withPrefix(tensors, 'adam.v.');
    checkSquares(`${path} adam.v`, squares);
    trainer.v.assign(`${path} adam.v`, squares);
    if (saved.stopping.best) trainer.best?.assign(`${path} best`, withPrefix(tensors, 'best.'));
    trainer.resume(saved.progress, saved.stopping, saved.history.map(withNaN));
  });
  return trainer;
}

/** The epochs of a training that goes on. @throws XiError E_ARGUMENT where more of them would have been another training from the start. */
function epochsFor({ epochs, schedule, patience }: TrainingPlan, wanted = epochs): number {
  const where = 'loadCheckpoint epochs';
  if (wanted === epochs) return epochs;
  if (schedule !== 'constant')
    throw mismatch('E_ARGUMENT', where, `${epochs}, as its schedule ${schedule} goes by them`, wanted);
  if (patience > 0)
    throw mismatch('E_ARGUMENT', where, `${epochs}, of which its patience takes the best`, wanted);
  return integer(where, wanted, epochs, MAX_EPOCHS);
}

/** JSON has no NaN, which is the accuracy on real targets, and the loss of validation data that scores overflow on. */
function withNaN(epoch: EndedEpoch): EndedEpoch {
  const figures = <F extends Metrics>(metrics: F): F => ({
    ...metrics,
    loss: metrics.loss ?? Number.NaN,
    accuracy: metrics.accuracy ?? Number.NaN,
  });
  return { ...figures(epoch), ...(epoch.validation && { validation: figures(epoch.validation) }) };
}

function checkSame(where: string, saved: SavedData, data: AnyDataset): void {
  const count = countOf(data);
  if (saved.name === data.name && saved.count === count) return;
  const expected = `the ${saved.count} examples of ${saved.name}`;
  throw mismatch('E_ARGUMENT', where, expected, `${count} of ${data.name}`);
}

function checkValues(where: string, saved: SavedData, data: AnyDataset): void {
  if (saved.digest === digestOf(data)) return;
  const others = `others of the same name, ${data.name}`;
  throw mismatch('E_ARGUMENT', where, 'the values it was trained on', others);
}

/**
 * What a checkpoint's metadata say of its training; another backend goes on from it, but not to the same bits.
 *
 * @throws XiError E_FILE for what is no checkpoint, or has changed since it was written.
 */
export function trainingOf(path: string, content: SafetensorsContent): SavedTraining {
  const { metadata } = content;
  const text = Object.hasOwn(metadata, 'training') ? metadata.training : undefined;
  if (text === undefined)
    throw mismatch('E_FILE', path, "a checkpoint's state under the key 'training'", 'none');
  checkSeal(path, content);
  let saved: unknown;
  try {
    saved = JSON.parse(text);
  } catch (cause) {
    throw new XiError('E_FILE', `${path}: its training state is not valid JSON`, { cause });
  }
  return checkTraining(`${path} training`, saved);
}
