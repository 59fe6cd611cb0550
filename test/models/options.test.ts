import { describe, expect, it } from 'vitest';
import { createModel } from '../../src/models/model.ts';
import { reference as backend, make, OPTIONS, refusal } from '../support/models.ts';

describe('options', () => {
  it.each<[string, object, string, RegExp]>([
    [
      'an unknown key',
      { ranks: 3 },
      'E_ARGUMENT',
      /createModel: expected options among .*, received 'ranks'/,
    ],
    ['an unknown kind', { kind: 'mps' }, 'E_ARGUMENT', /kind: expected one of .*tt.*, received 'mps'/],
    ['an unknown ξ', { xi: 'plus' }, 'E_ARGUMENT', /xi: expected one of product, .*, received 'plus'/],
    ['a name from the prototype as ξ', { xi: 'toString' }, 'E_ARGUMENT', /xi/],
    ['no steps', { steps: 0 }, 'E_ARGUMENT', /steps: expected an integer from 1 to 65536, received 0/],
    ['a billion steps', { steps: 1e9 }, 'E_ARGUMENT', /steps: .*received 1000000000/],
    ['steps NaN', { steps: Number.NaN }, 'E_ARGUMENT', /steps: .*received NaN/],
    ['steps as a string', { steps: '3' }, 'E_ARGUMENT', /steps: .*received '3'/],
    ['steps undefined', { steps: undefined }, 'E_ARGUMENT', /steps: .*received undefined/],
    ['half an input', { inputs: 0.5 }, 'E_ARGUMENT', /inputs: .*received 0.5/],
    ['infinite outputs', { outputs: Number.POSITIVE_INFINITY }, 'E_ARGUMENT', /outputs: .*received Infinity/],
    ['a bigint', { outputs: 2n }, 'E_ARGUMENT', /outputs: .*received 2/],
    ['rank 0', { rank: 0 }, 'E_ARGUMENT', /rank: expected an integer from 1 to \d+, received 0/],
    ['rank −1', { rank: -1 }, 'E_ARGUMENT', /rank: .*received -1/],
    [
      'rank as a string',
      { rank: '5' },
      'E_ARGUMENT',
      /rank: expected a number or a list of numbers, received '5'/,
    ],
    [
      'rank null',
      { rank: null },
      'E_ARGUMENT',
      /rank: expected a number or a list of numbers, received null/,
    ],
    ['too few ranks', { rank: [5] }, 'E_ARGUMENT', /rank: expected 2 ranks .* for 3 steps, received \[5\]/],
    ['too many ranks', { rank: [5, 5, 5] }, 'E_ARGUMENT', /rank: expected 2 ranks/],
    ['a rank 0 in a list', { rank: [5, 0] }, 'E_ARGUMENT', /rank\[1\]: .*received 0/],
    ['a list in a list', { rank: [5, [5]] }, 'E_ARGUMENT', /rank\[1\]: .*received \[5\]/],
    [
      'unequal shared ranks',
      { rank: [5, 6], shared: true },
      'E_ARGUMENT',
      /rank: expected equal ranks.*\[5, 6\]/,
    ],
    ['two ranks for cp', { kind: 'cp', rank: [5, 5] }, 'E_ARGUMENT', /rank: expected 1 rank R for 3 steps/],
    ['one rank for a tree of two levels', { kind: 'ht', rank: [5] }, 'E_ARGUMENT', /expected 2 ranks R_0 of/],
    ['a rank for a tree of one leaf', { kind: 'ht', steps: 1, rank: [5] }, 'E_ARGUMENT', /expected 0 ranks/],
    [
      'unequal ranks where a diagonal node has a child of another level',
      { kind: 'ht', rank: [5, 6], diagonal: true },
      'E_ARGUMENT',
      /rank: expected equal ranks R_0 and R_1 for 3 steps, as a diagonal node joins/,
    ],
    [
      'unequal ranks where nodes of a level share one core',
      { kind: 'ht', steps: 7, rank: [5, 6, 7], shared: true },
      'E_ARGUMENT',
      /rank: expected equal ranks R_0 and R_1 for 7 steps, as the nodes of a level share/,
    ],
    ['a diagonal tt', { diagonal: true }, 'E_ARGUMENT', /diagonal: expected none for kind tt.*received true/],
    [
      'a diagonal that is a number',
      { kind: 'ht', diagonal: 1 },
      'E_ARGUMENT',
      /diagonal: expected true or false/,
    ],
    [
      'a projection of cp',
      { kind: 'cp', projection: 3 },
      'E_ARGUMENT',
      /projection: expected none for kind cp/,
    ],
    [
      'a projection of ht',
      { kind: 'ht', projection: 3 },
      'E_ARGUMENT',
      /projection: expected none for kind ht/,
    ],
    ['no features', { features: undefined }, 'E_ARGUMENT', /features: expected \{ size, activation \}/],
    ['features null', { features: null }, 'E_ARGUMENT', /features: .*received null/],
    ['features as a number', { features: 6 }, 'E_ARGUMENT', /features: .*received 6/],
    ['features of size 0', { features: { size: 0 } }, 'E_ARGUMENT', /features.size: .*received 0/],
    [
      'an unknown key of features',
      { features: { size: 2, sigma: 'relu' } },
      'E_ARGUMENT',
      /features: .*'sigma'/,
    ],
    [
      'an unknown σ',
      { features: { size: 2, activation: 'gelu' } },
      'E_ARGUMENT',
      /features.activation: .*'gelu'/,
    ],
    ['projection 0', { projection: 0 }, 'E_ARGUMENT', /projection: .*received 0/],
    ['shared as a number', { shared: 1 }, 'E_ARGUMENT', /shared: expected true or false, received 1/],
    [
      'another dtype',
      { dtype: 'float16' },
      'E_ARGUMENT',
      /dtype: expected one of float32, float64, received 'float16'/,
    ],
    ['a fractional seed', { seed: 0.5 }, 'E_ARGUMENT', /seed: .*received 0.5/],
    ['a seed beyond 2⁵³', { seed: 2 ** 53 }, 'E_ARGUMENT', /seed: /],
    ...['init', 'dtype', 'seed', 'projection', 'diagonal', 'shared'].map(
      (name): [string, object, string, RegExp] => [
        `${name} null`,
        { [name]: null },
        'E_ARGUMENT',
        new RegExp(`^createModel ${name}: expected .*, received null$`),
      ],
    ),
    [
      'activation null',
      { features: { size: 6, activation: null } },
      'E_ARGUMENT',
      /features\.activation: expected one of .*, received null/,
    ],
    ['another start', { init: 'zeros' }, 'E_ARGUMENT', /init: expected one of identity, normal/],
    [
      'a backend by name',
      { backend: 'wasm' },
      'E_ARGUMENT',
      /backend: expected what openBackend\(\) resolves to/,
    ],
    ['backend null', { backend: null }, 'E_ARGUMENT', /backend: expected what openBackend\(\) resolves to/],
    [
      'a pending backend',
      { backend: Promise.resolve(backend) },
      'E_ARGUMENT',
      /backend: expected what openBackend/,
    ],
    [
      'a rank beyond memory',
      { rank: 2 ** 20 },
      'E_MEMORY',
      /at most 2\^30 parameters, received sizes that need \d+/,
    ],
    [
      'inputs beyond memory',
      { inputs: 2 ** 20, features: { size: 2 ** 20 } },
      'E_MEMORY',
      /2\^30 parameters/,
    ],
    ['steps beyond memory', { steps: 65_536, rank: 200 }, 'E_MEMORY', /2\^30 parameters/],
  ])('%s: refused', (_, options, code, message) => {
    expect(() => make(options)).toThrow(refusal(code, message));
  });

  it.each([undefined, null, 5, 'tt', []])('%s instead of options: refused', (options) => {
    expect(() => createModel(options as never)).toThrow(refusal('E_ARGUMENT', /expected/));
  });

  it('defaults are filled in', () => {
    expect(make().config).toEqual({
      ...OPTIONS,
      ...{ rank: [5, 5], projection: 6, shared: false, dtype: 'float32', init: 'identity' },
      features: { size: 6, activation: 'relu' },
    });
  });

  it('unequal ranks of a tree are taken where no core minds', () => {
    const sizes = (options: object) =>
      Object.fromEntries(
        Object.entries(make({ kind: 'ht', ...options }).parameters).map(([n, t]) => [n, t.shape]),
      );
    expect(sizes({ rank: [5, 6], shared: true })).toMatchObject({
      W: [5, 6],
      'B.1': [5, 5, 6],
      'B.2': [6, 5, 2],
    });
    expect(sizes({ steps: 7, rank: [5, 6, 7] })).toMatchObject({ 'B.2.0': [6, 6, 7], 'B.2.1': [6, 5, 7] });
    expect(sizes({ steps: 4, rank: [5, 6], diagonal: true })).toMatchObject({
      'B.1.1': [5, 6],
      'B.2.0': [6, 2],
    });
    expect(sizes({ steps: 1 })).toMatchObject({ 'W.0': [2, 6] });
  });

  it('the same seed gives the same weights, another one others', () => {
    const [one, same, other] = [7, 7, 8].map((seed) => make({ seed, init: 'normal' }).parameters);
    expect(same).toEqual(one);
    expect(other['G.1']).not.toEqual(one['G.1']);
    expect(make({ seed: 2 ** 33 }).parameters['G.1']).not.toEqual(make({ seed: 0 }).parameters['G.1']);
  });
});
