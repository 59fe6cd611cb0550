/** A number of things, `1 step` or `2 steps`; `text` is how the number is written. */
export const counted = (count: number, noun: string, text = String(count)): string =>
  `${text} ${noun}${count === 1 ? '' : 's'}`;
