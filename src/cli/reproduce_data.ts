import { countOf } from '../data/dataset.ts';
import type { PerformanceRun, RunData } from '../experiments/performance.ts';
import { FOLDED } from '../experiments/performance_plan.ts';
import type { DataRecord } from '../experiments/results.ts';
import { absolute, loadParts, shapeFor } from './data.ts';

/** Reads the data of trainings, the last that was asked for once. */
export class ReproduceData {
  readonly records: readonly DataRecord[];
  private last: { readonly source: string; readonly data: Promise<RunData> } | undefined;

  constructor(records: readonly DataRecord[]) {
    this.records = records;
  }

  /** A source with the absolute path of its folder. */
  static absolute(source: string): string {
    return absolute({ data: source }).data;
  }

  /** Reads every source once, so that what is missing shows before anything is computed. */
  static async describe(sources: readonly string[]): Promise<DataRecord[]> {
    const records: DataRecord[] = [];
    for (const source of sources.map(ReproduceData.absolute)) {
      const { shape, train, test } = await load(source);
      records.push({
        name: source.split(':')[0],
        source,
        ...shape,
        train: countOf(train),
        test: countOf(test),
      });
    }
    return records;
  }

  /** The data of a run. */
  of({ dataset, fold }: PerformanceRun): Promise<RunData> {
    const { source } = this.records.find(({ name }) => name === dataset)!;
    const whole = FOLDED.includes(dataset) && fold !== null ? `${dataset}:${fold}` : source;
    if (this.last?.source !== whole) this.last = { source: whole, data: load(whole) };
    return this.last.data;
  }
}

async function load(source: string): Promise<RunData> {
  const parts = await loadParts({ data: source }, 'float32', ['train', 'test']);
  const [train, test] = [parts.train!, parts.test!];
  return { shape: shapeFor(train, parts), train, test };
}
