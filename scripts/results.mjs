// Publishes a folder of `xitensor reproduce`: node scripts/results.mjs FOLDER keeps its trainings in docs/results/ and makes
// docs/results.md of them. Without a folder it makes the page again from what is kept.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KEPT, pageOf, readKept } from './lib/results.mjs';
import { inProject } from './lib/steps.mjs';

const [folder] = process.argv.slice(2);
const readJson = (...path) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));

/** What is published of a training: all but the epochs before the last. */
const published = ({ history, ...record }) => ({ ...record, history: history.slice(-1) });

if (folder !== undefined) {
  const names = readdirSync(join(folder, 'performance')).filter((name) => /-seed\d+\.json$/.test(name));
  const trainings = names.sort().map((name) => published(readJson('performance', name)));
  const kept = {
    made: new Date().toISOString().slice(0, 10),
    settings: readJson('xitensor-results.json'),
    trainings,
  };
  mkdirSync(inProject('docs/results'), { recursive: true });
  // A training on each line.
  const lines = trainings.map((training) => JSON.stringify(training)).join(',\n');
  writeFileSync(
    inProject(KEPT),
    `${JSON.stringify({ ...kept, trainings: [] }).slice(0, -2)}\n${lines}\n]}\n`,
  );
}
for (const [path, text] of Object.entries(pageOf(readKept()))) writeFileSync(inProject(path), text);
console.log('made docs/results.md');
