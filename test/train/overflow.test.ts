import { describe, expect, it } from 'vitest';
import { selectDataset } from '../../src/data/dataset.ts';
import { evaluate, evaluateAsync } from '../../src/train/evaluate.ts';
import { fit as train } from '../../src/train/fit.ts';
import { make, refusal } from '../support/models.ts';
import { patterns } from '../support/patterns.ts';

/** Sequences of which number 612, in the second part that is scored, is too large for float32. */
function large() {
  const data = patterns(700, 3);
  data.inputs.data.fill(3e38, 612 * 12, 613 * 12);
  return data;
}

describe('scores that overflow', () => {
  it('are no figures: evaluate names the first', async () => {
    const [model, data] = [make({ xi: 'product' }), large()];
    const message = (where: string) =>
      refusal(
        'E_NUMERIC',
        new RegExp(`^${where}: expected finite scores, received .* for sequence \\[612\\] of patterns$`),
      );
    expect(() => evaluate(model, data)).toThrow(message('evaluate'));
    await expect(evaluateAsync(model, data)).rejects.toThrow(message('evaluateAsync'));
    expect(evaluate(model, selectDataset(data, [611, 613])).loss).toBeLessThan(10);
  });

  it('of validation data are NaN, and cost no training', async () => {
    const reports = [];
    const options = { epochs: 2, batch: 20, patience: 5, validation: large() };
    for await (const report of train(make({ xi: 'product' }), patterns(40, 3), options)) reports.push(report);
    expect(reports.map(({ validation, best }) => ({ validation, best }))).toEqual(
      new Array(2).fill({ validation: { loss: Number.NaN, accuracy: Number.NaN }, best: undefined }),
    );
  });
});
