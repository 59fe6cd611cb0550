import type { Backend } from '../backend/interface.ts';
import { product } from '../core/extents.ts';
import { checkMemory } from '../core/memory.ts';
import { type DType, type Shape, type Tensor, tensor } from '../core/tensor.ts';
import type { Xi } from '../core/xi.gen.ts';
import { checkConfig, type ModelOptions } from '../models/config.ts';
import { parametersOf } from '../models/families.ts';
import { createModel, type Model } from '../models/model.ts';
import type { FeatureMap } from './features.ts';

/** A matrix or core with its shape, in float64. */
export interface Block {
  readonly shape: Shape;
  readonly data: Float64Array;
}

/** A block whose entries are a function of their indices. */
export function block(shape: Shape, at: (...index: number[]) => number): Block {
  const count = product(shape);
  checkMemory('parameters', `shape [${shape.join(', ')}]`, 8 * count);
  const data = new Float64Array(count);
  const index = shape.map(() => 0);
  for (let n = 0; n < data.length; n++) {
    data[n] = at(...index);
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--) index[axis] = 0;
  }
  return { shape, data };
}

/** What `at` gives for each step, or for each of any number of things. */
export const steps = <T>(count: number, at: (t: number) => T): T[] =>
  Array.from({ length: count }, (_, t) => at(t));

/** −1 times a block. */
export function negated({ shape, data }: Block): Block {
  return { shape, data: data.map((value) => -value) };
}

/** Where and in which precision a constructed model lives. */
export interface Placement {
  /** float64 by default. */
  readonly dtype?: DType;
  /** Where it computes; the best of this machine by default. */
  readonly backend?: Backend;
}

/** A shallow network by what it sees: A_t[r,m] = ⟨f(x_m), v_{t,r}⟩ [R,M] for each step, and λ [R,outputs]. */
export interface Shallow {
  readonly xi: Xi;
  readonly A: readonly Block[];
  readonly lambda: Block;
}

/** A recurrent network by what it sees: A_t[i,m] = (C_t f(x_m))[i] [L,M], and its cores G_t [L,R_{t−1},R_t]. */
export interface Recurrent {
  readonly xi: Xi;
  readonly A: readonly Block[];
  readonly G: readonly Block[];
}

/** A tree by what it sees: W_t f(x_m) as [R_0,M] for each leaf, and the core B [R_left,R_right,R] of each node. */
export interface Tree {
  readonly xi: Xi;
  /** R_0 of the leaves, then one a level below the root. */
  readonly rank: readonly number[];
  readonly outputs: number;
  readonly W: readonly Block[];
  readonly nodes: readonly { readonly level: number; readonly place: number; readonly B: Block }[];
}

type Sizes = Pick<ModelOptions, 'kind' | 'xi' | 'steps' | 'outputs' | 'rank' | 'projection'>;

/**
 * Refuses a construction whose network is too large before any part of it is made.
 *
 * @throws XiError E_MEMORY with the size and the limit.
 */
export function checkSizes(where: string, sizes: Sizes, features: number, inputs = features): void {
  const count = parametersOf(checkConfig(where, { ...sizes, inputs, features: { size: features } }));
  checkMemory(where, `a network of ${count} parameters`, 8 * count);
}

/** The model of a shallow network on these features. */
export function shallowModel({ xi, A, lambda }: Shallow, features: FeatureMap, placement: Placement): Model {
  const [rank, outputs] = lambda.shape;
  const v = new Float64Array(A.length * rank * features.size);
  for (const [t, { data }] of A.entries()) v.set(features.project(data), t * rank * features.size);
  const parameters = { lambda, v: { shape: [A.length, rank, features.size], data: v } };
  const sizes = { kind: 'cp', xi, steps: A.length, outputs, rank } as const;
  return modelOf(sizes, parameters, features, placement);
}

/** The model of a recurrent network on these features. */
export function recurrentModel({ xi, A, G }: Recurrent, features: FeatureMap, placement: Placement): Model {
  const ranks = G.map(({ shape }) => shape[2]);
  const parameters: Record<string, Block> = {};
  for (const [t, { shape, data }] of A.entries())
    parameters[`C.${t}`] = { shape, data: features.project(data) };
  for (const [t, core] of G.entries()) parameters[`G.${t}`] = core;
  const [projection] = A[0].shape;
  const rank = ranks.slice(0, -1);
  const sizes = { xi, steps: A.length, outputs: ranks[A.length - 1], rank, projection };
  return modelOf({ kind: 'tt', ...sizes }, parameters, features, placement);
}

/** The model of a tree on these features. */
export function treeModel(
  { xi, rank, outputs, W, nodes }: Tree,
  features: FeatureMap,
  placement: Placement,
): Model {
  const parameters: Record<string, Block> = {};
  for (const [t, { shape, data }] of W.entries())
    parameters[`W.${t}`] = { shape, data: features.project(data) };
  for (const { level, place, B } of nodes) parameters[`B.${level}.${place}`] = B;
  return modelOf({ kind: 'ht', xi, steps: W.length, outputs, rank }, parameters, features, placement);
}

/** A model with these sizes and parameters, besides those of the features. */
export function modelOf(
  sizes: Sizes,
  parameters: Readonly<Record<string, Block | Tensor>>,
  { size, activation, inputs, parameters: own }: FeatureMap,
  { dtype = 'float64', backend }: Placement,
): Model {
  const model = createModel({ ...sizes, inputs, features: { size, activation }, dtype, backend });
  const all = Object.entries<Block | Tensor>({ ...own, ...parameters });
  model.setParameters(
    Object.fromEntries(all.map(([name, { shape, data }]) => [name, tensor(data, shape, dtype)])),
  );
  return model;
}
