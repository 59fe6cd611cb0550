import type { PerformanceRecord, PerformanceRun } from '../../experiments/performance.ts';
import type { CertificateRecord, Results } from '../../experiments/results.ts';
import { csvOf, framed, plots, section, table } from '../figure.ts';
import { html, type Markup } from '../markup.ts';
import { networkSvg } from '../network.ts';
import { powerOfTen } from '../scale.ts';
import { commandOf, count, datasetName, duration, KIND_ORDER } from '../words.ts';
import { spectrumAxes, spectrumLine } from './spectra.ts';

/** The trained network drawn, and what a shallow one would need to replace it. */
export function showcaseSection({ settings, performance, showcase, certificate }: Results): Markup | null {
  if (!showcase) return null;
  const { run, drawing } = showcase;
  const data = settings.data.find(({ name }) => name === run.dataset);
  if (!data) return null;
  const records = KIND_ORDER.flatMap((kind) =>
    performance.filter((record) => alike(record, { ...run, kind })).slice(0, 1),
  );
  return section(
    'network',
    'The networks',
    html`<p>The recurrent network of Table 1 on ${datasetName(run.dataset)}, ξ = ${run.xi}, seed ${run.seed}, with its ranks, as <code>String(model)</code> prints it:</p>
<pre tabindex="0" role="region" aria-label="Drawing of the network in characters">${drawing}</pre>
${framed(
  {
    id: 'families',
    caption:
      'The three families, drawn for four steps: inputs above, boxes are tensors of weights, the numbers on the lines are ranks.',
    csv: ['networks.csv', networksCsv(records)],
    command: commandOf(settings, 'performance'),
  },
  html`<div class="plots">${records.map((record) => networkSvg(record, data.outputs))}</div>`,
)}
${certificate && certificateFigure(certificate, commandOf(settings, 'expressivity'))}`,
  );
}

/** Whether a record is of the same experiment, data and operator, and of the wanted family. */
const alike = (record: PerformanceRun, run: PerformanceRun) =>
  (['experiment', 'dataset', 'xi', 'kind', 'shared', 'seed'] as const).every(
    (key) => record[key] === run[key],
  );

const networksCsv = (records: readonly PerformanceRecord[]) =>
  csvOf(
    ['kind', 'xi', 'rank', 'features', 'parameters'],
    records.map(({ kind, xi, rank, features, parameters }) => [kind, xi, rank, features, parameters]),
  );

function certificateFigure(record: CertificateRecord, command: string): Markup {
  const {
    run,
    bound,
    equalWidth,
    rank,
    rows,
    columns,
    prime,
    templates,
    samples,
    seed,
    modelDigest,
    templatesDigest,
    spectrum,
    seconds,
  } = record;
  const width = bound.joint === null ? 'no width suffices' : `at least ${count(bound.joint)}`;
  const facts = [
    [
      'shallow width, proven',
      html`<strong>${width}</strong>${bound.paper !== null && html` (${count(bound.paper)} by the paper’s form)`}`,
    ],
    ['shallow width of as many parameters', count(equalWidth)],
    ['rank, exact', `${count(rank)} of a ${count(rows)} × ${count(columns)} matrix of scores`],
    ['arithmetic', `integers modulo the prime ${prime}: a lower bound on the true rank, no tolerance`],
    ['rank in float64', `${count(spectrum.rank)} at tolerance ${powerOfTen(spectrum.tolerance)}`],
    [
      'effective rank',
      `${spectrum.effectiveRank.toFixed(2)}: so many equal singular values would have the entropy ${spectrum.entropy.toFixed(2)} of this spectrum`,
    ],
    [
      'templates',
      `${templates} of the training data, seed ${seed}, at most ${count(samples)} rows and columns`,
    ],
    ['model', html`<code class="digest">${modelDigest}</code>`],
    ['templates', html`<code class="digest">${templatesDigest}</code>`],
    ['made and checked in', duration(seconds)],
  ];
  const panel = {
    id: 'certificate-spectrum',
    title: 'Spectrum of the certified matrix',
    description: `Singular values of the ${rows} by ${columns} matrix in float64, in parts of the largest; ${spectrum.rank} are above the tolerance, and the exact rank is ${rank}.`,
    ...spectrumAxes([spectrum]),
    marks: [
      spectrumLine(spectrum, 1),
      { type: 'level' as const, y: spectrum.tolerance, label: `tolerance ${powerOfTen(spectrum.tolerance)}` },
    ],
  };
  const caption = `A shallow network with the same ξ and features that gives the same score as the trained network (${run.kind}, ${run.xi}, R = ${run.rank}, ${datasetName(run.dataset)}) on these templates has at least this width. The certificate was checked again from the model alone.`;
  const csv = csvOf(
    ['k', 'relativeSingularValue'],
    spectrum.values.map((value, k) => [k + 1, value]),
  );
  return html`<h3 id="certificate-h">Certificate of the trained network</h3>
${framed({ id: 'certificate', caption, csv: ['certificate.csv', csv], command }, html`${table('Certificate', ['what', 'value'], facts)}${plots([panel])}`)}`;
}
