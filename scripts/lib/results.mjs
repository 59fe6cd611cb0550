// The page of published results, from the trainings that are kept of `xitensor reproduce`.
import { readFileSync } from 'node:fs';
import { sheet, withLegend } from './figures.mjs';
import { inProject } from './steps.mjs';

const from = (path) => import(/* @vite-ignore */ inProject('dist', `${path}.js`));
const { XI_NAMES } = await from('core/xi.gen');
const { finalAccuracy, spreadOf } = await from('experiments/performance');
const { panelSvg } = await from('report/plot');
const { samplesOf, sizesOf, wilson } = await from('report/samples');
const { figure2Panel } = await from('report/sections/figure2');
const { commandOf, count, datasetName, duration, formulaOf, groups, KIND_ORDER, KINDS } =
  await from('report/words');

export const KEPT = 'docs/results/trainings.json';
export const readKept = () => JSON.parse(readFileSync(inProject(KEPT), 'utf8'));

/** Names of the data sets of a run. */
export const datasetsOf = ({ settings }) => new Set(settings.data.map(({ name }) => name));

const row = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n');
const points = (part) => (100 * part).toFixed(1);

/** Accuracy in percent: of one training with the 95 % interval of its test examples, of several the mean from the least to the largest. */
function accuracy(trainings, data) {
  const known = trainings.map(finalAccuracy).filter((value) => value !== null);
  if (known.length === 0) return trainings.length > 0 ? 'diverged' : '–';
  const { mean, min, max } = spreadOf(known);
  const [low, high] = known.length > 1 ? [min, max] : wilson(mean, sizesOf(trainings[0], data).tested);
  return `**${points(mean)}** (${points(low)}–${points(high)})`;
}

/** Trainings by operator and family, as the tables of the documentation have them. */
const inOrder = (trainings) =>
  trainings.toSorted(
    (x, y) =>
      XI_NAMES.indexOf(x.xi) - XI_NAMES.indexOf(y.xi) ||
      KIND_ORDER.indexOf(x.kind) - KIND_ORDER.indexOf(y.kind),
  );

function table1(trainings, data) {
  const columns = groups(trainings, ({ dataset }) => dataset).flatMap(([{ dataset }]) =>
    KIND_ORDER.map((kind) => ({ dataset, kind })),
  );
  const rows = groups(inOrder(trainings), ({ xi }) => xi).map((own) => [
    `\`${own[0].xi}\` ${formulaOf(own[0].xi)}`,
    ...columns.map(({ dataset, kind }) =>
      accuracy(
        own.filter((training) => training.dataset === dataset && training.kind === kind),
        data,
      ),
    ),
  ]);
  return table(
    ['ξ', ...columns.map(({ dataset, kind }) => `${datasetName(dataset)}, ${kind.toUpperCase()}`)],
    rows,
  );
}

function sizes(trainings, data) {
  return groups(trainings, ({ dataset }) => dataset)
    .map((own) => {
      const [{ dataset, features, batch, epochs }] = own;
      const kinds = KIND_ORDER.flatMap((kind) => own.find((training) => training.kind === kind) ?? []).map(
        ({ kind, rank, shared, parameters }) =>
          `${kind.toUpperCase()} of rank ${rank}${shared ? ' with shared cores' : ''}, ${count(parameters)} parameters`,
      );
      const set = data.find(({ name }) => name === dataset);
      return `- ${datasetName(dataset)}: ${samplesOf(set, own)}; ${features} features, Adam on batches of ${batch}, ${epochs} epochs; ${kinds.join('; ')}.`;
    })
    .join('\n');
}

function folds(trainings, data) {
  const models = groups(inOrder(trainings), ({ kind, xi, shared }) => `${kind} ${xi} ${shared}`);
  const rows = models.map((own) => {
    const [{ kind, xi, shared, rank, parameters }] = own;
    return [
      `${KINDS[kind].name}${shared ? ', shared' : ''}`,
      `\`${xi}\``,
      rank,
      count(parameters),
      accuracy(own, data),
    ];
  });
  return table(['model', 'ξ', 'rank', 'parameters', 'accuracy'], rows);
}

/** What a run was, in a line of a list. */
function lineOf(run, trainings) {
  const names = datasetsOf(run);
  const own = trainings.filter(({ dataset }) => names.has(dataset));
  const [{ machine, threads }] = own;
  const backends = groups(own, ({ backend, isa }) => `${backend} ${isa}`);
  const trained = backends.map((part) => `${part.length} by ${part[0].backend} ${part[0].isa}`).join(' and ');
  const seconds = own.reduce((sum, training) => sum + training.seconds, 0);
  return `- \`npx ${commandOf(run.settings, 'performance')}\`: ${own.length} trainings in ${duration(seconds)}, ${machine.processor}, ${trained},
  threads: ${threads}, with other work on the machine, ${run.made}.`;
}

/** Path → text of the page and its figures. */
export function pageOf({ runs, trainings }) {
  const of = (experiment) => trainings.filter((training) => training.experiment === experiment);
  const data = runs.flatMap(({ settings }) => settings.data);
  const panels = groups(of('figure2'), ({ dataset }) => dataset).map((own) =>
    withLegend(
      panelSvg(figure2Panel(own)),
      KIND_ORDER.map((kind) => ({ kind })),
    ),
  );
  const label =
    'Test accuracy against the number of parameters of recurrent networks, trees and shallow networks';
  const page = `<!-- Made by scripts/results.mjs from docs/results/trainings.json. Do not edit. -->

# Results

What these commands found. Every accuracy is of the test part after the last epoch; no epoch was chosen by it.
[The paper's experiments](reproduce.md) tells what is trained, and the same command resumes, or repeats all of it, on the same instruction set to the same bits.

${runs.map((run) => lineOf(run, trainings)).join('\n')}

## Table 1: accuracy by operator

Test accuracy in percent, in the form of the paper's Table 1, which has the recurrent networks (TT); trees (HT) and shallow networks (CP) of at most as many
parameters stand beside them. One seed; in brackets the 95 % interval for so many test examples (binomial, Wilson).

${table1(of('table1'), data)}

${sizes(of('table1'), data)}

## Figure 2: accuracy against parameters

![${label}](results/figure2.svg)

ξ = rectifier; trees and shallow networks of the largest rank with at most as many parameters as the recurrent network beside them.

## Cross-validation

Splice-junction DNA in five folds: mean, and least to largest.

${folds(of('folds'), data)}

---

[The guide](README.md) · before: [The paper's experiments](reproduce.md) · next: [Accuracies](accuracies.md)
`;
  return {
    'docs/results.md': page,
    'docs/results/figure2.svg': sheet(label, panels, Math.min(2, panels.length), 'results'),
  };
}
