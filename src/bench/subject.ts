import type { Backend } from '../backend/interface.ts';
import type { FormTrial } from './records.ts';
import { time } from './timer.ts';
import type { Watch } from './watch.ts';
import { type Inputs, isModel, type Outputs, type Workload } from './workloads.ts';

/** A workload on a subject, warm and ready to be timed. */
export interface Prepared {
  readonly form: string;
  readonly tried?: readonly FormTrial[];
  /** Does the work `calls` times and resolves with the milliseconds of all of them, by the subject's own clock. */
  round(calls: number): number | Promise<number>;
  /** The result of a call. */
  outputs(): Outputs | Promise<Outputs>;
  /** Of the core that it runs on, where another process than this one computes. */
  readonly watch?: Watch;
  release?(): void | Promise<void>;
}

/** Something that computes: a backend of ours, or a peer. Peers are added by providing this. */
export interface Subject {
  readonly name: string;
  readonly threads: number;
  /** The backend behind it, which knows its own limit; peers have none. */
  readonly backend?: Backend;
  /** Whether the subject has anything to say about a workload. */
  answers(workload: Workload): boolean;
  /** Rejects with the reason where this installation cannot do what `answers` promises. */
  prepare(workload: Workload, inputs: Inputs): Prepared | Promise<Prepared>;
  close?(): void | Promise<void>;
}

/**
 * Whether to measure: of precisions below float32 only what the subject's own tile computes, and nothing that is in float32; of
 * a subject that contracts float32 by its own tile nothing else: all other kernels are those of another subject, and those of
 * contractions that are too small for tiles.
 */
export function measures(subject: Subject, workload: Workload): boolean {
  const precision = workload.kind === 'contract' ? workload.precision : undefined;
  const { backend } = subject;
  if (precision !== undefined && (!backend || backend.tiles[precision] !== backend.isa)) return false;
  if (backend?.tiles.float32 === backend?.isa && backend !== undefined && !contractsFloats(workload))
    return false;
  return subject.answers(workload);
}

/** Whether contractions of float32 are a part of it, which CP networks have none of. */
const contractsFloats = (workload: Workload): boolean =>
  workload.dtype === 'float32' &&
  workload.kind !== 'maxplus' &&
  !(isModel(workload) && workload.model.kind === 'cp');

/** One way to state a computation to a subject that runs here. */
export interface Form {
  readonly name: string;
  run(): unknown;
  outputs(): Outputs | Promise<Outputs>;
}

/** The shortest of some calls: what other tenants of the machine take away must not decide which form is best. */
async function trial({ run }: Form): Promise<number> {
  const times: number[] = [];
  const start = performance.now();
  let spent = 0;
  do {
    const from = performance.now();
    await run();
    times.push(performance.now() - from);
    spent = performance.now() - start;
  } while (spent < 1000 && (times.length < 4 || spent < 60));
  return Math.min(...times);
}

/**
 * Tries the forms and prepares the fastest. A form that throws is left out with its reason in `tried`, unless all do.
 * `async` forms return promises, which are awaited one by one.
 */
export async function prepareBest(forms: readonly Form[], { async = false } = {}): Promise<Prepared> {
  const tried: (FormTrial & { of: Form })[] = [];
  const failed: (FormTrial & { reason: string })[] = [];
  for (const form of forms) {
    try {
      tried.push({ form: form.name, ms: forms.length > 1 ? await trial(form) : 0, of: form });
    } catch (error) {
      failed.push({ form: form.name, ms: null, reason: (error as Error).message });
    }
  }
  if (tried.length === 0) throw new Error(failed.map(({ form, reason }) => `${form}: ${reason}`).join('; '));
  const { of: best } = tried.reduce((x, y) => ((y.ms ?? 0) < (x.ms ?? 0) ? y : x));
  const round = async (calls: number) => {
    const start = performance.now();
    for (let n = 0; n < calls; n++) await best.run();
    return performance.now() - start;
  };
  const synchronous = (calls: number) =>
    time(() => {
      for (let n = 0; n < calls; n++) best.run();
    });
  return {
    form: best.name,
    ...(forms.length > 1 && { tried: [...tried.map(({ form, ms }) => ({ form, ms })), ...failed] }),
    round: async ? round : synchronous,
    outputs: () => best.outputs(),
  };
}
