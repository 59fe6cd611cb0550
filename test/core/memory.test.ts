import { describe, expect, it } from 'vitest';
import { checkMemory } from '../../src/core/memory.ts';
import * as library from '../../src/index.ts';
import { refusal } from '../support/models.ts';

const { createModel, gridTensor, oneHotTensor, openSetNetwork, similarityNetwork, zeros } = library;
const wide = () =>
  createModel({
    ...{ kind: 'cp', xi: 'product', steps: 3, inputs: 2, outputs: 1, rank: 20_000 },
    features: { size: 2 },
  });
const long = () =>
  createModel({
    ...{ kind: 'tt', xi: 'rectifier', steps: 40, inputs: 2, outputs: 1, rank: 1 },
    features: { size: 3 },
  });
const texts = (count: number) => ({
  ...{ name: 'texts', texts: new Array<string>(count).fill('a'), classNames: ['a'] },
  labels: new Int32Array(count),
});
const words = library.buildVocabulary(['a']);
const row = { name: 'row', inputs: zeros([1, 1024, 64]), labels: Int32Array.of(0), classes: 1 };

describe('what does not fit into memory is refused before it is allocated, with size and limit', () => {
  it.each<[string, () => unknown]>([
    ['oneHotTensor', () => oneHotTensor({ kind: 'tt', xi: 'rectifier', size: 2 ** 20, index: [0, 1] })],
    ['similarityNetwork', () => similarityNetwork({ size: 2 ** 20, rank: 2 ** 20 - 1, steps: 2 })],
    // No array of it is large.
    ['similarityNetwork', () => similarityNetwork({ size: 100, rank: 100, steps: 2 ** 16 })],
    ['openSetNetwork', () => openSetNetwork({ size: 2, rank: 2 ** 20, steps: 4 })],
    ['shallowToRecurrent', () => library.shallowToRecurrent(wide())],
    ['encodeText', () => library.encodeText(texts(200_000), words, { steps: 2 ** 16 })],
    ['selectDataset', () => library.selectDataset(row, new Array<number>(100_000).fill(0))],
    ['gridTensor', () => gridTensor(long(), zeros([3, 2]))],
    ['exactRank', () => library.exactRank(long(), zeros([3, 2]), [0])],
  ])('%s', (name, call) => {
    const message = new RegExp(
      `^${name}: expected at most \\d+ bytes( \\(maxBytes\\))?, received .*, \\d+ bytes$`,
    );
    expect(call).toThrow(refusal('E_MEMORY', message));
  });

  it('sizes that are no number too', () => {
    expect(() => checkMemory('f', 'x', Number.NaN)).toThrow(
      refusal('E_MEMORY', /^f: expected at most 2147483648 bytes, received x, NaN bytes$/),
    );
    checkMemory('f', 'x', 8, { maxBytes: 8 });
  });
});
