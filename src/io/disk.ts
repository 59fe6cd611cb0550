import type { Inputs, Tensor } from '../core/tensor.ts';
import { readFileChecked, writeFileAtomic } from './atomic.ts';
import { decodeNpy, encodeNpy } from './npy.ts';
import { type Path, pathOf } from './path.ts';
import { decodeSafetensors, type SafetensorsContent, safetensorsChunks } from './safetensors.ts';

/** Reads an `.npy` file; see `decodeNpy`. */
export async function readNpy(file: Path): Promise<Tensor> {
  const path = pathOf('readNpy', file);
  return decodeNpy(await readFileChecked(path), path);
}

/** Writes an `.npy` file atomically; see `encodeNpy`. */
export async function writeNpy(path: Path, tensor: Inputs): Promise<void> {
  await writeFileAtomic(path, encodeNpy(tensor));
}

/** Reads a safetensors file; see `decodeSafetensors`. */
export async function readSafetensors(file: Path): Promise<SafetensorsContent> {
  const path = pathOf('readSafetensors', file);
  return decodeSafetensors(await readFileChecked(path), path);
}

/** Writes a safetensors file atomically; see `encodeSafetensors`. */
export async function writeSafetensors(
  path: Path,
  tensors: ReadonlyMap<string, Inputs>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  await writeFileAtomic(path, safetensorsChunks(tensors, metadata));
}
