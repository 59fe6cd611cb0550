import { mismatch } from '../core/errors.ts';
import { balancedTree, levelsOf } from '../core/tree.ts';
import type { ModelOptions } from '../models/config.ts';
import type { Model } from '../models/model.ts';
import { type Block, block, checkSizes, steps } from './build.ts';
import { directions, modelLike, ofKind } from './parts.ts';

/**
 * The recurrent network that a shallow network is: L = R_t = R, C_t = v_t, `G_t[r,r,r] = 1`, `G_T[r,r,c] = λ[r,c]`. A term of it, which
 * is a shallow network of width 1, becomes a recurrent network of unit ranks (Proposition A.4): ξ is associative and has a unit.
 *
 * @throws XiError E_ARGUMENT for another kind of model; E_MEMORY, before anything is allocated, for a network of more than 2 GiB.
 */
export function shallowToRecurrent(model: Model): Model {
  const { config, parameters } = ofKind('shallowToRecurrent', model, 'cp');
  const [R, T] = [config.rank[0], config.steps];
  checkLike('shallowToRecurrent', model, { kind: 'tt', rank: R, projection: R });
  const own: Record<string, Block | (typeof parameters)[string]> = {};
  for (const [t, v] of directions(model).entries()) {
    own[`C.${t}`] = v;
    const last = t === T - 1;
    own[`G.${t}`] = block([R, t === 0 ? 1 : R, last ? config.outputs : R], (i, j, k) => {
      if (t > 0 && i !== j) return 0;
      return last ? parameters.lambda.data[i * config.outputs + k] : Number(i === k);
    });
  }
  return modelLike(model, { kind: 'tt', rank: R, projection: R }, own);
}

/** Refuses a network that is too large, of a model's sizes but for these. */
function checkLike(
  where: string,
  { config: { xi, steps, outputs, inputs, features } }: Model,
  sizes: Pick<ModelOptions, 'kind' | 'rank' | 'projection'>,
): void {
  checkSizes(where, { xi, steps, outputs, ...sizes }, features.size, inputs);
}

/**
 * The tree that a shallow network is, R_l = R: nodes `B[r,r,r] = 1`, the root `B[r,r,c] = λ[r,c]`.
 *
 * @throws XiError E_ARGUMENT for another kind of model, or for one step, where a tree has no root to hold λ; E_MEMORY.
 */
export function shallowToTree(model: Model): Model {
  const { config, parameters } = ofKind('shallowToTree', model, 'cp');
  const { outputs } = config;
  if (config.steps < 2) throw mismatch('E_ARGUMENT', 'shallowToTree', 'at least two steps', config.steps);
  const [R, T] = [config.rank[0], config.steps];
  checkLike('shallowToTree', model, { kind: 'ht', rank: R });
  const own: Record<string, Block | (typeof parameters)[string]> = {};
  for (const [t, v] of directions(model).entries()) own[`W.${t}`] = v;
  for (const { level, place } of balancedTree(T).inner) {
    const root = level === levelsOf(T);
    own[`B.${level}.${place}`] = block([R, R, root ? outputs : R], (a, b, g) => {
      if (a !== b) return 0;
      return root ? parameters.lambda.data[a * outputs + g] : Number(a === g);
    });
  }
  return modelLike(model, { kind: 'ht', rank: steps(levelsOf(T), () => R) }, own);
}
