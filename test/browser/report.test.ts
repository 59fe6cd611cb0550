import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderReport } from '../../src/report/report.ts';
import { launch, openPage, SIZES, violations } from '../support/browser.ts';
import { temporaryFolder } from '../support/processes.ts';
import { someResults } from '../support/results.ts';

describe('the report, opened from its file', () => {
  let folder: string;
  let browser: Browser;
  const url = () => pathToFileURL(join(folder, 'report.html')).href;
  beforeAll(async () => {
    folder = temporaryFolder();
    writeFileSync(join(folder, 'report.html'), renderReport(someResults(), '2026-01-02'));
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true });
  });

  /** Letters of a drawing that stick out of it: what is cut off, or lies over its neighbour. */
  const cut = (page: Page) =>
    page.evaluate<string[]>(`[...document.querySelectorAll('svg')].flatMap((svg) => {
        const { left, right, top, bottom } = svg.getBoundingClientRect();
        return [...svg.querySelectorAll('text')].filter((text) => {
          const box = text.getBoundingClientRect();
          return box.left < left - 1 || box.right > right + 1 || box.top < top - 1 || box.bottom > bottom + 1;
        }).map((text) => text.textContent);
      })`);

  it.each(
    (['phone', 'desktop'] as const).flatMap((size) =>
      (['light', 'dark'] as const).map((colorScheme) => ({ size, colorScheme })),
    ),
  )(
    '$size, $colorScheme: nothing for axe-core to complain of, nothing cut off',
    async ({ size, colorScheme }) => {
      const { page, complaints } = await openPage(browser, url(), { viewport: SIZES[size], colorScheme });
      expect(await page.locator('section').count()).toBeGreaterThan(5);
      expect(await violations(page)).toEqual([]);
      expect(await cut(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(SIZES[size].width);
      const ground = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
      expect(Number(/\d+/.exec(ground)?.[0]) > 127).toBe(colorScheme === 'light');
      expect(complaints).toEqual([]);
      await page.close();
    },
  );

  it('what scrolls sideways has a name, can be reached by keys, and shows that there is more', async () => {
    const { page } = await openPage(browser, url(), { viewport: SIZES.phone });
    const wide = page.locator('.scroll, pre');
    const found = await wide.evaluateAll((all) =>
      all.map((one) => ({
        name: one.getAttribute('aria-label'),
        reached: one.getAttribute('tabindex') === '0' && one.getAttribute('role') === 'region',
        more: one.scrollWidth > one.clientWidth,
      })),
    );
    expect(found.every(({ name, reached }) => name && reached)).toBe(true);
    expect(new Set(found.map(({ name }) => name)).size).toBe(found.length);
    const table = wide.nth(found.findIndex(({ more }) => more));
    /** The strip of pixels at an edge of its box, as a picture. */
    const edge = async (side: 'left' | 'right') => {
      const { x, y, width } = (await table.boundingBox())!;
      const clip = { x: side === 'left' ? x : x + width - 3, y: y + 2, width: 3, height: 12 };
      return (await page.screenshot({ clip })).toString('base64');
    };
    await table.scrollIntoViewIfNeeded();
    const [left, right] = [await edge('left'), await edge('right')];
    await table.focus();
    await page.evaluate('document.activeElement.style.outline = "none"');
    for (let n = 0; n < 40; n++) await page.keyboard.press('ArrowRight');
    await expect
      .poll(() => table.evaluate((one) => one.scrollWidth - one.clientWidth - one.scrollLeft))
      .toBeLessThan(2);
    expect(await edge('left')).not.toBe(left);
    expect(await edge('right')).not.toBe(right);
    await page.close();
  });

  it('axe-core would find what is wrong', async () => {
    const { page } = await openPage(browser, url());
    await page.evaluate(`{
        document.querySelector('h2').style.color = '#eee';
        document.querySelector('svg.plot').removeAttribute('aria-labelledby');
        document.querySelector('svg.plot title').remove();
        document.documentElement.removeAttribute('lang');
      }`);
    const found = (await violations(page)).map((line) => line.split(':')[0]);
    expect(found).toEqual(expect.arrayContaining(['color-contrast', 'html-has-lang', 'svg-img-alt']));
    await page.close();
  });
});
