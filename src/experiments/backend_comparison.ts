import { BACKEND_NAMES, type Backend, type BackendName } from '../backend/interface.ts';
import { probeBackend, selectBackend } from '../backend/select.ts';
import { contract } from '../contract/contract.ts';
import { product } from '../core/extents.ts';
import { Rng } from '../core/rng.ts';
import { type Tensor, tensor } from '../core/tensor.ts';

/** Sizes of the contraction of {@link compareBackends}: out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j]). */
export const COMPARED = { B: 100, L: 32, R: 64, K: 64 } as const;

/** What one backend needs for it, or why it cannot be used here. */
export interface BackendTiming {
  readonly name: BackendName;
  readonly isa: string;
  readonly threads: number;
  /** Median over `repetitions`. */
  readonly milliseconds: number;
  readonly repetitions: number;
  /** Largest difference from the reference over the largest result. */
  readonly difference: number;
}

export interface BackendComparison {
  readonly timings: readonly BackendTiming[];
  readonly refused: readonly { readonly name: BackendName; readonly reason: string }[];
}

/**
 * One contraction with the rectifier on every backend of this machine, one after the other with one thread each, float32: seconds
 * of work, for a first impression; `xitensor bench` measures.
 */
export function compareBackends(seed: number, budgetMs = 500): BackendComparison {
  const rng = new Rng(seed, 6);
  const { B, L, R, K } = COMPARED;
  const draw = (shape: number[]): Tensor => {
    const length = product(shape);
    return tensor(
      Float32Array.from({ length }, () => rng.normal()),
      shape,
    );
  };
  const operands = [draw([L, R, K]), draw([B, L]), draw([B, R])];
  const timings: BackendTiming[] = [];
  const refused: { name: BackendName; reason: string }[] = [];
  let reference: Tensor | undefined;
  for (const name of [...BACKEND_NAMES].reverse()) {
    const probe = probeBackend(name);
    if (!probe.usable) {
      refused.push({ name, reason: probe.reason });
      continue;
    }
    const { backend } = selectBackend({ prefer: [name], threads: 1 });
    const { result, times } = time(backend, operands, budgetMs);
    reference ??= result;
    timings.unshift({
      ...{ name, isa: backend.isa, threads: backend.threads },
      milliseconds: Number(times.sort((a, b) => a - b)[times.length >> 1].toPrecision(3)),
      repetitions: times.length,
      difference: Number(largestDifference(result, reference).toPrecision(2)),
    });
  }
  return { timings, refused };
}

/** The first call, which packs and compiles, is not counted. */
function time(backend: Backend, operands: Tensor[], budgetMs: number) {
  const once = () => contract('ijk; bi,bj -> bk', operands, { xi: 'rectifier', backend });
  const result = once();
  const times: number[] = [];
  const end = performance.now() + budgetMs;
  while (times.length < 5 || performance.now() < end) {
    const started = performance.now();
    once();
    times.push(performance.now() - started);
  }
  return { result, times };
}

function largestDifference({ data }: Tensor, reference: Tensor): number {
  let [apart, largest] = [0, 0];
  data.forEach((value, n) => {
    apart = Math.max(apart, Math.abs(value - reference.data[n]));
    largest = Math.max(largest, Math.abs(reference.data[n]));
  });
  return apart / largest;
}
