/** A number of things, `1 step` or `2 steps`; `text` is how the number is written. */
export const counted = (count: number, noun: string, text = String(count)): string =>
  `${text} ${noun}${count === 1 ? '' : 's'}`;

/** The first eight of some names, and how many there are if they are more. */
export const firstOf = (names: readonly string[]): string =>
  names.slice(0, 8).join(', ') + (names.length > 8 ? `, … ${names.length} in all` : '');
