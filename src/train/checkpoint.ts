import { createHash } from 'node:crypto';
import type { Backend } from '../backend/interface.ts';
import { mismatch, XiError } from '../core/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import { readSafetensors, writeSafetensors } from '../io/safetensors.ts';
import { checkParameters, configOf, inFile, modelMetadata, withPrefix } from '../models/files.ts';
import { createModel } from '../models/model.ts';
import { checkPlan } from './options.ts';
import { type Progress, Trainer } from './trainer.ts';

interface SavedTraining {
  readonly plan: Record<string, unknown>;
  readonly progress: Progress;
  readonly data: { readonly name: string; readonly count: number; readonly digest: string };
  readonly backend: { readonly name: string; readonly isa: string };
  /** Where the data came from, when the command read them. */
  readonly source?: DataSource;
}

/** What decides which data the command reads. */
export interface DataSource {
  readonly data: string;
  readonly patch?: number;
  readonly limit?: number;
}

const digests = new WeakMap<Dataset, string>();

/** SHA-256 of inputs and labels; of a data set that does not change, taken once. */
function digestOf(data: Dataset): string {
  let digest = digests.get(data);
  if (digest === undefined) {
    const hash = createHash('sha256');
    for (const { buffer, byteOffset, byteLength } of [data.inputs.data, data.labels]) {
      hash.update(new Uint8Array(buffer, byteOffset, byteLength));
    }
    digests.set(data, (digest = hash.digest('hex')));
  }
  return digest;
}

/**
 * Writes everything that training needs to go on: a model file that also holds Adam's moments (`adam.m.*`, `adam.v.*`)
 * and, in the metadata, the plan and how far it has come. Appears whole or not at all.
 */
export async function saveCheckpoint(trainer: Trainer, path: string, source?: DataSource): Promise<void> {
  const { model, data, plan, progress } = trainer;
  const named = (prefix: string, block: typeof trainer.m) =>
    Object.entries(block.tensors()).map(([name, tensor]) => [prefix + name, tensor] as const);
  const saved: SavedTraining = {
    plan: { ...plan },
    progress,
    data: { name: data.name, count: data.labels.length, digest: digestOf(data) },
    backend: { name: model.backend.name, isa: model.backend.isa },
    source,
  };
  await writeSafetensors(
    path,
    new Map([...named('', model.block), ...named('adam.m.', trainer.m), ...named('adam.v.', trainer.v)]),
    { ...modelMetadata(model), training: JSON.stringify(saved) },
  );
}

/**
 * A trainer as it was when {@link saveCheckpoint} wrote the file; training goes on to the bit-identical result on the
 * same backend and instruction set.
 *
 * @throws XiError E_FILE when the file is broken or holds no training; E_ARGUMENT when the data are not those it was
 * trained on.
 */
export async function loadCheckpoint(
  path: string,
  data: Dataset,
  options: { readonly backend?: Backend } = {},
): Promise<Trainer> {
  const { tensors, metadata } = await readSafetensors(path);
  const saved = trainingOf(path, metadata);
  const config = configOf(path, metadata);
  const named = checkParameters(path, config, tensors);
  if (saved.data.name !== data.name || saved.data.count !== data.labels.length) {
    const expected = `the ${saved.data.count} examples of ${saved.data.name}`;
    throw mismatch('E_ARGUMENT', `${path} data`, expected, `${data.labels.length} of ${data.name}`);
  }
  const plan = inFile(path, () => checkPlan(saved.plan));
  const model = createModel({ ...config, backend: options.backend });
  model.setParameters(named);
  const trainer = new Trainer(model, data, plan);
  if (saved.data.digest !== digestOf(data)) {
    throw mismatch(
      'E_ARGUMENT',
      `${path} data`,
      'the values it was trained on',
      `others of the same name, ${data.name}`,
    );
  }
  inFile(path, () => {
    trainer.m.assign(`${path} adam.m`, withPrefix(tensors, 'adam.m.'));
    trainer.v.assign(`${path} adam.v`, withPrefix(tensors, 'adam.v.'));
    trainer.resume(saved.progress);
  });
  return trainer;
}

/** What a checkpoint's metadata say of its training; another backend goes on from it, but not to the same bits. */
export function trainingOf(path: string, metadata: Readonly<Record<string, string>>): SavedTraining {
  const text = Object.hasOwn(metadata, 'training') ? metadata.training : undefined;
  if (text === undefined)
    throw mismatch('E_FILE', path, "a checkpoint's state under the key 'training'", 'none');
  try {
    const saved = JSON.parse(text) as SavedTraining;
    const { step, loss, correct } = saved.progress;
    if (
      [step, loss, correct].every(Number.isFinite) &&
      typeof saved.data.name === 'string' &&
      typeof saved.backend.isa === 'string' &&
      (saved.source === undefined || typeof saved.source.data === 'string')
    )
      return saved;
  } catch (cause) {
    throw new XiError('E_FILE', `${path}: its training state is not valid JSON`, { cause });
  }
  throw mismatch('E_FILE', `${path} training`, '{ plan, progress, data, backend }', text);
}
