import { type Absence, type BenchRecord, fastest, timesFaster } from './records.ts';

export const percent = (x: number | null) => (x === null ? '–' : `${(100 * x).toFixed(1)} %`);

/** Milliseconds, or microseconds where there would be nothing but zeros. */
export function duration(ms: number): string {
  return ms < 0.1 ? `${(1000 * ms).toFixed(2)} µs` : `${ms.toFixed(ms < 10 ? 3 : 1)} ms`;
}

/** Of the column that tells how many times faster ours is. */
const BESIDE = 'ours is';

export const HEADINGS = [
  'subject',
  'threads',
  'median',
  'spread',
  'GFLOP/s',
  'of peak',
  'of limit',
  BESIDE,
  'verified',
];
const WIDTHS = [26, 8, 12, 9, 10, 9, 10, 10, 10];

const isPeer = ({ subject }: BenchRecord) => !subject.startsWith('xitensor/');

/** Cells of a line: what it has in the columns of the printed table. `ours` is our fastest on one thread. */
export function cellsOf(record: BenchRecord, ours: BenchRecord | undefined): string[] {
  return [
    record.subject,
    String(record.threads),
    duration(record.medianMs),
    percent(record.spread),
    record.fractionOfPeak === null ? '–' : record.gflops.toFixed(1),
    percent(record.fractionOfPeak),
    percent(record.fractionOfLimit),
    isPeer(record) && ours ? `${timesFaster(ours, record).toFixed(2)} ×` : '',
    record.verified ? 'yes' : 'NO',
  ];
}

/** A workload's lines, as the command prints them: ours is so many times faster than a peer, where there is one. */
export function tableOf(workload: string, records: readonly BenchRecord[]): string {
  const ours = fastest(records, workload, /^xitensor\//);
  const shown = records.some(isPeer) ? HEADINGS : HEADINGS.filter((heading) => heading !== BESIDE);
  const line = (cells: readonly string[]) =>
    HEADINGS.flatMap((heading, n) => {
      if (!shown.includes(heading)) return [];
      return n === 0 ? cells[n].padEnd(WIDTHS[n]) : cells[n].padStart(WIDTHS[n]);
    }).join('');
  const lines = records.map(
    (record) => `${line(cellsOf(record, ours))}${isPeer(record) ? `  ${record.form}` : ''}`,
  );
  return [`\n${workload}`, line(HEADINGS), ...lines].join('\n');
}

export function absenceLine({ subject, workload, reason }: Absence): string {
  return `${subject} ${workload ? `does not do ${workload}` : 'cannot run'}: ${reason}`;
}
