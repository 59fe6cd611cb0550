// Draws docs/picture.svg, the picture of the README, by the code that draws the report, from networks that it evaluates: node scripts/picture.mjs.
import { writeFileSync } from 'node:fs';
import { inProject } from './lib/steps.mjs';

const { selectBackend } = await import('../dist/backend/select.js');
const { checkStudy } = await import('../dist/experiments/rank_config.js');
const { studyNetwork, studyTasks, summarise } = await import('../dist/experiments/ranks.js');
const { networkSvg } = await import('../dist/report/network.js');
const { panelSvg } = await import('../dist/report/plot.js');
const { STYLE } = await import('../dist/report/style.js');

const study = checkStudy({ xi: 'rectifier', M: 6, T: 6, ranks: [4], networks: 400, shared: false, seed: 0 });
const { backend } = selectBackend({ threads: 1 });
const records = studyTasks(study).map((task) => studyNetwork(backend, study, task));
const [{ refined, networks }] = summarise(study, records, null);
const [largest] = refined.bins.at(-1);

const drawing = networkSvg({ kind: 'tt', rank: 4, features: 6, xi: 'rectifier' }, 1);
const histogram = panelSvg({
  id: 'width',
  title: 'shallow network (CP), same scores',
  description: `Lower bounds for ${networks} random networks, from 1 to ${largest}, ${refined.mean.toFixed(1)} in the mean.`,
  x: { label: 'width that it must have, at least', low: 0.4, high: largest + 0.6, whole: true },
  y: {
    label: `of ${networks} random networks (%)`,
    low: 0,
    high: Math.max(...refined.bins.map(([, count]) => count / networks)) * 1.08,
    format: (part) => String(Math.round(100 * part)),
  },
  marks: [
    {
      type: 'bars',
      colour: 2,
      bars: refined.bins.map(([value, n]) => [value - 0.36, value + 0.36, n / networks]),
    },
  ],
});

/** Colours and drawing rules of the page; what is for its text is not needed here. */
const rules = STYLE.split('\n')
  .filter((line) =>
    /^(:root|--c1|@media \(prefers-color-scheme|svg |\.end|\.halo|\.grid|\.band|\.c1|\.wire)/.test(line),
  )
  .join('\n');
const placed = (markup, x) =>
  markup.text
    .replace('<svg class="', `<svg x="${x}" y="8" width="372" height="248" class="`)
    .replace(/\n/g, '');
const label = `A recurrent network of rank 4 with a rectifier in the place of the product, and how wide a shallow network must be that does the same: ${refined.mean.toFixed(1)} in the mean, up to ${largest}`;
writeFileSync(
  inProject('docs/picture.svg'),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 780 264" width="780" height="264" role="img" aria-label="${label}">
<!-- Made by scripts/picture.mjs. Do not edit. -->
<style>
${rules}
</style>
<rect x="0.5" y="0.5" width="779" height="263" rx="10" style="fill:var(--card);stroke:var(--hair)"/>
${placed(drawing, 8)}
${placed(histogram, 398)}
</svg>
`,
);
console.log(`made docs/picture.svg on ${backend.name} ${backend.isa}`);
