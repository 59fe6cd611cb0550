import fc from 'fast-check';
import { expect, it } from 'vitest';
import { nearest } from '../../src/core/nearest.ts';

const KNOWN = ['rectifier', 'logsumexp', 'product', 'boundary', 'C1', 'C2'];

it.each([
  ['rectifer', 'rectifier'],
  ['LOGSUMEXP', 'logsumexp'],
  ['prodcut', 'product'],
  ['C9', 'C1'],
  ['banana', undefined],
  ['', undefined],
])('%s means %s', (word, meant) => {
  expect(nearest(word, KNOWN)).toBe(meant);
});

it('two letters that changed places, one that is missing or one too many are forgiven', () => {
  const long = KNOWN.filter((word) => word.length > 4);
  fc.assert(
    fc.property(
      fc.constantFrom(...long),
      fc.nat(),
      fc.constantFrom('swap', 'drop', 'double'),
      (word, n, how) => {
        const at = n % (word.length - 1);
        const [head, one, two, tail] = [word.slice(0, at), word[at], word[at + 1], word.slice(at + 2)];
        const middle = { swap: two + one, drop: two, double: one + one + two }[how];
        expect(nearest(head + middle + tail, KNOWN)).toBe(word);
      },
    ),
  );
});

it('of equally close words the first is meant', () => {
  expect(nearest('ab', ['ax', 'ay'])).toBe('ax');
});
