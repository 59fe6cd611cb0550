// The figures of the README: what they show, computed by the commands' own code, and how they are drawn, by the report's.
import { readFileSync } from 'node:fs';
import { inProject } from './steps.mjs';

const from = (path) => import(/* @vite-ignore */ inProject('dist', `${path}.js`));
const { certify, createModel, evaluate, fit, loadMnist, loadModel, selectBackend } = {
  ...(await from('index')),
  ...(await from('backend/select')),
};
const { checkStudy } = await from('experiments/rank_config');
const { studyNetwork, studyTasks, summarize } = await from('experiments/ranks');
const { modelOptions, parameterCount, rankWithin } = await from('experiments/performance');
const { relative } = await from('experiments/spectra');
const { loadTemplates } = await from('cli/templates');
const { networkSvg } = await from('report/network');
const { panelSvg } = await from('report/plot');
const { around, powerOfTen } = await from('report/scale');
const { spectrumAxes, spectrumLine } = await from('report/sections/spectra');
const { STYLE } = await from('report/style');
const { count, KIND_ORDER, KINDS } = await from('report/words');

const [M, T, NETWORKS] = [6, 6, 400];

/** Bounds on the width for random networks of some ranks: the same on every backend, since they are counts. */
export function widths(ranks = [1, 2, 4, 8]) {
  const study = checkStudy({ xi: 'rectifier', M, T, ranks, networks: NETWORKS, shared: false, seed: 0 });
  const { backend } = selectBackend({ threads: 1 });
  const records = Array.from(studyTasks(study), (task) => studyNetwork(backend, study, task));
  return summarize(study, records, null).map(({ R, refined: { mean, bins } }) => ({ R, mean, bins }));
}

const RUN = { xi: 'rectifier', features: 16, shared: false, seed: 0, kind: 'tt', rank: 16 };
const SHAPE = { steps: 16, inputs: 49, outputs: 10, embedding: false };
const PLAN = { images: 12000, epochs: 6, batch: 100 };

/** Test accuracy by epoch of the three families at equal budgets. */
export async function learning(kinds = KIND_ORDER, epochs = PLAN.epochs) {
  const train = await loadMnist({ split: 'train', limit: PLAN.images });
  const test = await loadMnist({ split: 'test' });
  const curves = [];
  for (const kind of kinds) {
    const run = { ...RUN, kind };
    const rank = kind === 'tt' ? RUN.rank : rankWithin(run, SHAPE, parameterCount(RUN, SHAPE));
    const model = createModel(modelOptions({ ...run, rank }, SHAPE));
    const accuracies = [];
    for await (const { epoch } of fit(model, train, { epochs: PLAN.epochs, batch: PLAN.batch })) {
      accuracies.push(evaluate(model, test).accuracy);
      if (epoch === epochs) break;
    }
    curves.push({ kind, rank, parameters: parameterCount({ ...run, rank }, SHAPE), accuracies });
  }
  return curves;
}

/** Of the playground's network: singular values of its scores over a part of its grid, in parts of the largest, and what they prove. */
export async function spectrum() {
  const model = await loadModel(inProject('web/model/mnist.safetensors'));
  const templates = await loadTemplates('mnist', { seed: 0 }, model.config);
  const { rank, rows, spectrum, bound } = await certify(model, templates, { samples: 512 });
  return {
    rank,
    rows,
    tolerance: spectrum.tolerance,
    width: bound.joint,
    values: relative(spectrum.singularValues),
  };
}

export const DATA = 'docs/figures/data.json';
export const readData = () => JSON.parse(readFileSync(inProject(DATA), 'utf8'));

const SIZE = { width: 372, height: 248 };
const GAP = 8;

/** Colours and drawing rules of the page; what is for its text is not needed here. */
const RULES = STYLE.split('\n')
  .filter((line) =>
    /^(:root|--c1|@media \(prefers-color-scheme|svg |\.end|\.halo|\.grid|\.line|\.level|\.band|\.c1|\.wire)/.test(
      line,
    ),
  )
  .join('\n');

/** Panels in a frame, `columns` beside each other; made by which script. */
export function sheet(label, panels, columns, script = 'figures') {
  const rows = Math.ceil(panels.length / columns);
  const width = columns * (SIZE.width + GAP) + 2 * GAP;
  const height = rows * (SIZE.height + GAP) + GAP;
  const placed = panels.map(({ text }, n) => {
    const [x, y] = [
      GAP + (n % columns) * (SIZE.width + GAP) + (columns > 1 ? GAP / 2 : 0),
      GAP + Math.floor(n / columns) * (SIZE.height + GAP),
    ];
    const place = `<svg x="${x}" y="${y}" width="${SIZE.width}" height="${SIZE.height}" class="`;
    return text.replace('<svg class="', place).replace(/\n/g, '');
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${label}">
<!-- Made by scripts/${script}.mjs. Do not edit. -->
<style>
${RULES}
</style>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" style="fill:var(--card);stroke:var(--hair)"/>
${placed.join('\n')}
</svg>
`;
}

function histogram({ R, mean, bins }, title, high, most) {
  const largest = bins.at(-1)[0];
  return panelSvg({
    id: `width-${R}`,
    title,
    description: `Lower bounds for ${NETWORKS} random networks of rank ${R}, from ${bins[0][0]} to ${largest}, ${mean.toFixed(1)} on average.`,
    x: { label: 'width that it must have, at least', low: 0.4, high: high + 0.6, whole: true },
    y: {
      label: `of ${NETWORKS} random networks (%)`,
      low: 0,
      high: most * 1.08,
      format: (part) => String(Math.round(100 * part)),
    },
    marks: [
      { type: 'bars', colour: 2, bars: bins.map(([value, n]) => [value - 0.36, value + 0.36, n / NETWORKS]) },
    ],
  });
}

const share = ({ bins }) => Math.max(...bins.map(([, n]) => n / NETWORKS));

function curvesPanel(curves) {
  const all = curves.flatMap(({ accuracies }) => accuracies);
  return panelSvg({
    id: 'learning',
    title: `MNIST, ${count(PLAN.images)} images, ${count(curves[0].parameters)} weights`,
    description: curves
      .map(
        ({ kind, accuracies }) => `${KINDS[kind].name}: ${(100 * accuracies.at(-1)).toFixed(1)} % in the end`,
      )
      .join('; '),
    x: { label: 'epoch', low: 1, high: PLAN.epochs, whole: true },
    y: {
      label: 'test accuracy (%)',
      ...around(all, [0, 1]),
      format: (part) => String(Math.round(100 * part)),
    },
    marks: curves.map(({ kind, accuracies }) => ({
      type: 'line',
      colour: KINDS[kind].colour,
      symbols: true,
      points: accuracies.map((accuracy, n) => [n + 1, accuracy]),
    })),
  });
}

/** The families in the corner of a plot that curves which rise leave free. */
export function withLegend({ text }, curves) {
  const entries = curves.map(({ kind }, n) => {
    const y = 136 + 18 * n;
    return `<path class="line c${KINDS[kind].colour}" d="M178 ${y}h26"/><text class="strong halo" x="210" y="${y + 4}">${KINDS[kind].name}</text>`;
  });
  return { text: text.replace('</svg>', `${entries.join('')}</svg>`) };
}

const spectrumPanel = (found) =>
  panelSvg({
    id: 'spectrum',
    title: `What it takes to copy one: width ≥ ${found.width}`,
    description: `Singular values of a ${found.rows} by ${found.rows} matrix of scores of the trained recurrent network; rank ${found.rank}.`,
    ...spectrumAxes([found]),
    y: { label: 'singular value / largest', low: 1e-11, high: 3, log: true, format: powerOfTen },
    marks: [
      spectrumLine(found, 4),
      { type: 'level', y: found.tolerance, label: `tolerance ${powerOfTen(found.tolerance)}` },
    ],
  });

/** Name → SVG of every figure, side by side and, for telephones, one below the other. */
export function draw({ widths, learning, spectrum }) {
  const four = widths.find(({ R }) => R === 4);
  const [largest] = four.bins.at(-1);
  const most = Math.max(...widths.map(({ bins }) => bins.at(-1)[0]));
  const ends = learning.map(
    ({ kind, accuracies }) => `${KINDS[kind].name} ${(100 * accuracies.at(-1)).toFixed(1)} %`,
  );
  const figures = {
    network: [
      `A recurrent network of rank 4 with a rectifier in the place of the product, and how wide a shallow network must be that does the same: ${four.mean.toFixed(1)} on average, up to ${largest}`,
      [
        networkSvg({ kind: 'tt', rank: 4, features: M, xi: 'rectifier' }, 1),
        histogram(four, 'shallow network (CP), same scores', largest, share(four)),
      ],
    ],
    widths: [
      `Histograms of the width that a shallow network must have, for recurrent networks of ranks ${widths.map(({ R, mean }) => `${R} (mean ${mean.toFixed(1)})`).join(', ')}`,
      widths.map((one) =>
        histogram(one, `R = ${one.R}: ${one.mean.toFixed(1)} on average`, most, share(one)),
      ),
    ],
    learning: [
      `Test accuracy by epoch: ${ends.join(', ')}; and the spectrum of a trained recurrent network, of rank ${spectrum.rank}, which proves that a shallow one with the same scores has width ${spectrum.width} or more`,
      [withLegend(curvesPanel(learning), learning), spectrumPanel(spectrum)],
    ],
  };
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, [label, panels]]) => [
      [`${name}.svg`, sheet(label, panels, 2)],
      [`${name}-narrow.svg`, sheet(label, panels, 1)],
    ]),
  );
}
