import type { Backend } from '../backend/interface.ts';
import type { DType } from '../core/tensor.ts';
import { drawInputs } from './inputs.ts';
import type { Absence, BenchRecord } from './records.ts';
import { measures, type Prepared, type Subject } from './subject.ts';
import { median, time, timingOf } from './timer.ts';
import { verify } from './verify.ts';
import type { Watch } from './watch.ts';
import { hasOperations, operationsOf, type Workload } from './workloads.ts';

export interface Pace {
  readonly rounds: number;
  /** Milliseconds that a subject works in a round. */
  readonly roundMs: number;
  /** Milliseconds that it waits for a calm moment. */
  readonly patienceMs: number;
}

/** A subject that needs more than so many lengths of a round for one call is there for its order of magnitude. */
const SLOW = 8;
const SLOW_ROUNDS = 3;
const VERY_SLOW = 25;
/** Timings of a round that may end in a moment that is not calm before one of them is taken as it is. */
const ATTEMPTS = 5;

/** Repetitions of the peak loop that take about `milliseconds` a call. */
function peakRepetitions(backend: Backend, dtype: DType, milliseconds: number): number {
  const pilot = 100_000;
  backend.peak(dtype, pilot);
  return Math.max(1, Math.round((pilot * milliseconds) / time(() => backend.peak(dtype, pilot))));
}

/** Gigaflops of multiply-adds on registers alone. */
function peakOf(backend: Backend, dtype: DType, repetitions: number): number {
  const start = performance.now();
  const operations = backend.peak(dtype, repetitions);
  return operations / (performance.now() - start) / 1e6;
}

/** The float32 peak of a core by itself, for the head of the table. */
export function corePeak(core: Backend, { roundMs }: Pace): number {
  const repetitions = peakRepetitions(core, 'float32', roundMs / 2);
  return median(Array.from({ length: 9 }, () => peakOf(core, 'float32', repetitions)));
}

/** What a measurement tells while it goes on. */
export interface Report {
  record(record: BenchRecord): void;
  absent(absence: Absence): void;
  /** Waited for between two timings: the part of the workload that is done. */
  progress?(part: number): void | Promise<void>;
}

/** About this part of the time goes into preparing: trials of forms, first calls. */
const PREPARING = 0.3;

interface Lane {
  readonly subject: Subject;
  readonly prepared: Prepared;
  readonly watch: Watch;
  readonly calls: number;
  /** Whether each round begins with a call that is not counted. */
  readonly warm: boolean;
  readonly rounds: number;
  readonly limitRepetitions: number;
  readonly ms: (number | null)[];
  readonly ofPeak: number[];
  readonly ofLimit: number[];
  disturbed: number;
}

/** The core of this process: its widest backend on one thread, and who watches it and, for subjects of several threads, all cores. */
export interface Core {
  readonly backend: Backend;
  watch(threads: number): Watch;
}

/** A round of a subject: the peaks of the core and of the subject, and milliseconds of a call, between two calm moments if there are any. */
async function takeTurn(lane: Lane, dtype: DType, core: Backend, coreRepetitions: number, pace: Pace) {
  const { prepared, subject, watch, calls, warm } = lane;
  for (let attempt = 1; ; attempt++) {
    // Others ran in between, and on a shared machine the first call after them took up to twice as long as the next.
    if (warm) await prepared.round(1);
    if (warm) await watch.wait(pace.patienceMs);
    const peak = peakOf(core, dtype, coreRepetitions);
    const limit = subject.backend ? peakOf(subject.backend, dtype, lane.limitRepetitions) : Number.NaN;
    const ms = (await prepared.round(calls)) / calls;
    const calm = await watch.calm();
    if (calm || !warm || attempt === ATTEMPTS) return { peak, limit, ms, calm };
  }
}

/**
 * Measures a workload on all subjects side by side: a round is the peak of the core and then each subject once, ours
 * with its own limit before it, after a call that is not counted. Machines are shared and their speed drifts, so a timing begins
 * and ends in a calm moment, and ratios are taken within a round.
 */
export async function measure(
  workload: Workload,
  subjects: readonly Subject[],
  { backend: core, watch }: Core,
  pace: Pace,
  report: Report,
): Promise<void> {
  const inputs = drawInputs(workload);
  const { dtype } = workload;
  const lanes: Lane[] = [];
  const measured = subjects.filter((subject) => measures(subject, workload));
  for (const [n, subject] of measured.entries()) {
    await report.progress?.((PREPARING * n) / measured.length);
    try {
      const prepared = await subject.prepare(workload, inputs);
      let once = await prepared.round(1);
      const { roundMs } = pace;
      if (once < VERY_SLOW * roundMs) once = await prepared.round(1);
      // A small function is compiled for good only after thousands of calls.
      if (workload.kind === 'call') await prepared.round(5000);
      // One call of a tiny workload is no measure of the next.
      const pilot = once < roundMs / 20 ? (await prepared.round(20)) / 20 : once;
      const warm = once < SLOW * roundMs;
      const enough = warm ? pace.rounds : once < VERY_SLOW * roundMs ? SLOW_ROUNDS : 2;
      lanes.push({
        subject,
        prepared,
        watch: prepared.watch ?? watch(subject.threads),
        calls: Math.max(1, Math.round(roundMs / Math.max(1e-5, pilot))),
        warm,
        rounds: Math.min(enough, pace.rounds),
        limitRepetitions: subject.backend ? peakRepetitions(subject.backend, dtype, roundMs / 4) : 0,
        ms: [],
        ofPeak: [],
        ofLimit: [],
        disturbed: 0,
      });
    } catch (error) {
      report.absent({
        subject: subject.name,
        workload: workload.name,
        reason: (error as Error).message.split('\n')[0],
      });
    }
  }
  const coreRepetitions = peakRepetitions(core, dtype, pace.roundMs / 4);
  const operations = operationsOf(workload);
  for (let round = 0; round < pace.rounds; round++) {
    for (const [n, lane] of lanes.entries()) {
      const rounds = (round + n / lanes.length) / pace.rounds;
      await report.progress?.(PREPARING + (1 - PREPARING) * rounds);
      if (round >= lane.rounds) {
        lane.ms.push(null);
        continue;
      }
      const { ms, peak, limit, calm } = await takeTurn(lane, dtype, core, coreRepetitions, pace);
      const gflops = operations / ms / 1e6 / lane.subject.threads;
      if (!calm) lane.disturbed++;
      lane.ms.push(ms);
      lane.ofPeak.push(gflops / peak);
      lane.ofLimit.push(gflops / limit);
    }
  }
  for (const lane of lanes) {
    const { subject, prepared } = lane;
    const timing = timingOf(lane.ms.filter((ms) => ms !== null));
    const meaningful = hasOperations(workload);
    report.record({
      workload: workload.name,
      subject: subject.name,
      threads: subject.threads,
      form: prepared.form,
      ...timing,
      gflops: operations / timing.medianMs / 1e6,
      fractionOfPeak: meaningful ? median(lane.ofPeak) : null,
      fractionOfLimit: meaningful && subject.backend ? median(lane.ofLimit) : null,
      verified: verify(workload, inputs, await prepared.outputs()),
      rounds: lane.ms.map((ms) => (ms === null ? null : Number(ms.toPrecision(5)))),
      disturbed: lane.disturbed,
      ...(prepared.tried && { tried: prepared.tried }),
    });
    await prepared.release?.();
  }
}
