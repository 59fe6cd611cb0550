import type { Backend, ContractSizes, Storage } from '../src/backend/interface.ts';
import { selectBackend } from '../src/backend/select.ts';
import { Rng } from '../src/core/rng.ts';
import { allocate, type DType, type FloatArray } from '../src/core/tensor.ts';
import { XI, type Xi } from '../src/core/xi.gen.ts';
import { ownSubjects, type Subject } from './subjects.ts';
import { callsFor, median, time, timingOf } from './timer.ts';

/** One line of a benchmark; `fractionOfPeak` is of this core's FMA peak, `fractionOfLimit` of the subject's own. */
export interface BenchRecord {
  readonly workload: string;
  readonly subject: string;
  readonly threads: number;
  readonly medianMs: number;
  readonly spread: number;
  readonly gflops: number;
  readonly fractionOfPeak: number;
  readonly fractionOfLimit: number;
  readonly verified: boolean;
}

interface Workload {
  readonly name: string;
  readonly xi: Xi;
  readonly dtype: DType;
  readonly sizes: ContractSizes;
  readonly gradient?: boolean;
}

const C1 = { B: 250, L: 32, R: 64, K: 64 };
const C2 = { B: 256, L: 100, R: 256, K: 256 };

export const WORKLOADS: readonly Workload[] = [
  { name: 'C2 rectifier f32', xi: 'rectifier', dtype: 'float32', sizes: C2 },
  { name: 'C2 product f32', xi: 'product', dtype: 'float32', sizes: C2 },
  { name: 'C2 rectifier f64', xi: 'rectifier', dtype: 'float64', sizes: C2 },
  { name: 'C1 rectifier f32', xi: 'rectifier', dtype: 'float32', sizes: C1 },
  { name: 'C1 logsumexp f32', xi: 'logsumexp', dtype: 'float32', sizes: C1 },
  { name: 'C1 rectifier f32 gradients', xi: 'rectifier', dtype: 'float32', sizes: C1, gradient: true },
];

/** Rounds of peak, workload, peak, workload, …: each ratio is of neighbours in time, as the machine is shared. */
const ROUNDS = 15;
const ROUND_MS = 40;

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

/** Measures one workload on one subject; `core` is the backend whose instruction set has this core's highest peak. */
function measure(
  workload: Workload,
  { name, backend }: Subject,
  core: Backend,
): BenchRecord & { peak: number } {
  const { sizes, dtype, xi, gradient } = workload;
  const { B, L, R, K } = sizes;
  const rng = new Rng(7);
  const draw = (count: number) => {
    const data = allocate(dtype, count);
    for (let n = 0; n < count; n++) data[n] = rng.normal();
    const storage = backend.allocate(dtype, count);
    storage.write(data);
    return { data, storage };
  };
  const [a, h, G, dout] = [B * L, B * R, L * R * K, B * K].map(draw);
  const out = backend.allocate(dtype, B * K);
  const to = {
    da: backend.allocate(dtype, B * L),
    dh: backend.allocate(dtype, B * R),
    dG: backend.allocate(dtype, L * R * K),
  };
  const forward = () => backend.contract(xi, sizes, a.storage, h.storage, G.storage, out);
  const from = { a: a.storage, h: h.storage, G: G.storage, dout: dout.storage };
  const run = gradient ? () => backend.contractGradient(xi, sizes, from, to, false) : forward;
  const operations = 2 * B * L * R * K * (gradient ? 2 : 1);

  const slow = backend.name === 'reference';
  const rounds = slow ? 3 : ROUNDS;
  const calls = slow ? 1 : callsFor(ROUND_MS, run);
  const coreRepetitions = peakRepetitions(core, dtype, ROUND_MS / 4);
  const ownRepetitions = peakRepetitions(backend, dtype, ROUND_MS / 4);
  const times: number[] = [];
  const ofPeak: number[] = [];
  const ofLimit: number[] = [];
  const peaks: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const peak = peakOf(core, dtype, coreRepetitions);
    const limit = peakOf(backend, dtype, ownRepetitions);
    const elapsed = time(() => {
      for (let n = 0; n < calls; n++) run();
    });
    const gflops = (operations * calls) / elapsed / 1e6 / backend.threads;
    times.push(elapsed / calls);
    peaks.push(peak);
    ofPeak.push(gflops / peak);
    ofLimit.push(gflops / limit);
  }
  const timing = timingOf(times);
  return {
    workload: workload.name,
    subject: name,
    threads: backend.threads,
    ...timing,
    gflops: operations / timing.medianMs / 1e6,
    fractionOfPeak: median(ofPeak),
    fractionOfLimit: median(ofLimit),
    verified: gradient
      ? verifyGradient(workload, [a.data, h.data, G.data, dout.data], to)
      : verify(workload, a.data, h.data, G.data, out),
    peak: median(peaks),
  };
}

const EPSILON: Readonly<Record<DType, number>> = { float32: 2 ** -23, float64: 2 ** -52 };

/** Compares some rows with sums in float64. */
function verify(
  { sizes, xi, dtype }: Workload,
  a: FloatArray,
  h: FloatArray,
  G: FloatArray,
  out: Storage,
): boolean {
  const { B, L, R, K } = sizes;
  const got = out.read();
  for (const b of [0, 1, B >> 1, B - 1]) {
    const want = new Float64Array(K);
    const scale = new Float64Array(K);
    for (let i = 0; i < L; i++) {
      for (let j = 0; j < R; j++) {
        const joined = XI[xi].value(a[b * L + i], h[b * R + j]);
        for (let k = 0; k < K; k++) {
          const term = G[(i * R + j) * K + k] * joined;
          want[k] += term;
          scale[k] += Math.abs(term);
        }
      }
    }
    for (let k = 0; k < K; k++) {
      if (!(Math.abs(got[b * K + k] - want[k]) <= 64 * EPSILON[dtype] * scale[k])) return false;
    }
  }
  return true;
}

/** Compares some entries of each gradient with sums in float64; `inputs` are a, h, G and dout. */
function verifyGradient(
  { sizes, xi, dtype }: Workload,
  [a, h, G, dout]: readonly FloatArray[],
  { da, dh, dG }: { da: Storage; dh: Storage; dG: Storage },
): boolean {
  const { B, L, R, K } = sizes;
  const { value, dx, dy } = XI[xi];
  const weight = (b: number, i: number, j: number) => {
    let sum = 0;
    for (let k = 0; k < K; k++) sum += G[(i * R + j) * K + k] * dout[b * K + k];
    return sum;
  };
  const range = (count: number) => Array.from({ length: count }, (_, n) => n);
  const close = (got: number, terms: readonly number[]) => {
    const scale = terms.reduce((sum, term) => sum + Math.abs(term), 0);
    const want = terms.reduce((sum, term) => sum + term, 0);
    return Math.abs(got - want) <= 64 * Math.sqrt(K) * EPSILON[dtype] * scale;
  };
  const [gotA, gotH, gotG] = [da, dh, dG].map((storage) => storage.read());
  return [0, 0.5, 0.999].every((part) => {
    const [b, i, j, k] = [B, L, R, K].map((extent) => Math.floor(part * extent));
    const pair = (b: number, i: number, j: number) => [a[b * L + i], h[b * R + j]] as const;
    return (
      close(
        gotG[(i * R + j) * K + k],
        range(B).map((b) => value(...pair(b, i, j)) * dout[b * K + k]),
      ) &&
      close(
        gotA[b * L + i],
        range(R).map((j) => weight(b, i, j) * dx(...pair(b, i, j))),
      ) &&
      close(
        gotH[b * R + j],
        range(L).map((i) => weight(b, i, j) * dy(...pair(b, i, j))),
      )
    );
  });
}

/** Measures the contraction on every backend and instruction set and prints a line each. */
export function benchContraction(only: (subject: Subject) => boolean): {
  peak: number;
  records: BenchRecord[];
} {
  const core = selectBackend({ threads: 1 }).backend;
  const repetitions = peakRepetitions(core, 'float32', 20);
  const peak = median(Array.from({ length: 15 }, () => peakOf(core, 'float32', repetitions)));
  console.log(`FMA peak of this core, float32, ${core.name} ${core.isa}: ${peak.toFixed(1)} GFLOP/s\n`);
  console.log(
    `${'workload'.padEnd(28)}${'subject'.padEnd(25)}threads  median ms  spread   GFLOP/s  of core peak  of own limit  verified`,
  );
  const subjects = ownSubjects().filter(only);
  const records: BenchRecord[] = [];
  for (const workload of WORKLOADS) {
    for (const subject of subjects) {
      // The definition needs a minute for a large contraction, and its speed is of no interest.
      if (subject.backend.name === 'reference' && workload.sizes.L * workload.sizes.R > 4096) continue;
      const { peak: _, ...record } = measure(workload, subject, core);
      records.push(record);
      console.log(format(record));
    }
  }
  return { peak, records };
}

function format(r: BenchRecord): string {
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  return [
    r.workload.padEnd(28),
    r.subject.padEnd(25),
    String(r.threads).padStart(7),
    r.medianMs.toFixed(3).padStart(11),
    percent(r.spread).padStart(8),
    r.gflops.toFixed(1).padStart(10),
    percent(r.fractionOfPeak).padStart(14),
    percent(r.fractionOfLimit).padStart(14),
    (r.verified ? 'yes' : 'NO').padStart(10),
  ].join('');
}
