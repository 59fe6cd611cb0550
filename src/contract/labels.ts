/** Indices of an operand or a result, by their letters. */
export type Labels = readonly string[];

/** Elements of a tensor with these indices; of a label without an extent one. */
export function volume(labels: Iterable<string>, extents: ReadonlyMap<string, number>): number {
  let product = 1;
  for (const label of labels) product *= extents.get(label) ?? 1;
  return product;
}
