import type { Backend, Storage } from '../backend/interface.ts';
import { defaultBackend } from '../backend/select.ts';
import { checkBackend } from '../backend/selection.ts';
import { borrowing } from '../backend/storage.ts';
import { mismatch } from '../core/errors.ts';
import type { TensorsByName } from '../core/named.ts';
import {
  allocate,
  checkFinite,
  checkTensor,
  checkTokens,
  type FloatArray,
  type Inputs,
  isTokens,
  type Tensor,
  type TokenTensor,
} from '../core/tensor.ts';
import type { InputRows } from '../features/features.ts';
import { checkConfig, type ModelConfig, type ModelOptions } from './config.ts';
import { drawNetwork } from './draw.ts';
import { layoutOf, networkOf } from './families.ts';
import { initialize } from './initialize.ts';
import { type BatchOptions, gatherRows, orderByLength, scatterRows } from './lengths.ts';
import type { Network } from './network.ts';
import { ParameterBlock } from './parameters.ts';

/** Rows that are scored at a time, so that a long data set needs no more memory than a batch. */
const SCORE_ROWS = 1000;

const INSPECT: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never;

/** ∂L/∂scores [B,outputs] of a loss L, or a function that makes it of the scores. */
export type ScoreGradient = Tensor | ((scores: Tensor) => Tensor);

/** What {@link Model.gradients} returns. */
export interface ModelGradients<Inputs extends Tensor | undefined = Tensor | undefined> {
  /** One for each parameter, under its name and in its shape. */
  readonly parameters: Record<string, Tensor>;
  /** In the shape of the inputs; undefined for tokens, which have none. */
  readonly inputs: Inputs;
}

/** A network with its parameters on one backend. Make it with {@link createModel}. */
export class Model {
  /** All options with their defaults, frozen. */
  readonly config: ModelConfig;
  /** Where parameters live and all is computed. */
  readonly backend: Backend;
  /** Where passes live, for training that stays in the backend's memory. @internal */
  readonly network: Network;
  /** Where parameters live. @internal */
  readonly block: ParameterBlock;
  /** Whether a pass is kept for the way back, which a function of the user's stands before. */
  #waiting = false;

  /** With the parameters that are given, or initial ones from the seed. */
  constructor(config: ModelConfig, backend: Backend, parameters?: ReadonlyMap<string, Tensor>) {
    const layout = layoutOf(config);
    this.config = config;
    this.backend = backend;
    this.network = networkOf(config, backend);
    this.block = new ParameterBlock(backend, layout, config.dtype);
    this.block.assign('initialization', parameters ?? initialize(config, layout));
  }

  /** Copies of all parameters: name → tensor, with the names that files carry. */
  get parameters(): Record<string, Tensor> {
    return this.block.tensors();
  }

  /** Numbers in all parameters together. */
  get parameterCount(): number {
    return this.block.count;
  }

  /**
   * Sets all parameters, or none.
   *
   * @throws XiError E_ARGUMENT for missing or unknown names; E_SHAPE, E_DTYPE or E_NUMERIC for a tensor that does not fit.
   */
  setParameters(named: TensorsByName): void {
    this.idle('setParameters').block.assign('setParameters', named);
  }

  /**
   * Scores of X [B,T,N], or of tokens [B,T], as [B,outputs].
   *
   * @throws XiError E_SHAPE, E_DTYPE or E_NUMERIC when X does not fit the model or is not finite; E_ARGUMENT for lengths
   * that it cannot have.
   */
  score(X: Inputs, options: BatchOptions = {}): Tensor {
    const { outputs, dtype } = this.config;
    const { data, batch, order, row } = this.checkBatch('score', X, options);
    const out = allocate(dtype, batch * outputs);
    for (let start = 0; start < batch; start += SCORE_ROWS) {
      const rows = Math.min(SCORE_ROWS, batch - start);
      const lengths = order?.lengths.subarray(start, start + rows);
      borrowing((borrow) => {
        const x = this.reach('score', X, data.subarray(start * row, (start + rows) * row), borrow);
        out.set(this.network.forward(this.block, x, rows, lengths).read(), start * outputs);
      });
    }
    const scores = order ? scatterRows(out, order.rows, outputs) : out;
    return { dtype, shape: [batch, outputs], data: scores };
  }

  /**
   * Hidden states h_1 … h_T of X [B,T,N] or of tokens [B,T], h_t as [B,R_t]; h_T are the scores. With `lengths` a sequence of n steps has
   * h_1 … h_{n−1} and its scores, and zeros in between.
   *
   * @throws XiError E_ARGUMENT for a network that has none, which is any but a TT; else as {@link score}.
   */
  states(X: Inputs, options: BatchOptions = {}): Tensor[] {
    const { kind, rank, outputs, dtype } = this.config;
    const { data, batch, order } = this.checkBatch('states', X, options);
    if (!this.network.states)
      throw mismatch('E_ARGUMENT', 'states', 'a tt network, which has hidden states', kind);
    borrowing((borrow) => {
      const x = this.reach('states', X, data, borrow);
      return this.network.forward(this.block, x, batch, order?.lengths);
    });
    const sizes = [...rank, outputs];
    return this.network.states(batch).map((state, t) => {
      const [values, width] = [state.read(), sizes[t]];
      // Behind the end of a sequence the memory of a pass has what an earlier one left.
      if (order && t < rank.length) values.fill(0, order.lengths.filter((n) => n > t + 1).length * width);
      const all = order ? scatterRows(values, order.rows, width) : values;
      return { dtype, shape: [batch, width], data: all };
    });
  }

  /**
   * Gradients of Σ_bc dScores[b,c] · score(X)[b,c] with respect to every parameter and, unless it is tokens, to X.
   *
   * With dScores = ∂L/∂scores they are those of any loss L of the scores. Where that is a function it is called once, with the scores of X,
   * which spares the pass of a {@link score} before; it may not use this model.
   *
   * @throws XiError as {@link score}, and for a dScores that is not [B,outputs].
   */
  gradients(X: Tensor, dScores: ScoreGradient, options?: BatchOptions): ModelGradients<Tensor>;
  gradients(X: TokenTensor, dScores: ScoreGradient, options?: BatchOptions): ModelGradients<undefined>;
  gradients(X: Inputs, dScores: ScoreGradient, options?: BatchOptions): ModelGradients;
  gradients(X: Inputs, dScores: ScoreGradient, options: BatchOptions = {}): ModelGradients {
    const { backend, config, block } = this;
    const { dtype, outputs } = config;
    const { data, batch, order, row } = this.checkBatch('gradients', X, options);
    const shape = [batch, outputs];
    const check = (weights: Tensor) => checkTensor('gradients dScores', weights, shape, dtype).data;
    return borrowing((borrow) => {
      const x = this.reach('gradients', X, data, borrow);
      const given = typeof dScores === 'function' ? undefined : check(dScores);
      const scores = this.network.forward(block, x, batch, order?.lengths, true);
      const ask = (make: (scores: Tensor) => Tensor) => {
        const inOrder = order ? scatterRows(scores.read(), order.rows, outputs) : scores.read();
        return check(this.wait(() => make({ dtype, shape: [...shape], data: inOrder })));
      };
      const weights = given ?? ask(dScores as (scores: Tensor) => Tensor);
      const d = borrow(backend.adopt(order ? gatherRows(weights, order.rows, outputs) : weights));
      const dx = isTokens(X) ? undefined : borrow(backend.allocate(dtype, data.length));
      const gradients = new ParameterBlock(backend, block.layout, dtype);
      borrow(gradients.storage);
      this.network.backward(block, x, batch, d, gradients, dx, order?.lengths);
      if (!dx) return { parameters: gradients.tensors(), inputs: undefined };
      const dX = dx.read();
      return {
        parameters: gradients.tensors(),
        inputs: { dtype, shape: [...X.shape], data: order ? scatterRows(dX, order.rows, row) : dX },
      };
    });
  }

  /** The network drawn with its ranks and its number of parameters. */
  toString(): string {
    return drawNetwork(this.config, this.parameterCount);
  }

  /** The configuration, of which `createModel` makes a network of the same family and sizes; parameters are for files. */
  toJSON(): ModelConfig {
    return this.config;
  }

  /** What `console.log` of Node prints, instead of the insides of a backend. @internal */
  [INSPECT](): string {
    return this.toString();
  }

  /** This model. @throws XiError E_ARGUMENT in the middle of its own {@link gradients}, whose pass another would write over. @internal */
  idle(where: string): this {
    if (!this.#waiting) return this;
    throw mismatch(
      'E_ARGUMENT',
      where,
      'a model that is not at work',
      'one whose gradients wait for dScores',
    );
  }

  private wait<T>(work: () => T): T {
    this.#waiting = true;
    try {
      return work();
    } finally {
      this.#waiting = false;
    }
  }

  /** The values of a batch, ordered by the lengths of its sequences where these differ, and how many a sequence has. */
  private checkBatch(where: string, X: Inputs, options: BatchOptions) {
    const { steps, inputs, dtype } = this.idle(where).config;
    if (isTokens(X)) checkTokens(`${where} X`, X, steps, inputs);
    else checkTensor(`${where} X`, X, [-1, steps, inputs], dtype, { finite: false });
    const row = isTokens(X) ? steps : steps * inputs;
    const [batch] = X.shape;
    const order = orderByLength(where, this.config, options, batch);
    return { batch, order, row, data: order ? gatherRows(X.data, order.rows, row) : X.data };
  }

  /** Some of the inputs X where the kernels reach them, if they are finite, which a kernel tells sooner. */
  private reach(
    where: string,
    X: Inputs,
    data: FloatArray | Int32Array,
    borrow: (storage: Storage) => Storage,
  ): InputRows {
    if (data instanceof Int32Array) return data;
    const x = borrow(this.backend.adopt(data));
    if (!isTokens(X) && !Number.isFinite(this.backend.sumSquares(x))) checkFinite(`${where} X`, X.data);
    return x;
  }
}

/** @throws XiError E_ARGUMENT for anything but a model. */
export function checkModel(where: string, model: unknown): Model {
  if (model instanceof Model) return model;
  throw mismatch('E_ARGUMENT', where, 'a model', model);
}

/**
 * Makes a network with initial weights from its seed, on the given backend or the best of this machine.
 *
 * @throws XiError E_ARGUMENT that names the option which is wrong, E_MEMORY for a model too large.
 */
export function createModel(options: ModelOptions & { readonly backend?: Backend }): Model {
  const { backend, ...rest } = options ?? {};
  return modelWith('createModel', checkConfig('createModel', rest as ModelOptions), backend);
}

/** A model of a configuration that was checked: with the parameters of a file, or initial ones. */
export function modelWith(
  where: string,
  config: ModelConfig,
  backend: Backend | undefined,
  parameters?: ReadonlyMap<string, Tensor>,
): Model {
  checkBackend(where, backend);
  return new Model(config, backend ?? defaultBackend(), parameters);
}
