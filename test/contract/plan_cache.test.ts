import { describe, expect, it } from 'vitest';
import { PlanCache } from '../../src/contract/plan_cache.ts';

describe('a cache of plans', () => {
  const held = (cache: PlanCache<number>, expression: string, plans: readonly number[]) =>
    plans.filter((plan) => {
      let found = false;
      // A search that fits nothing changes no order.
      cache.find(expression, (known) => {
        found ||= known === plan;
        return false;
      });
      return found;
    });
  const find = (cache: PlanCache<number>, expression: string, plan: number) =>
    cache.find(expression, (known) => known === plan);

  it('drops the plan of an expression that was not asked for longest, and keeps all others', () => {
    const cache = new PlanCache<number>(100, 4);
    for (const plan of [1, 2, 3, 4]) cache.add('a', plan);
    expect(find(cache, 'a', 1)).toBe(1);
    cache.add('a', 5);
    expect(held(cache, 'a', [1, 2, 3, 4, 5])).toEqual([1, 3, 4, 5]);
    expect(find(cache, 'a', 3)).toBe(3);
    cache.add('a', 6);
    expect(held(cache, 'a', [1, 2, 3, 4, 5, 6])).toEqual([1, 3, 5, 6]);
    expect(find(cache, 'a', 2)).toBeUndefined();
  });

  it('drops plans of the expression planned for longest ago where there are too many in all', () => {
    const cache = new PlanCache<number>(4, 3);
    for (const [expression, plan] of [
      ['a', 1],
      ['a', 2],
      ['b', 3],
      ['c', 4],
      ['a', 5],
    ] as const)
      cache.add(expression, plan);
    expect([held(cache, 'a', [1, 2, 5]), held(cache, 'b', [3]), held(cache, 'c', [4])]).toEqual([
      [1, 2, 5],
      [],
      [4],
    ]);
    cache.add('b', 3);
    cache.add('b', 6);
    expect([held(cache, 'a', [1, 2, 5]), held(cache, 'b', [3, 6]), held(cache, 'c', [4])]).toEqual([
      [2, 5],
      [3, 6],
      [],
    ]);
  });

  it('holds as many as it may', () => {
    const cache = new PlanCache<number>(1000, 256);
    for (let plan = 0; plan < 256; plan++) cache.add('a', plan);
    for (let plan = 0; plan < 256; plan++) expect(find(cache, 'a', plan)).toBe(plan);
    cache.add('a', 256);
    expect(find(cache, 'a', 0)).toBeUndefined();
    for (let plan = 1; plan <= 256; plan++) expect(find(cache, 'a', plan)).toBe(plan);
  });
});
