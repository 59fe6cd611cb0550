import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import type { ModelOptions } from '../../src/models/config.ts';
import { createModel } from '../../src/models/model.ts';
import { random } from '../support/models.ts';

const backend = selectBackend({ prefer: ['reference'] }).backend;
const [BATCH, STEPS, INPUTS] = [64, 4, 3];

/**
 * The largest gradient of the scores with respect to the inputs of each step, over ten seeds: where a width is 1, the
 * sign of one weight may cut a rectified path off, but no path may be cut for every seed.
 */
function reach(xi: Xi, options: Partial<ModelOptions>): number[] {
  const standard = {
    kind: 'tt',
    steps: STEPS,
    inputs: INPUTS,
    outputs: 2,
    rank: 5,
    dtype: 'float64',
  } as const;
  const top = new Array<number>(STEPS).fill(0);
  for (let seed = 0; seed < 10; seed++) {
    const model = createModel({ ...standard, features: { size: 6 }, xi, seed, ...options, backend });
    const { inputs } = model.gradients(
      random([BATCH, STEPS, INPUTS], 'float64'),
      random([BATCH, 2], 'float64'),
    );
    for (const [n, value] of inputs.data.entries()) {
      const t = Math.floor(n / INPUTS) % STEPS;
      top[t] = Math.max(top[t], Math.abs(value));
    }
  }
  return top;
}

describe.each(XI_NAMES)('the initial weights of %s', (xi) => {
  it.each<[string, Partial<ModelOptions>]>([
    ['the usual sizes', {}],
    ['shared cores', { shared: true }],
    ['normal weights', { init: 'normal' }],
    ['rank 1', { rank: 1 }],
    ['a rank list with a 1', { rank: [4, 1, 5] }],
    ['rank 2', { rank: 2 }],
    ['one row of the projections', { projection: 1 }],
    ['one feature', { features: { size: 1, activation: 'identity' }, projection: 3 }],
    ...(['cp', 'ht'] as const).flatMap((kind): [string, Partial<ModelOptions>][] => [
      [`${kind}, the usual sizes`, { kind }],
      [`${kind}, shared`, { kind, shared: true }],
      [`${kind}, normal weights`, { kind, init: 'normal' }],
      [`${kind}, rank 1`, { kind, rank: 1 }],
      [`${kind}, rank 2`, { kind, rank: 2 }],
      [`${kind}, one feature`, { kind, features: { size: 1, activation: 'identity' } }],
      [`${kind}, tanh`, { kind, features: { size: 4, activation: 'tanh' } }],
    ]),
    ['ht, unequal ranks', { kind: 'ht', rank: [3, 5] }],
    ['ht, a rank list with a 1', { kind: 'ht', rank: [4, 1] }],
    ['ht, diagonal', { kind: 'ht', diagonal: true }],
    ['ht, diagonal and shared', { kind: 'ht', diagonal: true, shared: true }],
    ['ht, diagonal, normal weights', { kind: 'ht', diagonal: true, init: 'normal' }],
    ['ht, diagonal, rank 1', { kind: 'ht', diagonal: true, rank: 1 }],
    ['ht, diagonal, unequal ranks', { kind: 'ht', diagonal: true, rank: [3, 5] }],
    ['ht, diagonal, falling ranks', { kind: 'ht', diagonal: true, rank: [5, 3] }],
  ])('let every step reach the scores with %s', (_, options) => {
    for (const top of reach(xi, options)) expect(top).toBeGreaterThan(1e-9);
  });
});

/** Kinds and operators whose weights on feature 0 are what a constant costs. */
const CONSTANT = [
  ['cp', 'product', 'v'],
  ['tt', 'product', 'C.'],
  ['ht', 'product', 'W'],
] as const;

it.each(CONSTANT)('the constant of %s with %s is the same behind tanh', (kind, xi, weights) => {
  const made = (['relu', 'tanh'] as const).map((activation) => {
    const sizes = { steps: STEPS, inputs: INPUTS, outputs: 2, rank: 5, features: { size: 6, activation } };
    return createModel({ kind, xi, dtype: 'float64', seed: 3, backend, ...sizes }).parameters;
  });
  const [relu, tanh] = made;
  for (const { 'features.A': A, 'features.b': b } of made) {
    expect(A.data.subarray(0, INPUTS).every((value) => value === 0)).toBe(true);
    expect(b.data[0]).toBe(1);
  }
  const names = Object.keys(relu).filter((name) => name.startsWith(weights));
  expect(names.length).toBeGreaterThan(0);
  for (const name of names) {
    const [rest, held] = [relu, tanh].map((parameters) => parameters[name].data[0]);
    expect(Math.abs(rest)).toBeGreaterThan(0);
    expect(held * Math.tanh(1)).toBeCloseTo(rest, 12);
  }
});
