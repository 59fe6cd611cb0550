import { describe, expect, it } from 'vitest';
import { exactRank } from '../../src/analysis/exact_rank.ts';
import { gridTensor } from '../../src/analysis/grid.ts';
import { tensor, tokens } from '../../src/core/tensor.ts';
import { checkCertificate } from '../../src/experiments/certificate.ts';
import { certify } from '../../src/experiments/certify.ts';
import { make, refusal } from '../support/models.ts';

describe('tokens as templates', () => {
  const features = { size: 3, activation: 'identity', embedding: true } as const;
  const model = make({ inputs: 6, features, steps: 4, outputs: 1, init: 'normal' });
  const words = tokens([4, 0, 5]);
  const row = (token: number) => Array.from({ length: 6 }, (_, n) => Number(n === token));
  const rows = tensor([4, 0, 5].map(row), undefined, 'float32');

  it('are the one-hot rows that they stand for', async () => {
    const grid = gridTensor(model, words);
    expect(grid).toEqual(gridTensor(model, rows));
    expect(gridTensor(model, words, { dtype: 'float64' }).dtype).toBe('float64');
    // Γ[0,2,1,0] is the score of the words 4, 5, 0, 4.
    const at = ((0 * 3 + 2) * 3 + 1) * 3;
    expect(grid.data[at]).toBeCloseTo(model.score(tokens([[4, 5, 0, 4]])).data[0], 5);
    expect(exactRank(model, words, [0, 1])).toEqual(exactRank(model, rows, [0, 1]));
    const { certificate, rank } = await certify(model, words, { exact: true });
    expect(rank).toBe((await certify(model, rows, { exact: true })).rank);
    for (const templates of [words, rows])
      expect(await checkCertificate(model, templates, certificate)).toEqual(certificate);
  });

  it('are refused where they are none of the model, or no list', async () => {
    expect(() => gridTensor(model, tokens([0, 6]))).toThrow(
      refusal('E_ARGUMENT', /^gridTensor templates\[1\]: expected a token from 0 to 5, received 6$/),
    );
    expect(() => gridTensor(model, tokens([[0, 1]]))).toThrow(refusal('E_SHAPE', /tokens \[M\]/));
    expect(() => exactRank(model, tokens([-1]), [0])).toThrow(refusal('E_ARGUMENT', /exactRank templates/));
    await expect(certify(model, tokens([9]))).rejects.toThrow(refusal('E_ARGUMENT', /certify templates/));
  });
});
