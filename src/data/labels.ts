import { mismatch, XiError } from '../core/errors.ts';

/** What is a number in a table: no hexadecimal or binary one, of which Number() knows too. */
export const DECIMAL = /^\s*[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?\s*$/i;

/** Labels by name: as numbers, with the names in the order of the numbers. */
export interface NamedClasses {
  readonly labels: Int32Array;
  readonly classes: number;
  readonly classNames: readonly string[];
}

/**
 * Numbers the names of classes: in the order of `classNames`, or where these are left out by number if all are finite
 * numbers, else in the order of code units. Where all are numbers, those of one value are one class: 1, 1.0 and 01.
 *
 * @throws XiError E_FILE at a name that is not among `classNames`, or is empty.
 */
export function namedClasses(
  names: readonly string[],
  classNames: readonly string[] | undefined,
  where: (row: number) => string,
): NamedClasses {
  const empty = names.findIndex((name) => name.trim() === '');
  if (empty >= 0) throw mismatch('E_FILE', where(empty), 'a class', names[empty]);
  const order = classNames ?? ordered([...new Set(names)]);
  if (new Set(order).size !== order.length)
    throw mismatch('E_ARGUMENT', 'classNames', 'names that differ', order);
  const numbers = new Map(order.map((name, label) => [name, label]));
  // Names of one value that are classes of their own, as model files of before have them, are told apart by their texts.
  const values = new Map(
    areNumbers(order) ? order.map((name, label) => [keyOf(name), label] as const).reverse() : [],
  );
  const labels = Int32Array.from(names, (name, row) => {
    const label = numbers.get(name) ?? values.get(keyOf(name));
    if (label !== undefined) return label;
    throw new XiError('E_FILE', `${where(row)}: expected one of ${order.join(', ')}, received '${name}'`);
  });
  return { labels, classes: order.length, classNames: order };
}

const byName = (a: string, b: string): number => (a < b ? -1 : 1);

const areNumbers = (names: readonly string[]): boolean =>
  names.every((name) => DECIMAL.test(name) && Number.isFinite(Number(name)));

/** What names of one class have in common where all are numbers; of more digits than a double tells apart, and of texts, the name. */
const keyOf = (name: string): number | string =>
  DECIMAL.test(name) && name.replace(/\D/g, '').length <= 15 ? Number(name) : name;

/** The name of each class: of those of one value the shortest. */
function ordered(names: string[]): string[] {
  if (!areNumbers(names)) return names.sort(byName);
  names.sort((a, b) => a.length - b.length || byName(a, b));
  const classes = new Map([...names].reverse().map((name) => [keyOf(name), name]));
  return [...classes.values()].sort((a, b) => Number(a) - Number(b) || byName(a, b));
}
