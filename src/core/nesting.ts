import { mismatch } from './errors.ts';
import { isNumbers, ours } from './realm.ts';

/** Numbers in lists in lists, all lists of one depth as long as each other; the innermost may be typed arrays. */
export type NestedArray = number | ArrayLike<number> | readonly NestedArray[];

/** Lists in lists; more than any contraction takes, and an end for a list that contains itself. */
const MAX_NESTING = 64;

/** What has a length and elements, such as `arguments`, as a list; anything else as it is. */
export function asList(where: string, data: unknown, most: number): NestedArray {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return data as NestedArray;
  const { length } = data as ArrayLike<number>;
  if (!Number.isInteger(length) || length < 0) return data as NestedArray;
  if (length > most) throw mismatch('E_MEMORY', where, `at most ${most} elements`, length);
  return Array.from(data as ArrayLike<number>);
}

/** How many entries the lists of each depth have, by the first of them. */
export function nestingOf(where: string, data: NestedArray): number[] {
  const shape: number[] = [];
  for (let level: NestedArray | undefined = data; ; level = (level as readonly NestedArray[])[0]) {
    const values = numbersOf(level);
    if (values) shape.push(values.length);
    if (!Array.isArray(level)) return shape;
    if (shape.length === MAX_NESTING)
      throw mismatch('E_SHAPE', where, `at most ${MAX_NESTING} lists in one another`, 'more');
    shape.push(level.length);
  }
}

/** The `count` numbers of nested lists of this shape, one after the other: in float32 where all are of Float32Arrays. */
export function flatten(
  where: string,
  data: NestedArray,
  shape: readonly number[],
  count: number,
): Float32Array | Float64Array {
  const out = new Float64Array(count);
  let next = 0;
  let isSingle = true;
  const visit = (node: NestedArray, axis: number): void => {
    if (axis === shape.length) {
      if (typeof node !== 'number') throw mismatch('E_DTYPE', where, 'numbers at the innermost level', node);
      out[next++] = node;
      isSingle = false;
      return;
    }
    const values = axis === shape.length - 1 ? numbersOf(node) : undefined;
    const list = values ?? node;
    if (!(values || Array.isArray(node)) || (list as ArrayLike<number>).length !== shape[axis]) {
      throw mismatch(
        'E_SHAPE',
        `${where} axis ${axis}`,
        `${shape[axis]} entries (ragged arrays have no shape)`,
        node,
      );
    }
    if (values) {
      out.set(values, next);
      next += values.length;
      isSingle &&= values instanceof Float32Array;
    } else for (const child of node as readonly NestedArray[]) visit(child, axis + 1);
  };
  visit(data, 0);
  return isSingle && next > 0 ? Float32Array.from(out) : out;
}

/** A typed array of numbers, of whatever realm. */
function numbersOf(value: unknown): ArrayLike<number> | undefined {
  if (!ArrayBuffer.isView(value)) return undefined;
  const own = ours(value) as unknown as ArrayLike<number>;
  return isNumbers(own) ? own : undefined;
}
