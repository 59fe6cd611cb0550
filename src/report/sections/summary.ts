import type { MachineRecord } from '../../experiments/performance.ts';
import type { Measured, Results } from '../../experiments/results.ts';
import { html, type Markup } from '../markup.ts';
import { samplesOf } from '../samples.ts';
import { count, datasetName, duration, groups } from '../words.ts';

/** What ran, on which machine, with which seeds, how long. */
export function summarySection({
  settings,
  performance,
  studies,
  certificate,
  verification,
  comparison,
}: Results): Markup {
  const { quick, seed, seeds, data } = settings;
  const others: Measured[] = [
    ...studies,
    ...[certificate, verification].filter((record) => record !== undefined),
  ];
  const measured = [...performance, ...others];
  const sum = (records: readonly { readonly seconds: number }[]) =>
    records.reduce((total, { seconds }) => total + seconds, 0);
  const machines: MachineRecord[] = [
    ...measured.map(({ machine }) => machine),
    ...(comparison ? [comparison.machine] : []),
  ];
  const distinct = groups(machines, (machine) => JSON.stringify(machine)).map(([machine]) => machine);
  const backends = [...new Set(measured.map(({ backend, isa }) => `${backend} ${isa}`))];
  const facts: [string, Markup | string][] = [
    ['trainings', `${performance.length}, ${duration(sum(performance))}`],
    [
      'random networks',
      count(studies.reduce((total, { study }) => total + study.networks * study.ranks.length, 0)),
    ],
    seeds === 1 ? ['seed', String(seed)] : ['seeds', `${seed} to ${seed + seeds - 1}`],
    ['computing time', duration(sum(measured))],
    ['backend', backends.join(', ') || 'none'],
    ...distinct.map(({ processor, cores, platform, node }): [string, Markup] => [
      'machine',
      html`${processor}<small>${cores} cores, ${platform}, Node ${node}</small>`,
    ]),
  ];
  const sets = data.map(
    (set) => `${datasetName(set.name)} (${samplesOf(set, performance)}, of ${set.steps} steps)`,
  );
  return html`${
    quick &&
    html`<p class="quick"><strong>This is a quick run:</strong> subsets, small ranks and few epochs, one seed. It shows that everything works and in which direction the figures
go; the full run is <code>xitensor reproduce --out full</code>.</p>`
  }
<dl class="facts">${facts.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>
<p>Data: ${sets.join('; ') || 'none'}. Every figure has its data as a CSV file in this page and the command that makes it.</p>`;
}
