import { type BenchRecord, type BenchResult, fastest } from '../src/bench/records.ts';
import { duration } from '../src/bench/table.ts';

const COLUMN = 470;
const ROW = 21;
const LABEL = 128;
const BAR = 200;
const MARGIN = 24;
const HEAD = 64;
/** From this part of the peak on a panel shows where the peak is. */
const NEAR = 0.4;

const STYLE = `
text { font: 12px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #24292f }
.title { font-size: 16px; font-weight: 600 } .name { font-weight: 600; font-size: 13px } .quiet { fill: #656d76 }
.card { fill: #ffffff; stroke: #d0d7de } .native { fill: #0969da } .wasm { fill: #8250df } .peer { fill: #afb8c1 }
.peak { stroke: #cf222e; stroke-dasharray: 3 3 } .key { fill: #cf222e }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .quiet { fill: #8d96a0 } .card { fill: #0d1117; stroke: #30363d }
.native { fill: #4493f8 } .wasm { fill: #ab7df8 } .peer { fill: #59636e } .peak { stroke: #f85149 } .key { fill: #f85149 }
}`;

const escaped = (text: string) => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');
const kindOf = (subject: string) => /^xitensor\/(native|wasm)/.exec(subject)?.[1] ?? 'peer';

/** One bar each for our fastest instruction set, for WebAssembly and for every peer: one thread, fastest first. */
function barsOf(records: readonly BenchRecord[], workload: string): BenchRecord[] {
  const ours = [/^xitensor\/native/, /^xitensor\/wasm/].map((kind) => fastest(records, workload, kind));
  const peers = records.filter((r) => r.workload === workload && kindOf(r.subject) === 'peer');
  const rest = peers.filter((r) => !r.subject.startsWith('xitensor/'));
  return [...ours.filter((r) => r !== undefined), ...rest].sort((x, y) => x.medianMs - y.medianMs);
}

function panel(workload: string, bars: readonly BenchRecord[], x: number, y: number): string {
  // All bars end before the peak, where the fastest comes near it, and figures stand beyond: nothing runs through them.
  const fraction = bars[0].fractionOfPeak ?? 0;
  const near = fraction >= NEAR;
  const longest = near ? BAR * Math.min(1, fraction) : BAR;
  const lines = bars.map((r, n) => {
    const top = y + 28 + n * ROW;
    const width = Math.max(1, (longest * bars[0].medianMs) / r.medianMs);
    const label = `${duration(r.medianMs)}${r.fractionOfPeak === null ? '' : `, ${partOf(r.fractionOfPeak)}`}`;
    return [
      `<text x="${x + LABEL - 8}" y="${top + 12}" text-anchor="end">${escaped(r.subject.replace('xitensor/', ''))}</text>`,
      `<rect class="${kindOf(r.subject)}" x="${x + LABEL}" y="${top}" width="${width.toFixed(1)}" height="${ROW - 5}" rx="2"/>`,
      `<text class="quiet" x="${x + LABEL + BAR + 8}" y="${top + 12}">${escaped(label)}</text>`,
    ].join('');
  });
  const at = (x + LABEL + longest / fraction).toFixed(1);
  const line = near
    ? `<line class="peak" x1="${at}" x2="${at}" y1="${y + 24}" y2="${y + 28 + bars.length * ROW}"/>`
    : '';
  return `<text class="name" x="${x}" y="${y + 14}">${escaped(workload)}</text>${lines.join('')}${line}`;
}

/** `71 % of peak`, and `4.2 × peak` for work that was saved instead of done. */
const partOf = (fraction: number) =>
  fraction >= 1.05
    ? `${fraction.toFixed(1)} × peak`
    : `${(100 * fraction).toFixed(fraction < 0.1 ? 1 : 0)} %`;

/**
 * A picture of a run: a panel for each workload, a bar for each subject, as long as it is fast. Two columns, which are
 * filled evenly; follows the reader's light or dark scheme.
 */
export function chartOf({ machine, records }: BenchResult): string {
  const workloads = [...new Set(records.map(({ workload }) => workload))];
  const panels = workloads
    .map((workload) => ({ workload, bars: barsOf(records, workload) }))
    .filter(({ bars }) => bars.length > 1 && bars.every((r) => r.fractionOfPeak !== null));
  const heights = [0, 0];
  const drawn = panels.map(({ workload, bars }) => {
    const column = heights[0] <= heights[1] ? 0 : 1;
    const y = HEAD + heights[column];
    heights[column] += 28 + bars.length * ROW + 18;
    return panel(workload, bars, MARGIN + column * COLUMN, y);
  });
  const width = 2 * COLUMN + MARGIN;
  const height = HEAD + Math.max(...heights) + 8;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Speed of xitensor and its peers on one thread">
<style>${STYLE}</style>
<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>
<text class="title" x="${MARGIN}" y="30">One thread: longer is faster</text>
<text class="quiet" x="${MARGIN}" y="48">${escaped(`${machine.processor}, ${machine.date}; percentages are of the multiply-add peak of the core,`)} <tspan class="key">the dashed line</tspan></text>
${drawn.join('\n')}
</svg>
`;
}
