import { integer, mismatch } from '../core/errors.ts';
import { product } from '../core/extents.ts';
import { allocate, anyTensor, elementCount, type Tensor } from '../core/tensor.ts';

/** The modes of a tensor that make the columns when `rowModes` make the rows, both ascending. */
export function splitModes(where: string, modes: number, rowModes: readonly number[]) {
  if (!Array.isArray(rowModes))
    throw mismatch('E_ARGUMENT', `${where} rowModes`, 'a list of modes', rowModes);
  for (const mode of rowModes) integer(`${where} rowModes`, mode, 0, modes - 1);
  const rows = [...new Set<number>(rowModes)].sort((a, b) => a - b);
  if (rows.length !== rowModes.length)
    throw mismatch('E_ARGUMENT', `${where} rowModes`, 'each mode once', rowModes);
  const columns = Array.from({ length: modes }, (_, mode) => mode).filter((mode) => !rows.includes(mode));
  return { rows, columns };
}

/**
 * The matricization of a tensor: `matrix[(i_r, r ∈ rows), (i_c, c ∈ columns)] = tensor[i_1, …, i_T]`, modes ascending on both
 * sides and row-major. The result shares memory with the tensor where the row modes are its first ones.
 *
 * @throws XiError E_ARGUMENT for modes that the tensor does not have, E_MEMORY.
 */
export function matricize(tensor: Tensor, rowModes: readonly number[]): Tensor {
  const { dtype, shape, data } = anyTensor('matricize', tensor);
  const { rows, cols, places } = matricization(shape, rowModes);
  const result = { dtype, shape: [rows, cols] };
  if (places === null) return { ...result, data };
  const out = allocate(dtype, data.length);
  const columnAt = places.subarray(rows);
  // Indexed: iterators cost a million elements as long as their grid takes.
  for (let r = 0; r < rows; r++) {
    const [from, to] = [places[r], r * cols];
    for (let c = 0; c < cols; c++) out[to + c] = data[from + columnAt[c]];
  }
  return { ...result, data: out };
}

/**
 * The sizes of a matricization and where its elements lie, `matrix[r,c] = data[places[r] + places[rows + c]]`; null for one that
 * lies as the tensor does.
 */
export function matricization(shape: readonly number[], rowModes: readonly number[]) {
  const { rows, columns } = splitModes('matricize', shape.length, rowModes);
  const extent = (modes: readonly number[]) => elementCount(modes.map((mode) => shape[mode]));
  const sizes = { rows: extent(rows), cols: extent(columns) };
  if (rows.every((mode, n) => mode === n)) return { ...sizes, places: null };
  const places = new Int32Array(sizes.rows + sizes.cols);
  places.set(offsets(shape, rows));
  places.set(offsets(shape, columns), sizes.rows);
  return { ...sizes, places };
}

/** Where in the data the indices over some modes begin, row-major over them; tensors have fewer than 2³¹ elements. */
function offsets(shape: readonly number[], modes: readonly number[]): Int32Array {
  const strides = shape.map((_, mode) => product(shape.slice(mode + 1)));
  let list = Int32Array.of(0);
  for (const mode of modes) {
    const next = new Int32Array(list.length * shape[mode]);
    list.forEach((base, n) => {
      for (let i = 0; i < shape[mode]; i++) next[n * shape[mode] + i] = base + i * strides[mode];
    });
    list = next;
  }
  return list;
}

/** One output of a grid tensor [M,…,M,outputs] as a tensor over the steps alone. */
export function gridOutput(grid: Tensor, output: number): Tensor {
  anyTensor('gridOutput', grid);
  if (grid.shape.length === 0) throw mismatch('E_SHAPE', 'gridOutput', 'an axis of outputs', grid.shape);
  const shape = grid.shape.slice(0, -1);
  const outputs = grid.shape[grid.shape.length - 1];
  integer('gridOutput output', output, 0, outputs - 1);
  if (outputs === 1) return { ...grid, shape };
  const data = allocate(grid.dtype, grid.data.length / outputs);
  for (let n = 0; n < data.length; n++) data[n] = grid.data[n * outputs + output];
  return { dtype: grid.dtype, shape, data };
}

/** 0, 2, 4, …: the odd modes, counted from 1. */
export const oddModes = (modes: number): number[] =>
  Array.from({ length: Math.ceil(modes / 2) }, (_, n) => 2 * n);

/** There are 1.4 million of 24 modes. */
const MAX_SPLIT = 24;

/**
 * The row modes of every balanced bipartition of T modes: ⌊T/2⌋ of them, one of each pair of complements.
 *
 * @throws XiError E_ARGUMENT for more than 24 modes, of which there are too many.
 */
export function balancedBipartitions(modes: number): number[][] {
  integer('balancedBipartitions modes', modes, 0, MAX_SPLIT);
  const half = Math.floor(modes / 2);
  const found: number[][] = [];
  const extend = (chosen: number[], from: number): void => {
    if (chosen.length === half) found.push(chosen);
    else for (let mode = from; mode < modes; mode++) extend([...chosen, mode], mode + 1);
  };
  extend([], 0);
  // With an even number of modes the complement is balanced too, and has the same rank.
  return modes % 2 === 0 && half > 0 ? found.filter((rows) => rows[0] === 0) : found;
}
