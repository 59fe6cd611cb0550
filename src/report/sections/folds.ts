import type { PerformanceRecord } from '../../experiments/performance.ts';
import type { ResultSettings, Results } from '../../experiments/results.ts';
import { framed, section, table } from '../figure.ts';
import { html, type Markup } from '../markup.ts';
import { accuracyCell, samplesOf } from '../samples.ts';
import { commandOf, count, datasetName, groups, KINDS } from '../words.ts';
import { finalCsv } from './table1.ts';

/** Cross-validation, a row for each model. */
export function foldsSection({ settings, performance }: Results): Markup | null {
  const records = performance.filter(({ experiment }) => experiment === 'folds');
  if (records.length === 0) return null;
  return section(
    'folds',
    'Cross-validation',
    html`${groups(records, ({ dataset }) => dataset).map((own) => foldsTable(own, settings))}`,
  );
}

function foldsTable(records: readonly PerformanceRecord[], settings: ResultSettings): Markup {
  const [{ dataset, epochs, batch, features }] = records;
  const models = groups(records, ({ kind, xi, shared }) => `${kind} ${xi} ${shared}`);
  const rows = models.map((own) => {
    const [{ kind, xi, shared, rank, parameters }] = own;
    return [
      `${KINDS[kind].name}${shared ? ', shared' : ''}`,
      accuracyCell(own, settings.data),
      rank,
      count(parameters),
      xi,
      own.length,
    ];
  });
  const set = settings.data.find(({ name }) => name === dataset);
  const command = commandOf(settings, 'performance');
  const caption = `${datasetName(dataset)}${set ? `, ${samplesOf(set, records)}` : ''}: test accuracy over folds (mean, least – largest), ${features} features, Adam on batches of ${batch}, ${epochs} epochs. The paper does not have this set; its letters are the templates, so that every sequence lies on the grid.`;
  return framed(
    {
      id: `folds-${dataset}`,
      caption,
      csv: [`folds-${dataset}.csv`, finalCsv(records, settings.data)],
      command,
    },
    table(
      `Cross-validation on ${datasetName(dataset)}`,
      ['model', 'test accuracy', 'rank', 'parameters', 'ξ', 'folds'],
      rows,
    ),
  );
}
