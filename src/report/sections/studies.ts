import { distributionsCsv, type RankDistribution } from '../../experiments/ranks.ts';
import type { Results, StudyRecord } from '../../experiments/results.ts';
import { framed, plots, section } from '../figure.ts';
import { html, type Markup } from '../markup.ts';
import type { Panel } from '../plot.ts';
import { commandOf, count, duration, formulaOf } from '../words.ts';

/** Figures 3 to 5: histograms of lower bounds on the width of shallow networks, a plot for each rank. */
export function studiesSection({ settings, studies }: Results): Markup | null {
  if (studies.length === 0) return null;
  return section(
    'studies',
    'Figures 3 to 5: how wide must a shallow network be?',
    html`<p>Random recurrent networks, and for each of them a lower bound on the width of any shallow network that has the same scores on all
M<sup>T</sup> sequences of M templates. A bound of 1 says nothing; the right tail is where the recurrent network is worth an exponentially
wider shallow one.</p>
${studies.map((study) => studyFigure(study, commandOf(settings, 'expressivity')))}`,
  );
}

function studyFigure({ figure, study, distributions, seconds }: StudyRecord, command: string): Markup {
  const { xi, M, T, shared, networks, tolerance } = study;
  const [{ note }] = distributions;
  const high = Math.max(...distributions.map((d) => Math.max(0, ...bounds(d).map(([value]) => value))));
  const most = Math.max(...distributions.flatMap((d) => bounds(d).map(([, n]) => n / d.networks)));
  const caption = html`Figure ${figure}: lower bounds on the width of shallow networks equivalent to random recurrent networks of ranks
${study.ranks.join(', ')}; ξ = ${xi}, ${formulaOf(xi)}, M = ${M}, T = ${T}, ${shared ? 'shared' : 'independent'} cores, ${count(networks)} networks a rank. Singular values
above ${tolerance} of the largest count as rank. ${note ? `Note: ${note}.` : ''} ${duration(seconds)}.`;
  return html`<h3>Figure ${figure}: ${xi}, ${shared ? 'shared' : 'independent'} cores</h3>
${framed(
  { id: `figure${figure}`, caption, csv: [`figure${figure}.csv`, distributionsCsv(distributions)], command },
  plots(
    distributions.map((d) => panelOf(d, figure, high, most)),
    [
      [1, 'bound as the paper states it'],
      [2, 'refined bound'],
    ],
  ),
)}`;
}

const bounds = (d: RankDistribution) => [...(d.paper?.bins ?? []), ...(d.refined?.bins ?? [])];

function panelOf(d: RankDistribution, figure: string, high: number, most: number): Panel {
  const bars = (bins: readonly (readonly [number, number])[] | undefined, from: number) =>
    (bins ?? []).map(([value, n]) => [value + from, value + from + 0.42, n / d.networks] as const);
  const mean = (histogram: RankDistribution['paper']) => histogram?.mean.toFixed(2) ?? 'none';
  return {
    id: `figure${figure}-r${d.R}`,
    title: `R = ${d.R}`,
    description: `Histogram over ${d.networks} networks of rank ${d.R}: mean bound ${mean(d.paper)} as in the paper, ${mean(d.refined)} refined; mean rank of the matricization ${d.rank.mean.toFixed(1)}.`,
    x: { label: 'lower bound on the width', low: 0.4, high: Math.max(2, high) + 0.6, whole: true },
    y: { label: 'networks (%)', low: 0, high: most * 1.08, format: (part) => String(Math.round(100 * part)) },
    marks: [
      { type: 'bars', colour: 1, bars: bars(d.paper?.bins, -0.44) },
      { type: 'bars', colour: 2, bars: bars(d.refined?.bins, 0.02) },
    ],
  };
}
