import type { ExactNetwork } from '../analysis/exact/definition.ts';
import { type FilteredOptions, filteredParts, type Residues } from '../analysis/exact/filtered.ts';
import { exactNetwork } from '../analysis/exact_rank.ts';
import type { Parts } from '../core/parts.ts';
import type { Tensor } from '../core/tensor.ts';
import type { Model } from '../models/model.ts';
import type { Subgrid } from './subgrid.ts';

/** What is evaluated: some outputs over a part of the grid. */
export interface Evaluation {
  readonly where: string;
  readonly model: Model;
  readonly templates: Tensor;
  readonly subgrid: Subgrid;
  readonly output: number | 'all';
}

/** The outputs that are wanted. */
export function outputsOf({ model, output }: Evaluation): number[] {
  return output === 'all' ? Array.from({ length: model.config.outputs }, (_, c) => c) : [output];
}

/** Residues of the part of the grid, for one output or for all, in parts. */
export function* subgridResidues(
  { where, model, templates, subgrid, output }: Evaluation,
  prime: number,
  options: FilteredOptions,
): Parts<Residues & { readonly network: ExactNetwork }> {
  const network = exactNetwork(where, model, templates, subgrid.choice, output);
  return { network, ...(yield* filteredParts(network, prime, options)) };
}
