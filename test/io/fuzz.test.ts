import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { knownFrom } from '../../src/cli/known.ts';
import { XiError } from '../../src/core/errors.ts';
import { tensor } from '../../src/core/tensor.ts';
import { loadCsv } from '../../src/data/csv.ts';
import { decodeIdx } from '../../src/data/idx.ts';
import { type Certificate, checkCertificate } from '../../src/experiments/certificate.ts';
import { certify } from '../../src/experiments/certify.ts';
import { decodeNpy, encodeNpy } from '../../src/io/npy.ts';
import { decodeSafetensors } from '../../src/io/safetensors.ts';
import { decodeModel } from '../../src/models/files.ts';
import { createModel } from '../../src/models/model.ts';
import { loadCheckpoint, saveCheckpoint } from '../../src/train/checkpoint.ts';
import { checkPlan } from '../../src/train/options.ts';
import { Trainer } from '../../src/train/trainer.ts';
import { reference } from '../support/models.ts';
import { temporaryFolder } from '../support/processes.ts';

/** Cut short, bits flipped, other letters, a part left out or there twice. */
const damage = fc.oneof(
  fc.record({ kind: fc.constant('cut' as const), at: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({
    kind: fc.constantFrom('flip' as const, 'write' as const, 'drop' as const, 'repeat' as const),
    at: fc.double({ min: 0, max: 0.999999, noNaN: true }),
    by: fc.integer({ min: 1, max: 94 }),
  }),
);
type Damage = { kind: string; at: number; by?: number };

function damaged(bytes: Uint8Array, all: readonly Damage[]): Buffer {
  return all.reduce((so, { kind, at: part, by = 0 }) => {
    const at = Math.floor(part * so.length);
    if (kind === 'cut') return so.subarray(0, at);
    if (kind === 'drop') return Buffer.concat([so.subarray(0, at), so.subarray(at + (by % 8) + 1)]);
    if (kind === 'repeat') return Buffer.concat([so.subarray(0, at + by), so.subarray(at)]);
    const copy = Buffer.from(so);
    if (copy.length > 0) copy[at] = kind === 'flip' ? copy[at] ^ (1 << (by % 8)) : 31 + by;
    return copy;
  }, Buffer.from(bytes));
}

/** Reads files that were damaged: whatever is not accepted is refused by an XiError. */
async function survives(bytes: Uint8Array, read: (bytes: Buffer) => unknown, numRuns: number): Promise<void> {
  const property = fc.asyncProperty(fc.array(damage, { minLength: 1, maxLength: 3 }), async (all) => {
    try {
      await read(damaged(bytes, all));
    } catch (error) {
      if (!(error instanceof XiError)) throw error;
    }
  });
  await fc.assert(property, { numRuns });
}

describe('damaged files are read, or refused by an XiError:', () => {
  let folder: string;
  beforeAll(() => {
    folder = temporaryFolder();
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const path = () => join(folder, 'damaged');
  const stored = (read: (path: string) => Promise<unknown>) => (bytes: Buffer) => {
    writeFileSync(path(), bytes);
    return read(path());
  };

  it('.npy', () =>
    survives(
      encodeNpy(
        tensor([
          [1, 2, 3],
          [4, 5, 6],
        ]),
      ),
      (bytes) => decodeNpy(bytes, 'f'),
      2000,
    ));

  it('IDX', () => {
    const bytes = Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4);
    return survives(bytes, (given) => decodeIdx(given, 'f'), 2000);
  });

  it('CSV', () => {
    const text = Buffer.from('a,b,label\n1,2,x\n"3",4,y\n');
    return survives(
      text,
      stored((file) => loadCsv(file, { inputs: 2 })),
      300,
    );
  });

  it('models and checkpoints', async () => {
    const data = {
      ...{ name: 'd', labels: Int32Array.of(0, 1, 0, 1, 0, 1), classes: 2 },
      inputs: { dtype: 'float32', shape: [6, 3, 2], data: new Float32Array(36) },
    } as const;
    const sizes = { kind: 'tt', xi: 'rectifier', steps: 3, inputs: 2, outputs: 2, rank: 2 } as const;
    const model = createModel({ ...sizes, features: { size: 2 }, backend: reference });
    const plan = checkPlan('fit', { epochs: 2, batch: 2, validationSplit: 0.4, patience: 3 });
    const trainer = new Trainer(model, data, plan);
    while (!trainer.epochIsOpen) trainer.step();
    trainer.endEpoch({ loss: 1, accuracy: 0.5 });
    const beside = { classes: '["a","b"]', vocabulary: '["<pad>","<unk>","x"]', alphabet: 'ab' };
    await saveCheckpoint(trainer, path(), { data: 'mnist' }, beside);
    const read = stored(async (file) => {
      const bytes = readFileSync(file);
      knownFrom(file, decodeSafetensors(bytes, file).metadata);
      decodeModel(bytes, { backend: reference });
      await loadCheckpoint(file, data, { backend: reference });
    });
    await read(readFileSync(path()));
    await survives(readFileSync(path()), read, 500);
  });

  it('certificates', async () => {
    const sizes = { kind: 'tt', xi: 'rectifier', steps: 3, inputs: 2, outputs: 1, rank: 2 } as const;
    const model = createModel({ ...sizes, features: { size: 2 }, dtype: 'float64', backend: reference });
    const templates = tensor([
      [1, 0],
      [0, 1],
    ]);
    const { certificate } = await certify(model, templates, { exact: true });
    const keys = Object.keys(certificate!) as (keyof Certificate)[];
    const numbers = fc.array(fc.oneof(fc.integer({ min: -2, max: 9 }), fc.double()));
    const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.integer(), numbers, fc.array(numbers));
    const outcomes = { refused: 0, holds: 0 };
    const property = fc.asyncProperty(fc.constantFrom(...keys), value, async (key, changed) => {
      try {
        await checkCertificate(model, templates, { ...certificate, [key]: changed });
        outcomes.holds++;
      } catch (error) {
        if (!(error instanceof XiError)) throw error;
        outcomes.refused++;
      }
    });
    await fc.assert(property, { numRuns: 2000 });
    expect(outcomes.refused).toBeGreaterThan(1500);
  });
});
