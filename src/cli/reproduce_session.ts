import type { Backend } from '../backend/interface.ts';
import type { MachineRecord } from '../experiments/performance.ts';
import type { BackendChoice } from './options.ts';
import type { ReproduceData } from './reproduce_data.ts';
import type { ResultsFolder } from './results_folder.ts';

/** What the stages of `xitensor reproduce` share. */
export interface Session {
  readonly folder: ResultsFolder;
  readonly data: ReproduceData;
  readonly backend: Backend;
  readonly choice: BackendChoice;
  readonly workers: number;
  readonly machine: MachineRecord;
  readonly signal: AbortSignal;
  readonly quiet: boolean;
}
