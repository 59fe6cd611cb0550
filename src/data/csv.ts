import { basename } from 'node:path';
import { integer, knownKeys, mismatch, oneOf, XiError } from '../core/errors.ts';
import { allocate, DTYPES, type DType, type Tensor } from '../core/tensor.ts';
import { type CsvRow, parseCsv } from '../io/csv.ts';
import { readText } from '../io/text.ts';
import type { Dataset, TargetDataset } from './dataset.ts';
import { namedClasses } from './labels.ts';

/** Which columns of a table are answers, and how the others are steps, for {@link loadCsv}. */
export interface CsvOptions {
  /** Column of the classes; `label` when left out. */
  readonly label?: string;
  /** Columns of real targets, instead of classes. */
  readonly targets?: readonly string[];
  /** Column of sequences of letters, each a step and its one-hot row; where left out, all other columns are numbers. */
  readonly sequence?: string;
  /** The letters in the order of the inputs; where left out, those that occur, in the order of code units. */
  readonly alphabet?: string;
  /** N, how many successive columns of numbers are one step; 1 when left out. */
  readonly inputs?: number;
  /** Names of the classes in their order; where left out, those that occur: by number if all are, else by code units. */
  readonly classNames?: readonly string[];
  /** float32 when left out. */
  readonly dtype?: DType;
}

const KEYS = ['label', 'targets', 'sequence', 'alphabet', 'inputs', 'classNames', 'dtype'];

/**
 * A CSV file whose first line names the columns, as inputs [count, T, N]: columns of numbers in their order, N to a step;
 * or a column of letters as one-hot rows, T letters each. Classes from a column of names or numbers, or real targets.
 *
 * @throws XiError E_ARGUMENT for unknown or unfit options, E_FILE with the line of what is no row of such a table.
 */
export async function loadCsv(
  path: string,
  options: CsvOptions & { readonly targets: readonly string[] },
): Promise<TargetDataset<Tensor>>;
export async function loadCsv(
  path: string,
  options?: CsvOptions & { readonly targets?: undefined },
): Promise<Dataset<Tensor>>;
export async function loadCsv(
  path: string,
  options?: CsvOptions,
): Promise<Dataset<Tensor> | TargetDataset<Tensor>>;
export async function loadCsv(
  path: string,
  options: CsvOptions = {},
): Promise<Dataset<Tensor> | TargetDataset<Tensor>> {
  knownKeys('loadCsv', options, KEYS);
  const dtype = oneOf('loadCsv dtype', options.dtype ?? 'float32', DTYPES);
  const { label = 'label', targets, sequence } = options;
  if (targets && options.label !== undefined)
    throw mismatch('E_ARGUMENT', 'loadCsv targets', 'no label beside them', options.label);
  const table = new Table(path, parseCsv(await readText(path), path));
  const name = basename(path).replace(/\.csv$/i, '');
  const answers = targets ?? [label];
  const inputs =
    sequence === undefined
      ? numericInputs(table, answers, options.inputs ?? 1, dtype)
      : oneHotInputs(table, table.column(sequence), options.alphabet, dtype);
  if (targets) return { name, inputs, targets: table.numbers(targets, dtype) };
  const classes = table.column(label);
  const text = table.rows.map(({ fields }) => fields[classes]);
  const known = namedClasses(text, options.classNames, (n) => `${table.at(n)}, column ${label}`);
  return { name, inputs, ...known };
}

/** The body of a table behind its first line, every row with as many fields as that. */
class Table {
  readonly rows: readonly CsvRow[];
  readonly names: readonly string[];
  private readonly path: string;

  constructor(path: string, all: readonly CsvRow[]) {
    this.path = path;
    if (all.length < 2)
      throw mismatch('E_FILE', path, 'a line of names and rows below it', `${all.length} lines`);
    const [head, ...rows] = all;
    this.names = head.fields.map((name) => name.trim());
    this.rows = rows;
    rows.forEach(({ fields }, n) => {
      if (fields.length === this.names.length) return;
      const expected = `${this.names.length} fields as in the first line`;
      throw mismatch('E_FILE', this.at(n), expected, `${fields.length} fields`);
    });
  }

  at(row: number): string {
    return `${this.path}, line ${this.rows[row].line}`;
  }

  column(name: string): number {
    const index = this.names.indexOf(name);
    if (index >= 0) return index;
    throw new XiError(
      'E_FILE',
      `${this.path}, line 1: expected a column '${name}', received ${this.names.slice(0, 8).join(', ')}`,
    );
  }

  /** The numbers of some columns [rows, columns]. */
  numbers(names: readonly string[], dtype: DType): Tensor {
    const columns = names.map((name) => this.column(name));
    const data = allocate(dtype, this.rows.length * columns.length);
    this.rows.forEach(({ fields }, n) => {
      columns.forEach((column, c) => {
        const value = fields[column].trim() === '' ? Number.NaN : Number(fields[column]);
        if (!Number.isFinite(value))
          throw mismatch('E_FILE', `${this.at(n)}, column ${names[c]}`, 'a finite number', fields[column]);
        data[n * columns.length + c] = value;
      });
    });
    return { dtype, shape: [this.rows.length, columns.length], data };
  }
}

function numericInputs(table: Table, answers: readonly string[], inputs: number, dtype: DType): Tensor {
  for (const name of answers) table.column(name);
  const names = table.names.filter((name) => !answers.includes(name));
  integer('loadCsv inputs', inputs, 1, 2 ** 20);
  if (names.length === 0 || names.length % inputs !== 0) {
    const expected = `a divisor of the ${names.length} columns of numbers`;
    throw mismatch('E_ARGUMENT', 'loadCsv inputs', expected, inputs);
  }
  const { data } = table.numbers(names, dtype);
  return { dtype, shape: [table.rows.length, names.length / inputs, inputs], data };
}

function oneHotInputs(table: Table, column: number, alphabet: string | undefined, dtype: DType): Tensor {
  const sequences = table.rows.map(({ fields }) => fields[column].trim());
  const letters = alphabet ?? [...new Set(sequences.join(''))].sort().join('');
  const [steps, size] = [sequences[0].length, letters.length];
  const data = allocate(dtype, sequences.length * steps * size);
  sequences.forEach((sequence, n) => {
    if (sequence.length !== steps || steps === 0)
      throw mismatch('E_FILE', table.at(n), `${steps || 'some'} letters`, `${sequence.length} letters`);
    for (let t = 0; t < steps; t++) {
      const letter = letters.indexOf(sequence[t]);
      if (letter < 0) {
        const place = `${table.at(n)}, letter ${t + 1}`;
        throw mismatch('E_FILE', place, `one of ${[...letters].join(', ')}`, sequence[t]);
      }
      data[(n * steps + t) * size + letter] = 1;
    }
  });
  return { dtype, shape: [sequences.length, steps, size], data };
}
