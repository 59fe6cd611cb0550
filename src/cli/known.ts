import { basename } from 'node:path';
import { LOSSES, type Loss } from '../backend/interface.ts';
import { mismatch, XiError } from '../core/errors.ts';
import type { DType } from '../core/tensor.ts';
import { type CsvInputs, loadCsvInputs } from '../data/csv.ts';
import type { AnyDataset } from '../data/dataset.ts';
import { vocabularyOf } from '../data/text.ts';
import { inFile } from '../models/files.ts';
import {
  checkOrder,
  csvOptions,
  type DataChoice,
  FORMS,
  type Known,
  kindOf,
  type Parts,
  placesOf,
  TABLE_OPTIONS,
  type TableChoice,
} from './data.ts';

/** The options that go out when one is said anew: what they said, or what does not go with it. */
const REPLACED = {
  label: ['label', 'targets'],
  targets: ['label', 'targets'],
  sequence: ['sequence', 'columns', 'inputs'],
  columns: ['sequence', 'columns'],
  inputs: ['sequence', 'inputs'],
  delimiter: ['delimiter'],
} as const;

/** What a model file carries so that other data are read as these were, and scored by the same loss. */
export function metadataFor(
  data: AnyDataset,
  { vocabulary }: Parts,
  choice: DataChoice,
  loss: Loss,
): Record<string, string> {
  const { classNames } = data as { classNames?: readonly string[] };
  const { name, place } = kindOf(choice.data);
  const said = Object.fromEntries(TABLE_OPTIONS.map((key) => [key, choice[key]]));
  const table = choice.targets === undefined ? { ...said, label: choice.label ?? 'label' } : said;
  return {
    ...(place === undefined || name === 'splice'
      ? { data: choice.data }
      : {
          data: name,
          place: placesOf(place)
            .map((path) => basename(path))
            .join('+'),
        }),
    loss,
    ...(name === 'csv' && { table: JSON.stringify(table) }),
    ...(data.columns && { columns: JSON.stringify(data.columns) }),
    ...(data.lengths && { variable: 'true' }),
    ...(data.alphabet && { alphabet: data.alphabet }),
    ...(classNames && { classes: JSON.stringify(classNames) }),
    ...(vocabulary && { vocabulary: JSON.stringify(vocabulary.words) }),
  };
}

/** The reverse of {@link metadataFor}. @throws XiError E_FILE for metadata that are none of that. */
export function knownFrom(path: string, metadata: Readonly<Record<string, string>>): Known {
  const read = (key: string): unknown => {
    if (!Object.hasOwn(metadata, key)) return undefined;
    try {
      return JSON.parse(metadata[key]);
    } catch (cause) {
      throw new XiError('E_FILE', `${path}: its ${key} are not JSON`, { cause });
    }
  };
  const list = (key: string): string[] | undefined => {
    const value = read(key);
    if (value === undefined) return undefined;
    if (Array.isArray(value) && value.every((item) => typeof item === 'string')) return value;
    throw mismatch('E_FILE', `${path} ${key}`, 'a list of strings', value);
  };
  const text = (key: string) => (Object.hasOwn(metadata, key) ? metadata[key] : undefined);
  const loss = text('loss');
  if (loss !== undefined && !LOSSES.includes(loss as Loss))
    throw mismatch('E_FILE', `${path} loss`, `one of ${LOSSES.join(', ')}`, loss);
  const words = list('vocabulary');
  const vocabulary = words && inFile(path, () => vocabularyOf(words));
  return {
    data: text('data'),
    templates: text('templates'),
    place: text('place'),
    table: tableOf(path, read('table')),
    columns: list('columns'),
    variable: text('variable') === 'true',
    alphabet: text('alphabet'),
    classNames: list('classes'),
    loss: loss as Loss | undefined,
    ...(vocabulary && { vocabulary }),
  };
}

function tableOf(path: string, value: unknown): TableChoice | undefined {
  if (value === undefined) return undefined;
  const isTable =
    typeof value === 'object' &&
    value !== null &&
    Object.entries(value).every(
      ([key, item]) =>
        TABLE_OPTIONS.includes(key as 'label') && typeof item === (key === 'inputs' ? 'number' : 'string'),
    );
  if (!isTable) throw mismatch('E_FILE', `${path} table`, `columns as ${TABLE_OPTIONS.join(', ')}`, value);
  return value as TableChoice;
}

/** The data that the model was trained on. @throws XiError E_ARGUMENT where it does not say, or their place has to be said. */
export function rememberedData(option: string, path: string, { data, place }: Known): string {
  if (data === undefined) {
    const forms = `one of ${FORMS.join(', ')}, or --input instead`;
    throw new XiError(
      'E_ARGUMENT',
      `${option}: expected ${forms}, received none, and ${path} does not say what it was trained on`,
    );
  }
  if (place === undefined) return data;
  const isFile = data === 'csv' || data === 'npy';
  const such = isFile ? place : `${data}:DIR, with the folder ${place} for DIR`;
  throw new XiError(
    'E_ARGUMENT',
    `${option}: expected data such as ${such}, which ${path} was trained on, received none`,
  );
}

/** The columns of training, but for those that are said anew. */
export function rememberedTable({ table = {} }: Known, given: DataChoice): TableChoice {
  const anew = TABLE_OPTIONS.filter((name) => given[name] !== undefined).flatMap((name) => [
    ...REPLACED[name],
  ]);
  return Object.fromEntries(Object.entries(table).filter(([name]) => !anew.includes(name as 'label')));
}

/** A table without answers for a model of so many steps that was trained on one. */
export async function readTable(path: string, known: Known, steps: number, dtype: DType): Promise<CsvInputs> {
  const ends = known.variable ? { variable: true, length: steps } : {};
  const options = csvOptions({ ...known.table, ...ends }, dtype, known);
  const inputs = await loadCsvInputs(path, options);
  checkOrder(path, inputs, options, known);
  return inputs;
}
