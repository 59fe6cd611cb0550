import { describe, expect, it } from 'vitest';
import { BLOCK_BYTES, blocksOf, bytesBesides } from '../../src/analysis/blocks.ts';
import { exactRank } from '../../src/analysis/exact_rank.ts';
import { gridTensor } from '../../src/analysis/grid.ts';
import { joinTree } from '../../src/analysis/joins.ts';
import { Rng } from '../../src/core/rng.ts';
import { tensor } from '../../src/core/tensor.ts';
import { certify } from '../../src/experiments/certify.ts';
import { createModel } from '../../src/models/model.ts';
import { identity } from '../../src/theory/features.ts';
import { refusal } from '../support/models.ts';

const M = 4;
const OPTIONS = { xi: 'rectifier', outputs: 1, dtype: 'float64', init: 'normal', seed: 1 } as const;
const wide = (rank: number) =>
  createModel({ ...OPTIONS, kind: 'cp', steps: 7, inputs: M, rank, features: { size: M } });

describe('blocks of wide networks', () => {
  it('have no more rows than fit with the states on the way', () => {
    const { root } = joinTree(wide(20_000));
    const counts = new Array(7).fill(M);
    const blocks = [...blocksOf(root, counts, 8)];
    expect(blocks[0][0]).toBe(0);
    expect(blocks.at(-1)![1]).toBe(M ** 7);
    // 4^6 rows of 20,000 states were one block of 655 MB.
    const most = Math.max(...blocks.map(([begin, end]) => end - begin));
    expect((most / M) * 20_000 * 8).toBeLessThan(BLOCK_BYTES);
    expect(bytesBesides(root, counts, 8)).toBeLessThan(1.5 * BLOCK_BYTES);
    // A narrow one is still evaluated at one go.
    expect([...blocksOf(joinTree(wide(20)).root, counts, 8)]).toEqual([[0, M ** 7]]);
  });

  it('give the scores, also where blocks begin within the rows of a state', () => {
    const model = wide(3000);
    expect([...blocksOf(joinTree(model).root, new Array(7).fill(M), 8)].length).toBeGreaterThan(1);
    const { data } = gridTensor(model, identity(M), { maxBytes: 80 * 2 ** 20 });
    const rng = new Rng(2);
    const rows = Array.from({ length: 50 }, () => rng.below(M ** 7));
    const inputs = rows.flatMap((row) =>
      Array.from({ length: 7 }, (_, t) => Math.floor(row / M ** (6 - t)) % M).flatMap((i) =>
        Array.from({ length: M }, (_, m) => (m === i ? 1 : 0)),
      ),
    );
    const scores = model.score(tensor(inputs, [rows.length, 7, M])).data;
    for (const [n, row] of rows.entries()) expect(data[row]).toBeCloseTo(scores[n], 8);
  });

  it('are counted with what is kept beside them before anything is allocated', async () => {
    const maxBytes = 80 * 2 ** 20;
    // Both halves have 6^4 rows of 10,000 states.
    const sizes = { kind: 'ht', steps: 8, inputs: 6, rank: [8, 8, 10_000], diagonal: true } as const;
    const tree = createModel({ ...OPTIONS, ...sizes, features: { size: 6 } });
    expect(() => gridTensor(tree, identity(6), { maxBytes: 2 * maxBytes })).toThrow(
      refusal('E_MEMORY', /^gridTensor: expected at most 167772160 bytes \(maxBytes\), received shape/),
    );
    const shallow = wide(20_000);
    const wanted = refusal(
      'E_MEMORY',
      /at most 83886080 bytes \(maxBytes\), received \d+ exact scores, \d+ bytes/,
    );
    expect(() => exactRank(shallow, identity(M), [0, 2], { maxBytes })).toThrow(wanted);
    await expect(certify(shallow, identity(M), { exact: true, maxBytes })).rejects.toThrow(wanted);
  });
});
