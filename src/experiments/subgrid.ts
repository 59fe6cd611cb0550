import { integer, mismatch } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { Rng } from '../core/rng.ts';
import { subgridBound } from '../theory/subgrid.ts';

/** The part of a grid that a certificate is about. */
export interface Subgrid {
  /** choice[t]: the templates that are shown at step t; ascending where `certify` chooses them. */
  readonly choice: readonly (readonly number[])[];
  /** Modes that are rows, ascending. */
  readonly rowModes: readonly number[];
}

/** Most rows, and most columns. */
export const MOST_SAMPLES = 2 ** 15;

/**
 * Chooses a part of at most `samples` rows and columns for which the bound on the width is large: the rank can be as large as the
 * number of rows, a product of sizes, while the bound divides it by about a sum of them, so that many modes with two templates are
 * best. One side suffices for that; where modes are few, the other takes more templates at the rest. Where a choice is left, the rows
 * have as many modes as they can, so that sequences share the longest prefixes. Steps outside of the window [from, to) show one
 * template each.
 */
export function chooseSubgrid(
  templates: number,
  steps: number,
  samples: number,
  seed: number,
  rowModes?: readonly number[],
  [from, to]: readonly [number, number] = [0, steps],
): Subgrid {
  const rng = new Rng(seed, 5);
  const all = Array.from({ length: steps }, (_, mode) => mode);
  const rows = rowModes ?? all.slice(0, from + bestRows(templates, to - from, samples));
  const columns = all.filter((mode) => !rows.includes(mode));
  const sizes = new Array<number>(steps).fill(1);
  for (const modes of [rows, columns]) {
    const side = modes.filter((mode) => mode >= from && mode < to);
    sizesFor(side.length, templates, samples).forEach((size, n) => {
      sizes[side[n]] = size;
    });
  }
  const choice = sizes.map((size) =>
    Array.from(rng.permutation(templates).subarray(0, size)).sort((a, b) => a - b),
  );
  return { choice, rowModes: rows };
}

/**
 * How many of the first modes as rows make the bound of a matrix of full rank largest, then that rank, and with that few templates.
 * Both sides have a mode where there are two: a matrix of one column proves nothing.
 */
function bestRows(templates: number, steps: number, samples: number): number {
  const counts = steps < 2 ? [0, 1] : Array.from({ length: steps - 1 }, (_, n) => n + 1);
  const candidates = counts.map((count) => {
    const [rows, columns] = [count, steps - count].map((modes) => sizesFor(modes, templates, samples));
    const rank = Math.min(product(rows), product(columns));
    const joint = subgridBound('rectifier', rank, { rows, columns }).joint ?? 0;
    return { count, joint, rank, shown: [...rows, ...columns].reduce((total, size) => total + size, 0) };
  });
  candidates.sort((x, y) => y.joint - x.joint || y.rank - x.rank || x.shown - y.shown || y.count - x.count);
  return candidates[0].count;
}

/** Ascending sizes whose product is large and at most `samples`: as equal as possible, or powers of two where that is more. */
function sizesFor(modes: number, templates: number, samples: number): number[] {
  if (modes === 0) return [];
  const grown = (start: number, grow: (size: number) => number) => {
    const sizes = new Array<number>(modes).fill(start);
    for (let at = modes - 1; ; at--) {
      // Each in its turn from the last on, so that sizes stay ascending.
      const mode = ((at % modes) + modes) % modes;
      const next = grow(sizes[mode]);
      if (next > templates || (product(sizes) / sizes[mode]) * next > samples) return sizes;
      sizes[mode] = next;
    }
  };
  const equal = grown(1, (size) => size + 1);
  const powers = grown(1, (size) => 2 * size);
  return product(powers) > product(equal) ? powers : equal;
}

/** Checks the steps [from, to) that show several templates. */
export function checkWindow(where: string, window: unknown, steps: number): readonly [number, number] {
  const [from, to] = Array.isArray(window) ? window : [];
  const isWindow = Number.isInteger(from) && Number.isInteger(to) && 0 <= from && from < to && to <= steps;
  if (!isWindow || (window as unknown[]).length !== 2)
    throw mismatch('E_ARGUMENT', where, `[from, to) with 0 ≤ from < to ≤ ${steps}`, window);
  return [from, to];
}

/** Checks a part of a grid that comes from outside. */
export function checkSubgrid(
  where: string,
  { choice, rowModes }: Subgrid,
  steps: number,
  templates: number,
): void {
  if (!Array.isArray(choice) || choice.length !== steps)
    throw mismatch('E_ARGUMENT', `${where} choice`, `a list of templates for each of ${steps} steps`, choice);
  choice.forEach((list, t) => {
    if (!Array.isArray(list) || list.length === 0 || new Set(list).size !== list.length)
      throw mismatch('E_ARGUMENT', `${where} choice[${t}]`, 'at least one template, each once', list);
    for (const m of list) integer(`${where} choice[${t}]`, m, 0, templates - 1);
  });
  const isMode = (mode: unknown, n: number) =>
    Number.isInteger(mode) && (mode as number) < steps && (mode as number) > (n === 0 ? -1 : rowModes[n - 1]);
  if (!Array.isArray(rowModes) || !rowModes.every(isMode))
    throw mismatch('E_ARGUMENT', `${where} rowModes`, `ascending modes from 0 to ${steps - 1}`, rowModes);
}

/** Sizes of both sides. */
export function sidesOf({ choice, rowModes }: Subgrid) {
  const sizes = (wanted: boolean) =>
    choice.filter((_, mode) => rowModes.includes(mode) === wanted).map((list) => list.length);
  const [rows, columns] = [sizes(true), sizes(false)];
  return { rows, columns, rowCount: product(rows), columnCount: product(columns) };
}
