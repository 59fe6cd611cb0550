import type { Results } from '../experiments/results.ts';
import { renderReport } from '../report/report.ts';
import { expressivityRecords } from './reproduce_expressivity.ts';
import { knownShowcase, performanceRecords } from './reproduce_performance.ts';
import type { Session } from './reproduce_session.ts';
import type { ResultsFolder } from './results_folder.ts';

const PAGE = 'report.html';

/** Everything that is in a folder of results. */
async function readResults(folder: ResultsFolder): Promise<Results> {
  const { settings } = folder;
  const [performance, showcase, rest] = await Promise.all([
    performanceRecords(folder),
    knownShowcase(folder),
    expressivityRecords(folder),
  ]);
  return { settings, performance, showcase, ...rest };
}

/** Writes the page and returns its path. */
export async function writeReport({ folder }: Session): Promise<string> {
  const day = new Date().toISOString().slice(0, 10);
  await folder.write(PAGE, renderReport(await readResults(folder), day));
  return folder.file(PAGE);
}
