import type { Backend, Rows, Storage } from '../../src/backend/interface.ts';
import { Rng } from '../../src/core/rng.ts';
import { DTYPES, type DType } from '../../src/core/tensor.ts';
import { XI, XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { type ConformanceCase, EPSILON } from './case.ts';
import { both, integers, largest, property, reals, signs } from './property.ts';

function foldCase(xi: Xi, dtype: DType): ConformanceCase {
  return property(
    `fold, its gradient and outer, ${xi} ${dtype}`,
    (backend, [count, other, drawn], rng) => {
      const steps = drawn % 8;
      const z = reals(rng)(steps * count);
      const dout = reals(rng)(count);
      const terms = 4 * (steps + 1) * EPSILON[dtype];
      const tolerance =
        xi === 'product' ? (want: number) => terms * Math.abs(want) : 8 * terms * largest(z, dout);
      both(backend, dtype, [z], [count], tolerance, (on, [sz], [out]) => on.fold(xi, steps, count, sz, out));
      both(backend, dtype, [z, dout], [z.length], tolerance, (on, [sz, sdout], [dz]) => {
        on.foldGradient(xi, steps, count, sz, sdout, dz);
      });
      const [x, y] = [count, other].map(reals(rng));
      both(
        backend,
        dtype,
        [x, y],
        [count * other],
        16 * EPSILON[dtype] * largest(x, y),
        (on, [sx, sy], [out]) => {
          on.outer(xi, sx, sy, out);
        },
      );
    },
    3,
  );
}

/** Rows [T,N,M] or [N,T,M], or [N,M] for all t. */
function rowsOf(
  data: Storage,
  layout: 'steps' | 'rows' | 'shared',
  steps: number,
  rows: number,
  M: number,
): Rows {
  if (layout === 'shared') return { data, row: M, step: 0 };
  return layout === 'steps' ? { data, row: M, step: rows * M } : { data, row: steps * M, step: M };
}

/** What is put among the integers of a case. */
const SPECIAL: Readonly<Record<string, number>> = { NaN: Number.NaN, infinity: Number.POSITIVE_INFINITY };

/** `s = ξ_t ⟨f_t, v_t⟩` and its winners: exact for the sums of small integers that ξ selects, adds or multiplies. */
function projectCase(xi: Xi, dtype: DType, name: string): ConformanceCase {
  return property(
    `projectFold and its winners, ${xi} ${dtype}, ${name}`,
    (backend, [B, R, drawnM, drawn], rng) => {
      // A product of sums is known to M^steps ε of the largest term: of real numbers only few of either tell a result from 0.
      const [M, steps] = xi === 'product' && name === 'reals' ? [drawnM % 4, drawn % 3] : [drawnM, drawn % 6];
      const values = name === 'reals' ? reals(rng) : xi === 'product' ? signs(rng) : integers(rng);
      const shared = drawn % 2 === 1;
      const f = values(steps * B * M);
      const v = values((shared ? 1 : steps) * R * M);
      const selects = XI[xi].bound === 'pieces';
      const exact = name !== 'reals' && xi !== 'logsumexp' && xi !== 'l2';
      const z = largest(f) * largest(v) * Math.max(1, M);
      const scale = xi === 'product' ? z ** steps : z;
      const tolerance = exact ? 0 : 32 * (steps + M + 1) * EPSILON[dtype] * scale;
      if (name in SPECIAL && f.length > 0) f[rng.below(f.length)] = SPECIAL[name];
      const K = steps + (drawn % 20);
      const lambda = values(R * K);
      const outputs = [B * K, B * R, ...(selects ? [B * R] : [])];
      const kernel = (
        on: Backend,
        [sf, sv, sl]: Storage[],
        [scores, s, winners]: (Storage | undefined)[],
      ) => {
        const rows = rowsOf(sf, drawn % 3 === 0 ? 'steps' : 'rows', steps, B, M);
        const directions = rowsOf(sv, shared ? 'shared' : 'steps', steps, R, M);
        const sum = scores && { K, lambda: sl, scores };
        on.projectFold(xi, { steps, B, R, M }, rows, directions, { sum, s, winners });
      };
      both(backend, dtype, [f, v, lambda], outputs, tolerance * R * largest(lambda), kernel);
      both(backend, dtype, [f, v, lambda], [B * K], tolerance * R * largest(lambda), kernel);
      both(backend, dtype, [f, v, lambda], outputs.slice(1), tolerance, (on, from, to) => {
        kernel(on, from, [undefined, ...to]);
      });
    },
    4,
  );
}

/** Neither a step nor a feature, in arrays that are as large as they must be: what is packed ahead of all loops is not there. */
function emptyCase(dtype: DType): ConformanceCase {
  return {
    name: `projectFold of no steps and of no features, ${dtype}`,
    run(backend) {
      const [B, R] = [20, 9000];
      for (const { steps, M, row, lies } of [
        { steps: 0, M: 50, row: 50, lies: 'shared' },
        { steps: 0, M: 50, row: 50, lies: 'by step' },
        { steps: 2, M: 0, row: 1, lies: 'shared' },
        { steps: 2, M: 0, row: 1, lies: 'by step' },
      ] as const)
        both(backend, dtype, [new Float64Array(0)], [B * R], 0, (on, [none], [s]) => {
          const rows = { data: none, row, step: lies === 'shared' ? 0 : row * B };
          on.projectFold('sum', { steps, B, R, M }, rows, rows, { s });
        });
    },
  };
}

/** Sums by random winners, exact, either way round. */
function sumByWinners(
  backend: Backend,
  dtype: DType,
  { steps, P, Q, M }: { steps: number; P: number; Q: number; M: number },
  [from, to]: readonly ('steps' | 'rows' | 'shared')[],
  rng: Rng,
): void {
  const winners = Float64Array.from({ length: P * Q }, () => rng.below(steps + 1) - 1);
  const [x, out] = [Q, P].map((rows) => integers(rng)(steps * rows * M));
  const d = integers(rng)(P * Q);
  for (const transposed of [false, true]) {
    both(backend, dtype, [winners, d, x, out], [], 0, (on, [w, sd, sx, sout]) => {
      const rows = rowsOf(sx, from, steps, Q, M);
      on.winnerSums({ steps, P, Q, M }, w, sd, transposed, rows, rowsOf(sout, to, steps, P, M));
    });
  }
}

function winnerCase(dtype: DType): ConformanceCase {
  return property(
    `winnerSums, ${dtype}, integers, exact`,
    (backend, [P, Q, M, drawn], rng) => {
      const layouts = [drawn % 3 === 0 ? 'shared' : 'rows', drawn % 3 === 1 ? 'shared' : 'steps'] as const;
      sumByWinners(backend, dtype, { steps: drawn % 6, P, Q, M }, layouts, rng);
    },
    4,
  );
}

/** More rows than are summed together, more of those they meet than are met together, and more steps than rows. */
function winnerBlocksCase(dtype: DType): ConformanceCase {
  return {
    name: `winnerSums in blocks, ${dtype}`,
    run(backend) {
      const rng = new Rng(11);
      for (const sizes of [
        { steps: 4, P: 60, Q: 70, M: 300 },
        { steps: 60, P: 40, Q: 30, M: 51 },
        { steps: 60, P: 23, Q: 30, M: 64 },
      ]) {
        sumByWinners(backend, dtype, sizes, ['rows', 'steps'], rng);
        sumByWinners(backend, dtype, sizes, ['steps', 'rows'], rng);
      }
    },
  };
}

export const foldCases: readonly ConformanceCase[] = DTYPES.flatMap((dtype) => [
  ...XI_NAMES.flatMap((xi) => [
    foldCase(xi, dtype),
    ...['integers', 'reals', ...Object.keys(SPECIAL)].map((name) => projectCase(xi, dtype, name)),
  ]),
  winnerCase(dtype),
  winnerBlocksCase(dtype),
  emptyCase(dtype),
]);
