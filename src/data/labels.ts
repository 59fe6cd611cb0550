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
 * numbers (equal ones by name), else in the order of code units.
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
  const labels = Int32Array.from(names, (name, row) => {
    const label = numbers.get(name);
    if (label !== undefined) return label;
    throw new XiError('E_FILE', `${where(row)}: expected one of ${order.join(', ')}, received '${name}'`);
  });
  return { labels, classes: order.length, classNames: order };
}

const byName = (a: string, b: string): number => (a < b ? -1 : 1);

function ordered(names: string[]): string[] {
  const areNumbers = names.every((name) => DECIMAL.test(name) && Number.isFinite(Number(name)));
  return names.sort(areNumbers ? (a, b) => Number(a) - Number(b) || byName(a, b) : byName);
}
