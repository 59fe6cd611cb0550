import { describe, expect, it } from 'vitest';
import { contract } from '../../src/contract/contract.ts';
import { bindExtents, parseExpression } from '../../src/contract/expression.ts';
import { naiveCost, pairwiseOrder } from '../../src/contract/path.ts';
import { DTYPES, tensor } from '../../src/core/tensor.ts';
import { brute } from '../support/brute.ts';
import { expectClose, type GoldenArray, golden, values } from '../support/golden.ts';
import { subjects } from '../support/subjects.ts';

interface Case {
  readonly expression: string;
  readonly shapes: number[][];
  readonly out: GoldenArray;
  /** Of all pairwise orders, and of the one that opt_einsum calls optimal. */
  readonly least?: number;
  readonly optimal?: number;
}

const { cases } = golden<{ cases: Case[] }>('einsum.json');

/** The small integers of test/golden/einsum.py. */
function operandsOf({ shapes }: Case) {
  return shapes.map((shape, k) => {
    const count = shape.reduce((product, extent) => product * extent, 1);
    return tensor(
      Float64Array.from({ length: count }, (_, n) => ((n * n + 7 * n + 5 * k + 3) % 9) - 4),
      shape,
    );
  });
}

describe.each(subjects)('einsum on $label', ({ open }) => {
  const backend = open();
  it.each(cases)("$expression as NumPy's", (example) => {
    const operands = operandsOf(example);
    for (const maxBytes of [2 ** 26, 64]) {
      const exact = contract(example.expression, operands, { backend, maxBytes });
      expect(exact.shape).toEqual(example.out.shape);
      expect(exact.data).toEqual(values(example.out));
    }
    const rounded = operands.map((operand) => tensor(operand, operand.shape, 'float32'));
    const { data, dtype } = contract(example.expression, rounded, { backend });
    expect(dtype).toBe(DTYPES[0]);
    // Integers of seven operands pass 2²⁴, and their sum may cancel.
    const magnitudes = operands.map(({ data, shape }) => tensor(data.map(Math.abs), shape));
    const scale = contract(example.expression, magnitudes, { backend }).data;
    values(example.out).forEach((want, n) => {
      expect(Math.abs(data[n] - want)).toBeLessThanOrEqual(scale[n] * 2 ** -18);
    });
  });
});

describe('the pairwise order', () => {
  const orderOf = (expression: string, shapes: number[][]) => {
    const parsed = parseExpression(expression);
    const extents = bindExtents(parsed, shapes);
    return {
      order: pairwiseOrder(parsed.inputs, parsed.output, extents)!,
      naive: naiveCost(parsed.inputs, parsed.output, extents),
    };
  };
  const shapesFor = (expression: string, extents: Record<string, number>) =>
    expression
      .split('->')[0]
      .split(',')
      .map((word) => [...word].map((label) => extents[label]));

  it.each(cases.filter(({ least }) => least !== undefined))(
    'of $expression costs the least of all',
    ({ expression, shapes, least, optimal }) => {
      const { order } = orderOf(expression, shapes);
      expect(order.cost).toBe(least);
      expect(order.cost).toBeLessThanOrEqual(optimal!);
      expect(order.pairs.length).toBe(shapes.length - 1);
    },
  );

  it('is that of the example on the first page of opt_einsum', () => {
    // docs/index.md: optimized 8.000e+05, largest intermediate 1.000e+04.
    const expression = 'pi,qj,ijkl,rk,sl->pqrs';
    const shapes = [2, 2, 4, 2, 2].map((axes) => new Array(axes).fill(10));
    const { order, naive } = orderOf(expression, shapes);
    expect({ ...order, naive }).toMatchObject({ cost: 8e5, largest: 1e4, naive: 5e8 });
  });

  it('finds the order that greedy misses', () => {
    // docs/paths/greedy_path.md: naive 2.146e+10, optimal 2.744e+07, largest 1.535e+05.
    const expression = 'xyf,xtf,ytpf,fr->tpr';
    const shapes = shapesFor(expression, { x: 35, y: 37, f: 59, t: 51, p: 51, r: 27 });
    const { order, naive } = orderOf(expression, shapes);
    expect(order.cost.toExponential(3)).toBe('2.744e+7');
    expect(naive.toExponential(3)).toBe('2.146e+10');
    expect(order.largest).toBe(51 * 51 * 59);
  });

  it('sums as it goes in the example on paths, whatever the extents', () => {
    // docs/paths/introduction.md: four pairs, none over more than four indices, of seven in all.
    const expression = 'bdik,acaj,ikab,ajac,ikbd->';
    const extents = { b: 10, d: 17, i: 9, k: 10, a: 13, c: 16, j: 15 };
    const { order, naive } = orderOf(expression, shapesFor(expression, extents));
    const { b, d, i, k, a, c, j } = extents;
    expect(order.cost).toBe(2 * b * d * i * k + 2 * i * k * a * b + 2 * a * c * j + 2 * a);
    expect(naive).toBe(5 * a * b * c * d * i * j * k);
  });

  it('takes outer products where they are cheaper', () => {
    // opt_einsum/tests/test_paths.py, test_custom_dp_can_optimize_for_outer_products: a·b first.
    const { order } = orderOf('a,b,abc->c', [[2], [2], [2, 2, 3]]);
    expect(order).toMatchObject({ cost: 4 + 24, largest: 4 });
    const pairs = orderOf('ab,cd,ef,fg', [
      [10, 10],
      [10, 10],
      [10, 10],
      [10, 2],
    ]).order.pairs;
    expect(pairs).toContainEqual([2, 3]);
  });

  it('keeps intermediates within a limit, or says that it cannot', () => {
    const parsed = parseExpression('abc,bdef,fghj,cem,mhk,ljk->adgl');
    const extents = new Map([...'abcdefghjklm'].map((label, n) => [label, 2 + (n % 4)]));
    const free = pairwiseOrder(parsed.inputs, parsed.output, extents)!;
    const bound = pairwiseOrder(parsed.inputs, parsed.output, extents, free.largest / 2);
    expect(bound === undefined || (bound.largest <= free.largest / 2 && bound.cost >= free.cost)).toBe(true);
    expect(pairwiseOrder(parsed.inputs, parsed.output, extents, 1)).toBeUndefined();
  });

  it.each([2, 3, 26, 52, 300])('of a chain of %d matrices is found at once', (count) => {
    const labels = Array.from({ length: count + 1 }, (_, n) => String.fromCodePoint(0x4e00 + n));
    const expression = labels
      .slice(1)
      .map((label, n) => labels[n] + label)
      .join(',');
    const extents = Object.fromEntries(labels.map((label, n) => [label, 2 + (n % 3)]));
    const { order } = orderOf(`${expression}->`, shapesFor(expression, extents));
    expect(order.pairs.length).toBe(count - 1);
    // Never worse than left to right, which costs less than 2·4³ a matrix.
    expect(order.cost).toBeLessThanOrEqual(count * 128);
  });

  it('multiplies a long chain rightly', () => {
    const labels = [...'abcdefghijklmnop'];
    const words = labels.slice(1).map((label, n) => labels[n] + label);
    const operands = words.map((_, k) =>
      tensor(
        Float64Array.of(1, k % 3, 0, 1).map((x) => x),
        [2, 2],
      ),
    );
    const expression = `${words.join(',')}->ap`;
    const backend = subjects.at(-1)!.open();
    const result = contract(expression, operands, { backend });
    expectClose('chain', result.data, Float64Array.of(1, 15, 0, 1), 0);
    expect(brute('ab,bc,cd->ad', operands.slice(0, 3), 'product', 'sum').data[1]).toBe(3);
  });
});
