import { heldElements, type Purpose } from './footprint.ts';
import type { Program, Slice } from './program.ts';

interface Bound {
  readonly purpose: Purpose;
  /** Bytes of an element. */
  readonly width: number;
  /** Most elements that may be held. */
  readonly maxElements: number;
}

/**
 * The program in blocks of the output that hold at most `maxElements`: the label with the largest extent in an intermediate is cut
 * first, others follow if blocks of 1 are still too large. Winners are laid out as the output, and are few where its first label
 * is cut. The fast kernel wants whole operands.
 */
export function sliced(program: Program, { purpose, width, maxElements }: Bound): Program {
  if (program.steps.some(({ kernel }) => kernel === 'contract')) return program;
  const slices: Slice[] = [];
  const fits = (cut: readonly Slice[]) =>
    heldElements({ ...program, slices: cut }, purpose, width) <= maxElements;
  for (const label of candidates(program, purpose)) {
    if (fits(slices)) break;
    let [block, above] = [1, program.extents.get(label)!];
    while (above - block > 1) {
      const middle = (block + above) >> 1;
      if (fits([...slices, { label, block: middle }])) block = middle;
      else above = middle;
    }
    slices.push({ label, block });
  }
  return { ...program, slices };
}

function candidates({ nodes, inputs, output, extents }: Program, purpose: Purpose): readonly string[] {
  if (purpose === 'winners') return output;
  const made = nodes.slice(inputs, -1).flatMap(({ labels }) => labels);
  return output.filter((label) => made.includes(label)).sort((a, b) => extents.get(b)! - extents.get(a)!);
}
