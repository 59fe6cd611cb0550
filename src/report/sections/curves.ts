import { type PerformanceRecord, performanceCsv, spreadOf } from '../../experiments/performance.ts';
import type { Results } from '../../experiments/results.ts';
import { framed, plots, section } from '../figure.ts';
import type { Markup } from '../markup.ts';
import type { Mark, Panel } from '../plot.ts';
import { type Axis, around } from '../scale.ts';
import { commandOf, datasetName, groups, KIND_ORDER, KINDS, legendOf, percent } from '../words.ts';
import { wholePercent } from './figure2.ts';

/** Test accuracy by epoch, a plot for each data set and ξ, with the spread over seeds or folds. */
export function curvesSection({ settings, performance }: Results): Markup | null {
  const records = performance.filter(
    ({ experiment, history, shared }) =>
      history.length > 0 && (experiment === 'table1' || (experiment === 'folds' && !shared)),
  );
  if (records.length === 0) return null;
  const panels = groups(records, ({ dataset }) => dataset).flatMap((own) =>
    groups(own, ({ xi }) => xi).map((same) => panelOf(same, accuracyAxis(own))),
  );
  const caption =
    'Test accuracy after every epoch of the runs of Table 1 and of the cross-validation: mean over seeds or folds, and the range from the least to the largest as a band where there are several. The plots of a data set share their vertical axis.';
  return section(
    'curves',
    'Accuracy by epoch',
    framed(
      {
        id: 'curves',
        caption,
        csv: ['curves.csv', performanceCsv(records)],
        command: commandOf(settings, 'performance'),
      },
      plots(
        panels,
        legendOf(records, records.some(({ history }) => history.length <= 10) ? 'points' : 'line'),
      ),
    ),
  );
}

/** One axis for all plots of a data set, so that operators can be compared by eye. */
function accuracyAxis(records: readonly PerformanceRecord[]): Axis {
  const all = records.flatMap(({ history }) => history.map(({ testAccuracy }) => testAccuracy));
  return { label: 'test accuracy (%)', ...around(all, [0, 1]), format: wholePercent };
}

function panelOf(records: readonly PerformanceRecord[], y: Axis): Panel {
  const [{ dataset, xi }] = records;
  const curves = KIND_ORDER.flatMap((kind) => {
    const own = records.filter((record) => record.kind === kind);
    const length = Math.max(0, ...own.map(({ history }) => history.length));
    const points = Array.from({ length }, (_, n) => {
      const values = own.flatMap(({ history }) => (history[n] ? [history[n].testAccuracy] : []));
      return { x: n + 1, ...spreadOf(values) };
    });
    return points.length > 0 ? [{ kind, points }] : [];
  });
  const all = curves.flatMap(({ points }) => points);
  const ends = curves.map(({ kind, points }) => `${KINDS[kind].name} ${percent(points.at(-1)!.mean)}`);
  const epochs = Math.max(2, ...all.map(({ x }) => x));
  return {
    id: `curves-${dataset}-${xi}`,
    title: `${datasetName(dataset)}, ${xi}`,
    description: `Test accuracy over ${epochs} epochs; at the end: ${ends.join(', ')}.`,
    x: { label: 'epoch', low: 1, high: epochs, whole: true },
    y,
    marks: curves.flatMap(({ kind, points }): Mark[] => {
      const { colour } = KINDS[kind];
      return [
        ...(points.some(({ count }) => count > 1)
          ? [
              {
                type: 'band',
                colour,
                points: points.map(({ x, min, max }) => [x, min, max] as const),
              } as const,
            ]
          : []),
        {
          type: 'line',
          colour,
          symbols: epochs <= 10,
          points: points.map(({ x, mean }) => [x, mean] as const),
        },
      ];
    }),
  };
}
