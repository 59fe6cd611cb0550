import { type Absence, type BenchRecord, fastest, timesFaster } from './records.ts';

export const percent = (x: number | null) => (x === null ? '–' : `${(100 * x).toFixed(1)} %`);

/** Milliseconds, or microseconds where there would be nothing but zeros. */
export function duration(ms: number): string {
  return ms < 0.1 ? `${(1000 * ms).toFixed(2)} µs` : `${ms.toFixed(ms < 10 ? 3 : 1)} ms`;
}

export const HEADINGS = [
  'subject',
  'threads',
  'median',
  'spread',
  'GFLOP/s',
  'of peak',
  'of limit',
  'ours is',
  'verified',
];
const WIDTHS = [26, 8, 12, 9, 10, 9, 10, 10, 10];

/** Cells of a line: what it has in the columns of the printed table. `ours` is our fastest on one thread. */
export function cellsOf(record: BenchRecord, ours: BenchRecord | undefined): string[] {
  const peer = !record.subject.startsWith('xitensor/');
  return [
    record.subject,
    String(record.threads),
    duration(record.medianMs),
    percent(record.spread),
    record.fractionOfPeak === null ? '–' : record.gflops.toFixed(1),
    percent(record.fractionOfPeak),
    percent(record.fractionOfLimit),
    peer && ours ? `${timesFaster(ours, record).toFixed(2)} ×` : '',
    record.verified ? 'yes' : 'NO',
  ];
}

const line = (cells: readonly string[]) =>
  cells.map((cell, n) => (n === 0 ? cell.padEnd(WIDTHS[n]) : cell.padStart(WIDTHS[n]))).join('');

/** A workload's lines, as the command prints them: ours is so many times faster than a peer. */
export function tableOf(workload: string, records: readonly BenchRecord[]): string {
  const ours = fastest(records, workload, /^xitensor\//);
  const lines = records.map((record) => {
    const peer = !record.subject.startsWith('xitensor/');
    return `${line(cellsOf(record, ours))}${peer ? `  ${record.form}` : ''}`;
  });
  return [`\n${workload}`, line(HEADINGS), ...lines].join('\n');
}

export function absenceLine({ subject, workload, reason }: Absence): string {
  return `${subject} ${workload ? `does not do ${workload}` : 'cannot run'}: ${reason}`;
}
