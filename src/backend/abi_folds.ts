import { DTYPE_ID } from '../core/abi.gen.ts';
import { XI } from '../core/xi.gen.ts';
import type { AbiBinding } from './abi_binding.ts';
import type { Folds, Storage } from './interface.ts';

/** The folds of a binary; `check` raises what a status means. */
export function abiFolds<Pointer, Words>(
  { abi, pointer, null: none }: AbiBinding<Pointer, Words>,
  context: number,
  check: (kernel: string, status: number) => void,
): Folds {
  return {
    fold(xi, steps, count, z, out) {
      const [dtype, id] = [DTYPE_ID[z.dtype], XI[xi].id];
      check('fold', abi.xt_fold(context, dtype, id, steps, count, pointer(z), pointer(out)));
    },
    foldGradient(xi, steps, count, z, dout, dz) {
      const [dtype, id] = [DTYPE_ID[z.dtype], XI[xi].id];
      check(
        'foldGradient',
        abi.xt_fold_gradient(context, dtype, id, steps, count, pointer(z), pointer(dout), pointer(dz)),
      );
    },
    projectFold(xi, { steps, B, R, M }, f, v, { sum, s, winners }) {
      const optional = (storage: Storage | undefined) => (storage ? pointer(storage) : none);
      check(
        'projectFold',
        abi.xt_project_fold(
          context,
          DTYPE_ID[f.data.dtype],
          XI[xi].id,
          steps,
          B,
          R,
          M,
          sum?.K ?? 0,
          pointer(f.data),
          f.row,
          f.step,
          pointer(v.data),
          v.row,
          v.step,
          optional(sum?.lambda),
          optional(sum?.scores),
          optional(s),
          optional(winners),
        ),
      );
    },
    winnerSums({ steps, P, Q, M }, winners, d, transposed, x, out) {
      check(
        'winnerSums',
        abi.xt_winner_sums(
          context,
          DTYPE_ID[d.dtype],
          steps,
          P,
          Q,
          M,
          pointer(winners),
          pointer(d),
          Number(transposed),
          pointer(x.data),
          x.row,
          x.step,
          pointer(out.data),
          out.row,
          out.step,
        ),
      );
    },
  };
}
