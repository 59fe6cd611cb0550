import { describe, expect, it } from 'vitest';
import { contract } from '../../src/contract/contract.ts';
import { type Tensor, tensor } from '../../src/core/tensor.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { convert, fullTensor } from '../../src/models/convert.ts';
import { asTensor, expectClose, type GoldenArray, golden, values } from '../support/golden.ts';
import { make, random, refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

interface Case {
  readonly xi: Xi;
  readonly cp: Record<'lambda' | 'v', GoldenArray>;
  readonly rnn: Record<'C' | 'G', GoldenArray[]>;
}

describe('CP as TT', () => {
  it.each(golden<{ cases: Case[] }>('thm_propA4.json').cases.map((one) => [one.xi, one] as const))(
    'has the cores of Proposition A.4, %s',
    (xi, { cp, rnn }) => {
      const [steps, rank, size] = cp.v.shape;
      const outputs = cp.lambda.shape[1];
      const shape = { steps, rank, outputs, features: { size }, dtype: 'float64' };
      const shallow = make({ kind: 'cp', xi, ...shape });
      const [lambda, v] = [cp.lambda, cp.v].map((array) => asTensor(array, 'float64'));
      shallow.setParameters({ ...shallow.parameters, lambda, v });
      const { parameters } = convert(shallow, 'tt');
      for (const family of ['C', 'G'] as const) {
        rnn[family].forEach((expected, t) => {
          const { shape, data } = parameters[`${family}.${t}`];
          expect(shape).toEqual(expected.shape);
          expect(data).toEqual(values(expected));
        });
      }
    },
  );

  it.each(
    XI_NAMES.flatMap((xi) =>
      [1, 2, 5].flatMap((steps) => [false, true].map((shared) => [xi, steps, shared] as const)),
    ),
  )('scores the same, %s, %d steps, shared %s', (xi, steps, shared) => {
    const shallow = make({ kind: 'cp', xi, steps, shared, rank: 3, dtype: 'float64', init: 'normal' });
    const X = random([6, steps, 4], 'float64');
    const train = convert(shallow, 'tt');
    expect(train.config).toMatchObject({ kind: 'tt', projection: 3, shared, seed: shallow.config.seed });
    expectClose('scores', train.score(X).data, shallow.score(X).data, 1e-13);
  });

  it.each(
    XI_NAMES.flatMap((xi) =>
      [2, 3, 5, 8].flatMap((steps) => [false, true].map((shared) => [xi, steps, shared] as const)),
    ),
  )('scores the same as a tree, %s, %d steps, shared %s', (xi, steps, shared) => {
    const shallow = make({ kind: 'cp', xi, steps, shared, rank: 3, dtype: 'float64', init: 'normal' });
    const X = random([6, steps, 4], 'float64');
    const tree = convert(shallow, 'ht');
    expect(tree.config).toMatchObject({ kind: 'ht', diagonal: true, shared });
    expectClose('scores', tree.score(X).data, shallow.score(X).data, 1e-13);
  });

  it('is refused where it does not fit, and as a tree of one step', () => {
    const wide = make({ kind: 'cp', steps: 9, rank: 2000 });
    expect(() => convert(wide, 'tt')).toThrow(
      refusal(
        'E_MEMORY',
        /^convert: expected at most \d+ bytes, received a network of \d+ parameters, \d+ bytes$/,
      ),
    );
    expect(() => convert(make({ kind: 'cp', steps: 1 }), 'ht')).toThrow(
      refusal('E_ARGUMENT', /^convert: expected at least two steps, received 1$/),
    );
  });

  it.each([
    ['cp', 'cp'],
    ['tt', 'cp'],
    ['ht', 'tt'],
    ['cp', 'mps'],
  ])('no other pair: %s as %s', (from, to) => {
    expect(() => convert(make({ kind: from }), to as never)).toThrow(
      refusal('E_ARGUMENT', new RegExp(`a cp model and 'tt' or 'ht', received a ${from} model and '${to}'$`)),
    );
  });

  it('nothing but a model', () => {
    expect(() => convert({} as never, 'tt')).toThrow(refusal('E_ARGUMENT', /expected a model/));
    expect(() => fullTensor(null as never)).toThrow(refusal('E_ARGUMENT', /expected a model/));
  });
});

/** f(x) = tanh(Ax + b) of step t. */
function featuresAt(
  X: Tensor,
  t: number,
  { 'features.A': A, 'features.b': b }: Record<string, Tensor>,
): Tensor {
  const [batch, steps, inputs] = X.shape;
  const M = b.data.length;
  const rows = Array.from({ length: batch }, (_, n) =>
    Array.from({ length: M }, (_, m) => {
      let sum = b.data[m];
      for (let k = 0; k < inputs; k++) sum += A.data[m * inputs + k] * X.data[(n * steps + t) * inputs + k];
      return Math.tanh(sum);
    }),
  );
  return tensor(rows);
}

describe.each(subjects)('the full tensor of a product network, $label', ({ open }) => {
  it.each([
    ['cp', {}],
    ['tt', {}],
    ['tt, shared', { shared: true }],
    ['ht', {}],
    ['ht, diagonal', { diagonal: true }],
  ])('is its multilinear form, %s', (name, options) => {
    const features = { size: 5, activation: 'tanh' };
    const kind = name.slice(0, 2);
    const shape = { steps: 3, rank: 4, features, dtype: 'float64', init: 'normal' };
    const model = make({ kind, xi: 'product', ...shape, ...options, backend: open() });
    const X = random([7, 3, 4], 'float64');
    const W = fullTensor(model);
    expect(W.shape).toEqual([5, 5, 5, 2]);
    const f = [0, 1, 2].map((t) => featuresAt(X, t, model.parameters));
    const scores = contract('; klmc,nk,nl,nm -> nc', [W, ...f], { xi: 'product' });
    expectClose('scores', model.score(X).data, scores.data, 1e-12);
  });
});

describe('the full tensor', () => {
  it('of another ξ is refused', () => {
    expect(() => fullTensor(make())).toThrow(refusal('E_ARGUMENT', /ξ = product, received 'rectifier'/));
  });
  it('too large is refused', () => {
    const model = make({ xi: 'product', steps: 12, features: { size: 6 } });
    expect(() => fullTensor(model)).toThrow(refusal('E_MEMORY', /at most 2\^26 elements, received 6\^12·2/));
  });
});
