import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Loss } from '../../src/backend/interface.ts';
import { subjects } from '../support/subjects.ts';

describe.each(subjects)('losses, $label', ({ open }) => {
  const backend = open();
  const put = (data: ArrayLike<number>) => {
    const storage = backend.allocate('float64', data.length);
    storage.write(data);
    return storage;
  };
  /** The loss of scores by class, and its gradient. */
  const byClass = (loss: Loss, scores: ArrayLike<number>, labels: readonly number[]) => {
    const outputs = scores.length / labels.length;
    const dScores = backend.allocate('float64', scores.length);
    const sum = backend.loss(loss, labels.length, outputs, put(scores), Int32Array.from(labels), dScores);
    return { ...sum, dScores: dScores.read() };
  };

  it.each<[string, number[], number[], number, number]>([
    ['of equal scores is ln K', [0, 0, 0, 0], [2], Math.log(4), 0],
    // softmax(0, ln 3) = (1/4, 3/4)
    ['of odds 1 : 3 against the label', [0, Math.log(3)], [0], Math.log(4), 0],
    ['of odds 3 : 1 for the label', [0, Math.log(3)], [1], Math.log(4 / 3), 1],
    ['is a sum over rows', [0, Math.log(3), 5, 5], [1, 1], Math.log(4 / 3) + Math.log(2), 1],
    ['does not overflow', [1000, 0], [1], 1000, 0],
    ['does not underflow', [-1000, -1000], [0], Math.log(2), 1],
    ['of one class is 0', [3], [0], 0, 1],
  ])('softmax cross-entropy %s', (_, scores, labels, loss, correct) => {
    const got = byClass('softmax', scores, labels);
    expect(got.loss).toBeCloseTo(loss, 12);
    expect(got.correct).toBe(correct);
  });

  it('softmax has the gradient (softmax − one-hot) / B', () => {
    const { dScores } = byClass('softmax', [0, Math.log(3), 0, 0], [0, 1]);
    for (const [n, want] of [-0.375, 0.375, 0.25, -0.25].entries()) expect(dScores[n]).toBeCloseTo(want, 14);
  });

  it('mean squared error of targets, and of classes as one-hot rows', () => {
    const [scores, targets] = [put([1, 2, 3, 4]), put([0, 2, 1, 8])];
    const dScores = backend.allocate('float64', 4);
    const got = backend.loss('mse', 2, 2, scores, targets, dScores);
    expect(got).toEqual({ loss: (1 + 0) / 2 + (4 + 16) / 2, correct: 0 });
    expect([...dScores.read()]).toEqual([2 / 4, 0, 4 / 4, -8 / 4]);
    const oneHot = byClass('mse', [1, 2, 3, 4], [1, 0]);
    expect(oneHot).toMatchObject({ loss: (1 + 1) / 2 + (4 + 16) / 2, correct: 1 });
    expect([...oneHot.dScores]).toEqual([2 / 4, 2 / 4, 4 / 4, 8 / 4]);
  });

  it.each(['softmax', 'mse'] as const)('%s has the gradient that central differences say', (loss) => {
    const row = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 3, maxLength: 3 });
    const rows = fc.array(fc.tuple(row, fc.nat(2)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(rows, (given) => {
        const scores = Float64Array.from(given.flatMap(([values]) => values));
        const labels = given.map(([, label]) => label);
        const { dScores } = byClass(loss, scores, labels);
        const meanAt = (n: number, moved: number) =>
          byClass(loss, scores.with(n, moved), labels).loss / labels.length;
        for (let n = 0; n < scores.length; n++) {
          const difference = (meanAt(n, scores[n] + 1e-5) - meanAt(n, scores[n] - 1e-5)) / 2e-5;
          expect(Math.abs(difference - dScores[n])).toBeLessThan(1e-8);
        }
      }),
      { numRuns: 30 },
    );
  });
});
