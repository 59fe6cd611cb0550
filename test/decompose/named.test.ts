import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import type { Tensor } from '../../src/core/tensor.ts';
import { cpAls } from '../../src/decompose/cp_als.ts';
import { htSvd } from '../../src/decompose/ht_svd.ts';
import { type Decomposition, fromNamedParts, namedParts } from '../../src/decompose/named.ts';
import { ttSvd } from '../../src/decompose/tt_svd.ts';
import { randomTensor, tensor64 } from '../support/decompose.ts';
import { refusal } from '../support/models.ts';

const H = randomTensor(new Rng(1), [3, 4, 2]);
const ALL: readonly Decomposition[] = [
  { format: 'tt', value: { cores: ttSvd(H).cores } },
  { format: 'ht', value: (({ leaves, transfers }) => ({ leaves, transfers }))(htSvd(H)) },
  {
    format: 'cp',
    value: (({ weights, factors }) => ({ weights, factors }))(cpAls(H, { rank: 2, starts: 1, maxSweeps: 5 })),
  },
];

describe.each(ALL.map((one) => [one.format, one] as const))('named parts of %s', (format, decomposition) => {
  const { tensors, metadata } = namedParts(decomposition);
  const description = JSON.parse(metadata.decomposition) as Record<string, unknown>;
  const read = (change: object = {}, parts: ReadonlyMap<string, Tensor> = tensors) =>
    fromNamedParts('f', parts, {
      ...metadata,
      decomposition: JSON.stringify({ ...description, ...change }),
    });

  it('come back', () => {
    expect(read()).toEqual(decomposition);
    expect(fromNamedParts('f', Object.fromEntries(tensors), metadata)).toEqual(decomposition);
    expect(() => fromNamedParts('f', [...tensors] as never, metadata)).toThrow(
      refusal('E_ARGUMENT', /^f: expected tensors by name, in an object or a Map/),
    );
    expect(description).toMatchObject({ format, order: 3, shape: [3, 4, 2] });
    expect(() => namedParts(decomposition, { error: Number.NaN })).toThrow(
      refusal('E_ARGUMENT', /^namedParts extra error: expected a non-negative number, received NaN/),
    );
    // What a user adds says nothing else of the parts.
    const added = namedParts(decomposition, { ranks: 7, order: 9, note: 'mine' });
    expect(JSON.parse(added.metadata.decomposition)).toEqual({ ...description, note: 'mine' });
    expect(read({ order: undefined })).toEqual(decomposition);
  });

  it('are refused where one is missing, the last too', () => {
    for (const name of tensors.keys()) {
      const parts = new Map([...tensors].filter(([other]) => other !== name));
      expect(() => read({}, parts)).toThrow(refusal('E_FILE', new RegExp(`^f: expected a tensor '${name}'`)));
      const old = () => read({ order: undefined, shape: H.shape }, parts);
      expect(old).toThrow(refusal('E_FILE', new RegExp(`a tensor '${name}'`)));
    }
  });

  it('are refused where the description says something else, or a tensor is foreign', () => {
    expect(() => read({ ranks: 99 })).toThrow(refusal('E_FILE', /^f ranks: expected .*received '99'/));
    expect(() => read({ ranks: undefined })).toThrow(refusal('E_FILE', /^f ranks/));
    expect(() => read({ order: 4 })).toThrow(refusal('E_FILE', /a tensor '[GU]\.3'/));
    expect(() => read({ order: -1 })).toThrow(refusal('E_FILE', /description/));
    for (const shape of [[3, 4, 3], [3, 4], 'none', null])
      expect(() => read({ shape })).toThrow(
        refusal('E_FILE', /^f shape: expected '?\[3,4,2\], which its tensors have, received/),
      );
    for (const error of [-1, null, '0.5', [0]])
      expect(() => read({ error })).toThrow(refusal('E_FILE', /^f error: expected a non-negative number/));
    expect(read({ error: 1.5, shape: undefined })).toEqual(decomposition);
    for (const name of ['junk', format === 'tt' ? 'G.3' : 'U.3']) {
      const more = new Map([...tensors, [name, tensor64([1, 2], [1, 2])]]);
      expect(() => read({}, more)).toThrow(
        refusal('E_FILE', new RegExp(`^f: expected no tensors but those of a ${format}, received .*${name}`)),
      );
    }
  });
});
