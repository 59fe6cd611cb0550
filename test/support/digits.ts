import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../../src/core/rng.ts';

/** Side of the images; patches of 4 make four steps of sixteen inputs. */
export const SIDE = 8;

function idx(axes: readonly number[], data: Uint8Array): Buffer {
  const head = Buffer.alloc(4 + 4 * axes.length);
  head.set([0, 0, 8, axes.length]);
  axes.forEach((extent, axis) => void head.writeUInt32BE(extent, 4 + 4 * axis));
  return Buffer.concat([head, data]);
}

/** Writes a small data set in MNIST's format: the label is the place of a bright row or column among noise. */
export function writeDigits(folder: string, counts: { train: number; test: number }): string {
  mkdirSync(folder, { recursive: true });
  for (const [split, stem] of [
    ['train', 'train'],
    ['test', 't10k'],
  ] as const) {
    const count = counts[split];
    const rng = new Rng(1, count);
    const labels = Uint8Array.from({ length: count }, () => rng.below(10));
    const pixels = Uint8Array.from({ length: count * SIDE * SIDE }, () => rng.below(80));
    labels.forEach((label, n) => {
      for (let i = 0; i < SIDE; i++) {
        const at = label < 5 ? label * SIDE + i : i * SIDE + label - 4;
        pixels[n * SIDE * SIDE + at] += 150;
      }
    });
    writeFileSync(join(folder, `${stem}-images-idx3-ubyte`), idx([count, SIDE, SIDE], pixels));
    writeFileSync(join(folder, `${stem}-labels-idx1-ubyte`), idx([count], labels));
  }
  return folder;
}
