import { firstOf } from '../core/counted.ts';
import { mismatch, show, XiError } from '../core/errors.ts';
import type { Shape } from '../core/tensor.ts';

/** A parsed `weights ; operand, operand, … -> output`; a label is one letter. */
export interface Expression {
  readonly text: string;
  readonly weighted: boolean;
  /** Whether there was a semicolon; without one it is plain einsum. */
  readonly joined: boolean;
  /** Labels of what the user hands in, in its order: weights first if there are any. {@link ELLIPSIS} is one, until shapes are known. */
  readonly inputs: readonly (readonly string[])[];
  /** How messages name the inputs. */
  readonly names: readonly string[];
  readonly output: readonly string[];
  /** The letters that stand for the axes of '...', in their order; none before shapes are known, and without one. */
  readonly ellipsis: readonly string[];
}

/** Stands for all axes that have no letter. */
export const ELLIPSIS = '...';

const FORM = "'weights ; operand, operand, … -> output', one letter an index,";

/**
 * Parses a contraction: `'ijk; bi,bj -> bk'`, `'; ik,kj -> ij'` without weights, `'ik,kj->ij'` as plain einsum.
 *
 * A repeated letter means the diagonal, nothing between commas a scalar, `...` the axes that have no letter. Letters are
 * those of any alphabet; spaces do not count. Only plain einsum may leave out the arrow: its output is then NumPy's, the
 * ellipsis and the letters that occur once, sorted.
 *
 * @param where how messages begin: the function that was called.
 * @throws XiError E_ARGUMENT that names the operand and what is wrong with it.
 */
export function parseExpression(text: string, where = 'contract'): Expression {
  const refuse = (expected: string) => mismatch('E_ARGUMENT', `${where} expression`, expected, text);
  if (typeof text !== 'string') throw refuse(`${FORM} as text`);
  const [left, right, ...rest] = text.replace(/\s/g, '').split('->');
  if (rest.length > 0) throw refuse(`${FORM} with one '->'`);
  const parts = left.split(';');
  if (parts.length > 2) throw refuse(`${FORM} with one ';'`);
  const joined = parts.length === 2;
  if (joined && right === undefined) throw refuse("an output: '-> labels' (only plain einsum may imply it)");
  const weighted = joined && parts[0] !== '';
  const words = [...(weighted ? [parts[0]] : []), ...parts[parts.length - 1].split(',')];
  const names = words.map((word, n) => `operand ${n} (${word || 'scalar'})`);
  const inputs = words.map((word, n) =>
    labelsOf(word, weighted && n === 0 ? 'the weights' : names[n], refuse),
  );
  const output = right === undefined ? impliedOutput(inputs) : labelsOf(right, 'the output', refuse);
  output.forEach((label, n) => {
    if (output.indexOf(label) !== n) throw refuse(`index ${label} once in the output`);
    if (label !== ELLIPSIS && !inputs.some((labels) => labels.includes(label)))
      throw refuse(`index ${label} of the output in an operand`);
  });
  return { text, weighted, joined, inputs, names, output, ellipsis: [] };
}

function labelsOf(word: string, place: string, refuse: (expected: string) => XiError): string[] {
  const labels: string[] = word.match(/\.{3}|./gu) ?? [];
  const strange = labels.find((label) => label !== ELLIPSIS && !/^\p{L}$/u.test(label));
  if (strange !== undefined) throw refuse(`letters only in ${place}, not '${strange}'`);
  if (labels.indexOf(ELLIPSIS) !== labels.lastIndexOf(ELLIPSIS)) throw refuse(`one '...' in ${place}`);
  return labels;
}

function impliedOutput(inputs: readonly (readonly string[])[]): string[] {
  const all = inputs.flat();
  const once = all.filter((label) => all.indexOf(label) === all.lastIndexOf(label) && label !== ELLIPSIS);
  return [...(all.includes(ELLIPSIS) ? [ELLIPSIS] : []), ...once.sort()];
}

/** The refusal of too few or too many operands: which have no tensor, and the shapes that came. */
function otherCount(where: string, { inputs, names, text }: Expression, shapes: readonly Shape[]): XiError {
  const expected = `${where} operands: expected ${inputs.length} tensors for ${show(text)}`;
  const received = `received ${shapes.length} of shapes ${firstOf(shapes.map(show))}`;
  const missing = firstOf(names.slice(shapes.length));
  return new XiError('E_ARGUMENT', `${expected}, ${received}${missing && `: none for ${missing}`}`);
}

/**
 * The extent of every label, in order of first appearance.
 *
 * @throws XiError E_ARGUMENT for another number of operands, E_SHAPE that names index and operand.
 */
export function bindExtents(
  expression: Expression,
  shapes: readonly Shape[],
  where = 'contract',
): Map<string, number> {
  const { inputs, names } = expression;
  if (shapes.length !== inputs.length) throw otherCount(where, expression, shapes);
  const extents = new Map<string, number>();
  inputs.forEach((labels, n) => {
    const place = `${where} ${names[n]}`;
    if (shapes[n].length !== labels.length)
      throw mismatch('E_SHAPE', place, `${labels.length} axes`, shapes[n]);
    labels.forEach((label, axis) => {
      const extent = shapes[n][axis];
      const known = extents.get(label);
      if (!Number.isSafeInteger(extent) || extent < 0)
        throw mismatch('E_SHAPE', place, 'non-negative integers', shapes[n]);
      if (known !== undefined && known !== extent) {
        const other = names[inputs.findIndex((before) => before.includes(label))];
        throw mismatch(
          'E_SHAPE',
          `${place} index ${label}`,
          `extent ${known} as in ${where} ${other}`,
          extent,
        );
      }
      extents.set(label, extent);
    });
  });
  return extents;
}
