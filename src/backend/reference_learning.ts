import type { Kernels } from './interface.ts';
import { arrayOf } from './storage.ts';

/** The definitions of what learning needs beside contractions: tokens, losses, the optimizer. */
export const learningKernels: Pick<Kernels, 'embed' | 'embedGradient' | 'loss' | 'adam'> = {
  embed(rows, M, N, tokens, AIn, zIn) {
    const [A, z] = [AIn, zIn].map(arrayOf);
    for (let r = 0; r < rows; r++) {
      for (let m = 0; m < M; m++) z[r * M + m] = A[m * N + tokens[r]];
    }
  },

  embedGradient(rows, M, N, tokens, dzIn, dA) {
    const dz = arrayOf(dzIn);
    const sums = new Float64Array(M * N);
    for (let r = 0; r < rows; r++) {
      for (let m = 0; m < M; m++) sums[m * N + tokens[r]] += dz[r * M + m];
    }
    dA.write(sums);
  },

  loss(loss, rows, outputs, scoresIn, answers, dScores) {
    const scores = arrayOf(scoresIn);
    const classes = answers instanceof Int32Array ? answers : undefined;
    const targets = answers instanceof Int32Array ? undefined : arrayOf(answers);
    const gradient = new Float64Array(rows * outputs);
    const total = { loss: 0, correct: 0 };
    for (let r = 0; r < rows; r++) {
      const row = r * outputs;
      const isClass = (k: number) => Number(classes?.[r] === k);
      let best = 0;
      for (let k = 1; k < outputs; k++) if (scores[row + k] > scores[row + best]) best = k;
      if (outputs > 0) total.correct += isClass(best);
      if (loss === 'softmax') {
        const top = scores[row + best];
        let sum = 0;
        for (let k = 0; k < outputs; k++) sum += Math.exp(scores[row + k] - top);
        total.loss += Math.log(sum) + (top - scores[row + classes![r]]);
        for (let k = 0; k < outputs; k++)
          gradient[row + k] = (Math.exp(scores[row + k] - top) / sum - isClass(k)) / rows;
      } else {
        for (let k = 0; k < outputs; k++) {
          const difference = scores[row + k] - (targets ? targets[row + k] : isClass(k));
          total.loss += difference ** 2 / outputs;
          gradient[row + k] = (2 * difference) / rows / outputs;
        }
      }
    }
    dScores?.write(gradient);
    return total;
  },

  adam(pIn, gIn, mIn, vIn, o) {
    const [p, g, m, v] = [pIn, gIn, mIn, vIn].map(arrayOf);
    for (let n = 0; n < p.length; n++) {
      const gradient = g[n] * o.scale;
      m[n] = o.beta1 * m[n] + (1 - o.beta1) * gradient;
      v[n] = o.beta2 * v[n] + (1 - o.beta2) * gradient * gradient;
      const step = (o.rate * (m[n] / o.correction1)) / (Math.sqrt(v[n] / o.correction2) + o.epsilon);
      p[n] = (1 - o.decay) * p[n] - step;
    }
  },
};
