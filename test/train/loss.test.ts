import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { softmaxCrossEntropy } from '../../src/train/loss.ts';

describe('softmax cross-entropy', () => {
  it.each<[string, number[], number[], number, number]>([
    ['of equal scores is ln K', [0, 0, 0, 0], [2], Math.log(4), 0],
    // softmax(0, ln 3) = (1/4, 3/4)
    ['of odds 1 : 3 against the label', [0, Math.log(3)], [0], Math.log(4), 0],
    ['of odds 3 : 1 for the label', [0, Math.log(3)], [1], Math.log(4 / 3), 1],
    ['is a sum over rows', [0, Math.log(3), 5, 5], [1, 1], Math.log(4 / 3) + Math.log(2), 1],
    ['does not overflow', [1000, 0], [1], 1000, 0],
    ['does not underflow', [-1000, -1000], [0], Math.log(2), 1],
    ['of one class is 0', [3], [0], 0, 1],
  ])('%s', (_, scores, labels, loss, correct) => {
    const outputs = scores.length / labels.length;
    const got = softmaxCrossEntropy(Float64Array.from(scores), Int32Array.from(labels), outputs);
    expect(got.loss).toBeCloseTo(loss, 12);
    expect(got.correct).toBe(correct);
  });

  it('has the gradient (softmax − one-hot) / B', () => {
    const dScores = new Float64Array(4);
    softmaxCrossEntropy(Float64Array.of(0, Math.log(3), 0, 0), Int32Array.of(0, 1), 2, dScores);
    for (const [n, want] of [-0.375, 0.375, 0.25, -0.25].entries()) expect(dScores[n]).toBeCloseTo(want, 14);
  });

  it('has the gradient that central differences say', () => {
    const row = fc.array(fc.double({ min: -8, max: 8, noNaN: true }), { minLength: 3, maxLength: 3 });
    const rows = fc.array(fc.tuple(row, fc.nat(2)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(rows, (given) => {
        const scores = Float64Array.from(given.flatMap(([values]) => values));
        const labels = Int32Array.from(given, ([, label]) => label);
        const dScores = new Float64Array(scores.length);
        softmaxCrossEntropy(scores, labels, 3, dScores);
        const meanAt = (n: number, moved: number) => {
          const other = scores.with(n, moved);
          return softmaxCrossEntropy(other, labels, 3).loss / labels.length;
        };
        for (let n = 0; n < scores.length; n++) {
          const difference = (meanAt(n, scores[n] + 1e-5) - meanAt(n, scores[n] - 1e-5)) / 2e-5;
          expect(Math.abs(difference - dScores[n])).toBeLessThan(1e-8);
        }
      }),
    );
  });
});
