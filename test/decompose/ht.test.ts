import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Rng } from '../../src/core/rng.ts';
import { balancedTree } from '../../src/core/tree.ts';
import { type HierarchicalTucker, htEvaluate, htFull, htRanks } from '../../src/decompose/ht.ts';
import { htAdd, htDot, htHadamard, htNorm } from '../../src/decompose/ht_arithmetic.ts';
import { htRound } from '../../src/decompose/ht_round.ts';
import { htSvd } from '../../src/decompose/ht_svd.ts';
import {
  allIndices,
  backends,
  distance,
  ofGolden,
  randomTensor,
  sumOf,
  tensor64,
} from '../support/decompose.ts';
import { type GoldenArray, golden } from '../support/golden.ts';

const file = golden<{
  tensors: { H: GoldenArray; node_sv: GoldenArray[][] }[];
  cases: {
    tensor: number;
    eps: number;
    rmax: number | null;
    ranks: number[][];
    rel_error: number;
    rel_error_bound: number;
    safe: boolean;
  }[];
}>('ht_svd.json');

/** A tensor with random parts of these ranks: leaves, then inner nodes. */
function randomHT(rng: Rng, shape: readonly number[], ranks: readonly number[]): HierarchicalTucker {
  const tree = balancedTree(shape.length);
  const nodes = [...tree.leaves, ...tree.inner];
  const rank = new Map(nodes.map((node, n) => [node, node === tree.root ? 1 : ranks[n]]));
  return {
    leaves: tree.leaves.map((node, t) => randomTensor(rng, [shape[t], rank.get(node)!])),
    transfers: tree.inner.map((node) =>
      randomTensor(rng, [...node.children!.map((child) => rank.get(child)!), rank.get(node)!]),
    ),
  };
}

const tensors = fc.record({
  shape: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 6 }),
  ranks: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 12, maxLength: 12 }),
  seed: fc.integer(),
});

describe.each(backends)('hierarchical Tucker tensors, $name', ({ open }) => {
  const backend = open();

  it.each(file.cases)('decomposes tensor $tensor with eps $eps, rmax $rmax', (record) => {
    const H = ofGolden(file.tensors[record.tensor].H);
    const { eps, rmax, ranks, rel_error, rel_error_bound, safe } = record;
    const ht = htSvd(H, { eps, maxRanks: rmax ?? undefined, backend });
    if (safe) expect(htRanks(ht)).toEqual(ranks);
    const actual = distance(htFull(ht), H);
    expect(actual).toBeCloseTo(rel_error, 11);
    expect(ht.error).toBeCloseTo(rel_error_bound, 11);
    if (rmax === null) expect(actual).toBeLessThanOrEqual(eps + 1e-13);
  });

  it('keeps its promise of an error', () => {
    fc.assert(
      fc.property(tensors, fc.constantFrom(1e-10, 0.05, 0.4), ({ shape, ranks, seed }, eps) => {
        const full = htFull(randomHT(new Rng(seed), shape, ranks));
        const ht = htSvd(full, { eps, backend });
        const actual = distance(htFull(ht), full);
        expect(actual).toBeLessThanOrEqual(ht.error + 1e-13);
        expect(ht.error).toBeLessThanOrEqual(eps);
        if (eps === 1e-10) {
          const tree = balancedTree(shape.length);
          const found = [...ht.leaves, ...ht.transfers].map((part) => part.shape[part.shape.length - 1]);
          for (const [n, rank] of found.entries())
            if (n + 1 < tree.leaves.length + tree.inner.length) expect(rank).toBeLessThanOrEqual(ranks[n]);
        }
      }),
      { numRuns: 30 },
    );
  });

  it('adds, multiplies and rounds as the dense tensors do', () => {
    fc.assert(
      fc.property(tensors, fc.integer(), ({ shape, ranks, seed }, other) => {
        const [a, b] = [seed, other].map((n) => randomHT(new Rng(n), shape, ranks));
        const [A, B] = [htFull(a), htFull(b)];
        const each = (join: (x: number, y: number) => number) =>
          tensor64(
            shape,
            A.data.map((x, n) => join(x, B.data[n])),
          );
        const scale = htNorm(a) + htNorm(b) || 1;
        const close = (full: ArrayLike<number>, expected: typeof A, size: number) => {
          for (const [n, value] of expected.data.entries())
            expect(Math.abs(full[n] - value)).toBeLessThanOrEqual(1e-12 * size);
        };
        close(
          htFull(htAdd(a, b), { backend }).data,
          each((x, y) => x + y),
          scale,
        );
        close(
          htFull(htHadamard(a, b, { backend })).data,
          each((x, y) => x * y),
          scale ** 2,
        );
        const dot = sumOf(each((x, y) => x * y).data);
        expect(Math.abs(htDot(a, b, { backend }) - dot)).toBeLessThanOrEqual(1e-12 * scale ** 2);
        expect(Math.abs(htNorm(a, { backend }) - Math.sqrt(htDot(a, a)))).toBeLessThanOrEqual(1e-7 * scale);
        close(htEvaluate(a, allIndices(shape)), A, scale);
        const rounded = htRound(htAdd(a, a), { eps: 1e-9, backend });
        for (const [n, part] of [...rounded.leaves, ...rounded.transfers].entries()) {
          const rank = [...a.leaves, ...a.transfers][n].shape;
          expect(part.shape[part.shape.length - 1]).toBeLessThanOrEqual(rank[rank.length - 1]);
        }
        close(
          htFull(rounded).data,
          each((x) => 2 * x),
          1e4 * scale,
        );
      }),
      { numRuns: 30 },
    );
  });

  it('rounds within eps', () => {
    fc.assert(
      fc.property(tensors, fc.constantFrom(0.1, 0.5), ({ shape, ranks, seed }, eps) => {
        const ht = randomHT(new Rng(seed), shape, ranks);
        const rounded = htRound(ht, { eps, backend });
        const full = htFull(ht);
        expect(distance(htFull(rounded), full)).toBeLessThanOrEqual(rounded.error + 1e-12);
        expect(rounded.error).toBeLessThanOrEqual(eps);
      }),
      { numRuns: 20 },
    );
  });

  it('rounds to ranks, one for all or a list', () => {
    const ht = randomHT(new Rng(5), [4, 4, 4, 4], new Array(6).fill(3));
    const limited = (maxRanks: number | number[]) => {
      const rounded = htRound(ht, { eps: 0, maxRanks, backend });
      expect(distance(htFull(rounded), htFull(ht))).toBeLessThanOrEqual(rounded.error + 1e-12);
      return htRanks(rounded);
    };
    expect(limited(2)).toEqual([[2, 2, 2, 2], [2, 2], [1]]);
    // Both children of the root have the lesser of their ranks: a matrix has one.
    expect(limited([1, 2, 3, 2, 2, 3])).toEqual([[1, 2, 3, 2], [2, 2], [1]]);
  });

  it('takes float32, zeros, one axis and extreme scales', () => {
    const H = randomTensor(new Rng(3), [3, 4, 2]);
    const single = { dtype: 'float32' as const, shape: H.shape, data: Float32Array.from(H.data) };
    expect(distance(htFull(htSvd(single, { backend })), tensor64(H.shape, single.data))).toBeLessThan(1e-13);
    const zero = htSvd(tensor64([2, 3, 2], new Float64Array(12)), { backend });
    expect([htRanks(zero), zero.error]).toEqual([[[1, 1, 1], [1], [1]], 0]);
    const vector = tensor64([4], [1, -2, 3, 0]);
    expect(htFull(htSvd(vector, { backend })).data).toEqual(vector.data);
    const large = tensor64(
      H.shape,
      H.data.map((value) => value * 1e200),
    );
    const back = htFull(htSvd(large, { backend })).data.map((value) => value / 1e200);
    expect(distance(tensor64(H.shape, back), H)).toBeLessThan(1e-13);
  });
});

describe('what is refused', () => {
  const H = randomTensor(new Rng(1), [2, 3, 2]);
  const ht = htSvd(H);
  it.each<[string, () => unknown, string]>([
    ['NaN', () => htSvd(tensor64([2, 2], [1, Number.NaN, 0, 0])), 'E_NUMERIC'],
    ['a negative eps', () => htSvd(H, { eps: -1 }), 'E_ARGUMENT'],
    ['a list of too few ranks', () => htSvd(H, { maxRanks: [2, 2, 2] }), 'E_ARGUMENT'],
    ['no tensor of the format', () => htFull({} as HierarchicalTucker), 'E_ARGUMENT'],
    ['a missing node', () => htFull({ ...ht, transfers: ht.transfers.slice(1) }), 'E_SHAPE'],
    [
      'ranks that do not meet',
      () => htFull({ ...ht, leaves: [ht.leaves[1], ht.leaves[0], ht.leaves[2]] }),
      'E_SHAPE',
    ],
    ['other extents', () => htAdd(ht, htSvd(randomTensor(new Rng(1), [2, 2, 2]))), 'E_SHAPE'],
    ['an index beyond', () => htEvaluate(ht, Int32Array.of(0, 3, 0)), 'E_ARGUMENT'],
    ['too many elements', () => htFull(ht, { maxBytes: 95 }), 'E_MEMORY'],
    ['too large a product', () => htHadamard(ht, ht, { maxBytes: 95 }), 'E_MEMORY'],
    ['rounding beyond the limit', () => htRound(ht, { maxBytes: 15 }), 'E_MEMORY'],
  ])('%s', (_, work, expected) => {
    expect(work).toThrow(expect.objectContaining({ code: expected }));
  });
});

it('what htRound makes shares no memory with what it was given', () => {
  for (const shape of [[4], [3, 2], [3, 2, 3]]) {
    const ht = htSvd(randomTensor(new Rng(2), shape));
    const parts = ({ leaves, transfers }: HierarchicalTucker) =>
      [...leaves, ...transfers.flat()].map(({ data }) => data.buffer);
    const given = new Set(parts(ht));
    for (const buffer of parts(htRound(ht))) expect(given.has(buffer)).toBe(false);
  }
});

it('takes for maxRanks what htRanks gives', () => {
  for (const shape of [[3], [3, 4], [3, 4, 2, 5, 3]]) {
    const H = randomTensor(new Rng(4), shape);
    const small = htSvd(H, { maxRanks: 2 });
    const ranks = htRanks(small);
    expect(htRanks(htSvd(H, { maxRanks: ranks }))).toEqual(ranks);
    expect(htRanks(htRound(htSvd(H), { maxRanks: ranks }))).toEqual(ranks);
    expect(htSvd(H, { maxRanks: ranks })).toEqual(small);
  }
  const H = randomTensor(new Rng(4), [2, 2, 2]);
  const wrong = [[2, 2, 2], [2], [2]];
  expect(() => htSvd(H, { maxRanks: wrong })).toThrow(
    expect.objectContaining({ code: 'E_ARGUMENT', message: expect.stringMatching(/one rank or a list of/) }),
  );
});
