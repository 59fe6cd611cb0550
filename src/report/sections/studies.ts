import { distributionsCsv, type Histogram, type RankDistribution } from '../../experiments/ranks.ts';
import type { Results, StudyRecord } from '../../experiments/results.ts';
import { binned, medianOf, sizeFor } from '../bins.ts';
import { framed, type LegendEntry, plots, section } from '../figure.ts';
import { html, type Markup } from '../markup.ts';
import type { Mark, Panel } from '../plot.ts';
import { commandOf, count, duration, formulaOf } from '../words.ts';

/** Figures 3 to 5: histograms of lower bounds on the width of shallow networks, a plot for each rank. */
export function studiesSection({ settings, studies }: Results): Markup | null {
  if (studies.length === 0) return null;
  const unproven = studies.filter(({ distributions: [{ proven }] }) => !proven);
  const caution = html` This holds for ξ whose bound is proven. Of ${unproven.map(({ study }) => study.xi).join(', ')}
(Figure ${unproven.map(({ figure }) => figure).join(', ')}) it is not: a shallow network of width 1 may have full rank. What is drawn there is the paper’s formula,
which is no bound for this ξ, and depends on the tolerance.`;
  return section(
    'studies',
    'Figures 3 to 5: how wide must a shallow network be?',
    html`<p>Random recurrent networks, and for each of them a lower bound on the width of any shallow network that has the same scores on all
M<sup>T</sup> sequences of M templates. A bound of 1 says nothing; a network in the right tail is worth a shallow one at least so wide.${unproven.length > 0 && caution}</p>
${studies.map((study) => studyFigure(study, commandOf(settings, 'expressivity')))}`,
  );
}

function studyFigure({ figure, study, seconds, ...record }: StudyRecord, command: string): Markup {
  const distributions = record.distributions.map(withoutUnproven);
  const { xi, M, T, shared, tolerance } = study;
  const [{ note, proven }] = distributions;
  const high = Math.max(...distributions.map((d) => Math.max(0, ...values(d))));
  const size = commonSize(distributions);
  const drawn = proven
    ? 'lower bounds on the width of shallow networks equivalent to'
    : 'the paper’s formula for the width of shallow networks, which is no bound for this ξ, of';
  const caption = html`Figure ${figure}: ${drawn} random recurrent networks of ranks
${study.ranks.join(', ')}; ξ = ${xi}, ${formulaOf(xi)}, M = ${M}, T = ${T}, ${shared ? 'shared' : 'independent'} cores. Singular values
above ${tolerance} of the largest count as rank. Every plot has a vertical axis of its own; mean and median are of the ${proven ? 'refined bound' : 'formula'}. ${note ? `Note: ${note}.` : ''} ${duration(seconds)}.`;
  const legend: LegendEntry[] = [
    [1, proven ? 'bound as the paper states it' : 'the paper’s formula', 'bars'],
    ...(proven ? [[2, 'refined bound', 'steps'] as const] : []),
    [1, 'mean', 'mean'],
    [1, 'median', 'median'],
  ];
  return html`<h3>Figure ${figure}: ${xi}, ${shared ? 'shared' : 'independent'} cores</h3>
${framed(
  { id: `figure${figure}`, caption, csv: [`figure${figure}.csv`, distributionsCsv(distributions)], command },
  plots(
    distributions.map((d) => panelOf(d, figure, high, size)),
    legend,
  ),
)}`;
}

/** Records of earlier versions refine what is no bound. */
const withoutUnproven = (d: RankDistribution): RankDistribution => (d.proven ? d : { ...d, refined: null });

const values = ({ paper, refined }: RankDistribution) =>
  [paper, refined].flatMap((histogram) => (histogram?.bins ?? []).map(([value]) => value));

/** Values a bar, the same in every panel: of the sizes that they would have the smallest. */
const commonSize = (distributions: readonly RankDistribution[]): number =>
  Math.min(...distributions.map(({ paper, refined }) => sizeFor([paper?.bins ?? [], refined?.bins ?? []])));

function panelOf(d: RankDistribution, figure: string, high: number, size: number): Panel {
  const { paper, refined } = d;
  const [filled, outline] = [paper, refined].map((histogram) => binned(histogram?.bins ?? [], size));
  const main = refined ?? paper;
  const most = Math.max(0, ...[...filled, ...outline].map(([, , part]) => part)) || 1;
  const end = Math.max(2.5, high + 0.5, ...[...filled, ...outline].map(([, to]) => to));
  return {
    id: `figure${figure}-r${d.R}`,
    title: `R = ${d.R}, n = ${count(d.networks)}: ${main ? `mean ${main.mean.toFixed(1)}, median ${medianOf(main.bins)}` : 'no width suffices'}`,
    description: describe(d, paper, refined),
    x: {
      label: d.proven ? 'lower bound on the width' : 'the paper’s formula, which is no bound for this ξ',
      ...{ low: 0.4, high: end + 0.1, whole: true },
    },
    y: {
      label: size === 1 ? 'networks (%)' : `networks (%), bins of ${size}`,
      ...{ low: 0, high: most * 1.08, format: (part) => String(Math.round(100 * part)) },
    },
    marks: [
      { type: 'bars', colour: 1, bars: filled },
      ...(outline.length > 0 ? [{ type: 'steps', colour: 2, bars: outline } as const] : []),
      ...(main ? averages(main) : []),
    ],
  };
}

const averages = (histogram: Histogram): Mark[] => [
  { type: 'mean', x: histogram.mean },
  { type: 'median', x: medianOf(histogram.bins) },
];

function describe(
  { R, networks, rank, proven }: RankDistribution,
  paper: Histogram | null,
  refined: Histogram | null,
): string {
  const mean = (histogram: Histogram | null) => histogram?.mean.toFixed(2) ?? 'none';
  const means = proven
    ? `mean bound ${mean(paper)} as in the paper, ${mean(refined)} refined`
    : `the paper’s formula gives ${mean(paper)} on average, which is no bound`;
  return `Histogram over ${networks} networks of rank ${R}: ${means}; mean rank of the matricization ${rank.mean.toFixed(1)}.`;
}
