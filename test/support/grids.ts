import { type Tensor, zeros } from '../../src/core/tensor.ts';
import type { Model } from '../../src/models/model.ts';

/** The grid tensor by definition: every sequence of templates [M,N] is scored. */
export function bruteGrid(model: Model, templates: Tensor): Tensor {
  const { steps: T, outputs, dtype } = model.config;
  const [M, N] = templates.shape;
  const X = zeros([M ** T, T, N], dtype);
  for (let n = 0; n < M ** T; n++) {
    for (let t = 0, rest = n; t < T; t++) {
      const place = T - 1 - t;
      const m = rest % M;
      rest = Math.floor(rest / M);
      X.data.set(templates.data.subarray(m * N, (m + 1) * N), (n * T + place) * N);
    }
  }
  return { ...model.score(X), shape: [...new Array<number>(T).fill(M), outputs] };
}
