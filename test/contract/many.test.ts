import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { selectBackend } from '../../src/backend/select.ts';
import { contract } from '../../src/contract/contract.ts';
import { type Pair, PairQueue } from '../../src/contract/pair_queue.ts';
import { pairwiseOrder } from '../../src/contract/path.ts';
import { tensor } from '../../src/core/tensor.ts';

const SEED = process.env.XITENSOR_TEST_SEED ? { seed: Number(process.env.XITENSOR_TEST_SEED) } : {};
const backend = selectBackend({ prefer: ['reference'] }).backend;

describe('a thousand operands', () => {
  const count = 1000;
  const words = new Array(count).fill('i').join(',');
  const operands = Array.from({ length: count }, (_, n) => tensor([n % 7, -n, n === 500 ? 2 : 1]));

  it('are joined by ξ', () => {
    const options = { xi: 'max', backend } as const;
    expect([...contract(`; ${words} -> i`, operands, options).data]).toEqual([6, 0, 2]);
    expect(contract.plan(`; ${words} -> i`, operands, options).flops).toBe(3 * (count - 1));
  });

  it('are multiplied', () => {
    const factors = operands.map((_, n) => tensor([n % 2 === 0 ? 2 : 0.5, 1, n === 500 ? 3 : 1]));
    expect([...contract(`${words}->i`, factors, { backend }).data]).toEqual([1, 1, 3]);
  });
});

describe('the greedy order', () => {
  it('takes the first of equal pairs, and what was made after all others', () => {
    const inputs = new Array(12).fill(['i']);
    const { pairs } = pairwiseOrder(inputs, ['i'], new Map([['i', 3]]))!;
    const halves = [0, 2, 4, 6, 8, 10, 12, 14, 16].map((n) => [n, n + 1]);
    expect(pairs.map((pair) => [...pair].sort((a, b) => a - b))).toEqual([...halves, [18, 19], [20, 21]]);
  });

  it('compares the smallest of many operands that share an index', () => {
    const labels = Array.from({ length: 40 }, (_, n) => String.fromCodePoint(0x4e00 + n));
    // 40 matrices [z, own] with extents 41, 40, … 2, of which the last are the smallest.
    const extents = new Map([['z', 3], ...labels.map((label, n): [string, number] => [label, 41 - n])]);
    const { pairs } = pairwiseOrder(
      labels.map((label) => ['z', label]),
      labels,
      extents,
    )!;
    expect(pairs[0]).toEqual([39, 38]);
    expect(pairs[1]).toEqual([37, 36]);
    expect(new Set(pairs.flat()).size).toBe(2 * 39);
  });

  it('meets every operand of a crowd that shares other indices too', () => {
    const count = 100;
    const at = (n: number) => String.fromCodePoint(0x4e00 + n);
    const inputs = Array.from({ length: count }, (_, n) => ['z', at(n), at(n + 1)]);
    const extents = new Map(inputs.flat().map((label) => [label, label === 'z' ? 4 : 2]));
    const { cost, largest } = pairwiseOrder(inputs, ['z', at(0), at(count)], extents)!;
    // Products of 2 × 2 matrices for each z, whatever their order.
    expect([cost, largest]).toEqual([(count - 1) * 2 * 4 * 2 ** 3, 4 * 2 ** 2]);
  });

  it('is found for thousands of operands that share an index', () => {
    // All pairs of 6000 are 18 million, more than a Set holds.
    const inputs = new Array(6000).fill(['i']);
    const { pairs, cost } = pairwiseOrder(inputs, ['i'], new Map([['i', 3]]))!;
    expect([pairs.length, cost]).toEqual([5999, 3 * 5999]);
  });

  it('makes outer products of the smallest where nothing is shared', () => {
    const labels = [...'abcdefghijkl'];
    const extents = new Map(labels.map((label, n) => [label, [5, 3, 3, 2][n % 4]]));
    const { pairs, largest } = pairwiseOrder(
      labels.map((label) => [label]),
      labels,
      extents,
    )!;
    expect(pairs.slice(0, 4)).toEqual([
      [3, 7],
      [11, 1],
      [2, 5],
      [6, 9],
    ]);
    expect(largest).toBe(2 * 3 ** 5 * 5);
  });
});

it('a queue of pairs gives what a search among all would', () => {
  const pair = fc.record({ a: fc.nat(9), b: fc.nat(9), score: fc.integer({ min: -3, max: 3 }) });
  const step = fc.oneof(pair, fc.nat(9));
  const check = (steps: readonly (Omit<Pair, 'rank'> | number)[]) => {
    const gone = new Set<number>();
    const pairs: Pair[] = [];
    const queue = new PairQueue((n) => !gone.has(n));
    steps.forEach((next, n) => {
      if (typeof next === 'number') gone.add(next);
      // Ranks in any order, and no two alike.
      else pairs.push({ ...next, rank: (n * 37) % 101 });
      if (typeof next !== 'number') queue.add(pairs.at(-1)!);
      const alive = pairs.filter(({ a, b }) => !gone.has(a) && !gone.has(b));
      const [want] = alive.sort((p, q) => p.score - q.score || p.rank - q.rank);
      expect(queue.least()).toEqual(want);
    });
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), check), SEED);
});
