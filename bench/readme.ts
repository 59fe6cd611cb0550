import {
  AMX,
  type BenchRecord,
  type BenchResult,
  firstOf,
  NATIVE,
  timesFaster,
} from '../src/bench/records.ts';
import { duration, percent } from '../src/bench/table.ts';
import { table } from './markdown.ts';

/** The workloads of the short table, and what they are. */
const SHOWN: readonly (readonly [workload: string, what: string])[] = [
  ['C1 rectifier f32', 'rectifier, 250 × 32 × 64 × 64'],
  ['C2 rectifier f32', 'rectifier, 256 × 100 × 256 × 256'],
  ['C3 rectifier f32', 'rectifier, 1 × 32 × 64 × 64'],
  ['C1 logsumexp f32', 'logsumexp, 250 × 32 × 64 × 64'],
  ['C1 rectifier f32 gradients', 'rectifier with three gradients'],
  ['S1 max-plus 1024 f32', 'max-plus, 1024 × 1024 × 1024'],
  ['G1 grid f64', 'grid tensor of a million scores'],
  ['N1 TT step rectifier f32', 'training step of TT, 1.9 million weights'],
];

const PEERS: readonly string[] = ['torch', 'onnxruntime', 'tfjs-wasm', 'numpy'];

const BEGIN = '<!-- speed: made by npm run bench -- --docs -->';
const END = '<!-- /speed -->';

/** One thread: ours in time and part of the peak, and how many times faster that is than each peer. */
export function speedTable(result: BenchResult): string {
  const ours = (workload: string, subjects: readonly string[]) => firstOf(result.records, workload, subjects);
  const cell = (record: BenchRecord | undefined) => {
    if (!record) return '–';
    const part = record.fractionOfPeak;
    // Of tiles the peak of multiply-adds is no measure, nor where more than that means that work was saved.
    const shown = part !== null && part <= 1 && record.subject !== AMX;
    return `${duration(record.medianMs)}${shown ? `, ${percent(part)}` : ''}`;
  };
  const rows = SHOWN.flatMap(([workload, what]) => {
    const native = ours(workload, NATIVE);
    if (!native) return [];
    const peers = PEERS.map((name) => {
      const peer = result.records.find((r) => r.workload === workload && r.subject === name);
      return peer ? `${timesFaster(native, peer).toFixed(1)} ×` : '–';
    });
    return [[what, cell(native), cell(ours(workload, ['xitensor/wasm'])), ...peers]];
  });
  const { processor, node, date, peers } = result.machine;
  const isa = ours(SHOWN[0][0], NATIVE)?.subject.split('/')[2];
  const versions = Object.entries(peers).filter(([name]) => /torch|onnxruntime|tfjs|numpy/i.test(name));
  return [
    table(['one thread; of peak', 'native', 'WebAssembly', ...PEERS.map((name) => `× ${name}`)], rows),
    '',
    `${[processor, isa, `Node ${node}`, date].filter(Boolean).join(', ')}; ${versions.map(([name, version]) => `${name} ${version}`).join(', ')}.`,
  ].join('\n');
}

const LEGEND =
  'Sizes are B × L × R × K of `out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j])`. A cell is the median time on one thread and, where the work is ' +
  "multiply-adds, its share of the core's multiply-add peak in the same run; AMX tiles and shortcuts that save work have no share. × says how " +
  'many times faster native is than a peer; below 1 the peer is faster. PyTorch and NumPy are the builds of Debian 12.';

/** The README with the table of the newest result, and those of other machines folded away, made anew. */
export function withSpeedTables(readme: string, results: readonly BenchResult[]): string {
  const [from, to] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`expected ${BEGIN} and ${END} in README.md`);
  const [newest, ...others] = results.map(speedTable);
  const folded = ['<details><summary>Other machines</summary>', ...others, '</details>'];
  const tables = [newest, LEGEND, ...(others.length > 0 ? folded : [])].join('\n\n');
  return `${readme.slice(0, from)}${BEGIN}\n\n${tables}\n\n${readme.slice(to)}`;
}
