import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BLOCKS, blocksOf, CHECK_NAMES, checksOf, PAGES } from '../support/docs.ts';

const TESTS = [
  'docs',
  'readme',
  ...['commands', 'drawings', 'operator', 'python'].map((name) => `docs/${name}`),
];

describe('every block of code is checked by something', () => {
  it.each(PAGES.map((page) => ({ page })))(
    '$page: every fence opens or closes a block that is seen',
    ({ page }) => {
      const fences = readFileSync(page, 'utf8').match(/^\s*(```|~~~).*$/gm) ?? [];
      expect(fences).toHaveLength(2 * blocksOf(page).length);
    },
  );

  it.each(BLOCKS.map((block) => ({ ...block, block, first: block.code.split('\n')[0] })))(
    '$page: ```$language $first',
    ({ block }) => {
      expect(checksOf(block)).toHaveLength(1);
    },
  );

  const sources = TESTS.map((name) => readFileSync(`test/${name}.test.ts`, 'utf8')).join('\n');
  it.each(CHECK_NAMES.map((check) => ({ check })))(
    '$check: has blocks, and a test that takes them',
    ({ check }) => {
      expect(BLOCKS.some((block) => checksOf(block).includes(check))).toBe(true);
      expect(sources).toContain(`blocksFor('${check}')`);
    },
  );
});
