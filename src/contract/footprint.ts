import { type Labels, volume } from './labels.ts';
import { blockExtents, type Program } from './program.ts';

/** What a program is run for, which decides what must be kept: the result, the terms that won, or the gradients of its steps. */
export type Purpose = 'value' | 'winners' | 'gradient';

/** A winner is a float64, and is read in a copy. */
const WINNER_BYTES = 16;

/**
 * Elements of `width` bytes that a program holds beside inputs, outputs and their gradients at the worst moment: intermediates,
 * each of which is given up once it was used where there are no blocks and only the result is wanted; the winners of each step; the
 * gradients of intermediates.
 */
export function heldElements(program: Program, purpose: Purpose, width: number): number {
  const { inputs, nodes, steps, slices } = program;
  const extents = blockExtents(program);
  const sizeOf = (n: number) => volume(nodes[n].labels, extents);
  const made = steps.slice(0, -1);
  if (purpose === 'value' && slices.length === 0) {
    let [now, peak] = [0, 0];
    for (const { left, right, out } of made) {
      now += sizeOf(out);
      // Beyond the range of a double ∞ − ∞ is NaN, which Math.max would keep.
      if (now > peak) peak = now;
      for (const n of [...left, ...right]) if (n >= inputs) now -= sizeOf(n);
    }
    return peak;
  }
  const intermediates = made.reduce((sum, { out }) => sum + sizeOf(out), 0);
  if (purpose === 'value') return intermediates;
  if (purpose === 'gradient') return 2 * intermediates;
  const winners = steps.filter(({ terms }) => terms.length > 0).map(({ out }) => out);
  const last = nodes.length - 1;
  const ofWinners = winners.reduce((sum, n) => sum + (n === last ? spanOfBlock(program) : sizeOf(n)), 0);
  return intermediates + (ofWinners * WINNER_BYTES) / width;
}

/** Elements of the output from the first of a block to the last: winners are laid out as it. */
function spanOfBlock(program: Program): number {
  const block = blockExtents(program);
  let [span, stride] = [1, 1];
  for (const label of [...program.output].reverse() as Labels) {
    span += (block.get(label)! - 1) * stride;
    stride *= program.extents.get(label)!;
  }
  return span;
}
