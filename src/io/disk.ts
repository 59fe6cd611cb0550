import type { Tensor } from '../core/tensor.ts';
import { readFileChecked, writeFileAtomic } from './atomic.ts';
import { decodeNpy, encodeNpy } from './npy.ts';
import { decodeSafetensors, encodeSafetensors, type SafetensorsContent } from './safetensors.ts';

/** Reads an `.npy` file; see `decodeNpy`. */
export async function readNpy(path: string): Promise<Tensor> {
  return decodeNpy(await readFileChecked(path), path);
}

/** Writes an `.npy` file atomically; see `encodeNpy`. */
export async function writeNpy(path: string, tensor: Tensor): Promise<void> {
  await writeFileAtomic(path, encodeNpy(tensor));
}

/** Reads a safetensors file; see `decodeSafetensors`. */
export async function readSafetensors(path: string): Promise<SafetensorsContent> {
  return decodeSafetensors(await readFileChecked(path), path);
}

/** Writes a safetensors file atomically; see `encodeSafetensors`. */
export async function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, Tensor>,
  metadata: Record<string, string> = {},
): Promise<void> {
  await writeFileAtomic(path, encodeSafetensors(tensors, metadata));
}
