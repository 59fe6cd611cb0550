import {
  AMX,
  type BenchRecord,
  type BenchResult,
  firstOf,
  MULTIPLY_ADDS,
  NATIVE,
  timesFaster,
} from '../src/bench/records.ts';
import { percent } from '../src/bench/table.ts';

/** What a target came to. */
export interface TargetOutcome extends Outcome {
  readonly workload: string;
  readonly wanted: string;
}

interface Outcome {
  readonly measured: string;
  /** Undefined where the run has no figure for it; `measured` says why. */
  readonly met: boolean | undefined;
  /** Whether it wants more than the limit of our own instructions in this run. */
  readonly beyond?: boolean;
}

interface Target {
  readonly workload: string;
  readonly wanted: string;
  evaluate(result: BenchResult): Outcome;
}

const WASM = ['xitensor/wasm'];

const missing = (what: string) => ({ measured: `no record of ${what}`, met: undefined });

type Pick = (result: BenchResult, workload: string) => BenchRecord | undefined;
const ours =
  (subjects: readonly string[], threads = 1): Pick =>
  ({ records }, workload) =>
    firstOf(records, workload, subjects, threads);

/** A part of the peak of the core, or with `fractionOfLimit` of what the subject's own instructions allow. */
function atLeastOf(
  workload: string,
  part: number,
  of: string,
  {
    subject = MULTIPLY_ADDS,
    field = 'fractionOfPeak' as 'fractionOfPeak' | 'fractionOfLimit',
    unit = 1,
  } = {},
): Target {
  return {
    workload,
    wanted: `≥ ${Math.round(100 * part)} % of ${of}`,
    evaluate(result) {
      const record = ours(subject)(result, workload);
      const fraction = record?.[field];
      if (!record || fraction == null) return missing(subject === WASM ? 'xitensor/wasm' : 'xitensor/native');
      return { measured: `${percent(fraction / unit)} (${record.subject})`, met: fraction / unit >= part };
    },
  };
}

/**
 * So many times faster than a peer, by the median of the rounds' ratios; `beside` is a peer to tell of as well. Where the
 * work is multiply-adds and nothing else (`bounded`) the ratio at the limit of our own instructions is told too:
 * ratio / fractionOfLimit, which no program with these instructions can exceed. Of tiles the ratio of multiply-adds is.
 */
function timesPeer(
  workload: string,
  factor: number,
  peer: string,
  { subject = NATIVE, beside = '', bounded = false } = {},
): Target {
  return {
    workload,
    wanted: factor === 1 ? `beats ${peer}` : `≥ ${factor} × ${peer}`,
    evaluate(result) {
      const record = ours(subject)(result, workload);
      const other = result.records.find((r) => r.workload === workload && r.subject === peer);
      if (!record) return missing(subject === WASM ? 'xitensor/wasm' : 'xitensor/native');
      if (!other) return missing(peer);
      const ratio = timesFaster(record, other);
      const met = factor === 1 ? ratio > 1 : ratio >= factor;
      const aside = beside && result.records.find((r) => r.workload === workload && r.subject === beside);
      const note = aside ? `; ${timesFaster(record, aside).toFixed(2)} × ${beside}` : '';
      const isAmx = record.subject === AMX;
      const without = isAmx && ours(MULTIPLY_ADDS)(result, workload);
      const added = without ? `; ${timesFaster(without, other).toFixed(2)} × (${without.subject})` : '';
      const bound = bounded && !isAmx && record.fractionOfLimit ? ratio / record.fractionOfLimit : undefined;
      const most = bound === undefined ? '' : `, at most ${bound.toFixed(2)} ×`;
      const beyond = bound !== undefined && bound < factor;
      return { measured: `${ratio.toFixed(2)} ×${most} (${record.subject})${note}${added}`, met, beyond };
    },
  };
}

/** So many times faster on all cores than on one; for two cores. */
function timesOneThread(workload: string, factor: number, subject: readonly string[], name: string): Target {
  return {
    workload,
    wanted: `two threads ≥ ${factor} × one, ${name}`,
    evaluate(result) {
      const one = ours(subject)(result, workload);
      const two = result.records.find(
        (r) => r.workload === workload && r.subject === one?.subject && r.threads === 2,
      );
      if (!one || !two) return missing(`${name} on two threads`);
      const ratio = timesFaster(two, one);
      return { measured: `${ratio.toFixed(2)} × (${one.subject})`, met: ratio >= factor };
    },
  };
}

function atMostMicroseconds(
  workload: string,
  limit: number,
  subject: readonly string[],
  name: string,
): Target {
  return {
    workload,
    wanted: `≤ ${limit} µs a call, ${name}`,
    evaluate(result) {
      const record = ours(subject)(result, workload);
      if (!record) return missing(name);
      const us = 1000 * record.medianMs;
      return { measured: `${us.toFixed(2)} µs (${record.subject})`, met: us <= limit };
    },
  };
}

/** The AMX tier beside the multiply-add peak of the vector units. */
function amx(workload: string, factor: number): Target {
  return {
    workload,
    wanted: `AMX: ≥ ${factor} × the FMA peak`,
    evaluate(result) {
      const record = ours([AMX])(result, workload);
      if (record?.fractionOfPeak == null) return missing(AMX);
      return {
        measured: `${record.fractionOfPeak.toFixed(2)} ×`,
        met: record.fractionOfPeak >= factor,
      };
    },
  };
}

const COST_OF_L: Target = {
  workload: 'G2 grid',
  wanted: 'cost within 1.5 × when L doubles',
  evaluate(result) {
    const [small, large] = ['G2 grid L64 f64', 'G2 grid L128 f64'].map((name) => ours(NATIVE)(result, name));
    if (!small || !large) return missing('xitensor/native for both L');
    const ratio = large.medianMs / small.medianMs;
    return { measured: `${ratio.toFixed(2)} × (${small.subject})`, met: ratio <= 1.5 };
  },
};

/** The targets, a row each, as they were set before the kernels were written. */
export const TARGETS: readonly Target[] = [
  ...['C1 rectifier f32', 'C1 product f32'].flatMap((workload) => [
    atLeastOf(workload, 0.8, 'the FMA peak'),
    timesPeer(workload, 1.5, 'onnxruntime', { bounded: true }),
    timesPeer(workload, 1.5, 'torch', { bounded: true }),
  ]),
  ...['C2 rectifier f32', 'C2 product f32'].flatMap((workload) => [
    atLeastOf(workload, 0.85, 'the FMA peak'),
    timesPeer(workload, 1.15, 'onnxruntime', { bounded: true }),
    timesPeer(workload, 1.25, 'torch', { bounded: true }),
    timesPeer(workload, 1, 'openblas', { bounded: true }),
  ]),
  amx('C2 rectifier f32', 1.5),
  amx('C2 rectifier bf16x3', 2.5),
  amx('C2 rectifier bf16', 5),
  timesPeer('C1 logsumexp f32', 2.5, 'torch', { beside: 'torch-overflowing', bounded: true }),
  timesPeer('C1 l2 f32', 2.5, 'torch', { beside: 'torch-overflowing', bounded: true }),
  timesPeer('C1 rectifier f32 gradients', 3, 'torch', { beside: 'torch-by-hand', bounded: true }),
  atLeastOf('S1 max-plus 1024 f32', 0.8, 'half the FMA peak', { unit: 0.5 }),
  timesPeer('S1 max-plus 1024 f32', 5, 'naive-c', { beside: 'c-interchanged' }),
  timesPeer('G1 grid f64', 10, 'torch'),
  timesPeer('G1 grid f64', 10, 'numpy'),
  COST_OF_L,
  timesOneThread('C2 rectifier f32', 1.85, MULTIPLY_ADDS, 'native'),
  timesOneThread('C2 product f32', 1.85, MULTIPLY_ADDS, 'native'),
  ...['C1 rectifier f32', 'C2 rectifier f32'].flatMap((workload, n) => [
    atLeastOf(workload, 0.85, 'the limit of register tiles in WebAssembly', {
      subject: WASM,
      field: 'fractionOfLimit',
    }),
    timesPeer(workload, n === 0 ? 3 : 1.8, 'tfjs-wasm', { subject: WASM, bounded: true }),
    timesOneThread(workload, 1.8, WASM, 'wasm'),
  ]),
  timesPeer('N1 TT step rectifier f32', 3, 'torch', { bounded: true }),
  timesPeer('N1 TT step rectifier f32', 5, 'torch-plain', { bounded: true }),
  timesPeer('N1 TT step rectifier f32', 3, 'tfjs-wasm', { subject: WASM, bounded: true }),
  timesPeer('N2 CP step rectifier f32', 3, 'torch'),
  timesPeer('N3 HT step rectifier f32', 3, 'torch', { bounded: true }),
  timesPeer('N4 CP score rectifier f32', 1.8, 'torch', { bounded: true }),
  timesPeer('N4 CP score rectifier f32', 10, 'tfjs-wasm'),
  timesPeer('R1 rank f64', 8, 'numpy'),
  timesPeer('R2 exact rank f64', 1, 'numpy'),
  timesPeer('D1 TT-SVD full f64', 3, 'numpy'),
  timesPeer('D2 TT-SVD rank 10 f64', 3, 'numpy'),
  timesPeer('D3 randomized TT-SVD f64', 10, 'numpy'),
  atMostMicroseconds('boundary backend.contract', 2, NATIVE, 'native'),
  atMostMicroseconds('boundary backend.contract', 5, WASM, 'wasm'),
];

export function checkTargets(result: BenchResult): TargetOutcome[] {
  return TARGETS.map((target) => ({
    workload: target.workload,
    wanted: target.wanted,
    ...target.evaluate(result),
  }));
}

export function verdict({ met, beyond }: Outcome): string {
  if (met === undefined) return 'no figure';
  if (met) return 'met';
  return beyond ? 'beyond the limit' : 'NOT MET';
}

/** The outcomes as aligned lines, with a count at the end. */
export function targetLines(outcomes: readonly TargetOutcome[]): string[] {
  const lines = outcomes.map((outcome) =>
    [
      outcome.workload.padEnd(27),
      outcome.wanted.padEnd(53),
      outcome.measured.padEnd(85),
      verdict(outcome),
    ].join(' '),
  );
  const count = (met: boolean | undefined) => outcomes.filter((o) => o.met === met).length;
  const beyond = outcomes.filter((o) => verdict(o) === 'beyond the limit').length;
  return [
    ...lines,
    `${count(true)} targets met, ${count(false)} not met (${beyond} of them beyond the limit of our instructions), ` +
      `${count(undefined)} without a figure`,
  ];
}
