import { median } from './timer.ts';

/** One way to state a computation, as it did in the trial that chose the best. */
export interface FormTrial {
  readonly form: string;
  /** null for a form that failed, for `reason`. */
  readonly ms: number | null;
  readonly reason?: string;
  /** Not eligible: wrong for some inputs for which ours is right. */
  readonly unsafe?: boolean;
}

/** One line of a benchmark; `fractionOfPeak` is of this core's FMA peak, `fractionOfLimit` of the subject's own. */
export interface BenchRecord {
  readonly workload: string;
  readonly subject: string;
  readonly threads: number;
  /** How the subject was asked: the fastest of `tried`. */
  readonly form: string;
  readonly medianMs: number;
  readonly spread: number;
  readonly gflops: number;
  /** A thread's part; null for peers' own limits and for calls too small to have any. */
  readonly fractionOfPeak: number | null;
  readonly fractionOfLimit: number | null;
  readonly verified: boolean;
  /** Milliseconds of a call in each round, null where a slow subject sat it out; what ratios are made of. */
  readonly rounds: readonly (number | null)[];
  /** How many of them had no calm moment: another tenant of the machine was at work beside them. */
  readonly disturbed?: number;
  readonly tried?: readonly FormTrial[];
}

/** A subject that could not take part, and why. */
export interface Absence {
  readonly subject: string;
  readonly workload?: string;
  readonly reason: string;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly caches: readonly string[];
  readonly platform: string;
  readonly kernel: string;
  readonly node: string;
  readonly compiler: string;
  readonly date: string;
  readonly peers: Readonly<Record<string, string>>;
}

/** A run: what `--json` writes. `peak` is the float32 multiply-add peak of a core in GFLOP/s. */
export interface BenchResult {
  readonly machine: Machine;
  readonly peak: number;
  readonly records: readonly BenchRecord[];
  readonly absent: readonly Absence[];
}

/** Products of bf16 parts, to which the peak of multiply-adds is no limit. */
export const AMX = 'xitensor/native/amx';

/** Native instruction sets in the order in which they are taken unasked (native/isas.def). */
export const NATIVE = [AMX, ...['avx512', 'avx2', 'sse2', 'neon'].map((isa) => `xitensor/native/${isa}`)];

/** Those whose products are multiply-adds, so that their peak is a limit. */
export const MULTIPLY_ADDS = NATIVE.filter((subject) => subject !== AMX);

/** How many times faster `ours` is than `theirs`: the median of the ratios of the rounds that both were in. */
export function timesFaster(ours: BenchRecord, theirs: BenchRecord): number {
  const ratios = ours.rounds.flatMap((ms, round) => {
    const other = theirs.rounds[round];
    return ms && other ? [other / ms] : [];
  });
  return ratios.length > 0 ? median(ratios) : theirs.medianMs / ours.medianMs;
}

/** The record of the first of the subjects that the workload was measured with: what one gets, not the luckiest of several. */
export function firstOf(
  records: readonly BenchRecord[],
  workload: string,
  subjects: readonly string[],
  threads = 1,
): BenchRecord | undefined {
  const found = records.filter((r) => r.workload === workload && r.threads === threads);
  return subjects.flatMap((name) => found.filter((r) => r.subject === name))[0];
}

/** The fastest record of a workload among those that fit. */
export function fastest(
  records: readonly BenchRecord[],
  workload: string,
  subject: RegExp,
  threads = 1,
): BenchRecord | undefined {
  return records
    .filter((r) => r.workload === workload && r.threads === threads && subject.test(r.subject))
    .sort((x, y) => x.medianMs - y.medianMs)[0];
}
