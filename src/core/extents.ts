/** The product of extents, 1 of none: the number of elements of a shape. 0 wherever one is 0, however large the others are. */
export const product = (extents: readonly number[]): number =>
  extents.includes(0) ? 0 : extents.reduce((count, extent) => count * extent, 1);
