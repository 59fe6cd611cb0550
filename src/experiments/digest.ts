import type { Tensor } from '../core/tensor.ts';
import { littleEndianBytes } from '../io/elements.ts';
import type { Model } from '../models/model.ts';

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
  littleEndianBytes(data),
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
