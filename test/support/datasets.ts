import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Rng } from '../../src/core/rng.ts';

const BATCHES = [...[1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`), 'test_batch.bin'];
const WORDS = 'it was the film of a year that we saw'.split(' ');

/** CIFAR-10's binary version with eight images a file, of three classes: those of class c are brightest in plane c. */
export function writeCifar10(folder: string, rng = new Rng(1)): void {
  mkdirSync(folder, { recursive: true });
  for (const name of BATCHES) {
    const bytes = Uint8Array.from({ length: 8 * 3073 }, () => rng.below(256));
    for (let n = 0; n < 8; n++) {
      bytes[3073 * n] = n % 3;
      bytes.fill(250, 3073 * n + 1 + 1024 * (n % 3), 3073 * n + 1 + 1024 * ((n % 3) + 1));
    }
    writeFileSync(join(folder, name), bytes);
  }
}

/** The folder aclImdb with forty reviews of each class and part, which one word tells apart. */
export function writeImdb(folder: string, rng = new Rng(2)): void {
  for (const part of ['train', 'test']) {
    for (const [name, word] of [
      ['neg', 'dreadful'],
      ['pos', 'lovely'],
    ]) {
      mkdirSync(join(folder, part, name), { recursive: true });
      for (let n = 0; n < 40; n++) {
        const text = Array.from({ length: 5 + rng.below(120) }, () => WORDS[rng.below(WORDS.length)]);
        writeFileSync(join(folder, part, name, `${n}_5.txt`), [...text, word, 'end'].slice(-90).join(' '));
      }
    }
  }
}
