import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { XiError } from '../../src/core/errors.ts';
import { readSafetensors, writeSafetensors } from '../../src/io/disk.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
import { sealed } from '../../src/train/seal.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { make, reference, refusal } from '../support/models.ts';
import { patterns } from '../support/patterns.ts';
import { temporaryFolder } from '../support/processes.ts';

const data = patterns(20, 3);
let folder: string;
beforeAll(async () => {
  folder = temporaryFolder();
  const trainer = new Trainer(make(), data, { epochs: 4, batch: 16, seed: 3 });
  for (let n = 0; n < 3; n++) trainer.step();
  await saveCheckpoint(trainer, path());
});
afterAll(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);
const path = () => inFolder('c.safetensors');

describe('a checkpoint', () => {
  it('with a second moment below 0 is refused', async () => {
    const { tensors, metadata } = await readSafetensors(path());
    tensors.get('adam.v.G.1')!.data[3] = -0.5;
    const broken = inFolder('broken.safetensors');
    await writeSafetensors(broken, tensors, sealed({ tensors, metadata }));
    await expect(loadCheckpoint(broken, data)).rejects.toThrow(
      refusal('E_FILE', /broken\.safetensors adam\.v G\.1: expected squares of at least 0, received -0\.5$/),
    );
  });

  it('without a checksum, as earlier versions wrote it, is refused', async () => {
    const { tensors, metadata } = await readSafetensors(path());
    const { sha256: _, ...before } = metadata;
    const old = inFolder('old.safetensors');
    await writeSafetensors(old, tensors, before);
    await expect(loadCheckpoint(old, data)).rejects.toThrow(
      refusal(
        'E_FILE',
        /old\.safetensors: expected a checksum under .*earlier versions lack, received 'none'$/,
      ),
    );
  });

  it('of which one bit is another is refused, whichever it is', async () => {
    const bytes = readFileSync(path());
    const flipped = inFolder('flipped.safetensors');
    const accepted: number[] = [];
    // An odd stride meets every part of the file and every place in a byte.
    for (let bit = 0; bit < 8 * bytes.length; bit += 43) {
      const broken = Buffer.from(bytes);
      broken[bit >> 3] ^= 1 << (bit & 7);
      writeFileSync(flipped, broken);
      const outcome = await loadCheckpoint(flipped, data, { backend: reference }).catch((e) => e);
      if (!(outcome instanceof XiError)) accepted.push(bit);
    }
    expect(accepted).toEqual([]);
    const { tensors, metadata } = await readSafetensors(path());
    tensors.get('G.1')!.data[0] += 1;
    await writeSafetensors(flipped, tensors, metadata);
    await expect(loadCheckpoint(flipped, data)).rejects.toThrow(
      refusal('E_FILE', /flipped\.safetensors: expected the content that its checksum .*has changed since$/),
    );
  });
});
