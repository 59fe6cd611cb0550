// How long the playground takes to its first result, in headless Chromium: node scripts/first-result.mjs [times]. Prints milliseconds
// from the start of navigation to the load event and to the page's mark `first-result`.
import { rmSync } from 'node:fs';
import { chromium } from 'playwright-core';
import { findChromium } from './chromium.mjs';
import { scratchPath } from './lib/steps.mjs';
import { buildPlayground, servePlayground } from './playground.mjs';

const times = Number(process.argv[2] ?? 5);
const folder = await buildPlayground(scratchPath('first-result'));
const browser = await chromium.launch({ executablePath: findChromium(), args: ['--no-sandbox'] });
for (const isolated of [false, true]) {
  const server = await servePlayground(folder, { port: 0, isolated });
  const seen = [];
  for (let n = 0; n < times; n++) {
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${server.address().port}/`);
    await page.waitForFunction("performance.getEntriesByName('first-result').length > 0");
    const [loaded, first] = await page.evaluate(
      "[performance.getEntriesByType('navigation')[0].loadEventEnd, performance.getEntriesByName('first-result')[0].startTime]",
    );
    seen.push(first - loaded);
    console.log(
      `isolated ${isolated}: load ${loaded.toFixed(0)} ms, first result ${(first - loaded).toFixed(0)} ms later`,
    );
    await page.close();
  }
  console.log(`isolated ${isolated}: the median is ${seen.sort((a, b) => a - b)[times >> 1].toFixed(0)} ms`);
  server.close();
  server.closeAllConnections();
}
await browser.close();
rmSync(folder, { recursive: true });
