import { mismatch, XiError } from '../core/errors.ts';
import { type Tensor, tensor } from '../core/tensor.ts';
import type { ModelKind, ModelOptions } from '../models/config.ts';
import { checkModel, createModel, type Model } from '../models/model.ts';
import { coreName } from '../models/tt.ts';
import { type Block, steps } from './build.ts';

/** Checks that a model is of one of some kinds and returns it. */
export function ofKind(where: string, model: unknown, ...kinds: readonly ModelKind[]): Model {
  const checked = checkModel(where, model);
  const { kind } = checked.config;
  if (kinds.includes(kind)) return checked;
  throw mismatch('E_ARGUMENT', where, `a model of kind ${kinds.join(' or ')}`, kind);
}

/** v_t [R,M] of each step of a shallow network, shared or not. */
export function directions({ config, parameters }: Model): Tensor[] {
  const { v } = parameters;
  const count = v.data.length / (config.shared ? 1 : config.steps);
  return steps(config.steps, (t) => {
    const start = config.shared ? 0 : t * count;
    return { dtype: v.dtype, shape: v.shape.slice(-2), data: v.data.subarray(start, start + count) };
  });
}

/** C_t or G_t of each step of a recurrent network, shared or not. */
export function cores({ config, parameters }: Model, family: 'C' | 'G'): Tensor[] {
  if (config.kind !== 'tt') throw mismatch('E_ARGUMENT', 'cores', 'a recurrent network', config.kind);
  return steps(config.steps, (t) => parameters[`${family}.${coreName(config, t)}`]);
}

/** The features of a model, by name. */
export function featuresOf({ 'features.A': A, 'features.b': b }: Readonly<Record<string, Tensor>>) {
  return { 'features.A': A, 'features.b': b };
}

/** A model that has the steps, inputs, features, outputs and ξ of another, with other parameters. */
export function modelLike(
  { config, parameters, backend }: Model,
  sizes: Pick<ModelOptions, 'kind' | 'rank'> & Partial<ModelOptions>,
  own: Readonly<Record<string, Tensor | Block>>,
): Model {
  const { xi, steps: T, inputs, outputs, features, dtype } = config;
  const model = createModel({ xi, steps: T, inputs, outputs, features, dtype, backend, ...sizes });
  const all = Object.entries<Tensor | Block>({ ...featuresOf(parameters), ...own });
  model.setParameters(
    Object.fromEntries(all.map(([name, { shape, data }]) => [name, tensor(data, shape, dtype)])),
  );
  return model;
}

/**
 * Refuses two models of which no single one can be made.
 *
 * @throws XiError E_ARGUMENT that names what differs.
 */
export function agree(where: string, p: Model, q: Model): void {
  const told = ({ config: { kind, xi, steps, inputs, outputs, dtype, features } }: Model) => ({
    ...{ kind, ξ: xi, steps, inputs, outputs, dtype, activation: features.activation },
  });
  const others = told(q);
  for (const [key, value] of Object.entries(told(p))) {
    const other = others[key as keyof typeof others];
    if (value !== other)
      throw new XiError(
        'E_ARGUMENT',
        `${where}: expected models of the same ${key}, received ${value} and ${other}`,
      );
  }
}
