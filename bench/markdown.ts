import { type BenchResult, fastest } from '../src/bench/records.ts';
import { absenceLine, cellsOf, HEADINGS } from '../src/bench/table.ts';
import { checkTargets, verdict } from './targets.ts';

const row = (cells: readonly string[]) =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  return [row(headings), `|${headings.map(() => '---|').join('')}`, ...rows.map(row)].join('\n');
}

function workloadSection(result: BenchResult, workload: string): string {
  const records = result.records.filter((r) => r.workload === workload);
  const ours = fastest(records, workload, /^xitensor\//);
  const rows = records.map((record) => {
    const [subject, ...rest] = cellsOf(record, ours);
    const wrong = record.verified ? '' : '**wrong result** ';
    return [`\`${subject}\``, ...rest.slice(0, -1), `${wrong}${record.form}`];
  });
  return `#### ${workload}\n\n${table([...HEADINGS.slice(0, -1), 'form'], rows)}`;
}

/** The targets of a run, met or not. */
export function targetsSection(result: BenchResult): string {
  const rows = checkTargets(result).map((o) => [o.workload, o.wanted, o.measured, verdict(o)]);
  return table(['workload', 'wanted', 'measured', ''], rows);
}

/** How much of a run was measured in calm moments, or nothing of runs that did not tell. */
function calmLines({ records }: BenchResult): string[] {
  const told = records.filter(({ disturbed }) => disturbed !== undefined);
  if (told.length === 0) return [];
  const timings = told.flatMap(({ rounds }) => rounds.filter((ms) => ms !== null)).length;
  const disturbed = told.reduce((sum, record) => sum + (record.disturbed ?? 0), 0);
  return [`Of ${timings} timings ${disturbed} had no calm moment.`];
}

/** A published run: the machine, the picture, the targets, every record. */
export function resultSection(result: BenchResult, picture: string): string {
  const { machine, peak, absent } = result;
  const versions = Object.entries(machine.peers).map(([name, version]) => `${name} ${version}`);
  const workloads = [...new Set(result.records.map(({ workload }) => workload))];
  return [
    `## ${machine.processor}, ${machine.date}`,
    [
      `${machine.cores} cores${machine.caches.length > 0 ? ` (${machine.caches.join(', ')})` : ''}, ${machine.platform}`,
      `kernel ${machine.kernel}, Node ${machine.node}, ${machine.compiler}`,
      `float32 multiply-add peak of a core ${peak.toFixed(0)} GFLOP/s.`,
    ].join('; '),
    ...(versions.length > 0 ? [`Peers: ${versions.join('; ')}.`] : []),
    ...calmLines(result),
    `![Speed of xitensor and its peers on one thread](${picture})`,
    '### Targets',
    targetsSection(result),
    '### Figures',
    ...workloads.map((workload) => workloadSection(result, workload)),
    ...(absent.length > 0 ? [`Not measured:\n\n${absent.map((a) => `- ${absenceLine(a)}`).join('\n')}`] : []),
  ].join('\n\n');
}

/** docs/performance.md: what is written by hand before and after the figures, and the figures. */
export function performancePage(
  intro: string,
  learnt: string,
  results: readonly { result: BenchResult; picture: string }[],
): string {
  const note =
    '<!-- Made by npm run bench -- --docs from bench/results/ and docs/performance/. Do not edit. -->';
  const sections = results.map(({ result, picture }) => resultSection(result, picture));
  const places = '[The guide](README.md) · before: [Backends](backends.md) · next: [Extending](extending.md)';
  return `${[note, intro.trim(), ...sections, learnt.trim(), '---', places].join('\n\n')}\n`;
}
