import type { GridSizes } from '../../src/backend/interface.ts';
import { selectBackend } from '../../src/backend/select.ts';
import { Rng } from '../../src/core/rng.ts';
import { DTYPES, type DType } from '../../src/core/tensor.ts';
import { XI_NAMES, type Xi } from '../../src/core/xi.gen.ts';
import { type ConformanceCase, EPSILON, put, rounded } from './case.ts';

const reference = selectBackend({ prefer: ['reference'] }).backend;

/** Around the widths of vectors, empty ones, some that are looked up, and one whose tables would be too large, so that it is swept. */
const SIZES: readonly GridSizes[] = [
  { P: 1, M: 1, L: 1, R: 1, K: 1 },
  { P: 17, M: 3, L: 5, R: 2, K: 1 },
  { P: 33, M: 4, L: 3, R: 7, K: 9 },
  { P: 31, M: 2, L: 4, R: 3, K: 23 },
  { P: 5, M: 300, L: 2, R: 2, K: 1 },
  { P: 65, M: 60, L: 70, R: 2, K: 1 },
  { P: 40, M: 21, L: 90, R: 2, K: 3 },
  { P: 700, M: 1, L: 40, R: 2, K: 1 },
  { P: 301, M: 3, L: 16, R: 3, K: 1 },
  { P: 519, M: 7, L: 11, R: 2, K: 5 },
  { P: 530, M: 60, L: 70, R: 2, K: 3 },
  { P: 4, M: 2, L: 0, R: 3, K: 2 },
  { P: 0, M: 2, L: 1, R: 3, K: 2 },
  { P: 2, M: 2, L: 1, R: 3, K: 0 },
];

type Draw = (rng: Rng) => number;
const normal: Draw = (rng) => rng.normal();
const integer: Draw = (rng) => rng.below(9) - 4;
/** Some operands infinite: then no sweep and no lookup, and for logsumexp and l2 no φ. */
const extreme: Draw = (rng) => (rng.below(40) === 0 ? Number.NEGATIVE_INFINITY : rng.normal());

function gridCase(xi: Xi, dtype: DType, kind: string, draw: Draw): ConformanceCase {
  return {
    name: `grid steps as in the reference, ${xi} ${dtype}, ${kind}`,
    run(backend) {
      const rng = new Rng(XI_NAMES.indexOf(xi), 17);
      for (const sizes of SIZES) {
        const { P, M, L, R, K } = sizes;
        const values = (count: number, of: Draw) =>
          rounded(
            dtype,
            Float64Array.from({ length: count }, () => of(rng)),
          );
        const positive: Draw = (r) => Math.abs(integer(r));
        const inputs = [
          values(M * L, draw),
          values(P * R, draw),
          values(L * R * K, kind === 'integers' ? integer : kind === 'infinite' ? positive : normal),
        ];
        const [got, want] = [backend, reference].map((on) => {
          const out = on.allocate(dtype, P * M * K);
          on.contractGrid(xi, sizes, ...(inputs.map((data) => put(on, dtype, data)) as Operands), out);
          return out.read();
        });
        const finite = Float64Array.from(want).filter(Number.isFinite);
        const scale = Math.max(
          1,
          finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0),
        );
        const tolerance = kind === 'integers' && isExact(xi) ? 0 : 16 * (L * R + 4) * EPSILON[dtype] * scale;
        got.forEach((value, n) => {
          if (!Object.is(value, want[n]) && value !== want[n] && !(Math.abs(value - want[n]) <= tolerance))
            throw new Error(`${JSON.stringify(sizes)} element ${n} is ${value}, reference ${want[n]}`);
        });
      }
    },
  };
}

type Operands = [ReturnType<typeof put>, ReturnType<typeof put>, ReturnType<typeof put>];

const isExact = (xi: Xi) => xi !== 'logsumexp' && xi !== 'l2';

export const gridCases: readonly ConformanceCase[] = XI_NAMES.flatMap((xi) =>
  DTYPES.flatMap((dtype) => [
    gridCase(xi, dtype, 'normal', normal),
    ...(isExact(xi) ? [gridCase(xi, dtype, 'integers', integer)] : []),
    gridCase(xi, dtype, 'infinite', extreme),
  ]),
);
