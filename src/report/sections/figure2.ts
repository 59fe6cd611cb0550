import { finalAccuracy, type PerformanceRecord, spreadOf } from '../../experiments/performance.ts';
import type { Results } from '../../experiments/results.ts';
import { framed, plots, section } from '../figure.ts';
import { html, type Markup } from '../markup.ts';
import type { Mark, Panel } from '../plot.ts';
import { around, aroundLog, short } from '../scale.ts';
import { commandOf, datasetName, groups, KIND_ORDER, KINDS, legendOf, percent } from '../words.ts';
import { finalCsv, spreadNote, testNote } from './table1.ts';

/** Test accuracy against the number of parameters, a plot for each data set. */
export function figure2Section({ settings, performance }: Results): Markup | null {
  const records = performance.filter(
    (record) => record.experiment === 'figure2' && finalAccuracy(record) !== null,
  );
  if (records.length === 0) return null;
  const panels = groups(records, ({ dataset }) => dataset).map(figure2Panel);
  const caption = html`Test accuracy against the number of parameters, rectifier ξ(x, y) = max(x, y, 0): recurrent networks of growing rank, and
trees and shallow networks of the largest rank with at most as many parameters. The paper’s Figure 2 has IMDB and no trees. ${spreadNote(records)} ${testNote(records, settings.data)}`;
  return section(
    'figure2',
    'Figure 2: accuracy against parameters',
    framed(
      {
        id: 'figure2',
        caption,
        csv: ['figure2.csv', finalCsv(records, settings.data)],
        command: commandOf(settings, 'performance'),
      },
      plots(panels, legendOf(records, 'points')),
    ),
  );
}

/** The plot of one data set. */
export function figure2Panel(records: readonly PerformanceRecord[]): Panel {
  const [{ dataset }] = records;
  const curves = KIND_ORDER.flatMap((kind) => {
    const own = records.filter((record) => record.kind === kind);
    if (own.length === 0) return [];
    const points = groups(own, ({ parameters }) => parameters)
      .map((same) => ({ x: same[0].parameters, ...spreadOf(same.map((record) => finalAccuracy(record)!)) }))
      .sort((a, b) => a.x - b.x);
    return [{ kind, points }];
  });
  const all = curves.flatMap(({ points }) => points);
  const marks = curves.flatMap(({ kind, points }): Mark[] => {
    const { colour } = KINDS[kind];
    return [
      ...(points.some(({ count }) => count > 1)
        ? [{ type: 'band', colour, points: points.map(({ x, min, max }) => [x, min, max] as const) } as const]
        : []),
      { type: 'line', colour, symbols: true, points: points.map(({ x, mean }) => [x, mean] as const) },
    ];
  });
  const best = curves.map(
    ({ kind, points }) => `${KINDS[kind].name} ${percent(Math.max(...points.map(({ mean }) => mean)))}`,
  );
  return {
    id: `figure2-${dataset}`,
    title: datasetName(dataset),
    description: `Test accuracy against parameters from ${short(Math.min(...all.map(({ x }) => x)))} to ${short(Math.max(...all.map(({ x }) => x)))}. Best means: ${best.join(', ')}.`,
    x: { label: 'parameters', ...aroundLog(all.map(({ x }) => x)), format: short },
    y: {
      label: 'test accuracy (%)',
      ...around(
        all.flatMap(({ min, max }) => [min, max]),
        [0, 1],
      ),
      format: wholePercent,
    },
    marks,
  };
}

export const wholePercent = (part: number): string => String(Number((100 * part).toFixed(1)));
