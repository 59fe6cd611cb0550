import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { cpEvaluate, cpFull } from '../../src/decompose/cp.ts';
import { cpAls } from '../../src/decompose/cp_als.ts';
import { htEvaluate, htFull } from '../../src/decompose/ht.ts';
import { htScale } from '../../src/decompose/ht_arithmetic.ts';
import { htSvd } from '../../src/decompose/ht_svd.ts';
import { ttEvaluate } from '../../src/decompose/tt.ts';
import { ttSvd } from '../../src/decompose/tt_svd.ts';
import { allIndices, distance, randomTensor, tensor64 } from '../support/decompose.ts';
import { refusal } from '../support/models.ts';

const shape = [3, 2, 4];
const H = randomTensor(new Rng(1), shape);
const [tt, ht, cp] = [ttSvd(H), htSvd(H), cpAls(H, { rank: 2, starts: 1, maxSweeps: 5 })];

describe.each([
  ['ttEvaluate', (indices: never) => ttEvaluate(tt, indices)],
  ['htEvaluate', (indices: never) => htEvaluate(ht, indices)],
  ['cpEvaluate', (indices: never) => cpEvaluate(cp, indices)],
] as const)('indices of %s', (name, evaluate) => {
  const flat = [0, 1, 2, 2, 0, 3];
  it('are lists, typed arrays or tensors of whole numbers', () => {
    const wanted = evaluate(Int32Array.from(flat) as never);
    const rows = [flat.slice(0, 3), flat.slice(3)];
    for (const given of [
      ...[flat, rows, rows.map((row) => Uint8Array.from(row)), Uint32Array.from(flat), Int16Array.from(flat)],
      ...[Float64Array.from(flat), tensor(rows), tensor(flat, undefined, 'float32')],
    ])
      expect(evaluate(given as never)).toEqual(wanted);
    for (const none of [[], new Int32Array(0)]) expect(evaluate(none as never)).toHaveLength(0);
  });

  it.each<[string, unknown, 'E_ARGUMENT' | 'E_SHAPE' | 'E_DTYPE', RegExp]>([
    ['a fraction', [[0, 1, 0.5]], 'E_ARGUMENT', /indices of axis 2 from 0 to 3, received 0\.5/],
    ['NaN', [[0, Number.NaN, 0]], 'E_ARGUMENT', /received NaN/],
    ['too large ones', [[0, 0, 4]], 'E_ARGUMENT', /indices of axis 2 from 0 to 3, received 4/],
    ['negative ones', Int8Array.of(0, -1, 0), 'E_ARGUMENT', /received -1/],
    [
      'rows of other lengths',
      [
        [0, 0],
        [1, 1],
        [1, 1],
      ],
      'E_SHAPE',
      /shape \[any, 3\], received \[3, 2\]/,
    ],
    [
      'ragged rows',
      [
        [0, 0, 0],
        [1, 1],
      ],
      'E_SHAPE',
      /ragged/,
    ],
    ['part of a tuple', [0, 0], 'E_SHAPE', /a multiple of 3 indices, received 2/],
    ['integers beyond doubles', BigInt64Array.of(0n, 0n, 0n), 'E_DTYPE', /typed array of numbers/],
    ['a number', 3, 'E_ARGUMENT', /whole numbers \[n, T\].*received 3/],
    ['nothing', undefined, 'E_ARGUMENT', /whole numbers \[n, T\].*received undefined/],
  ])('are not %s', (_, indices, code, text) => {
    expect(() => evaluate(indices as never)).toThrow(
      refusal(code, new RegExp(`^${name} indices.*${text.source}`)),
    );
  });
});

it('cpEvaluate gives the elements of cpFull', () => {
  expect(distance(tensor64(shape, cpEvaluate(cp, allIndices(shape))), cpFull(cp))).toBeLessThan(1e-15);
});

it('htScale multiplies all elements and shares no memory', () => {
  const before = htFull(ht);
  const twice = htScale(ht, -2);
  expect(
    distance(
      htFull(twice),
      tensor64(
        shape,
        before.data.map((value) => -2 * value),
      ),
    ),
  ).toBeLessThan(1e-15);
  for (const { data } of [...twice.leaves, ...twice.transfers]) data.fill(0);
  expect(htFull(ht)).toEqual(before);
  expect(() => htScale(ht, Number.NaN)).toThrow(
    refusal('E_ARGUMENT', /^htScale factor: expected a finite number/),
  );
});
