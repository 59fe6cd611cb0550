import type { Tensor } from '../../src/core/tensor.ts';
import { decodeSafetensors, encodeSafetensors } from '../../src/io/safetensors.ts';

/** A file from a header as it stands, its length as told, and `size` data bytes. */
export function file(header: string | Uint8Array, size = 0, length?: bigint): Uint8Array {
  const json = Buffer.from(header as string);
  const bytes = new Uint8Array(8 + json.length + size);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

export const info = (shape: unknown, begin: unknown, end: unknown, dtype = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
/** A file of tensors. */
export const encode = (tensors: Iterable<[string, Tensor]>, metadata: Record<string, string> = {}) =>
  encodeSafetensors(new Map(tensors), metadata);
/** What m.safetensors has in it. */
export const decode = (bytes: Uint8Array) => decodeSafetensors(bytes, 'm.safetensors');
