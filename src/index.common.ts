/** What Node and browsers have in common: all that needs no files. */
export {
  type ExactRank,
  type ExactRankOptions,
  exactRank,
} from './analysis/exact_rank.ts';
export { type GridOptions, gridTensor } from './analysis/grid.ts';
export { balancedBipartitions, gridOutput, matricize } from './analysis/matricize.ts';
export {
  type BipartitionRank,
  bipartitionRanks,
  matricizationRank,
  prefixRanks,
  type RankOptions,
  type RankReport,
} from './analysis/ranks.ts';
export type {
  Activation,
  AdamOptions,
  Answers,
  Backend,
  BackendName,
  ContractSizes,
  GridSizes,
  Joined,
  JoinedOperand,
  Loss,
  LossSum,
  PackedWeights,
  Precision,
  Qr,
  Reduction,
  Rows,
  Storage,
  Strided,
  Svd,
  Tiles,
} from './backend/interface.ts';
export type {
  FailedProbe,
  IsaReport,
  OpenableProbe,
  Probe,
  ProbeReport,
  UsableProbe,
} from './backend/probes.ts';
export type { BackendOptions } from './backend/selection.ts';
export {
  type Contract,
  type ContractionPlan,
  type ContractOptions,
  contract,
  contractGradient,
  type OuterOptions,
  outer,
  type PlanStep,
  type Winners,
  type XiFunctions,
  type XiOption,
} from './contract/contract.ts';
export { XiError, type XiErrorCode, type XiErrorRecord } from './core/errors.ts';
export type { TensorsByName } from './core/named.ts';
export {
  type DType,
  type FloatArray,
  type Inputs,
  type NestedArray,
  type Shape,
  type Tensor,
  type TokenTensor,
  tensor,
  tokens,
  zeros,
} from './core/tensor.ts';
export { type BoundKind, XI, XI_NAMES, type Xi, type XiRow } from './core/xi.gen.ts';
export {
  type AnyDataset,
  type Dataset,
  type Split,
  selectDataset,
  splitRows,
  stratifiedFold,
  type TargetDataset,
  takeDataset,
} from './data/dataset.ts';
export { cutPatches, type PatchOptions } from './data/patches.ts';
export {
  buildVocabulary,
  type Documents,
  encodeParts,
  encodeText,
  type TextLimits,
  type TextOptions,
  type TextParts,
  tokenize,
  type Vocabulary,
  type VocabularyOptions,
  vocabularyOf,
} from './data/text.ts';
export { type CP, cpEvaluate, cpFull } from './decompose/cp.ts';
export { type CpAlsOptions, type CpAlsResult, type CpAlsSweep, cpAls } from './decompose/cp_als.ts';
export { type ApproximateHT, type HierarchicalTucker, htEvaluate, htFull, htRanks } from './decompose/ht.ts';
export { htAdd, htDot, htHadamard, htNorm, htScale } from './decompose/ht_arithmetic.ts';
export { htRound } from './decompose/ht_round.ts';
export { htSvd } from './decompose/ht_svd.ts';
export type { IndexTuples } from './decompose/indices.ts';
export {
  type Decomposition,
  type DecompositionFormat,
  fromNamedParts,
  type InFormat,
  type NamedParts,
  namedParts,
} from './decompose/named.ts';
export type { ComputeOptions, TruncationOptions } from './decompose/options.ts';
export { type ApproximateTT, type TensorTrain, ttEvaluate, ttFull, ttRanks } from './decompose/tt.ts';
export { ttAdd, ttDot, ttHadamard, ttNorm, ttRound, ttScale } from './decompose/tt_arithmetic.ts';
export {
  type ElementFunction,
  type TtCrossOptions,
  type TtCrossResult,
  type TtCrossSweep,
  ttCross,
} from './decompose/tt_cross.ts';
export { type TtSvdOptions, ttSvd } from './decompose/tt_svd.ts';
export { type BracketOptions, bracketWidth, type WidthBracket } from './experiments/bracket.ts';
export {
  type Certificate,
  type CheckCertificateOptions,
  type ChosenBy,
  checkCertificate,
} from './experiments/certificate.ts';
export { type Certification, type CertifyOptions, certify } from './experiments/certify.ts';
export {
  type FitShallowOptions,
  fitShallow,
  type ShallowFit,
  type ShallowIteration,
} from './experiments/fit_shallow.ts';
export { checkStudy, type RankStudy } from './experiments/rank_config.ts';
export {
  type Bins,
  distributionsCsv,
  type Histogram,
  type RankDistribution,
  type RankRecord,
  type RankTask,
  studyNetwork,
  studyTasks,
  summarize,
} from './experiments/ranks.ts';
export type { Subgrid } from './experiments/subgrid.ts';
export { type Verification, type VerifyOptions, verify } from './experiments/verify.ts';
export { decodeNpy, encodeNpy } from './io/npy.ts';
export { decodeSafetensors, encodeSafetensors, type SafetensorsContent } from './io/safetensors.ts';
export type {
  CpConfig,
  HtConfig,
  Initialization,
  ModelConfig,
  ModelKind,
  ModelOptions,
  TtConfig,
} from './models/config.ts';
export { convert, fullTensor } from './models/convert.ts';
export { type DecodeOptions, decodeModel, encodeModel } from './models/files.ts';
export type { BatchOptions } from './models/lengths.ts';
export { createModel, type Model, type ModelGradients, type ScoreGradient } from './models/model.ts';
export type { NamedTensors } from './models/parameters.ts';
export {
  type BestWidthBound,
  bestWidthBound,
  type CutRank,
  type WidthBound,
  type WidthBoundOptions,
  widthBound,
} from './theory/bounds.ts';
export type { ShallowVariant } from './theory/entries.ts';
export type { FeatureChoice, TemplateFeatures } from './theory/features.ts';
export { type OneHotOptions, oneHotTensor } from './theory/onehot.ts';
export { type Margins, margins, type OpenSetOptions, openSetNetwork, shallowTwin } from './theory/openset.ts';
export {
  type Realization,
  type RealizeOptions,
  type RealizeVariant,
  realization,
  realize,
} from './theory/realize.ts';
export type { RecurrentVariant } from './theory/recurrent.ts';
export { shallowToRecurrent, shallowToTree } from './theory/shallow.ts';
export { type SimilarityOptions, similarityNetwork } from './theory/similarity.ts';
export type { SubgridBound } from './theory/subgrid.ts';
export { addNetworks } from './theory/sums.ts';
export { Adam, AdamW, type OptimizerOptions, type OptimizerState } from './train/adam.ts';
export { evaluate, evaluateAsync } from './train/evaluate.ts';
export { fit, type RunOptions, runTrainer } from './train/fit.ts';
export { crossEntropy, type LossGradient, type LossOptions, meanSquaredError } from './train/losses.ts';
export type {
  Best,
  EpochReport,
  FitOptions,
  Listener,
  Metrics,
  Optimizer,
  StepReport,
  TrainingPlan,
} from './train/options.ts';
export { type Schedule, scheduleAt } from './train/schedule.ts';
export { batches, type ShuffleOptions } from './train/shuffle.ts';
export { type EndedEpoch, type Progress, type Stopping, Trainer } from './train/trainer.ts';
