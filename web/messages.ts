import type { BackendName } from '../src/backend/interface.ts';
import type { Xi } from '../src/core/xi.gen.ts';
import type { Choice } from './choice.ts';
import type { Drawn } from './study.ts';
import type { Times } from './turns.ts';

/** What the page asks of its worker. A new study ends the one before. */
export type Request =
  | { readonly type: 'study'; readonly id: number; readonly choice: Choice }
  | { readonly type: 'stop' }
  | { readonly type: 'digit'; readonly id: number; readonly pixels: Float32Array }
  | { readonly type: 'speed'; readonly xi: Xi };

/** One way to compute, timed. */
export interface Speed {
  readonly name: string;
  readonly times: Times;
  /** Of the median. */
  readonly gflops: number;
}

export type Reply =
  | {
      readonly type: 'engine';
      readonly backend: BackendName;
      readonly isa: string;
      readonly threads: number;
      readonly note: string;
    }
  | {
      readonly type: 'drawn';
      readonly id: number;
      readonly done: number;
      readonly ranks: readonly number[];
      readonly last: Drawn;
    }
  | {
      readonly type: 'digit';
      readonly id: number;
      readonly scores: Float32Array;
      readonly states: readonly Float32Array[];
    }
  | {
      readonly type: 'speed';
      readonly xi: Xi;
      readonly backend: BackendName;
      readonly speeds: readonly Speed[];
      readonly difference: number;
    }
  | { readonly type: 'failed'; readonly of: Request['type'] | 'engine'; readonly message: string };
