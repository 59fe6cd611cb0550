import { mismatch, XiError } from './errors.ts';

/** Insertions, deletions, replacements and swaps of neighbours that make one word of another. */
function distance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= from.length; i++) {
    const row = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = rows[i - 1][j - 1] + (from[i - 1] === to[j - 1] ? 0 : 1);
      row[j] = Math.min(rows[i - 1][j] + 1, row[j - 1] + 1, replaced);
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[from.length][to.length];
}

/** `; did you mean 'mnist'?` for a word that is close to a known one, else nothing: what stands behind a refusal. */
export function meant(word: string, known: readonly string[]): string {
  const found = nearest(word, known);
  return found === undefined ? '' : `; did you mean '${found}'?`;
}

/** The word of `known` that a misspelt one probably means: the first of the closest, with at most half of it wrong. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const typed = word.toLowerCase();
  let [best, least] = [undefined as string | undefined, Number.POSITIVE_INFINITY];
  for (const candidate of known) {
    const apart = distance(typed, candidate.toLowerCase());
    if (apart < least && 2 * apart <= Math.max(typed.length, candidate.length))
      [best, least] = [candidate, apart];
  }
  return best;
}

/** The refusal of a word that is none of `known`, with the one that was probably meant. */
export function misspelt(where: string, expected: string, word: string, known: readonly string[]): XiError {
  const { message } = mismatch('E_ARGUMENT', where, expected, word);
  return new XiError('E_ARGUMENT', message + meant(word.split(':')[0], known));
}
