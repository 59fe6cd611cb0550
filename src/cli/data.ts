import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Loss } from '../backend/interface.ts';
import { integer, mismatch } from '../core/errors.ts';
import { misspelt } from '../core/nearest.ts';
import { type DType, isTokens } from '../core/tensor.ts';
import { loadArrays } from '../data/arrays.ts';
import { loadCifar10 } from '../data/cifar10.ts';
import { type CsvOptions, isTable, loadCsv } from '../data/csv.ts';
import { type AnyDataset, countOf, type Dataset, hasTargets, takeDataset } from '../data/dataset.ts';
import { loadImdb } from '../data/imdb.ts';
import { loadMnist } from '../data/mnist.ts';
import { loadSpam } from '../data/spam.ts';
import { FOLDS, loadSplice } from '../data/splice.ts';
import type { TextParts, Vocabulary } from '../data/text.ts';
import { number } from './options.ts';

/** What on the command line decides which data are read; a checkpoint repeats it. */
export interface DataChoice {
  readonly data: string;
  readonly limit?: number;
  readonly patch?: number;
  readonly length?: number;
  readonly words?: number;
  readonly classes?: number;
  readonly variable?: boolean;
  readonly label?: string;
  readonly targets?: string;
  readonly sequence?: string;
  readonly columns?: string;
  readonly inputs?: number;
  readonly delimiter?: string;
}

/** Which columns of a CSV file are answers and which inputs, and what is between them. */
export const TABLE_OPTIONS = ['label', 'targets', 'sequence', 'columns', 'inputs', 'delimiter'] as const;

export const DATA_OPTIONS = [
  ...['data', 'limit', 'patch', 'length', 'words', 'classes', 'variable'],
  ...TABLE_OPTIONS,
] as const;

export type SplitName = 'train' | 'test';

/** The parts that were asked for, with what a model for them must know. */
export interface Parts {
  readonly train?: AnyDataset;
  readonly test?: AnyDataset;
  readonly vocabulary?: Vocabulary;
  /** N, of tokens without a vocabulary: of all that were read, also where a limit takes fewer. */
  readonly tokens?: number;
}

/**
 * What a saved model says of its data: where they were, their columns, names of classes, letters of inputs, words of
 * tokens, whether lengths differ, what was minimized.
 */
export interface Known {
  /** As --data names them, without the place of files and folders. */
  readonly data?: string;
  /** The templates of a model that was built, not trained. */
  readonly templates?: string;
  /** The name of that file or folder, without what it lies in. */
  readonly place?: string;
  readonly table?: TableChoice;
  /** The columns of numbers that were its inputs. */
  readonly columns?: readonly string[];
  readonly variable?: boolean;
  readonly alphabet?: string;
  readonly classNames?: readonly string[];
  readonly vocabulary?: Vocabulary;
  /** What was minimized. */
  readonly loss?: Loss;
}

export type TableChoice = Pick<DataChoice, (typeof TABLE_OPTIONS)[number]>;

interface Request {
  readonly choice: DataChoice;
  /** What follows the colon in --data. */
  readonly place: string | undefined;
  readonly dtype: DType;
  readonly wanted: readonly SplitName[];
  readonly known: Known;
}

interface Kind {
  readonly forms: string;
  readonly takes: readonly (typeof DATA_OPTIONS)[number][];
  /** Whether they have a part for training and one for tests. */
  readonly splits: boolean;
  load(request: Request): Promise<Parts>;
}

const IMAGES = ['patch'] as const;
const TEXT = ['length', 'words', 'variable'] as const;

const KINDS: Readonly<Record<string, Kind>> = {
  mnist: {
    forms: 'mnist, mnist:DIR',
    takes: IMAGES,
    splits: true,
    load: (request) => images(request, (options) => loadMnist({ ...options, source: request.place })),
  },
  cifar10: {
    forms: 'cifar10:DIR',
    takes: IMAGES,
    splits: true,
    load: (request) => images(request, (options) => loadCifar10({ ...options, source: needed(request) })),
  },
  imdb: {
    forms: 'imdb:DIR',
    takes: TEXT,
    splits: true,
    load: (request) => texts(request, loadImdb({ ...textOptions(request), source: needed(request) })),
  },
  spam: {
    forms: 'spam, spam:DIR',
    takes: TEXT,
    splits: true,
    load: (request) => texts(request, loadSpam({ ...textOptions(request), source: request.place })),
  },
  splice: {
    forms: 'splice, splice:FOLD',
    takes: [],
    splits: true,
    async load({ place, dtype, choice, wanted }) {
      const parts = await loadSplice({ dtype, fold: foldIn(choice.data, place) });
      return { ...parts, [wanted[0]]: limited(parts[wanted[0]], choice.limit) };
    },
  },
  csv: {
    forms: 'FILE.csv, FILE.tsv',
    takes: [...TABLE_OPTIONS, 'variable', 'length'],
    splits: false,
    async load({ place, dtype, choice, wanted, known }) {
      if (choice.length !== undefined && !choice.variable)
        throw mismatch('E_ARGUMENT', '--length', 'a --variable beside it, of a CSV file', choice.length);
      const options = { ...csvOptions(choice, dtype, known), classNames: known.classNames };
      const data = await loadCsv(place!, options);
      checkOrder(place!, data, options, known);
      return { [wanted[0]]: limited(data, choice.limit) };
    },
  },
  npy: {
    forms: 'X.npy+Y.npy, X.npy+Y.npy+LENGTHS.npy',
    takes: ['words', 'classes'],
    splits: false,
    async load({ place, dtype, choice, wanted }) {
      const [inputs, answers, lengths] = placesOf(place!);
      const { classes, limit } = choice;
      const data = await loadArrays({ inputs, answers, lengths, dtype, classes });
      if (!hasTargets(data) && classes === undefined) warnOfGaps(answers, data);
      return { [wanted[0]]: limited(data, limit), tokens: tokensOf(inputs, data, choice) };
    },
  },
};

/** N of tokens from a file: what --words says, or the largest and one. */
function tokensOf(path: string, { inputs }: AnyDataset, { words }: DataChoice): number | undefined {
  if (!isTokens(inputs)) {
    if (words !== undefined) throw mismatch('E_ARGUMENT', '--words', `tokens [n, T] in ${path}`, words);
    return undefined;
  }
  const largest = inputs.data.reduce((top, token) => Math.max(top, token), 0);
  const wanted = integer('--words', words ?? largest + 1, 1, 2 ** 31);
  if (wanted > largest) return wanted;
  throw mismatch('E_ARGUMENT', '--words', `more than the largest token of ${path}, ${largest}`, wanted);
}

/** Numbers from 1 would be one class more, which nothing is of. */
function warnOfGaps(path: string, { labels, classes }: Dataset): void {
  const found = new Set(labels);
  const missing: number[] = [];
  for (let label = 0; label < classes && missing.length < 8; label++)
    if (!found.has(label)) missing.push(label);
  if (missing.length === 0) return;
  const some = missing.join(', ') + (classes - found.size > 8 ? ', …' : '');
  process.stderr.write(
    `${path}: no example of class ${some}; classes are numbered from 0, so that there are ${classes}\n`,
  );
}

/** What --data takes. */
export const FORMS = Object.values(KINDS).map(({ forms }) => forms);

/** The files that --data names, of arrays several. */
export const placesOf = (place: string): string[] => place.split(/(?<=\.npy)\+/);

/** The files that --data or --templates name; folders and the names of data sets are none. */
export const filesIn = (source: string | undefined): string[] =>
  source === undefined ? [] : /\.npy\+.+\.npy$/.test(source) ? placesOf(source) : [source];

/** What begins a `--data`, before its colon; files have no such name. */
const NAMES = Object.keys(KINDS).filter((name) => name !== 'csv' && name !== 'npy');

/** The kind of data that --data names, and what it says of their place. */
export function kindOf(data: string): { kind: Kind; name: string; place?: string } {
  const of = (name: string, place?: string) => ({ kind: KINDS[name], name, place });
  if (/\.npy\+.+\.npy$/.test(data)) return of('npy', data);
  if (isTable(data)) return of('csv', data);
  const [, name, place] = /^(\w+)(?::(.+))?$/s.exec(data) ?? [];
  if (name !== undefined && NAMES.includes(name)) return of(name, place);
  if (statSync(data, { throwIfNoEntry: false })?.isDirectory()) return of('mnist', data);
  if (/\.npy$/.test(data))
    throw mismatch('E_ARGUMENT', '--data', 'X.npy+Y.npy, inputs and their answers', data);
  throw misspelt('--data', `one of ${FORMS.join(', ')}, or a folder that is there`, data, NAMES);
}

/** Texts of options that mean something else from command to command. */
interface DataTexts {
  readonly limit: string;
  readonly patch: string;
  /** What --data is if it is left out, where that is no fixed value. */
  readonly data?: string;
}

/** `data` is the value of --data if it is left out. */
export function withDataOptions(command: Command, texts: DataTexts, data?: string): Command {
  const forms = `${FORMS.join(', ')}, or a folder with IDX files named as those of MNIST`;
  const text = texts.data === undefined ? forms : `${forms} (default: ${texts.data})`;
  return command
    .addOption(new Option('--data <source>', text).default(data))
    .option('--limit <n>', texts.limit, number)
    .option('--patch <pixels>', texts.patch, number)
    .option('--length <T>', 'of texts: tokens of a sequence (default: 100, or what the model takes)', number)
    .option('--variable', 'of texts and CSV files: sequences of their own lengths, for tt --shared')
    .option(
      '--words <n>',
      'of texts: size of the vocabulary (default: 10000 for imdb, 5000 for spam); of tokens in .npy: how many there are (default: the largest and one)',
      number,
    )
    .option('--classes <K>', 'of .npy: how many classes there are (default: the largest and one)', number)
    .option('--label <column>', 'of a CSV file: its classes (default: label)')
    .option('--targets <columns>', 'of a CSV file: real targets instead, with commas between')
    .option('--sequence <column>', 'of a CSV file: sequences of letters, instead of columns of numbers')
    .option('--columns <names>', 'of a CSV file: those of numbers, with commas between (default: all others)')
    .option('--inputs <N>', 'of a CSV file: how many columns of numbers are one step (default: 1)', number)
    .option(
      '--delimiter <c>',
      "of a CSV file: between fields, or 'tab' (default: a tab in .tsv, else a comma)",
      (text) => (text === 'tab' || text === '\\t' ? '\t' : text),
    );
}

/**
 * Reads the wanted parts of a data set; `limit` is that of the first. A file has one part, which is the first that is
 * wanted.
 *
 * @throws XiError E_ARGUMENT for an option that this kind of data does not have; else as its loader.
 */
export function loadParts(
  choice: DataChoice,
  dtype: DType,
  wanted: readonly SplitName[],
  known: Known = {},
): Promise<Parts> {
  const { kind, place } = kindOf(choice.data);
  if (choice.limit !== undefined) integer('--limit', choice.limit, 1, 2 ** 31);
  const allowed = ['data', 'limit', ...kind.takes];
  const other = DATA_OPTIONS.filter((name) => choice[name] !== undefined && !allowed.includes(name));
  if (other.length > 0) {
    const expected = `of data ${kind.forms} no option but ${allowed.map((name) => `--${name}`).join(', ')}`;
    throw mismatch('E_ARGUMENT', '--data', expected, other.map((name) => `--${name}`).join(', '));
  }
  return kind.load({ choice, place, dtype, wanted, known });
}

/** The files or the folder of data, which those of packages have not. */
export function pathsOf(data: string): string[] {
  const { name, place } = kindOf(data);
  if (place === undefined || name === 'splice') return [];
  return name === 'npy' ? placesOf(place) : [place];
}

/** The same choice with absolute paths, so that training can go on from another folder. */
export function absolute(choice: DataChoice): DataChoice {
  const { name } = kindOf(choice.data);
  const own = Object.fromEntries(DATA_OPTIONS.map((key) => [key, choice[key]]));
  const paths = pathsOf(choice.data).map((path) => resolve(path));
  if (paths.length === 0) return { ...own, data: choice.data };
  return { ...own, data: `${name === 'csv' || name === 'npy' ? '' : `${name}:`}${paths.join('+')}` };
}

/** The same choice of data that are elsewhere now. @throws XiError E_ARGUMENT for those of another kind or fold. */
export function movedTo(data: string, choice: DataChoice): DataChoice {
  const [before, now] = [choice.data, data].map(kindOf);
  if (now.name === before.name && (now.name !== 'splice' || now.place === before.place))
    return absolute({ ...choice, data });
  throw mismatch('E_ARGUMENT', '--data', `what the checkpoint was begun with, ${choice.data}`, data);
}

/** Steps, inputs and outputs of a model for data, whether one of its inputs is there at a time (letters, words), and whether as a token. */
export function shapeFor(data: AnyDataset, { vocabulary, tokens }: Parts) {
  const { inputs } = data;
  const outputs = hasTargets(data) ? data.targets.shape[1] : data.classes;
  const [, steps, size] = inputs.shape;
  const embedding = isTokens(inputs) || data.alphabet !== undefined;
  if (!isTokens(inputs)) return { steps, inputs: size, outputs, embedding, tokens: false };
  return { steps, inputs: vocabulary?.words.length ?? tokens!, outputs, embedding, tokens: true };
}

/**
 * How a table is read: where nothing else is said by the names of the columns of training, but for sequences of several lengths,
 * which may end before the last of them or behind it.
 */
export function csvOptions(choice: Omit<DataChoice, 'data'>, dtype: DType, known: Known): CsvOptions {
  const { label, sequence, inputs, variable, delimiter, length: steps } = choice;
  const [targets, chosen] = [choice.targets, choice.columns].map((list) => list?.split(','));
  const alphabet = sequence === undefined ? undefined : known.alphabet;
  const columns = chosen ?? (sequence === undefined && !variable ? known.columns : undefined);
  return { label, targets, sequence, alphabet, columns, inputs, variable, steps, delimiter, dtype };
}

/** @throws XiError E_FILE for a table that was read by the places of its columns where training had other names there. */
export function checkOrder(
  path: string,
  { columns: found }: Pick<AnyDataset, 'columns'>,
  { columns }: CsvOptions,
  known: Known,
): void {
  if (columns || !found || !known.columns) return;
  const bad = known.columns.findIndex((name, n) => n < found.length && name !== found[n]);
  if (bad < 0) return;
  const expected = `column '${known.columns[bad]}' in place ${bad + 1} of the numbers, as in training`;
  throw mismatch('E_FILE', `${path}, line 1`, expected, found[bad]);
}

function needed({ place, choice }: Request): string {
  if (place !== undefined) return place;
  throw mismatch('E_ARGUMENT', '--data', `${choice.data}:DIR, as these data cannot be fetched`, choice.data);
}

/** The fold of `splice:FOLD`. */
function foldIn(data: string, place = '0'): number {
  const fold = Array.from({ length: FOLDS }, (_, n) => `${n}`).indexOf(place);
  if (fold >= 0) return fold;
  throw mismatch(
    'E_ARGUMENT',
    '--data',
    `splice, or one of its folds, splice:0 to splice:${FOLDS - 1}`,
    data,
  );
}

async function images(
  { choice, dtype, wanted }: Request,
  load: (options: { split: SplitName; patch?: number; limit?: number; dtype: DType }) => Promise<AnyDataset>,
): Promise<Parts> {
  const parts = await Promise.all(
    wanted.map((split, n) =>
      load({ split, dtype, patch: choice.patch, ...(n === 0 && { limit: choice.limit }) }),
    ),
  );
  return Object.fromEntries(wanted.map((split, n) => [split, parts[n]]));
}

function textOptions({ choice: { length, words, limit, variable }, known, wanted }: Request) {
  const { vocabulary } = known;
  return {
    ...(variable && { variable }),
    ...(length !== undefined && { steps: length }),
    ...(words !== undefined && { words }),
    ...(limit !== undefined && (wanted[0] === 'train' ? { limit } : { testLimit: limit })),
    // The training part is read for its words too, unless they are known.
    ...(vocabulary && { vocabulary, ...(!wanted.includes('train') && { limit: 1 }) }),
  };
}

async function texts({ wanted }: Request, loading: Promise<TextParts>): Promise<Parts> {
  const { vocabulary, ...parts } = await loading;
  return { vocabulary, ...Object.fromEntries(wanted.map((split) => [split, parts[split]])) };
}

const limited = (data: AnyDataset, limit: number | undefined): AnyDataset =>
  limit === undefined ? data : takeDataset(data, 0, Math.min(limit, countOf(data)));
