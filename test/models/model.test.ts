import { describe, expect, it } from 'vitest';

import { type Tensor, tensor, zeros } from '../../src/core/tensor.ts';
import { decodeModel, encodeModel } from '../../src/models/files.ts';
import { createModel } from '../../src/models/model.ts';
import { Adam } from '../../src/train/adam.ts';
import { make, random, refusal } from '../support/models.ts';
import { subjects } from '../support/subjects.ts';

describe('setParameters', () => {
  it.each<[string, (given: Record<string, Tensor>) => unknown, string, RegExp]>([
    ['a missing one', ({ 'G.2': _, ...rest }) => rest, 'E_ARGUMENT', /missing \['G\.2'\], unknown \[\]/],
    [
      'an unknown one',
      (given) => ({ ...given, 'G.3': given['G.2'] }),
      'E_ARGUMENT',
      /missing \[\], unknown \['G\.3'\]/,
    ],
    [
      'another shape',
      (given) => ({ ...given, 'G.2': zeros([6, 2, 5]) }),
      'E_SHAPE',
      /G\.2: expected shape \[6, 5, 2\]/,
    ],
    [
      'another dtype',
      (given) => ({ ...given, 'G.2': tensor(given['G.2'], undefined, 'float64') }),
      'E_DTYPE',
      /G\.2/,
    ],
    [
      'NaN',
      (given) => ({ ...given, 'G.2': { ...zeros([6, 5, 2]), data: new Float32Array(60).fill(Number.NaN) } }),
      'E_NUMERIC',
      /G\.2/,
    ],
    [
      'too little data',
      (given) => ({ ...given, 'G.2': { ...given['G.2'], data: new Float32Array(3) } }),
      'E_SHAPE',
      /G\.2/,
    ],
    ['no tensor', (given) => ({ ...given, 'G.2': [1, 2] }), 'E_ARGUMENT', /G\.2: expected a Tensor/],
    [
      'nothing',
      () => null,
      'E_ARGUMENT',
      /setParameters: expected tensors by name, in an object or a Map, received null/,
    ],
  ])('with %s changes nothing', (_, spoil, code, message) => {
    const model = make();
    const before = model.parameters;
    const other = Object.fromEntries(Object.entries(before).map(([name, t]) => [name, random(t.shape)]));
    expect(() => model.setParameters(spoil(other) as never)).toThrow(refusal(code, message));
    expect(model.parameters).toEqual(before);
    model.setParameters(other);
    expect(model.parameters).toEqual(other);
  });

  it('takes and gives copies', () => {
    const model = make();
    const given = model.parameters;
    model.setParameters(given);
    const scores = model.score(random([2, 3, 4]));
    for (const { data } of Object.values(given)) data.fill(0);
    for (const { data } of Object.values(model.parameters)) data.fill(0);
    expect(model.score(random([2, 3, 4]))).toEqual(scores);
  });
});

describe('what a model hands out', () => {
  it('has shapes of its own: changed ones leave the model as it was', () => {
    const model = make();
    const optimizer = new Adam(model);
    const X = random([2, 3, 4]);
    const before = [model.parameters, model.score(X)];
    const handed = [
      ...[model.parameters, optimizer.state.m, optimizer.state.v],
      model.gradients(X, zeros([2, 2])).parameters,
    ];
    for (const tensors of handed)
      for (const { shape } of Object.values(tensors)) (shape as number[]).splice(0, 3, 16, 4);
    model.gradients(X, (scores) => {
      (scores.shape as number[]).splice(0, 2, 7);
      return zeros([2, 2]);
    });
    expect([model.parameters, model.score(X)]).toEqual(before);
    model.setParameters(before[0] as Record<string, Tensor>);
    expect(decodeModel(encodeModel(model)).parameters).toEqual(before[0]);
  });

  it.each(['cp', 'tt', 'ht'] as const)('has a configuration that is frozen: %s', (kind) => {
    const { config } = createModel({
      ...{ kind, xi: 'product', steps: 3, inputs: 4, outputs: 2, rank: 5, features: { size: 3 } },
    });
    for (const part of [config, config.rank, config.features]) expect(Object.isFrozen(part)).toBe(true);
    const given = [5, 5];
    const own = createModel({ ...config, kind: 'tt', rank: given, diagonal: undefined } as never);
    given[0] = 7;
    expect(own.config.rank).toEqual([5, 5]);
  });
});

describe('score, states and gradients', () => {
  it.each<[string, unknown, string, RegExp]>([
    [
      'another number of steps',
      random([2, 4, 4]),
      'E_SHAPE',
      /X: expected shape \[any, 3, 4\], received \[2, 4, 4\]/,
    ],
    ['another number of inputs', random([2, 3, 5]), 'E_SHAPE', /X/],
    ['two axes', random([3, 4]), 'E_SHAPE', /X/],
    ['another dtype', random([2, 3, 4], 'float64'), 'E_DTYPE', /X: expected float32, received '?float64/],
    ['a dtype that lies', { ...random([2, 3, 4]), dtype: 'float64' }, 'E_DTYPE', /X/],
    [
      'NaN',
      { ...random([1, 3, 4]), data: new Float32Array(12).fill(Number.NaN, 7) },
      'E_NUMERIC',
      /NaN at element 7/,
    ],
    [
      'infinity',
      { ...random([1, 3, 4]), data: new Float32Array(12).fill(Number.NEGATIVE_INFINITY, 3) },
      'E_NUMERIC',
      /-Infinity at element 3/,
    ],
    ['too few values', { ...random([2, 3, 4]), data: new Float32Array(23) }, 'E_SHAPE', /24 elements/],
    ['a nested array', [[[1, 2, 3, 4]]], 'E_ARGUMENT', /X: expected a Tensor/],
    ['nothing', undefined, 'E_ARGUMENT', /X: expected a Tensor/],
  ])('refuse X with %s', (_, X, code, message) => {
    const model = make();
    const calls = {
      score: () => model.score(X as Tensor),
      states: () => model.states(X as Tensor),
      gradients: () => model.gradients(X as Tensor, zeros([2, 2])),
    };
    for (const [name, call] of Object.entries(calls)) {
      expect(call, name).toThrow(refusal(code, message));
      expect(call).toThrow(new RegExp(`^${name} X`));
    }
  });

  it('refuse dScores that do not fit', () => {
    const X = random([2, 3, 4]);
    expect(() => make().gradients(X, zeros([3, 2]))).toThrow(
      refusal('E_SHAPE', /dScores: expected shape \[2, 2\]/),
    );
    expect(() => make().gradients(X, zeros([2, 2], 'float64'))).toThrow(refusal('E_DTYPE', /dScores/));
  });

  it.each(subjects)('states of an empty batch have their widths, $label', ({ open }) => {
    const model = make({ backend: open(), rank: [5, 7] });
    expect(model.states(zeros([0, 3, 4])).map(({ shape }) => shape)).toEqual([
      [0, 5],
      [0, 7],
      [0, 2],
    ]);
  });

  it.each(subjects)('the last state is the score, the first needs no other input, $label', ({ open }) => {
    const model = make({ backend: open(), init: 'normal' });
    const X = random([6, 3, 4]);
    const states = model.states(X);
    expect(states.at(-1)).toEqual(model.score(X));
    const later = { ...X, data: X.data.map((value, n) => (n % 12 < 4 ? value : value + 1)) };
    expect(model.states(later)[0]).toEqual(states[0]);
    expect(model.states(later)[1]).not.toEqual(states[1]);
  });
});
