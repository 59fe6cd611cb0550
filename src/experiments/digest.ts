import type { FloatArray, Tensor } from '../core/tensor.ts';
import type { Model } from '../models/model.ts';

const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** The elements as little-endian bytes, as safetensors has them. */
function bytesOf(data: FloatArray): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice();
  if (!little) {
    const size = data.BYTES_PER_ELEMENT;
    for (let at = 0; at < bytes.length; at += size) bytes.subarray(at, at + size).reverse();
  }
  return bytes;
}

async function sha256(parts: readonly Uint8Array[]): Promise<string> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', all));
  return `sha256:${Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}

const tensorParts = (name: string, { dtype, shape, data }: Tensor) => [
  new TextEncoder().encode(`${name} ${dtype} [${shape.join(',')}]\n`),
  bytesOf(data),
];

/** SHA-256 of dtype, shape and little-endian elements. */
export function tensorDigest(tensor: Tensor): Promise<string> {
  return sha256(tensorParts('tensor', tensor));
}

/**
 * SHA-256 of what decides a model's scores: kind, ξ, sizes and activation, then every parameter with its name, dtype and shape; not
 * of its seed, and not of the file it came from.
 */
export function modelDigest(model: Model): Promise<string> {
  const { kind, xi, steps, inputs, outputs, features, shared, dtype } = model.config;
  const diagonal = model.config.diagonal ?? false;
  const words = {
    kind,
    xi,
    steps,
    inputs,
    outputs,
    activation: features.activation,
    shared,
    diagonal,
    dtype,
  };
  const head = new TextEncoder().encode(`${JSON.stringify(words)}\n`);
  const parameters = Object.entries(model.parameters).flatMap(([name, tensor]) => tensorParts(name, tensor));
  return sha256([head, ...parameters]);
}
