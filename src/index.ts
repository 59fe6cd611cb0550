/**
 * Generalized tensor networks on the CPU. Importing this loads no command-line code, no dependency and no data; the
 * first model or contraction opens a backend.
 */
export type { Activation, Backend, BackendName, IsaReport, Probe, Reduction } from './backend/interface.ts';
export { type BackendOptions, openBackend, probeBackend } from './backend/select.ts';
export {
  type ContractionPlan,
  type ContractOptions,
  contract,
  contractGradient,
  outer,
  type PlanStep,
  type Winners,
  type XiFunctions,
  type XiOption,
} from './contract/contract.ts';
export { XiError, type XiErrorCode } from './core/errors.ts';
export { type DType, type NestedArray, type Shape, type Tensor, tensor, zeros } from './core/tensor.ts';
export { type BoundKind, XI, XI_NAMES, type Xi, type XiRow } from './core/xi.gen.ts';
export { type Dataset, takeDataset } from './data/dataset.ts';
export { loadMnist, type MnistOptions } from './data/mnist.ts';
export { readNpy, writeNpy } from './io/npy.ts';
export { readSafetensors, writeSafetensors } from './io/safetensors.ts';
export type { Initialisation, ModelConfig, ModelKind, ModelOptions } from './models/config.ts';
export { loadModel, saveModel } from './models/files.ts';
export { createModel, type Model } from './models/model.ts';
export type { NamedTensors } from './models/parameters.ts';
export { loadCheckpoint, saveCheckpoint } from './train/checkpoint.ts';
export { type EpochReport, fit, type RunOptions, runTrainer } from './train/fit.ts';
export type { FitOptions, Metrics, Schedule, StepReport, TrainingPlan } from './train/options.ts';
export { evaluate, Trainer } from './train/trainer.ts';
