import type { TensorsByName } from '../core/named.ts';
import type { Inputs, Tensor } from '../core/tensor.ts';
import { readFileChecked, writeFileAtomic } from './atomic.ts';
import { decodeNpy, npyBytes } from './npy.ts';
import { type Path, pathOf } from './path.ts';
import { decodeSafetensors, type SafetensorsContent, safetensorsChunks } from './safetensors.ts';

/** Reads an `.npy` file; see `decodeNpy`. */
export async function readNpy(file: Path): Promise<Tensor> {
  const path = pathOf('readNpy', file);
  return decodeNpy(await readFileChecked(path), path);
}

/** Writes an `.npy` file atomically; see `encodeNpy`. */
export async function writeNpy(file: Path, tensor: Inputs): Promise<void> {
  const path = pathOf('writeNpy', file);
  await writeFileAtomic(path, npyBytes('writeNpy', tensor));
}

/** Reads a safetensors file; see `decodeSafetensors`. */
export async function readSafetensors(file: Path): Promise<SafetensorsContent> {
  const path = pathOf('readSafetensors', file);
  return decodeSafetensors(await readFileChecked(path), path);
}

/** Writes a safetensors file atomically; see `encodeSafetensors`. */
export async function writeSafetensors(
  file: Path,
  tensors: TensorsByName<Inputs>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const path = pathOf('writeSafetensors', file);
  await writeFileAtomic(path, safetensorsChunks('writeSafetensors', tensors, metadata));
}
