import type { Backend } from '../backend/interface.ts';
import { tensor } from '../core/tensor.ts';
import { Powers, timesPower } from '../decompose/scale.ts';
import { ttSvd } from '../decompose/tt_svd.ts';
import { steps } from './build.ts';
import type { LinearTrain } from './recurrent.ts';
import type { Target } from './target.ts';

/**
 * The left-orthogonal tensor train of H, ‖H − train‖ ≤ eps ‖H‖. Rows of a product of left-orthogonal cores have norms of at most 1,
 * which bounds what a network must shift: of a tiny or huge H the last core has the size, which `ttSvd` may spread over all.
 */
export function linearTrain(
  { M, T, outputs, data }: Target,
  eps: number,
  backend: Backend | undefined,
): LinearTrain & { readonly ranks: readonly number[] } {
  // The outputs belong to the last mode, so that they add no core.
  const shape = steps(T, (t) => (t === T - 1 ? M * outputs : M));
  const powers = new Powers();
  const ordinary = powers.take({ data });
  const cores = ttSvd(tensor(ordinary.data, shape), { eps, backend }).cores.map(
    ({ shape: [left, extent], data: values }, t) => {
      const isLast = t === T - 1;
      const right = isLast ? outputs : values.length / (left * extent);
      const power = isLast ? powers.lost : 0;
      return {
        shape: [left, M, right],
        data: Float64Array.from(values, (value) => timesPower(value, power)),
      };
    },
  );
  return { cores, bounds: steps(T, () => 1), ranks: cores.slice(0, -1).map(({ shape: [, , r] }) => r) };
}
