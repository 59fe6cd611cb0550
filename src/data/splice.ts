import { fileURLToPath } from 'node:url';
import { integer, knownKeys } from '../core/errors.ts';
import type { DType, Tensor } from '../core/tensor.ts';
import { loadCsv } from './csv.ts';
import { type Dataset, selectDataset, stratifiedFold } from './dataset.ts';

/** The letters of DNA in the order of the inputs. */
const BASES = 'ACGT';
/** Exon to intron, intron to exon, neither. */
const CLASS_NAMES = ['ei', 'ie', 'n'];

/** How many folds there are where nothing else is said. */
export const FOLDS = 5;

/** The splice junctions but one fold, and that fold. */
export interface SpliceParts {
  /** The sequences to train on. */
  readonly train: Dataset<Tensor>;
  /** The sequences of the fold, to test on. */
  readonly test: Dataset<Tensor>;
}

/** Which fold of the DNA sequences is tested on, for {@link loadSplice}. */
export interface SpliceOptions {
  /** The part that is tested on, from 0 to folds − 1; 0 when left out. */
  readonly fold?: number;
  /** 5 when left out. */
  readonly folds?: number;
  /** Choice of the folds. */
  readonly seed?: number;
  /** float32 when left out. */
  readonly dtype?: DType;
}

/**
 * The 3186 DNA sequences of 60 letters of the UCI splice-junction set, shipped in data/splice.csv: inputs [count, 60, 4] as
 * one-hot letters A, C, G, T, classes `ei`, `ie` and `n`, cut into folds with the same part of each class.
 *
 * Source: UCI Machine Learning Repository, Molecular Biology (Splice-junction Gene Sequences), CC BY 4.0.
 *
 * @throws XiError E_ARGUMENT for unknown or unfit options, E_FILE when the file of the package is gone.
 */
export async function loadSplice(options: SpliceOptions = {}): Promise<SpliceParts> {
  const where = 'loadSplice';
  knownKeys(where, options, ['fold', 'folds', 'seed', 'dtype']);
  const folds = integer(`${where} folds`, options.folds ?? FOLDS, 2, 100);
  const fold = integer(`${where} fold`, options.fold ?? 0, 0, folds - 1);
  const seed = integer(`${where} seed`, options.seed ?? 0, 0, Number.MAX_SAFE_INTEGER);
  const path = fileURLToPath(new URL('../../data/splice.csv', import.meta.url));
  const table = { sequence: 'sequence', alphabet: BASES, classNames: CLASS_NAMES, dtype: options.dtype };
  const all = await loadCsv(path, table);
  const { train, held } = stratifiedFold(all.labels, fold, folds, seed);
  const part = (name: string, rows: Uint32Array) => ({ ...selectDataset(all, rows), name: `splice-${name}` });
  return { train: part('train', train), test: part('test', held) };
}
