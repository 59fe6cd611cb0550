import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import { type Tensor, tensor, zeros } from '../../src/core/tensor.ts';
import { bracketWidth } from '../../src/experiments/bracket.ts';
import { randomTensor } from '../../src/experiments/checks/instances.ts';
import { identity } from '../../src/theory/features.ts';
import { realization, realize } from '../../src/theory/realize.ts';
import { refusal } from '../support/models.ts';

const backend = selectBackend().backend;

describe('realize', () => {
  const H = randomTensor(new Rng(1), [3, 3, 3]);
  it.each<[string, Tensor, object, string, RegExp]>([
    [
      'tensors that are not additive',
      H,
      { kind: 'tt', xi: 'sum' },
      'E_ARGUMENT',
      /only additive tensors Σ_t φ_t\(i_t\), 7 of 27/,
    ],
    ['relusum beyond what is known', H, { kind: 'ht', xi: 'relusum' }, 'E_ARGUMENT', /relusum.*off by/],
    ['l2', H, { kind: 'cp', xi: 'l2' }, 'E_ARGUMENT', /no exact construction is known/],
    ['logsumexp', H, { kind: 'tt', xi: 'logsumexp' }, 'E_ARGUMENT', /fitShallow/],
    [
      'a variant of another kind',
      H,
      { kind: 'cp', xi: 'max', variant: 'c1' },
      'E_ARGUMENT',
      /variant of kind cp.*entries/,
    ],
    ['c0 of max', H, { kind: 'tt', xi: 'max', variant: 'c0' }, 'E_ARGUMENT', /one of c1/],
    [
      'a variant of product',
      H,
      { kind: 'cp', xi: 'product', variant: 'entries' },
      'E_ARGUMENT',
      /one of linear/,
    ],
    [
      'unequal modes',
      zeros([3, 2, 3], 'float64'),
      { kind: 'tt', xi: 'max' },
      'E_SHAPE',
      /equal modes of extent 2/,
    ],
    ['one template', zeros([1, 1], 'float64'), { kind: 'tt', xi: 'max' }, 'E_SHAPE', /extent 2 or more/],
    ['other steps', H, { kind: 'tt', xi: 'max', steps: 1 }, 'E_SHAPE', /1 equal modes/],
    [
      'features that do not fit',
      H,
      { kind: 'tt', xi: 'max', features: identity(4) },
      'E_SHAPE',
      /features F/,
    ],
    [
      'singular features',
      H,
      { kind: 'tt', xi: 'max', features: zeros([3, 3]) },
      'E_NUMERIC',
      /invertible matrix/,
    ],
    ['eps of 1', H, { kind: 'tt', xi: 'max', eps: 1 }, 'E_ARGUMENT', /realize eps/],
    [
      'eps of a tree',
      H,
      { kind: 'ht', xi: 'max', eps: 0.1 },
      'E_ARGUMENT',
      /eps: expected kind tt with ξ among product, .*received 'ht, max'/,
    ],
    ['eps of a sum', H, { kind: 'tt', xi: 'sum', eps: 0.1 }, 'E_ARGUMENT', /eps: expected kind tt/],
    [
      'trees too large',
      zeros(new Array(17).fill(2), 'float64'),
      { kind: 'ht', xi: 'max' },
      'E_MEMORY',
      /one-hot tree.* has/,
    ],
    [
      'elements whose sums overflow',
      tensor(Float64Array.of(1e305, 1, 2, 3), [2, 2]),
      { kind: 'tt', xi: 'max' },
      'E_NUMERIC',
      /H: expected elements up to 2\^1000.*received 1e\+305/,
    ],
    [
      'NaN',
      tensor([
        [1, Number.NaN],
        [1, 2],
      ]),
      { kind: 'tt', xi: 'max' },
      'E_NUMERIC',
      /H: .*NaN/,
    ],
  ])('refuses %s', (_, tensorOf, options, code, message) => {
    expect(() => realize(tensorOf, { ...options, backend } as never)).toThrow(refusal(code, message));
  });
});

it('refusals of realization and bracketWidth begin with their names', () => {
  const H = randomTensor(new Rng(1), [2, 2]);
  const whole = randomTensor(new Rng(1), [3, 3, 3]);
  for (const [work, text] of [
    [
      () => realization(whole, { kind: 'cp', xi: 'sum', backend }),
      /^realization: networks with ξ = sum reach/,
    ],
    [() => realization(H, { kind: 'cp', xi: 'l2', backend }), /^realization: expected ξ among/],
    [
      () => realization(H, { kind: 'tt', xi: 'max', variant: 'c0', backend }),
      /^realization variant of kind tt/,
    ],
    [() => realize(whole, { kind: 'cp', xi: 'sum', backend }), /^realize: networks with ξ = sum reach/],
    [() => bracketWidth(H, { xi: 'sum', backend }), /^bracketWidth: networks with ξ = sum reach/],
  ] as const)
    expect(work).toThrow(refusal('E_ARGUMENT', text));
});
