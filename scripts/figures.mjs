// Makes docs/figures/, the figures of the README, from networks that it evaluates and trains: node scripts/figures.mjs, in a
// minute. With --draw it computes nothing and draws what data.json has.
import { writeFileSync } from 'node:fs';
import { DATA, draw, learning, readData, spectrum, widths } from './lib/figures.mjs';
import { inProject } from './lib/steps.mjs';

const data = process.argv.includes('--draw')
  ? readData()
  : { widths: widths(), learning: await learning(), spectrum: await spectrum() };
writeFileSync(inProject(DATA), `${JSON.stringify(data)}\n`);
const figures = draw(data);
for (const [name, svg] of Object.entries(figures)) writeFileSync(inProject('docs/figures', name), svg);
console.log(`made ${Object.keys(figures).join(', ')} in docs/figures/`);
