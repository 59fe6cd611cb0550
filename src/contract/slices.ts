import { type Program, peakElements, type Slice } from './program.ts';

/**
 * The program in blocks of the output whose intermediates hold at most `maxElements`: the label with the largest extent
 * in an intermediate is cut first, others follow if blocks of 1 are still too large. The fast kernel wants whole operands.
 */
export function sliced(program: Program, maxElements: number): Program {
  if (program.steps.some(({ kernel }) => kernel === 'contract')) return program;
  const extents = new Map(program.extents);
  const slices: Slice[] = [];
  const made = program.nodes.slice(program.inputs, -1).flatMap(({ labels }) => labels);
  const candidates = program.output
    .filter((label) => made.includes(label))
    .sort((a, b) => program.extents.get(b)! - program.extents.get(a)!);
  const fits = () => peakElements(program, extents) <= maxElements;
  for (const label of candidates) {
    if (fits()) break;
    let [block, above] = [1, program.extents.get(label)!];
    while (above - block > 1) {
      const middle = (block + above) >> 1;
      extents.set(label, middle);
      if (fits()) block = middle;
      else above = middle;
    }
    extents.set(label, block);
    slices.push({ label, block });
  }
  return { ...program, slices };
}
