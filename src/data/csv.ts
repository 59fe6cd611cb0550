import { basename } from 'node:path';
import { firstOf } from '../core/counted.ts';
import { integer, knownKeys, mismatch, oneOf, XiError } from '../core/errors.ts';
import { allocate, DTYPES, type DType, type Tensor } from '../core/tensor.ts';
import { type CsvRow, parseCsv } from '../io/csv.ts';
import { type Path, pathOf } from '../io/path.ts';
import { readText } from '../io/text.ts';
import { type Dataset, SHORTEST, type TargetDataset } from './dataset.ts';
import { DECIMAL, namedClasses } from './labels.ts';

/** Which columns of a table are answers, and how the others are steps, for {@link loadCsv}. */
export interface CsvOptions {
  /** Column of the classes; `label` when left out. */
  readonly label?: string;
  /** Columns of real targets, instead of classes. */
  readonly targets?: readonly string[];
  /** Column of sequences of letters, each a step and its one-hot row; where left out, inputs are columns of numbers. */
  readonly sequence?: string;
  /** The columns of numbers that are inputs, in their order; where left out, all but the answers, in that of the table. */
  readonly columns?: readonly string[];
  /** The letters in the order of the inputs; where left out, those that occur, in the order of code units. */
  readonly alphabet?: string;
  /** N, how many successive columns of numbers are one step; 1 when left out. */
  readonly inputs?: number;
  /**
   * Whether sequences have lengths of their own, two steps at least: empty or missing cells behind the last number, or fewer
   * letters, end one.
   */
  readonly variable?: boolean;
  /** Of sequences with lengths of their own: T, the steps that there is room for; the longest one when left out. */
  readonly steps?: number;
  /** Names of the classes in their order; where left out, those that occur: by number if all are, else by code units. */
  readonly classNames?: readonly string[];
  /** What stands between fields, one character; a tab in files that end in .tsv, else a comma when left out. */
  readonly delimiter?: string;
  /** float32 when left out. */
  readonly dtype?: DType;
}

/** Whether a file is a table, by its name. */
export const isTable = (path: string): boolean => /\.[ct]sv$/i.test(path);

const KEYS = [
  ...['label', 'targets', 'sequence', 'alphabet', 'columns'],
  ...['inputs', 'variable', 'steps', 'classNames', 'delimiter', 'dtype'],
];

/**
 * A CSV file, or one with another delimiter, whose first line names the columns, as inputs [count, T, N]: columns of numbers in their order, N to a step;
 * or a column of letters as one-hot rows, T letters each. Classes from a column of names or numbers, or real targets. With
 * `variable` each sequence has a length of its own.
 *
 * @throws XiError E_ARGUMENT for unknown or unfit options, E_FILE with the line of what is no row of such a table.
 */
export async function loadCsv(
  file: Path,
  options: CsvOptions & { readonly targets: readonly string[] },
): Promise<TargetDataset<Tensor>>;
export async function loadCsv(
  file: Path,
  options?: CsvOptions & { readonly targets?: undefined },
): Promise<Dataset<Tensor>>;
export async function loadCsv(
  file: Path,
  options?: CsvOptions,
): Promise<Dataset<Tensor> | TargetDataset<Tensor>>;
export async function loadCsv(
  file: Path,
  options: CsvOptions = {},
): Promise<Dataset<Tensor> | TargetDataset<Tensor>> {
  const path = pathOf('loadCsv', file);
  const { table, sequences, dtype } = await readTable('loadCsv', path, options);
  const { label = 'label', targets } = options;
  const name = basename(path).replace(/\.[ct]sv$/i, '');
  if (targets) return { name, ...sequences, targets: table.numbers(targets, dtype) };
  const classes = table.column(label);
  const text = table.rows.map(({ fields }) => fields[classes]);
  const known = namedClasses(text, options.classNames, (n) => `${table.at(n)}, column ${label}`);
  return { name, ...sequences, ...known };
}

/**
 * The inputs of {@link loadCsv} alone, for scores of examples whose answers nobody knows: their columns may be missing.
 *
 * @throws XiError as loadCsv.
 */
export async function loadCsvInputs(file: Path, options: CsvOptions = {}): Promise<CsvInputs> {
  return (await readTable('loadCsvInputs', pathOf('loadCsvInputs', file), options, false)).sequences;
}

async function readTable(where: string, path: string, options: CsvOptions, answered = true) {
  knownKeys(where, options, KEYS);
  const dtype = oneOf(`${where} dtype`, options.dtype ?? 'float32', DTYPES);
  checkColumns(where, options);
  const ending = endingOf(where, options);
  const delimiter = delimiterOf(where, path, options);
  const table = new Table(path, parseCsv(await readText(path), path, delimiter), ending.variable);
  const { label = 'label', targets, sequence } = options;
  const answers = targets ?? [label];
  if (answered) for (const name of answers) table.column(name);
  const sequences =
    sequence === undefined
      ? numericInputs(where, table, answers, options, dtype, ending)
      : oneHotInputs(table, table.column(sequence), options.alphabet, dtype, ending);
  return { table, sequences, dtype };
}

function checkColumns(where: string, options: CsvOptions): void {
  const { label, targets, sequence, alphabet, columns, inputs, classNames } = options;
  const refuse = (name: string, expected: string, received: unknown) =>
    mismatch('E_ARGUMENT', `${where} ${name}`, expected, received);
  for (const [name, column] of Object.entries({ label, sequence, alphabet })) {
    if (column !== undefined && typeof column !== 'string') throw refuse(name, 'a string', column);
  }
  for (const [name, list] of Object.entries({ targets, columns, classNames })) {
    const isList = Array.isArray(list) && list.length > 0 && list.every((item) => typeof item === 'string');
    if (list !== undefined && !isList) throw refuse(name, 'a list of names', list);
  }
  if (targets && label !== undefined) throw refuse('targets', 'no label beside them', label);
  for (const [name, list] of Object.entries({ targets, columns })) {
    if (list && new Set(list).size < list.length) throw refuse(name, 'every column once', list);
  }
  const answers = targets ?? [label ?? 'label'];
  const answer = columns?.find((name) => answers.includes(name));
  if (answer !== undefined) throw refuse('columns', 'no column of answers', answer);
  if (sequence !== undefined && answers.includes(sequence))
    throw refuse('sequence', 'no column of answers', sequence);
  if (sequence !== undefined && columns) throw refuse('columns', 'no sequence beside them', sequence);
  if (sequence === undefined && alphabet !== undefined)
    throw refuse('alphabet', 'a sequence beside it', alphabet);
  if (sequence !== undefined && inputs !== undefined)
    throw refuse('inputs', 'no sequence beside it, whose letters are a step each', inputs);
  if (alphabet !== undefined && (alphabet === '' || new Set(alphabet).size < [...alphabet].length))
    throw refuse('alphabet', 'letters, each once', alphabet);
}

function delimiterOf(where: string, path: string, { delimiter }: CsvOptions): string {
  if (delimiter === undefined) return /\.tsv$/i.test(path) ? '\t' : ',';
  // What stands in numbers and names, or in quotes, divides nothing.
  if (typeof delimiter === 'string' && /^[^"\r\n\p{L}\p{N}.+-]$/u.test(delimiter)) return delimiter;
  throw mismatch('E_ARGUMENT', `${where} delimiter`, "one character, such as ',', ';' or a tab", delimiter);
}

/** Whether sequences may end before the last step, and how many steps are wanted. */
interface Ending {
  readonly variable: boolean;
  readonly steps?: number;
}

function endingOf(where: string, { variable = false, steps }: CsvOptions): Ending {
  if (typeof variable !== 'boolean')
    throw mismatch('E_ARGUMENT', `${where} variable`, 'true or false', variable);
  if (steps === undefined) return { variable };
  if (!variable) throw mismatch('E_ARGUMENT', `${where} steps`, 'variable beside them', steps);
  return { variable, steps: integer(`${where} steps`, steps, SHORTEST, 2 ** 16) };
}

/** Sequences of a table. */
export interface CsvInputs {
  /** [count, T, N] */
  readonly inputs: Tensor;
  /** Where sequences have lengths of their own. */
  readonly lengths?: Int32Array;
  /** The letters in the order of the inputs, of one-hot rows. */
  readonly alphabet?: string;
  /** The names of the columns that the inputs are, of columns of numbers. */
  readonly columns?: readonly string[];
}

/** The body of a table behind its first line, every row with as many fields as that, or empty ones for those that are missing. */
class Table {
  readonly rows: readonly CsvRow[];
  readonly names: readonly string[];
  private readonly path: string;
  private readonly places: ReadonlyMap<string, number>;
  /** What may be wrong where something is missing: a first line that is one field, with another delimiter in it. */
  private readonly hint: string;

  constructor(path: string, all: readonly CsvRow[], ragged = false) {
    this.path = path;
    if (all.length < 2)
      throw mismatch('E_FILE', path, 'a line of names and rows below it', `${all.length} lines`);
    const [head, ...rows] = all;
    this.names = head.fields;
    const [other] = (head.fields.length === 1 && /[;\t|]/.exec(head.fields[0])) || [];
    this.hint =
      other === undefined ? '' : `; did you mean the delimiter '${other === '\t' ? '\\t' : other}'?`;
    const width = this.names.length;
    this.places = new Map(this.names.map((name, n) => [name, n]));
    // The last place of a name is not the first where it stands twice.
    const twice = this.names.find((name, n) => this.places.get(name) !== n);
    if (twice !== undefined)
      throw mismatch(
        'E_FILE',
        `${path}, line ${head.line}`,
        'names of columns that differ',
        `${twice} twice`,
      );
    this.rows = rows.map(({ line, fields }) => {
      if (fields.length === width || (ragged && fields.length < width))
        return { line, fields: [...fields, ...new Array(width - fields.length).fill('')] };
      const expected = `${ragged ? 'at most ' : ''}${width} fields as in the first line`;
      const received = `'${fields.length} fields'${this.hint}`;
      throw new XiError('E_FILE', `${path}, line ${line}: expected ${expected}, received ${received}`);
    });
  }

  at(row: number): string {
    return `${this.path}, line ${this.rows[row].line}`;
  }

  column(name: string): number {
    return this.columns([name])[0];
  }

  /** The places of some columns. @throws XiError E_FILE that names those which are missing. */
  columns(names: readonly string[]): number[] {
    const missing = names.filter((name) => !this.places.has(name)).map((name) => `'${name}'`);
    if (missing.length === 0) return names.map((name) => this.places.get(name)!);
    const expected = `${missing.length === 1 ? 'a column' : 'columns'} ${firstOf(missing)}`;
    throw new XiError(
      'E_FILE',
      `${this.path}, line 1: expected ${expected}, received ${firstOf(this.names)}${this.hint}`,
    );
  }

  /** The numbers of some columns [rows, columns]; of row n the first ends[n], then zeros. */
  numbers(names: readonly string[], dtype: DType, ends?: readonly number[]): Tensor {
    const columns = this.columns(names);
    const data = allocate(dtype, this.rows.length * columns.length);
    this.rows.forEach(({ fields }, n) => {
      columns.slice(0, ends?.[n]).forEach((column, c) => {
        const at = n * columns.length + c;
        data[at] = DECIMAL.test(fields[column]) ? Number(fields[column]) : Number.NaN;
        // Rounded to float32 a large number becomes infinite.
        if (!Number.isFinite(data[at]))
          throw mismatch('E_FILE', `${this.at(n)}, column ${names[c]}`, 'a finite number', fields[column]);
      });
    });
    return { dtype, shape: [this.rows.length, columns.length], data };
  }
}

function numericInputs(
  where: string,
  table: Table,
  answers: readonly string[],
  { columns: chosen, inputs = 1 }: CsvOptions,
  dtype: DType,
  { variable, steps }: Ending,
): CsvInputs {
  const names = chosen ?? table.names.filter((name) => !answers.includes(name));
  integer(`${where} inputs`, inputs, 1, 2 ** 20);
  if (names.length === 0 || names.length % inputs !== 0) {
    const expected = `a divisor of the ${names.length} columns of numbers`;
    throw mismatch('E_ARGUMENT', `${where} inputs`, expected, inputs);
  }
  const [count, own] = [table.rows.length, names.length / inputs];
  const columns = table.columns(names);
  const ends = table.rows.map(({ fields }, n) => {
    if (!variable) return names.length;
    const end = columns.findLastIndex((column) => fields[column].trim() !== '') + 1;
    if (end > 0 && end % inputs === 0) return end;
    throw mismatch('E_FILE', table.at(n), `steps of ${inputs} numbers`, `${end} numbers`);
  });
  const { data } = table.numbers(names, dtype, ends);
  const whole = { dtype, shape: [count, own, inputs], data };
  if (!variable) return { inputs: whole, columns: names };
  const lengths = Int32Array.from(ends, (end) => end / inputs);
  return { inputs: withSteps(whole, stepsFor(table, lengths, steps)), lengths, columns: names };
}

/** T: what is wanted, or the longest. @throws XiError E_FILE at a sequence that is too short, or longer than what is wanted. */
function stepsFor(table: Table, lengths: Int32Array, wanted: number | undefined): number {
  const short = lengths.findIndex((length) => length < SHORTEST);
  if (short >= 0) throw mismatch('E_FILE', table.at(short), `at least ${SHORTEST} steps`, lengths[short]);
  if (wanted === undefined) return lengths.reduce((top, length) => Math.max(top, length), 1);
  const long = lengths.findIndex((length) => length > wanted);
  if (long < 0) return wanted;
  throw mismatch('E_FILE', table.at(long), `at most ${wanted} steps`, lengths[long]);
}

/** The same sequences with room for another number of steps. */
function withSteps({ dtype, shape: [count, own, inputs], data }: Tensor, steps: number): Tensor {
  const out = allocate(dtype, count * steps * inputs);
  const kept = Math.min(own, steps) * inputs;
  for (let n = 0; n < count; n++)
    out.set(data.subarray(n * own * inputs, n * own * inputs + kept), n * steps * inputs);
  return { dtype, shape: [count, steps, inputs], data: out };
}

function oneHotInputs(
  table: Table,
  column: number,
  alphabet: string | undefined,
  dtype: DType,
  { variable, steps: wanted }: Ending,
): CsvInputs {
  const sequences = table.rows.map(({ fields }) => [...fields[column]]);
  const letters = alphabet === undefined ? [...new Set(sequences.flat())].sort() : [...alphabet];
  const lengths = Int32Array.from(sequences, ({ length }) => length);
  const [steps, size] = [variable ? stepsFor(table, lengths, wanted) : lengths[0], letters.length];
  const data = allocate(dtype, sequences.length * steps * size);
  sequences.forEach((sequence, n) => {
    if (!variable && (steps === 0 || sequence.length !== steps))
      throw mismatch('E_FILE', table.at(n), `${steps || 'some'} letters`, `${sequence.length} letters`);
    for (let t = 0; t < sequence.length; t++) {
      const letter = letters.indexOf(sequence[t]);
      if (letter < 0) {
        const place = `${table.at(n)}, letter ${t + 1}`;
        throw mismatch('E_FILE', place, `one of ${letters.join(', ')}`, sequence[t]);
      }
      data[(n * steps + t) * size + letter] = 1;
    }
  });
  const inputs = { dtype, shape: [sequences.length, steps, size], data };
  return { inputs, ...(variable && { lengths }), alphabet: letters.join('') };
}
