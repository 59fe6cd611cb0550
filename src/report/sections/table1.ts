import { finalAccuracy, type PerformanceRecord } from '../../experiments/performance.ts';
import type { DataRecord, Results } from '../../experiments/results.ts';
import { csvOf, framed, section, table } from '../figure.ts';
import { html, type Markup } from '../markup.ts';
import { accuracyCell, samplesOf, sizesOf, wilson } from '../samples.ts';
import { commandOf, count, datasetName, formulaOf, groups, KIND_ORDER, KINDS } from '../words.ts';

/** Test accuracy by ξ, a column for each data set and family. */
export function table1Section({ settings, performance }: Results): Markup | null {
  const records = performance.filter(({ experiment }) => experiment === 'table1');
  if (records.length === 0) return null;
  const columns = groups(records, ({ dataset }) => dataset).flatMap((own) =>
    KIND_ORDER.filter((kind) => own.some((record) => record.kind === kind)).map((kind) => ({
      dataset: own[0].dataset,
      kind,
    })),
  );
  const rows = groups(records, ({ xi }) => xi).map((own) => [
    html`${own[0].xi}<br><small>${formulaOf(own[0].xi)}</small>`,
    ...columns.map(({ dataset, kind }) =>
      accuracyCell(
        own.filter((record) => record.dataset === dataset && record.kind === kind),
        settings.data,
      ),
    ),
  ]);
  const head = columns.map(({ dataset, kind }) => `${datasetName(dataset)}, ${KINDS[kind].name}`);
  const caption = html`Test accuracy after the last epoch by operator ξ, in the form of the paper’s Table 1, which has the recurrent
networks; trees and shallow networks of at most as many parameters stand beside them. ${spreadNote(records)} ${settings.seeds > 1 ? testNote(records, settings.data) : 'Below each accuracy stands its 95 % interval for so many test examples (binomial, Wilson).'}
${settings.quick && 'A dash: not trained in a quick run. '}${sizes(records, settings.data)}`;
  return section(
    'table1',
    'Table 1: accuracy by operator',
    framed(
      {
        id: 'table1',
        caption,
        csv: ['table1.csv', finalCsv(records, settings.data)],
        command: commandOf(settings, 'performance'),
      },
      table('Test accuracy by operator', ['ξ', ...head], rows),
    ),
  );
}

export function spreadNote(records: readonly PerformanceRecord[]): string {
  const seeds = [...new Set(records.map(({ seed }) => seed))];
  return seeds.length > 1
    ? `Mean over seeds ${seeds.join(', ')}, with the least and the largest.`
    : `One seed (${seeds[0]}): what another start and another order of the examples would change is not known.`;
}

/** How far the test examples alone leave an accuracy uncertain. */
export function testNote(records: readonly PerformanceRecord[], data: readonly DataRecord[]): string {
  const halves = records.flatMap((record) => {
    const [accuracy, sizes] = [finalAccuracy(record), sizesOf(record, data)];
    if (accuracy === null || !sizes) return [];
    const [low, high] = wilson(accuracy, sizes.tested);
    return [(high - low) / 2];
  });
  if (halves.length === 0) return '';
  const points = [Math.min(...halves), Math.max(...halves)].map((half) => (100 * half).toFixed(1));
  return `The number of test examples leaves each run uncertain by ± ${[...new Set(points)].join(' to ')} points (95 % binomial interval of Wilson).`;
}

/** Sizes of the recurrent networks by data set. */
function sizes(records: readonly PerformanceRecord[], data: readonly DataRecord[]): string {
  return groups(
    records.filter(({ kind }) => kind === 'tt'),
    ({ dataset }) => dataset,
  )
    .map(([{ dataset, features, rank, shared, parameters, batch, epochs }]) => {
      const set = data.find(({ name }) => name === dataset);
      const part = set ? `, ${samplesOf(set, records)}` : '';
      return `${datasetName(dataset)}: m = ${features}, R = ${rank}${shared ? ', shared cores' : ''}, ${count(parameters)} parameters, Adam on batches of ${batch}, ${epochs} epochs${part}.`;
    })
    .join(' ');
}

/** The last epoch of every run. */
export function finalCsv(records: readonly PerformanceRecord[], data: readonly DataRecord[]): string {
  const head = [
    'dataset',
    'kind',
    'xi',
    'rank',
    'parameters',
    'shared',
    'fold',
    'seed',
    'trained',
    'tested',
    'testAccuracy',
    'seconds',
  ];
  return csvOf(
    head,
    records.map((record) => {
      const { dataset, kind, xi, rank, parameters, shared, fold, seed, seconds } = record;
      const sizes = sizesOf(record, data);
      return [
        ...[dataset, kind, xi, rank, parameters, shared, fold, seed],
        ...[sizes?.trained, sizes?.tested, finalAccuracy(record), seconds],
      ];
    }),
  );
}
