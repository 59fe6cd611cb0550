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
