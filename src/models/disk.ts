import type { Backend } from '../backend/interface.ts';
import { knownKeys } from '../core/errors.ts';
import { writeFileAtomic } from '../io/atomic.ts';
import { readSafetensors } from '../io/disk.ts';
import { type Path, pathOf } from '../io/path.ts';
import { safetensorsChunks } from '../io/safetensors.ts';
import { checkMetadata, finiteTensors, modelMetadata, modelOf } from './files.ts';
import { checkModel, type Model } from './model.ts';

/**
 * Writes a model's file, the bytes of `encodeModel`, with further metadata. It appears whole or not at all.
 *
 * @throws XiError E_NUMERIC for parameters that are not finite, which could not be loaded again; E_FILE.
 */
export async function saveModel(
  model: Model,
  file: Path,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  checkModel('saveModel', model);
  const path = pathOf('saveModel', file);
  const all = { ...checkMetadata('saveModel', metadata), ...modelMetadata(model) };
  const tensors = new Map(finiteTensors('saveModel', model.parameters));
  await writeFileAtomic(path, safetensorsChunks('saveModel', tensors, all));
}

/**
 * Reads a model that {@link saveModel} or a checkpoint wrote.
 *
 * @throws XiError as `decodeModel`, and E_FILE when the file cannot be read.
 */
export async function loadModel(file: Path, options: { readonly backend?: Backend } = {}): Promise<Model> {
  knownKeys('loadModel', options, ['backend']);
  const path = pathOf('loadModel', file);
  return modelOf(path, await readSafetensors(path), options.backend);
}
