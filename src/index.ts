/**
 * Generalized tensor networks on the CPU. Importing this loads no command-line code, no dependency and no data; the
 * first model or contraction opens a backend. In index.common.ts lies what browsers have too; here, what needs Node.
 */
export { openBackend, probeBackend } from './backend/select.ts';
export { type ArrayFiles, loadArrays } from './data/arrays.ts';
export { type Cifar10Options, loadCifar10 } from './data/cifar10.ts';
export { type CsvInputs, type CsvOptions, loadCsv, loadCsvInputs } from './data/csv.ts';
export { type ImdbOptions, loadImdb } from './data/imdb.ts';
export { loadMnist, type MnistOptions } from './data/mnist.ts';
export { loadSpam, type SpamOptions } from './data/spam.ts';
export { loadSplice, type SpliceOptions, type SpliceParts } from './data/splice.ts';
export {
  crossValidateSplice,
  type FoldRecord,
  SPLICE_EXPERIMENT,
  type SpliceExperiment,
} from './experiments/splice.ts';
export * from './index.common.ts';
export { readNpy, readSafetensors, writeNpy, writeSafetensors } from './io/disk.ts';
export type { Path } from './io/path.ts';
export { loadModel, saveModel } from './models/disk.ts';
export {
  type CheckpointOptions,
  type DataSource,
  loadCheckpoint,
  saveCheckpoint,
} from './train/checkpoint.ts';
