import { expect, it } from 'vitest';
import { crossValidateSplice, type FoldRecord, SPLICE_EXPERIMENT } from '../../src/experiments/splice.ts';
import { refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

const [{ open }] = subjects;

async function run(change: object = {}) {
  const records: FoldRecord[] = [];
  const small = { model: { ...SPLICE_EXPERIMENT.model, rank: 4, features: { size: 4 } }, folds: 3 };
  const plan = { ...SPLICE_EXPERIMENT.plan, epochs: 2, batch: 100 };
  const experiment = { ...SPLICE_EXPERIMENT, ...small, plan, ...change };
  for await (const record of crossValidateSplice(experiment, { backend: open(1) })) records.push(record);
  return records;
}

it('a fold is a record, and the seed decides all of them', async () => {
  const records = await run();
  expect(records.map(({ fold }) => fold)).toEqual([0, 1, 2]);
  expect(records.reduce((sum, { count }) => sum + count, 0)).toBe(3186);
  for (const record of records) {
    expect(record).toMatchObject({
      epochs: 2,
      best: { epoch: expect.any(Number) },
      parameters: expect.any(Number),
    });
    expect(record.accuracy).toBeGreaterThan(0.2);
  }
  expect(await run()).toEqual(records);
  expect(await run({ seed: 1 })).not.toEqual(records);
});

it('is plain data, and refuses what it does not know', async () => {
  expect(JSON.parse(JSON.stringify(SPLICE_EXPERIMENT))).toEqual(SPLICE_EXPERIMENT);
  await expect(run({ fold: 1 })).rejects.toThrow(refusal('E_ARGUMENT', /received 'fold'/));
  await expect(run({ folds: 3, plan: { lr: 1 } })).rejects.toThrow(refusal('E_ARGUMENT', /received 'lr'/));
});
