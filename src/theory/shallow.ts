import { shallowAs } from '../models/convert.ts';
import type { Model } from '../models/model.ts';

/**
 * The recurrent network that a shallow network is: `convert(model, 'tt')`. A term of it, which is a shallow network of width 1, becomes a recurrent
 * network of unit ranks (Proposition A.4): ξ is associative and has a unit.
 *
 * @throws XiError E_ARGUMENT for another kind of model; E_MEMORY, before anything is allocated, for a network of more than 2 GiB.
 */
export const shallowToRecurrent = (model: Model): Model => shallowAs('shallowToRecurrent', model, 'tt');

/**
 * The tree that a shallow network is: `convert(model, 'ht')`.
 *
 * @throws XiError E_ARGUMENT for another kind of model, or for one step, where a tree has no root to hold λ; E_MEMORY.
 */
export const shallowToTree = (model: Model): Model => shallowAs('shallowToTree', model, 'ht');
