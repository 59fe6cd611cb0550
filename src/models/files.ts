import type { Backend } from '../backend/interface.ts';
import { checkBackend } from '../backend/selection.ts';
import { knownKeys, mismatch, XiError } from '../core/errors.ts';
import { checkFinite, type Tensor } from '../core/tensor.ts';
import { checkBytes } from '../io/npy.ts';
import { decodeSafetensors, joined, type SafetensorsContent, safetensorsChunks } from '../io/safetensors.ts';
import { checkConfig, type ModelConfig, type ModelOptions } from './config.ts';
import { layoutOf } from './families.ts';
import { checkModel, type Model, modelWith } from './model.ts';
import { checkNamed, type NamedTensors } from './parameters.ts';

/** Format of the configuration in a file's metadata, under the key `xitensor`. */
const FORMAT = 1;

/** The metadata of a model's file: its configuration, from which {@link decodeModel} builds it again. */
export function modelMetadata(model: Model): Record<string, string> {
  return { format: 'xitensor', xitensor: JSON.stringify({ format: FORMAT, config: model.config }) };
}

/**
 * The bytes of a model's file, which is safetensors: parameters under their names, the configuration in the metadata, beside others
 * that are given.
 */
export function encodeModel(
  model: Model,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  checkModel('encodeModel', model);
  const all = { ...checkMetadata('encodeModel', metadata), ...modelMetadata(model) };
  return joined(safetensorsChunks('encodeModel', new Map(Object.entries(model.parameters)), all));
}

/** @throws XiError E_ARGUMENT for what has no texts by name: spread, it would be none or its letters. */
export function checkMetadata<M>(where: string, metadata: M): M {
  if (typeof metadata === 'object' && metadata !== null) return metadata;
  throw mismatch('E_ARGUMENT', `${where} metadata`, 'an object of strings', metadata);
}

/** How {@link decodeModel} names the file in errors, and where the model computes. */
export interface DecodeOptions {
  /** Where the model computes; the best of this machine by default. */
  readonly backend?: Backend;
  /** What messages call the bytes: a path or an address. */
  readonly where?: string;
}

/**
 * The model in the bytes of a file that {@link encodeModel}, `saveModel` or a checkpoint wrote.
 *
 * @throws XiError E_FILE when the bytes are broken or no model of ours; E_SHAPE or E_DTYPE when the tensors contradict
 * the configuration.
 */
export function decodeModel(bytes: Uint8Array | ArrayBuffer, options: DecodeOptions = {}): Model {
  knownKeys('decodeModel', options, ['backend', 'where']);
  const { backend, where = 'model' } = options;
  checkBackend('decodeModel', backend);
  return modelOf(where, decodeSafetensors(checkBytes('decodeModel', bytes, where), where), backend);
}

/** The model in the tensors and metadata of a file. */
export function modelOf(path: string, { tensors, metadata }: SafetensorsContent, backend?: Backend): Model {
  const config = configOf(path, metadata);
  const named = checkParameters(path, config, tensors);
  return modelWith('loadModel', config, backend, named);
}

/** The parameters in a file, compared with its configuration before a model of the sizes that it claims is made. */
export function checkParameters(
  path: string,
  config: ModelConfig,
  tensors: ReadonlyMap<string, Tensor>,
): ReadonlyMap<string, Tensor> {
  const layout = layoutOf(config);
  return inFile(path, () => checkNamed(path, layout, config.dtype, parametersIn(tensors)));
}

/** Tensors to be written by name. @throws XiError E_NUMERIC: with NaN or an infinity in it the file could not be loaded again. */
export function finiteTensors(where: string, named: NamedTensors): [name: string, tensor: Tensor][] {
  const all = Object.entries(named);
  for (const [name, { data }] of all) checkFinite(`${where} ${name}`, data);
  return all;
}

/** Calls a check whose values come from a file: what would be a wrong argument elsewhere is a broken file here. */
export function inFile<T>(path: string, check: () => T): T {
  try {
    return check();
  } catch (cause) {
    if (!(cause instanceof XiError && cause.code === 'E_ARGUMENT')) throw cause;
    throw new XiError(
      'E_FILE',
      cause.message.startsWith(path) ? cause.message : `${path}: ${cause.message}`,
      {
        cause,
      },
    );
  }
}

/** The configuration in a file's metadata, checked. */
export function configOf(path: string, metadata: Readonly<Record<string, string>>): ModelConfig {
  const text = Object.hasOwn(metadata, 'xitensor') ? metadata.xitensor : undefined;
  if (text === undefined)
    throw mismatch('E_FILE', path, "a model's configuration under the key 'xitensor'", 'none');
  let parsed: { format?: unknown; config?: ModelOptions };
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw new XiError('E_FILE', `${path}: its configuration is not JSON`, { cause });
  }
  if (parsed?.format !== FORMAT)
    throw mismatch('E_FILE', `${path} format`, `format ${FORMAT}`, parsed?.format);
  return inFile(path, () => checkConfig(path, parsed.config as ModelOptions));
}

/** The parameters among a file's tensors: all but the moments and the best parameters that a checkpoint adds. */
function parametersIn(tensors: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
  return new Map([...tensors].filter(([name]) => !/^(adam|best)\./.test(name)));
}

/** Tensors of a file whose names begin with `prefix`, without it. */
export function withPrefix(tensors: ReadonlyMap<string, Tensor>, prefix: string): Map<string, Tensor> {
  const found = [...tensors].filter(([name]) => name.startsWith(prefix));
  return new Map(found.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}
