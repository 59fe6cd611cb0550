import type { Backend, Storage } from '../backend/interface.ts';
import { defaultBackend } from '../backend/select.ts';
import { borrowing } from '../backend/storage.ts';
import { XiError } from '../core/errors.ts';
import { allocate, checkTensor, type Shape, type Tensor } from '../core/tensor.ts';
import { checkConfig, type ModelConfig, type ModelOptions } from './config.ts';
import { drawTensorTrain } from './draw.ts';
import { initialise } from './initialise.ts';
import { type NamedTensors, ParameterBlock } from './parameters.ts';
import { TensorTrain } from './tt.ts';

/** Rows that are scored at a time, so that a long data set needs no more memory than a batch. */
const SCORE_ROWS = 500;

/** A network with its parameters on one backend. Make it with {@link createModel}. */
export class Model {
  readonly config: ModelConfig;
  readonly backend: Backend;
  /** Where parameters and passes live; for training loops that stay in the backend's memory. */
  readonly network: TensorTrain;
  readonly block: ParameterBlock;

  constructor(config: ModelConfig, backend: Backend) {
    const layout = TensorTrain.layout(config);
    this.config = config;
    this.backend = backend;
    this.network = new TensorTrain(config, backend);
    this.block = new ParameterBlock(backend, layout, config.dtype);
    this.block.assign('initialisation', initialise(config, layout));
  }

  /** Copies of all parameters: name → tensor, with the names that files carry. */
  get parameters(): Record<string, Tensor> {
    return this.block.tensors();
  }

  get parameterCount(): number {
    return this.block.count;
  }

  /**
   * Sets all parameters, or none.
   *
   * @throws XiError E_ARGUMENT for missing or unknown names; E_SHAPE, E_DTYPE or E_NUMERIC for a tensor that does not fit.
   */
  setParameters(named: NamedTensors | ReadonlyMap<string, Tensor>): void {
    this.block.assign('setParameters', named);
  }

  /**
   * Scores of X [B,T,N] as [B,outputs].
   *
   * @throws XiError E_SHAPE, E_DTYPE or E_NUMERIC when X does not fit the model or is not finite.
   */
  score(X: Tensor): Tensor {
    const { steps, inputs, outputs, dtype } = this.config;
    const { data, batch } = this.checkInputs(X);
    const out = allocate(dtype, batch * outputs);
    const row = steps * inputs;
    for (let start = 0; start < batch; start += SCORE_ROWS) {
      const rows = Math.min(SCORE_ROWS, batch - start);
      borrowing((borrow) => {
        const x = borrow(this.upload(data.subarray(start * row, (start + rows) * row)));
        out.set(this.network.forward(this.block, x, rows).read(), start * outputs);
      });
    }
    return { dtype, shape: [batch, outputs], data: out };
  }

  /** Hidden states h_1 … h_T of X [B,T,N], h_t as [B,R_t]; h_T are the scores. */
  states(X: Tensor): Tensor[] {
    const { rank, outputs } = this.config;
    const { data, batch } = this.checkInputs(X);
    borrowing((borrow) => this.network.forward(this.block, borrow(this.upload(data)), batch));
    const sizes = [...rank, outputs];
    return this.network.states(batch).map((state, t) => this.download(state, [batch, sizes[t]]));
  }

  /**
   * Gradients of Σ_bc dScores[b,c] · score(X)[b,c] with respect to every parameter and to X.
   *
   * @throws XiError as {@link score}, and for a dScores that is not [B,outputs].
   */
  gradients(X: Tensor, dScores: Tensor): { parameters: Record<string, Tensor>; inputs: Tensor } {
    const { backend, config, block } = this;
    const { data, batch } = this.checkInputs(X);
    const weights = checkTensor('gradients dScores', dScores, [batch, config.outputs], config.dtype);
    return borrowing((borrow) => {
      const x = borrow(this.upload(data));
      const dx = borrow(backend.allocate(config.dtype, data.length));
      const dScores = borrow(this.upload(weights.data));
      const gradients = new ParameterBlock(backend, block.layout, config.dtype);
      borrow(gradients.storage);
      this.network.forward(block, x, batch);
      this.network.backward(block, x, batch, dScores, gradients, dx);
      return { parameters: gradients.tensors(), inputs: this.download(dx, [...X.shape]) };
    });
  }

  /** The network drawn with its ranks and its number of parameters. */
  toString(): string {
    return drawTensorTrain(this.config, this.parameterCount);
  }

  private checkInputs(X: Tensor) {
    const { steps, inputs, dtype } = this.config;
    const { data, shape } = checkTensor('X', X, [-1, steps, inputs], dtype);
    return { data, batch: shape[0] };
  }

  private upload(data: ArrayLike<number>): Storage {
    const storage = this.backend.allocate(this.config.dtype, data.length);
    storage.write(data);
    return storage;
  }

  private download(storage: Storage, shape: Shape): Tensor {
    return { dtype: this.config.dtype, shape, data: storage.read() };
  }
}

/**
 * Makes a network with initial weights from its seed, on the given backend or the best of this machine.
 *
 * @throws XiError E_ARGUMENT that names the option which is wrong, E_MEMORY for a model too large.
 */
export function createModel(options: ModelOptions & { readonly backend?: Backend }): Model {
  const { backend, ...rest } = options ?? {};
  const config = checkConfig(rest as ModelOptions);
  if (backend !== undefined && typeof backend?.contract !== 'function') {
    throw new XiError('E_ARGUMENT', 'createModel backend: expected what openBackend() resolves to');
  }
  return new Model(config, backend ?? defaultBackend());
}
