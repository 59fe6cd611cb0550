import { describe, expect, test } from 'vitest';
import { loadSplice } from '../../src/data/splice.ts';
import { refusal } from '../support/models.ts';

describe('the splice junctions', () => {
  test('are there whole, in stratified folds that do not overlap', async () => {
    const count = { rows: 0, ei: 0 };
    const seen = new Set<string>();
    for (let fold = 0; fold < 5; fold++) {
      const { train, test: held } = await loadSplice({ fold });
      expect(train.inputs.shape.slice(1)).toEqual([60, 4]);
      expect(train.labels.length + held.labels.length).toBe(3186);
      expect([637, 638]).toContain(held.labels.length);
      const ei = held.labels.filter((label) => label === 0).length;
      expect([153, 154]).toContain(ei);
      count.rows += held.labels.length;
      count.ei += ei;
      for (let n = 0; n < held.labels.length; n++)
        seen.add(`${held.inputs.data.subarray(240 * n, 240 * n + 240)}`);
    }
    expect(count).toEqual({ rows: 3186, ei: 767 });
    // Some sequences occur twice.
    expect(seen.size).toBeGreaterThan(2900);
  });

  test('are one-hot letters, the same for the same seed', async () => {
    const [{ train }, other] = [await loadSplice(), await loadSplice({ seed: 1 })];
    for (let row = 0; row < 100; row++)
      expect([...train.inputs.data.subarray(4 * row, 4 * row + 4)].sort()).toEqual([0, 0, 0, 1]);
    expect((await loadSplice()).train).toEqual(train);
    expect(other.train.inputs.data).not.toEqual(train.inputs.data);
    expect(train.classNames).toEqual(['ei', 'ie', 'n']);
    await expect(loadSplice({ fold: 5 })).rejects.toThrow(
      refusal('E_ARGUMENT', /fold: .*from 0 to 4, received 5/),
    );
  });
});
