import { mismatch, oneOf } from '../core/errors.ts';
import { XI, XI_NAMES } from '../core/xi.gen.ts';
import { checkApart, counts, namedCounts, record, sameDtype } from './checks_sizes.ts';
import type { Folds, Rows } from './interface.ts';

const ROWS = ['data', 'row', 'step'];

/** The same folds behind a check of sizes, dtypes and winners. */
export function checkedFolds(kernels: Folds): Folds {
  return {
    fold(xi, steps, count, z, out) {
      oneOf('fold xi', xi, XI_NAMES);
      counts('fold', { steps, count });
      const expect = sameDtype('fold', 'z', z);
      expect('z', z, steps * count);
      expect('out', out, count);
      kernels.fold(xi, steps, count, z, out);
    },
    foldGradient(xi, steps, count, z, dout, dz) {
      oneOf('foldGradient xi', xi, XI_NAMES);
      counts('foldGradient', { steps, count });
      const expect = sameDtype('foldGradient', 'z', z);
      expect('z', z, steps * count);
      expect('dout', dout, count);
      expect('dz', dz, steps * count);
      kernels.foldGradient(xi, steps, count, z, dout, dz);
    },
    projectFold(xi, sizes, f, v, to) {
      oneOf('projectFold xi', xi, XI_NAMES);
      namedCounts('projectFold', sizes, ['steps', 'B', 'R', 'M']);
      record('projectFold', 'f', f, ROWS);
      record('projectFold', 'v', v, ROWS);
      record('projectFold', 'to', to, ['sum', 's', 'winners']);
      const { steps, B, R, M } = sizes;
      const { sum, s, winners } = to;
      const expect = sameDtype('projectFold', 'f', f.data);
      expect('f', f.data, extentOf('projectFold f', f, steps, B, M), true);
      expect('v', v.data, extentOf('projectFold v', v, steps, R, M), true);
      if (sum) {
        record('projectFold', 'sum', sum, ['K', 'lambda', 'scores']);
        counts('projectFold', { K: sum.K });
        expect('lambda', sum.lambda, R * sum.K);
        expect('scores', sum.scores, B * sum.K);
      }
      if (s) expect('s', s, B * R);
      if (winners) {
        if (XI[xi].bound !== 'pieces')
          throw mismatch('E_ARGUMENT', 'projectFold winners', 'rectifier, max or min, which select', xi);
        expect('winners', winners, B * R);
      }
      kernels.projectFold(xi, sizes, f, v, to);
    },
    winnerSums(sizes, winners, d, transposed, x, out) {
      namedCounts('winnerSums', sizes, ['steps', 'P', 'Q', 'M']);
      record('winnerSums', 'x', x, ROWS);
      record('winnerSums', 'out', out, ROWS);
      const { steps, P, Q, M } = sizes;
      const expect = sameDtype('winnerSums', 'd', d);
      expect('winners', winners, P * Q);
      expect('d', d, P * Q);
      expect('x', x.data, extentOf('winnerSums x', x, steps, Q, M), true);
      expect('out', out.data, extentOf('winnerSums out', out, steps, P, M), true);
      // Threads share the rows. With a step of 0 all steps add up in one place of each.
      const moving = out.step === 0 ? 1 : steps;
      if (steps * P * M > 0) checkApart('winnerSums out', [moving, P, M], [out.step, out.row, 1]);
      kernels.winnerSums(sizes, winners, d, transposed, x, out);
    },
  };
}

/** One past the last element of [steps, rows, M]. */
function extentOf(where: string, { row, step }: Rows, steps: number, rows: number, M: number): number {
  counts(where, { row, step });
  return steps === 0 || rows === 0 || M === 0 ? 0 : (steps - 1) * step + (rows - 1) * row + M;
}
