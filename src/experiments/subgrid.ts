import { integer, mismatch } from '../core/errors.ts';
import { Rng } from '../core/rng.ts';

/** The part of a grid that a certificate is about. */
export interface Subgrid {
  /** choice[t]: the templates that are shown at step t, ascending. */
  readonly choice: readonly (readonly number[])[];
  /** Modes that are rows, ascending. */
  readonly rowModes: readonly number[];
}

/**
 * Chooses a part of at most `samples` rows and columns for which the bound on the width is large: the rank can be as large as the
 * number of rows, a product of sizes, while the bound divides it by a sum of them, so that many modes with two or three
 * templates are best. They are the last modes of both sides, where sequences share the longest prefixes.
 */
export function chooseSubgrid(
  templates: number,
  steps: number,
  samples: number,
  seed: number,
  rowModes: readonly number[] = defaultRows(steps, samples),
): Subgrid {
  const rng = new Rng(seed, 5);
  const sizes = new Array<number>(steps).fill(1);
  const columns = Array.from({ length: steps }, (_, mode) => mode).filter((mode) => !rowModes.includes(mode));
  for (const side of [rowModes, columns]) {
    sizesFor(side.length, templates, samples).forEach((size, n) => {
      sizes[side[n]] = size;
    });
  }
  const choice = sizes.map((size) =>
    Array.from(rng.permutation(templates).subarray(0, size)).sort((a, b) => a - b),
  );
  return { choice, rowModes };
}

/** All modes but the last ⌊log₂ samples⌋, or but half of them: so many columns suffice with two templates a mode. */
function defaultRows(steps: number, samples: number): number[] {
  const columns = Math.min(Math.floor(steps / 2), Math.floor(Math.log2(samples)));
  return Array.from({ length: steps - columns }, (_, mode) => mode);
}

/** Sizes as equal as possible, ascending, with the largest product that is at most `samples`. */
function sizesFor(modes: number, templates: number, samples: number): number[] {
  if (modes === 0) return [];
  const balanced = (extra: number) =>
    Array.from({ length: modes }, (_, n) => 1 + Math.floor((extra + n) / modes));
  let best = balanced(0);
  for (let extra = 1; extra <= modes * (templates - 1); extra++) {
    const sizes = balanced(extra);
    if (sizes.reduce((product, size) => product * size, 1) > samples) break;
    best = sizes;
  }
  return best;
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
  if (!Array.isArray(rowModes) || new Set(rowModes).size !== rowModes.length)
    throw mismatch('E_ARGUMENT', `${where} rowModes`, 'a list of modes, each once', rowModes);
  rowModes.forEach((mode, n) => {
    integer(`${where} rowModes`, mode, n === 0 ? 0 : rowModes[n - 1] + 1, steps - 1);
  });
}

/** Sizes of both sides. */
export function sidesOf({ choice, rowModes }: Subgrid) {
  const sizes = (wanted: boolean) =>
    choice.filter((_, mode) => rowModes.includes(mode) === wanted).map((list) => list.length);
  const [rows, columns] = [sizes(true), sizes(false)];
  const product = (list: readonly number[]) => list.reduce((a, b) => a * b, 1);
  return { rows, columns, rowCount: product(rows), columnCount: product(columns) };
}
