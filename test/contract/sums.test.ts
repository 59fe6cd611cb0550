import { describe, expect, it } from 'vitest';
import { contract } from '../../src/contract/contract.ts';
import { tensor } from '../../src/core/tensor.ts';
import { subjects } from '../support/subjects.ts';

describe.each(subjects)('sums of many terms on $label', (subject) => {
  const backend = subject.open();

  it('keep what single terms add to a large one', () => {
    const [count, columns] = [2 ** 16, 3];
    const tiny = 0.75 * 2 ** -24;
    // 1, and then terms each of which is less than half of its last place.
    const A = tensor(
      Float32Array.from({ length: count * columns }, (_, n) => (n < columns ? 1 : tiny)),
      [count, columns],
    );
    const expected = 1 + (count - 1) * tiny;
    for (const sum of contract('ij->j', [A], { backend }).data)
      expect(Math.abs(sum - expected)).toBeLessThan(2e-5);
    const row = tensor(A.data.filter((_, n) => n % columns === 0) as Float32Array);
    expect(Math.abs(contract('i->', [row], { backend }).data[0] - expected)).toBeLessThan(2e-5);
  });

  it.each([
    ['i->', [2 ** 20], {}],
    ['; i,i ->', [2 ** 20], { xi: 'rectifier' }],
    ['i->', [2 ** 20], { reduce: 'logsumexp' }],
    ['ij->i', [40, 2 ** 15], {}],
    ['ji->i', [2 ** 15, 40], {}],
  ] as const)('round as the logarithm of their number, %s of [%s] %o', (expression, shape, options) => {
    const count = shape.reduce((product: number, extent) => product * extent, 1);
    const A = tensor(new Float32Array(count).fill(0.1), shape);
    const operands = expression.startsWith(';') ? [A, A] : [A];
    const terms = Math.max(...shape);
    const expected = 'reduce' in options ? Math.fround(0.1) + Math.log(terms) : Math.fround(0.1) * terms;
    for (const sum of contract(expression, operands, { backend, ...options }).data)
      expect(Math.abs(sum / expected - 1)).toBeLessThan(5e-7);
  });
});
