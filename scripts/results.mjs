// Publishes a folder of `xitensor reproduce`: node scripts/results.mjs FOLDER keeps its trainings in docs/results/, instead of earlier
// ones of its data sets, and makes docs/results.md of all. Without a folder it makes the page again from what is kept.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { datasetsOf, KEPT, pageOf, readKept } from './lib/results.mjs';
import { inProject } from './lib/steps.mjs';

const [folder] = process.argv.slice(2);
const readJson = (...path) => JSON.parse(readFileSync(join(folder, ...path), 'utf8'));

/** What is published of a training: all but the epochs before the last. */
const published = ({ history, ...record }) => ({ ...record, history: history.slice(-1) });

if (folder !== undefined) {
  const names = readdirSync(join(folder, 'performance')).filter((name) => /-seed\d+\.json$/.test(name));
  const trainings = names.sort().map((name) => published(readJson('performance', name)));
  const settings = readJson('xitensor-results.json');
  const made = new Date().toISOString().slice(0, 10);
  const earlier = readKept();
  const isNew = (name) => settings.data.some((own) => own.name === name);
  // Of a run over several data sets the others stay: their trainings do not depend on one another.
  const runs = earlier.runs
    .map((run) => ({
      ...run,
      settings: { ...run.settings, data: run.settings.data.filter(({ name }) => !isNew(name)) },
    }))
    .filter((run) => datasetsOf(run).size > 0);
  const kept = earlier.trainings.filter(({ dataset }) => runs.some((run) => datasetsOf(run).has(dataset)));
  runs.push({ made, settings });
  mkdirSync(inProject('docs/results'), { recursive: true });
  // A training on each line.
  const lines = [...kept, ...trainings].map((training) => JSON.stringify(training)).join(',\n');
  writeFileSync(inProject(KEPT), `{"runs":${JSON.stringify(runs)},"trainings":[\n${lines}\n]}\n`);
}
for (const [path, text] of Object.entries(pageOf(readKept()))) writeFileSync(inProject(path), text);
console.log('made docs/results.md');
