import { mismatch } from '../core/errors.ts';
import type { Shape } from '../core/tensor.ts';
import { ELLIPSIS, type Expression } from './expression.ts';

const LETTERS = [...'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ'];

/** Letters that an expression does not use. */
function freshLetters(where: string, { inputs }: Expression, count: number): string[] {
  const fresh = LETTERS.filter((letter) => !inputs.some((labels) => labels.includes(letter)));
  if (fresh.length >= count) return fresh.slice(0, count);
  throw mismatch('E_ARGUMENT', `${where} expression`, `at most ${fresh.length} axes without a letter`, count);
}

interface Bound {
  readonly expression: Expression;
  /** Of each operand, without the axes that it is stretched along, which have no label then. */
  readonly shapes: readonly Shape[];
}

/**
 * An expression with a letter for every axis that '...' stands for. These axes are matched from the last to the first, as
 * in NumPy: an operand that has fewer of them, or one of extent 1, is the same along what the others have there.
 *
 * @throws XiError E_SHAPE for operands with too few axes or extents that disagree, E_ARGUMENT for axes that the output lacks.
 */
export function bindEllipsis(where: string, expression: Expression, shapes: readonly Shape[]): Bound {
  const { inputs, output, names, text } = expression;
  // Another number of operands is refused when extents are bound.
  const isPlain = ![...inputs, output].flat().includes(ELLIPSIS);
  if (isPlain || inputs.length !== shapes.length) return { expression, shapes };
  const counts = inputs.map((labels, n) => {
    if (!labels.includes(ELLIPSIS)) return 0;
    const count = shapes[n].length - labels.length + 1;
    if (count >= 0) return count;
    throw mismatch('E_SHAPE', `${where} ${names[n]}`, `${labels.length - 1} axes or more`, shapes[n]);
  });
  const most = Math.max(...counts);
  if (most > 0 && !output.includes(ELLIPSIS))
    throw mismatch('E_ARGUMENT', `${where} expression`, "'...' in the output as in an operand", text);
  const letters = freshLetters(where, expression, most);
  const extents = new Map<string, { extent: number; name: string }>();
  const at = inputs.map((labels) => labels.indexOf(ELLIPSIS));
  inputs.forEach((_, n) => {
    ownLetters(letters, counts[n]).forEach((letter, axis) => {
      const extent = shapes[n][at[n] + axis];
      const known = extents.get(letter);
      if (known === undefined || known.extent === 1) extents.set(letter, { extent, name: names[n] });
      else if (extent !== 1 && extent !== known.extent) {
        const place = `${where} ${names[n]} axis ${at[n] + axis}`;
        const wanted = `extent ${known.extent} as in ${where} ${known.name}, or 1`;
        throw mismatch('E_SHAPE', place, wanted, extent);
      }
    });
  });
  const bound = inputs.map((labels, n) => {
    if (at[n] < 0) return { labels, shape: shapes[n] };
    const own = ownLetters(letters, counts[n]);
    const all = replaced(labels, own);
    const isStretched = (letter: string, axis: number) =>
      own.includes(letter) && shapes[n][axis] === 1 && extents.get(letter)!.extent !== 1;
    const kept = all.map((letter, axis) => !isStretched(letter, axis));
    return { labels: all.filter((_, axis) => kept[axis]), shape: shapes[n].filter((_, axis) => kept[axis]) };
  });
  return {
    expression: {
      ...expression,
      inputs: bound.map(({ labels }) => labels),
      output: replaced(output, letters),
      ellipsis: letters,
    },
    shapes: bound.map(({ shape }) => shape),
  };
}

const ownLetters = (letters: readonly string[], count: number) => letters.slice(letters.length - count);

const replaced = (labels: readonly string[], letters: readonly string[]): string[] =>
  labels.flatMap((label) => (label === ELLIPSIS ? letters : [label]));
