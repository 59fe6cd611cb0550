import { rmSync } from 'node:fs';
import { get, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// @ts-expect-error plain JavaScript, which runs before anything is compiled
import { buildPlayground, servePlayground } from '../../scripts/playground.mjs';
import { probeBackend, selectBackend } from '../../src/backend/select.ts';
import { type Bin, histogramChart, percent, statesChart } from '../../web/charts.ts';
import { readHash, STANDARD, tooLarge, writeHash } from '../../web/choice.ts';
import { boundOf, drawNetwork, largestRank } from '../../web/study.ts';
import { timeInTurns } from '../../web/turns.ts';
import { launch, openPage, SIZES, violations } from '../support/browser.ts';
import { temporaryFolder } from '../support/processes.ts';

describe('the choice in the address', () => {
  it('comes back', () => {
    const choice = { ...STANDARD, xi: 'l2', kind: 'ht', M: 4, T: 8, R: 3, shared: true, seed: 17 } as const;
    expect(readHash(writeHash(choice))).toEqual(choice);
    expect(readHash('')).toEqual(STANDARD);
  });

  it.each(['#xi=plus&kind=rnn&M=1.5&T=-3&R=1e9&networks=&seed=x&shared=1', '#M', '#%', '#M=17&T=13'])(
    '%s becomes the standard',
    (hash) => expect(readHash(hash)).toEqual(STANDARD),
  );

  it('may be too large for a page', () => {
    expect(tooLarge(STANDARD)).toBe('');
    expect(tooLarge({ ...STANDARD, M: 8, T: 7 })).toMatch(/8 templates over 7 steps .* 2,097,152 entries/);
  });
});

describe('a random network', () => {
  const { backend } = selectBackend({ prefer: [probeBackend('wasm').usable ? 'wasm' : 'reference'] });
  const small = { ...STANDARD, M: 4, T: 4 };

  it('is determined by seed and index', () => {
    const [one, again, other] = [0, 0, 1].map((index) => drawNetwork(backend, small, index).spectrum);
    expect(one).toEqual(again);
    expect(one).not.toEqual(other);
    expect(drawNetwork(backend, { ...small, seed: 2 }, 0).spectrum).not.toEqual(one);
  });

  it.each([1, 2, 3])('CP of rank %d with products has that rank', (R) => {
    const { rank, spectrum } = drawNetwork(backend, { ...small, kind: 'cp', xi: 'product', R }, 0);
    expect(rank).toBe(R);
    expect(spectrum.length).toBe(largestRank(small));
    expect(boundOf({ ...small, xi: 'product' }, rank).refined).toBe(R);
  });

  it.each(['tt', 'ht', 'cp'] as const)('%s with shared weights and sums has rank 2 at most', (kind) => {
    expect(drawNetwork(backend, { ...small, kind, xi: 'sum', shared: true }, 0).rank).toBeLessThanOrEqual(2);
  });
});

describe('charts', () => {
  const heights = (svg: string) =>
    [...svg.matchAll(/height="([\d.]+)" rx/g)].map(([, height]) => Number(height));

  it('of ranks have a last bar of as many ranks as the others', () => {
    const all = Array.from({ length: 216 }, (_, n): Bin => [n + 1, 1]);
    const svg = histogramChart(600, all, 216);
    expect(svg).toContain('10 ranks a bar');
    expect(svg).toMatch(/rotate\(-90\)" text-anchor="middle">networks</);
    const [first, ...others] = heights(svg);
    expect(new Set(others).size).toBe(1);
    expect(others.length).toBe(21);
    expect(first).toBeLessThan(others[0]);
  });

  it('never say that a probability is 1', () => {
    expect([0.99949, 0.9995, 1, 0.123].map(percent)).toEqual(['99.9 %', '> 99.9 %', '> 99.9 %', '12.3 %']);
  });

  it('of hidden states have a key of their colours and their scale', () => {
    const svg = statesChart(400, [Float32Array.of(-2.5, 1), Float32Array.of(0, 0.5)]);
    expect(svg).toContain('>negative −2.5<');
    expect(svg).toContain('>2.5 positive<');
  });
});

describe('times of turns', () => {
  it('are medians with ranges, whatever a coarse clock says of single calls', () => {
    let time = 0;
    let calls = 0;
    const coarse = () => Math.floor(time * 10 + 1e-6) / 10;
    // 0.25 ms, which a clock of 0.1 ms shows as 0.2 or 0.3; the first call compiles, every 97th meets something else.
    const quick = () => {
      time += calls === 0 ? 30 : calls % 97 === 0 ? 5 : 0.25;
      calls++;
    };
    const [fast, slow] = timeInTurns(
      [
        quick,
        () => {
          time += 50;
        },
      ],
      coarse,
    );
    expect(fast.median).toBeCloseTo(0.25 + 4.75 / 97, 1);
    expect(fast.least).toBeGreaterThan(0.249);
    expect(fast.most).toBeGreaterThan(fast.median);
    for (const value of Object.values(slow)) expect(value).toBeCloseTo(50, 9);
  });
});

const QUICK = '#M=4&T=4&networks=30';

describe('the page', () => {
  let folder: string;
  let browser: Browser;
  let servers: Server[];
  const address = (isolated: boolean) =>
    `http://127.0.0.1:${(servers[isolated ? 1 : 0].address() as AddressInfo).port}/`;

  beforeAll(async () => {
    folder = temporaryFolder();
    await buildPlayground(folder);
    servers = [
      await servePlayground(folder, { port: 0, isolated: false }),
      await servePlayground(folder, { port: 0, isolated: true }),
    ];
    browser = await launch();
  });
  afterAll(async () => {
    await browser?.close();
    for (const server of servers ?? []) {
      server.close();
      server.closeAllConnections();
    }
    rmSync(folder, { recursive: true });
  });

  const textOf = async (page: Page, id: string) => (await page.textContent(`#${id}`)) ?? '';
  const until = (page: Page, id: string, pattern: RegExp) =>
    expect.poll(() => textOf(page, id), { timeout: 60_000 }).toMatch(pattern);

  it.each([
    ['phone', 'light', true],
    ['phone', 'dark', false],
    ['desktop', 'light', false],
    ['desktop', 'dark', true],
  ] as const)('on a %s, %s, isolated: %s', async (size, colorScheme, isolated) => {
    const { page, complaints } = await openPage(browser, `${address(isolated)}${QUICK}`, {
      viewport: SIZES[size],
      colorScheme,
    });
    await until(page, 'ranks-summary', /^30 networks drawn\. Their median rank is \d+, of 16 at most\.$/);
    await until(
      page,
      'engine',
      isolated ? /^WebAssembly, relaxed128, \d+ threads$/ : /not cross-origin isolated/,
    );
    for (const id of ['histogram', 'spectrum', 'states'])
      expect(await page.locator(`#${id} svg`).count()).toBe(1);
    await page.click('#sample');
    await until(page, 'answer', /^It reads 7, with (more than )?\d+/);
    await page.click('#compare');
    await until(
      page,
      'speed-answer',
      /^WebAssembly is [\d.]+ times as fast for rectifier: [\d.]+ ms \([\d.]+–[\d.]+\) instead of [\d.]+ ms \([\d.]+–[\d.]+\), .* differ by \de-\d+/,
    );
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(SIZES[size].width);
    expect(await violations(page)).toEqual([]);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('survives addresses that begin with two slashes', async () => {
    const { port } = servers[0].address() as AddressInfo;
    const status = await new Promise((resolve, reject) => {
      const asked = get({ port, host: '127.0.0.1', path: '//' }, ({ statusCode }) => resolve(statusCode));
      asked.on('error', reject);
    });
    expect(status).toBe(200);
  });

  it('says that the reference computes where it does', async () => {
    const page = await browser.newPage();
    await page.route('**/*.wasm', (route) => route.abort());
    await page.goto(`${address(false)}${QUICK}`);
    await until(page, 'engine', /^The reference in JavaScript computes, .*cannot (fetch|load)/);
    await page.click('#compare');
    await until(page, 'speed-answer', /^The reference in JavaScript is [\d.]+ times as fast/);
    await page.close();
  });

  it('says so where the worker does not start', async () => {
    const page = await browser.newPage();
    await page.route('**/assets/worker.js', (route) => route.abort());
    await page.goto(`${address(false)}${QUICK}`);
    await page.click('#compare');
    await until(page, 'engine', /its worker does not start/);
    await page.click('#compare');
    await until(page, 'speed-answer', /^Not measured: its worker does not start$/);
    await page.close();
  });

  it('transfers less than 400 kB without the model, which waits until a digit is drawn', async () => {
    const page = await browser.newPage();
    const files = new Map<string, number>();
    page.on('requestfinished', async (request) => {
      const { responseBodySize, responseHeadersSize } = await request.sizes();
      files.set(new URL(request.url()).pathname, responseBodySize + responseHeadersSize);
    });
    await page.goto(`${address(false)}${QUICK}`);
    await until(page, 'ranks-summary', /drawn/);
    // The size of a file is told some time after the page has it.
    await expect.poll(() => [...files.keys()]).toContain('/wasm/xitensor-relaxed.wasm');
    const sizes = [...files.values()].reduce((sum, size) => sum + size, 0);
    expect([...files.keys()].filter((path) => path.startsWith('/model/'))).toEqual([]);
    // The program of the worker is loaded by its own target, of which the page sees the head only.
    const worker = await page.request.get(`${address(false)}assets/worker.js`);
    expect(sizes + (await worker.body()).length).toBeLessThan(400_000);
    await page.close();
  });

  it('shows no results of before beside a choice that is refused', async () => {
    const { page, complaints } = await openPage(browser, `${address(false)}${QUICK}`, {});
    await until(page, 'ranks-summary', /drawn/);
    await until(page, 'ranks-figures', /Shallow width, median network≥\s\d+widest: ≥\s\d+/);
    const results = page.locator('#ranks-results');
    expect(await results.isVisible()).toBe(true);
    const enter = async (value: string) => {
      await page.fill('[name=M]', value);
      await page.press('[name=M]', 'Tab');
    };
    await enter('16');
    await page.fill('[name=T]', '12');
    await page.press('[name=T]', 'Tab');
    await until(page, 'ranks-problem', /^16 templates over 12 steps/);
    expect(await results.isVisible()).toBe(false);
    for (const value of ['99', '', '2.5']) {
      await enter(value);
      await until(page, 'ranks-problem', /^Templates M: \S.{5}/);
      expect(await results.isVisible()).toBe(false);
      expect(await textOf(page, 'ranks-summary')).toBe('');
    }
    await page.fill('[name=T]', '4');
    await enter('3');
    await until(page, 'ranks-summary', /^30 networks drawn/);
    expect(await results.isVisible()).toBe(true);
    expect(await page.locator('#ranks-problem').isVisible()).toBe(false);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('is used by keys alone, and keeps the choice in the address', async () => {
    const { page, complaints } = await openPage(browser, `${address(false)}${QUICK}`, {});
    await until(page, 'ranks-summary', /drawn/);
    const focused = () => page.evaluate<string>('document.activeElement.name || document.activeElement.id');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('ranks');
    const order = [];
    for (let n = 0; n < 9; n++) {
      await page.keyboard.press('Tab');
      order.push(await focused());
    }
    expect(order).toEqual(['xi', 'kind', 'M', 'T', 'R', 'networks', 'seed', 'shared', 'draw']);
    await page.focus('[name=kind]');
    await page.keyboard.press('c');
    await page.focus('[name=xi]');
    await page.keyboard.press('p');
    await page.fill('[name=R]', '3');
    await page.keyboard.press('Enter');
    await until(page, 'ranks-summary', /^30 networks drawn\. Their median rank is 3,/);
    expect(readHash(new URL(page.url()).hash)).toMatchObject({ kind: 'cp', xi: 'product', R: 3, M: 4 });
    await page.fill('[name=M]', '12');
    await page.fill('[name=T]', '12');
    await page.keyboard.press('Enter');
    await until(page, 'ranks-problem', /12 templates over 12 steps make a tensor of/);
    await page.evaluate(`location.hash = '${QUICK}&kind=ht'`);
    await until(page, 'ranks-summary', /^30 networks drawn/);
    expect(await page.inputValue('[name=kind]')).toBe('ht');
    // A vertical stroke.
    await page.focus('#pad');
    for (let n = 0; n < 7; n++) await page.keyboard.press('ArrowUp');
    await page.keyboard.down('Shift');
    for (let n = 0; n < 14; n++) await page.keyboard.press('ArrowDown');
    await page.keyboard.up('Shift');
    await until(page, 'answer', /^It reads 1, with (more than )?\d+/);
    await until(page, 'answer-settled', /^It reads 1, with (more than )?\d+/);
    await page.click('#clear');
    await until(page, 'answer', /^Draw a digit\.$/);
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('keeps the focus where it was, whatever a button starts or ends', async () => {
    const page = await browser.newPage();
    await page.goto(`${address(false)}${QUICK.replace('30', '5000')}`);
    await until(page, 'engine', /^WebAssembly/);
    const focused = () => page.evaluate('document.activeElement.id');
    await page.focus('#stop');
    await page.keyboard.press('Enter');
    expect(await focused()).toBe('draw');
    await page.keyboard.press('Enter');
    expect(await page.locator('#stop').isEnabled()).toBe(true);
    await page.focus('#compare');
    await page.keyboard.press('Enter');
    expect(await page.locator('#stop').isEnabled(), 'a comparison stops what is being drawn').toBe(false);
    expect([await page.getAttribute('#compare', 'aria-disabled'), await focused()]).toEqual([
      'true',
      'compare',
    ]);
    await until(page, 'speed-answer', /^WebAssembly is/);
    expect([await page.getAttribute('#compare', 'aria-disabled'), await focused()]).toEqual([
      'false',
      'compare',
    ]);
    await page.close();
  });

  it('says what cannot be fetched, and tries the test images again', async () => {
    const page = await browser.newPage();
    let refused = true;
    await page.route('**/samples.bin', (route) =>
      refused ? route.fulfill({ status: 404, body: 'no such file' }) : route.continue(),
    );
    await page.goto(`${address(false)}${QUICK}`);
    await page.click('#sample');
    await until(page, 'answer', /^The test images cannot be fetched\.$/);
    refused = false;
    await page.click('#sample');
    await until(page, 'answer', /^It reads 7, with/);
    await page.route('**/worker.js', (route) => route.abort());
    await page.reload();
    await until(page, 'engine', /^The kernels cannot be loaded: its worker does not start$/);
    await page.close();
  });
});
