import type { RankReport } from '../analysis/ranks.ts';
import type { SubgridBound } from '../theory/subgrid.ts';
import type { BackendComparison } from './backend_comparison.ts';
import type { MachineRecord, PerformanceRecord, PerformanceRun } from './performance.ts';
import type { PlanSettings } from './performance_plan.ts';
import type { RankStudy } from './rank_config.ts';
import type { RankDistribution } from './ranks.ts';
import type { Spectrum } from './spectra.ts';
import type { Verification } from './verify.ts';

export const RESULTS_FORMAT = 'xitensor-results';

/** What a folder of results begins with, and what decides everything in it but the times. */
export interface ResultSettings extends PlanSettings {
  readonly format: typeof RESULTS_FORMAT;
  readonly version: 1;
  /** Random networks a rank, instead of those of the figures. */
  readonly networks?: number;
  readonly data: readonly DataRecord[];
}

/** A data set of the results. */
export type DataRecord = PlanSettings['data'][number] & {
  /** As `--data` names it. */
  readonly source: string;
  readonly train: number;
  readonly test: number;
};

/** How long something took, and where. */
export interface Measured {
  readonly seconds: number;
  readonly backend: string;
  readonly isa: string;
  readonly machine: MachineRecord;
}

/** One of the paper's Figures 3 to 5, with the spectra of a few of its networks. */
export interface StudyRecord extends Measured {
  readonly figure: string;
  readonly study: RankStudy;
  readonly distributions: readonly RankDistribution[];
  readonly spectra: readonly Spectrum[];
}

/** What a shallow network would need to replace a trained one. */
export interface CertificateRecord extends Measured {
  readonly run: PerformanceRun;
  /** Number of templates, and the seed that chose them and the part of the grid. */
  readonly templates: number;
  readonly samples: number;
  readonly seed: number;
  readonly rank: number;
  readonly prime: number;
  readonly rows: number;
  readonly columns: number;
  readonly bound: SubgridBound;
  /** Width of the shallow network with as many parameters. */
  readonly equalWidth: number;
  /** SHA-256 of the model and of the templates. */
  readonly modelDigest: string;
  readonly templatesDigest: string;
  /** Of the same matrix, in float64. */
  readonly spectrum: Omit<Spectrum, 'R' | 'index'> & Pick<RankReport, 'entropy' | 'effectiveRank'>;
}

export interface VerifyRecord extends Measured {
  readonly seed: number;
  readonly checks: readonly Verification[];
}

/** The trained network as it is drawn and certified. */
export interface ShowcaseRecord {
  readonly run: PerformanceRun;
  readonly drawing: string;
}

export interface ComparisonRecord extends BackendComparison {
  readonly machine: MachineRecord;
}

/** Everything that a report shows; what is missing has not been computed. */
export interface Results {
  readonly settings: ResultSettings;
  readonly performance: readonly PerformanceRecord[];
  readonly studies: readonly StudyRecord[];
  readonly showcase?: ShowcaseRecord;
  readonly certificate?: CertificateRecord;
  readonly verification?: VerifyRecord;
  readonly comparison?: ComparisonRecord;
}
