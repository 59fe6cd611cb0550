import { power } from '../core/elementary.ts';
import { knownKeys, mismatch, XiError } from '../core/errors.ts';
import { byName, type TensorsByName } from '../core/named.ts';
import type { Shape, Tensor } from '../core/tensor.ts';
import { checkModel, type Model } from '../models/model.ts';
import { checkNamed, type NamedTensors, ParameterBlock } from '../models/parameters.ts';
import {
  ADAMW_DECAY,
  checkEpsilon,
  checkRate,
  checkRule,
  checkScaling,
  DEFAULT_PLAN,
  RULE_KEYS,
  type Rule,
} from './options.ts';

/** Gradients of a model's parameters with their moments, laid out alike. */
interface Moments {
  readonly gradients: ParameterBlock;
  readonly m: ParameterBlock;
  readonly v: ParameterBlock;
}

/** What an update is, beside its parameter: `norm` is that of the whole gradient, `step` counts from 1. @internal */
export interface Update {
  readonly rule: Rule;
  readonly learningRate: number;
  readonly scaleRates: boolean;
  readonly step: number;
  readonly norm: number;
}

/** Updates one parameter of a model. @internal */
export function adamStep(
  { backend, block, network }: Model,
  [name, shape]: readonly [name: string, shape: Shape],
  { gradients, m, v }: Moments,
  { rule, learningRate, scaleRates, step, norm }: Update,
): void {
  const { beta1, beta2, epsilon, clip, decay } = rule;
  backend.adam(block.part(name), gradients.part(name), m.part(name), v.part(name), {
    beta1,
    beta2,
    epsilon,
    rate: learningRate * (scaleRates ? network.rateScale(name, shape) : 1),
    correction1: 1 - power(beta1, step),
    correction2: 1 - power(beta2, step),
    scale: norm > clip ? clip / norm : 1,
    // A bias has one axis. Cores decay as fast as features, however slowly they learn.
    decay: shape.length > 1 ? learningRate * decay : 0,
  });
}

/** @throws XiError E_ARGUMENT for a second moment below 0, whose root would be NaN. @internal */
export function checkSquares(where: string, named: ReadonlyMap<string, Tensor>): void {
  for (const [name, { data }] of named) {
    const bad = data.findIndex((value) => value < 0);
    if (bad >= 0) throw mismatch('E_ARGUMENT', `${where} ${name}`, 'squares of at least 0', data[bad]);
  }
}

/** Numbers of {@link Adam}, with the defaults of `fit`. */
export interface OptimizerOptions extends Partial<Omit<Rule, 'decay'>> {
  /** Whether a core [L,R,K] learns at 1/√(L·R) of the rate, and other parameters as `fit` has it; false: all at the rate. True. */
  readonly scaleRates?: boolean;
}

/** What {@link Adam} remembers between steps, by the names of the parameters. */
export interface OptimizerState {
  /** Steps that each parameter has taken. */
  readonly steps: Readonly<Record<string, number>>;
  /** First moments of the gradient. */
  readonly m: NamedTensors;
  /** Second moments. */
  readonly v: NamedTensors;
}

/**
 * Adam (Kingma & Ba, ICLR 2015) on the parameters of a model, for loops of one's own: what a step of `fit` does, to the bit.
 *
 * `p ← p − ρ m̂ / (√v̂ + ε)` with m̂, v̂ the moments of the gradient, scaled down to the norm `clip` where it is larger, divided by 1 − βᵗ.
 */
export class Adam {
  /** ρ of the next step; set it before each one to follow a schedule. */
  learningRate: number;
  private readonly model: Model;
  private readonly rule: Rule;
  private readonly scaleRates: boolean;
  private readonly moments: Moments;
  private readonly steps = new Map<string, number>();
  /** Not the constructor's, which bundlers rename. */
  private readonly name: string;

  /** @throws XiError E_ARGUMENT for what is no model, or for the option that is wrong. */
  constructor(model: Model, options: OptimizerOptions = {}) {
    this.name = this.decoupled ? 'AdamW' : 'Adam';
    const { backend, block, config } = checkModel(this.name, model);
    const keys = RULE_KEYS.filter((key) => key !== 'decay' || this.decoupled);
    knownKeys(this.name, options, [...keys, 'scaleRates']);
    const decay = this.decoupled ? ADAMW_DECAY : 0;
    const given = Object.fromEntries(
      RULE_KEYS.map((key) => [key, (options as Partial<Rule>)[key] ?? { ...DEFAULT_PLAN, decay }[key]]),
    ) as unknown as Rule;
    checkRule(this.name, given);
    checkEpsilon(this.name, given, config.dtype);
    const { scaleRates = true } = options;
    checkScaling(this.name, scaleRates);
    this.model = model;
    this.rule = given;
    this.scaleRates = scaleRates;
    this.learningRate = given.learningRate;
    const [gradients, m, v] = [0, 1, 2].map(() => new ParameterBlock(backend, block.layout, config.dtype));
    this.moments = { gradients, m, v };
  }

  /** Whether it takes a part off the weights, apart from the moments. @internal */
  protected get decoupled(): boolean {
    return false;
  }

  /**
   * Updates the parameters in place, where the kernels are, and returns the norm of the gradient before it was clipped.
   *
   * `gradients` are those of `model.gradients(…).parameters`, perhaps changed, or some of them: what is left out keeps its
   * values and its moments, as if frozen.
   *
   * @throws XiError E_ARGUMENT for unknown names, none at all or a wrong `learningRate`, E_SHAPE, E_DTYPE or E_NUMERIC for a gradient
   * that does not fit or is not finite; the parameters are then those before the step.
   */
  step(gradients: TensorsByName): number {
    const { model, rule, scaleRates, moments, learningRate } = this;
    const where = `${this.name}.step`;
    const { layout } = model.idle(where).block;
    const given = byName(`${where} gradients`, gradients);
    const chosen = layout.filter(([name]) => given.has(name));
    const named = checkNamed(`${where} gradients`, chosen, model.config.dtype, given);
    if (named.size === 0)
      throw mismatch('E_ARGUMENT', `${where} gradients`, 'at least one, by name', gradients);
    checkRate(where, learningRate);
    const all = moments.gradients;
    if (named.size < all.layout.length) all.storage.fill(0);
    for (const [name, { data }] of named) all.part(name).write(data);
    const norm = Math.sqrt(model.backend.sumSquares(all.storage));
    if (!Number.isFinite(norm))
      throw new XiError('E_NUMERIC', `${where}: expected gradients of finite norm, received ${norm}`);
    for (const part of chosen) {
      const step = (this.steps.get(part[0]) ?? 0) + 1;
      adamStep(model, part, moments, { rule, learningRate, scaleRates, step, norm });
      this.steps.set(part[0], step);
    }
    return norm;
  }

  /** Copies of what it remembers; with the model's parameters and the `learningRate`, enough to go on. */
  get state(): OptimizerState {
    const { m, v } = this.moments;
    const steps = m.names().map((name) => [name, this.steps.get(name) ?? 0]);
    return { steps: Object.fromEntries(steps), m: m.tensors(), v: v.tensors() };
  }

  /**
   * Goes on from a {@link state}.
   *
   * @throws XiError E_ARGUMENT, E_SHAPE, E_DTYPE or E_NUMERIC for what is none of this model; nothing has changed then.
   */
  setState(state: OptimizerState): void {
    const where = `${this.name}.setState`;
    const { layout, dtype } = this.moments.m;
    knownKeys(where, state, ['steps', 'm', 'v']);
    const steps = Object.entries(state.steps ?? {});
    const counts = (name: string) => Number.isSafeInteger(state.steps?.[name]) && state.steps[name] >= 0;
    if (steps.length !== layout.length || !layout.every(([name]) => counts(name)))
      throw mismatch('E_ARGUMENT', `${where} steps`, 'a count for each parameter', state.steps);
    const [m, v] = (['m', 'v'] as const).map((key) =>
      checkNamed(`${where} ${key}`, layout, dtype, state[key]),
    );
    checkSquares(`${where} v`, v);
    this.moments.m.assign(where, m);
    this.moments.v.assign(where, v);
    for (const [name, count] of steps) this.steps.set(name, count);
  }
}

/**
 * {@link Adam} with decoupled decay (Loshchilov & Hutter, ICLR 2019): a step first takes ρ·decay of every weight off, of biases nothing.
 */
export class AdamW extends Adam {
  /** @throws XiError as Adam. */
  constructor(model: Model, options: OptimizerOptions & { readonly decay?: number } = {}) {
    super(model, options);
  }

  protected override get decoupled(): boolean {
    return true;
  }
}
