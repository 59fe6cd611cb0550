import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, tensor, tokens, zeros } from '../../src/core/tensor.ts';
import type { ModelOptions } from '../../src/models/config.ts';
import { createModel } from '../../src/models/model.ts';
import { expectClose } from '../support/golden.ts';
import { refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

const [BATCH, STEPS, WORDS] = [7, 5, 11];
const rng = new Rng(3);
const drawn = tokens(
  Int32Array.from({ length: BATCH * STEPS }, () => rng.below(WORDS)),
  [BATCH, STEPS],
);
const dScores = tensor(
  Float64Array.from({ length: BATCH * 3 }, () => rng.normal()),
  [BATCH, 3],
);

function oneHot(dtype: 'float32' | 'float64'): Tensor {
  const X = zeros([BATCH, STEPS, WORDS], dtype);
  drawn.data.forEach((token, n) => {
    X.data[n * WORDS + token] = 1;
  });
  return X;
}

const FAMILIES: readonly Partial<ModelOptions>[] = [
  { kind: 'tt' },
  { kind: 'tt', shared: true },
  { kind: 'cp', rank: 6 },
  { kind: 'ht', rank: 4 },
];

describe.each(subjects)('tokens, $label', ({ label, open }) => {
  const backend = open();
  it.each(FAMILIES)('are the one-hot rows that they stand for, $kind, shared: $shared', (family) => {
    for (const dtype of ['float32', 'float64'] as const) {
      const options = { xi: 'rectifier', steps: STEPS, inputs: WORDS, outputs: 3, rank: 4, dtype } as const;
      const features = { size: 6, embedding: true };
      const model = createModel({ kind: 'tt', ...options, ...family, features, seed: 5, backend });
      const X = oneHot(dtype);
      // Adding zeros changes no bit.
      expect(model.score(drawn)).toEqual(model.score(X));
      const weights = tensor(dScores, undefined, dtype);
      const [got, want] = [model.gradients(drawn, weights), model.gradients(X, weights)];
      expect(got.inputs).toBeUndefined();
      for (const [name, { data }] of Object.entries(want.parameters)) {
        const same = got.parameters[name].data;
        // A product sums the examples in blocks, the gradient of an embedding one after the other.
        if (name === 'features.A' && !label.startsWith('reference'))
          expectClose(name, same, data, dtype === 'float32' ? 1e-6 : 1e-14);
        else expect(same, name).toEqual(data);
      }
    }
  });
});

it('tokens of sequences of several lengths', () => {
  const options = { kind: 'tt', xi: 'max', steps: STEPS, inputs: WORDS, outputs: 3, rank: 4 } as const;
  const model = createModel({ ...options, shared: true, features: { size: 6 }, backend: subjects[0].open() });
  const lengths = Int32Array.of(2, 5, 3, 5, 4, 2, 3);
  expect(model.score(drawn, { lengths })).toEqual(model.score(oneHot('float32'), { lengths }));
});

it('an embedding starts as large as its inputs show, whatever the size of the vocabulary', () => {
  const features = (inputs: number, embedding: boolean) => {
    const options = { kind: 'cp', xi: 'sum', steps: 2, outputs: 1, rank: 1 } as const;
    const A = createModel({ ...options, inputs, features: { size: 50, embedding } }).parameters['features.A'];
    return Math.hypot(...A.data) / Math.sqrt(A.data.length);
  };
  for (const inputs of [4, 1000]) expect(features(inputs, true)).toBeCloseTo(Math.SQRT2, 0);
  expect(features(1000, false)).toBeLessThan(0.1);
});

describe('tokens are refused', () => {
  const options = { kind: 'tt', xi: 'sum', steps: 2, inputs: 4, outputs: 1, rank: 2 } as const;
  const model = createModel({ ...options, features: { size: 2 }, backend: subjects[0].open() });
  it.each([
    ['beyond the inputs', [[0, 4]], 'E_ARGUMENT', /X element 1: expected a token from 0 to 3, received 4/],
    ['below 0', [[-1, 0]], 'E_ARGUMENT', /X element 0.*received -1/],
    ['of other steps', [[0, 1, 2]], 'E_SHAPE', /tokens of shape \[any, 2\], received \[1, 3\]/],
  ])('%s', (_, list, code, message) => {
    expect(() => model.score(tokens(list))).toThrow(refusal(code, message));
  });

  it('where they are no integers, or do not fill their shape', () => {
    expect(() => tokens([[0.5]])).toThrow(
      refusal('E_DTYPE', /element 0: expected a 32-bit integer, received 0.5/),
    );
    expect(() => tokens(Int32Array.of(1, 2), [3])).toThrow(
      refusal('E_SHAPE', /3 tokens for shape \[3\], received 2/),
    );
  });
});
