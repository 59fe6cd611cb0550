import { mismatch, oneOf, XiError } from '../core/errors.ts';
import { DTYPES, type DType } from '../core/tensor.ts';
import { XI_NAMES } from '../core/xi.gen.ts';
import { checkedFolds } from './checks_folds.ts';
import { checkedJoined } from './checks_joined.ts';
import { checkedLinearAlgebra } from './checks_linalg.ts';
import { counts, namedCounts, record, sameDtype } from './checks_sizes.ts';
import {
  ACTIVATIONS,
  type Kernels,
  LOSSES,
  type PackedWeights,
  PRECISIONS,
  type Precision,
  type Strided,
} from './interface.ts';

const SIZES = ['B', 'L', 'R', 'K'] as const;
const GRID_SIZES = ['P', 'M', 'L', 'R', 'K'] as const;
const VIEW = ['data', 'rowStride', 'colStride'];
const ADAM_OPTIONS = ['rate', 'beta1', 'beta2', 'epsilon', 'correction1', 'correction2', 'scale', 'decay'];

/**
 * The same kernels behind a check of sizes and dtypes, which says what was expected and what came. The binaries compare again
 * with the memory that there is (native/memory.h), since objects may answer differently each time they are asked.
 */
export function checked(kernels: Kernels): Kernels {
  // What a backend packed itself: the layout of another one would be read as nonsense.
  const packed = new WeakSet<PackedWeights>();
  return {
    contract(xi, sizes, a, h, G, out, precision) {
      oneOf('contract xi', xi, XI_NAMES);
      namedCounts('contract', sizes, SIZES);
      const { B, L, R, K } = sizes;
      const expect = sameDtype('contract', 'a', a);
      if (precision !== undefined) precisionOf('contract', precision, a.dtype);
      expect('a', a, B * L);
      expect('h', h, B * R);
      expect('G', G, L * R * K);
      expect('out', out, B * K);
      kernels.contract(xi, sizes, a, h, G, out, precision);
    },
    packWeights(L, R, K, G, precision) {
      counts('packWeights', { L, R, K });
      sameDtype('packWeights', 'G', G)('G', G, L * R * K);
      if (precision !== undefined) precisionOf('packWeights', precision, G.dtype);
      const weights = Object.freeze(kernels.packWeights(L, R, K, G, precision));
      packed.add(weights);
      return weights;
    },
    contractPacked(xi, B, a, h, weights, out) {
      oneOf('contractPacked xi', xi, XI_NAMES);
      counts('contractPacked', { B });
      if (!packed.has(weights))
        throw mismatch('E_ARGUMENT', 'contractPacked', 'weights that this backend packed', weights);
      const expect = sameDtype('contractPacked', 'a', a);
      expect('packed', weights.values, weights.values.length);
      expect('a', a, B * weights.L);
      expect('h', h, B * weights.R);
      expect('out', out, B * weights.K);
      kernels.contractPacked(xi, B, a, h, weights, out);
    },
    contractGradient(xi, sizes, from, to, accumulate) {
      oneOf('contractGradient xi', xi, XI_NAMES);
      namedCounts('contractGradient', sizes, SIZES);
      record('contractGradient', 'from', from, ['a', 'h', 'G', 'dout']);
      record('contractGradient', 'to', to, ['da', 'dh', 'dG']);
      const { B, L, R, K } = sizes;
      const expect = sameDtype('contractGradient', 'a', from.a);
      expect('a', from.a, B * L);
      expect('h', from.h, B * R);
      expect('G', from.G, L * R * K);
      expect('dout', from.dout, B * K);
      expect('da', to.da, B * L);
      expect('dh', to.dh, B * R);
      expect('dG', to.dG, L * R * K);
      kernels.contractGradient(xi, sizes, from, to, accumulate);
    },
    ...checkedJoined(kernels),
    contractGrid(xi, sizes, a, h, G, out) {
      oneOf('contractGrid xi', xi, XI_NAMES);
      namedCounts('contractGrid', sizes, GRID_SIZES);
      const { P, M, L, R, K } = sizes;
      const expect = sameDtype('contractGrid', 'a', a);
      expect('a', a, M * L);
      expect('h', h, P * R);
      expect('G', G, L * R * K);
      expect('out', out, P * M * K);
      kernels.contractGrid(xi, sizes, a, h, G, out);
    },
    ...checkedFolds(kernels),
    outer(xi, x, y, out) {
      oneOf('outer xi', xi, XI_NAMES);
      const expect = sameDtype('outer', 'x', x);
      expect('y', y, y?.length);
      expect('out', out, x.length * y.length);
      kernels.outer(xi, x, y, out);
    },
    matmul(M, N, K, A, B, C, accumulate) {
      record('matmul', 'A', A, VIEW);
      record('matmul', 'B', B, VIEW);
      record('matmul', 'C', C, VIEW);
      const expect = sameDtype('matmul', 'A', A.data);
      expect('A', A.data, extentOf('A', A, M, K), true);
      expect('B', B.data, extentOf('B', B, K, N), true);
      expect('C', C.data, extentOf('C', C, M, N), true);
      if (C.colStride !== 1 || (M > 1 && C.rowStride < N)) {
        throw mismatch('E_SHAPE', 'matmul C', `dense rows of ${N} that do not overlap`, [
          C.rowStride,
          C.colStride,
        ]);
      }
      kernels.matmul(M, N, K, A, B, C, accumulate);
    },
    activate(activation, rows, cols, bias, z) {
      oneOf('activate activation', activation, ACTIVATIONS);
      counts('activate', { rows, cols });
      const expect = sameDtype('activate', 'z', z);
      expect('bias', bias, cols);
      expect('z', z, rows * cols);
      kernels.activate(activation, rows, cols, bias, z);
    },
    activateGradient(activation, rows, cols, y, dy, dbias) {
      oneOf('activateGradient activation', activation, ACTIVATIONS);
      counts('activateGradient', { rows, cols });
      const expect = sameDtype('activateGradient', 'y', y);
      expect('y', y, rows * cols);
      expect('dy', dy, rows * cols);
      expect('dbias', dbias, cols);
      kernels.activateGradient(activation, rows, cols, y, dy, dbias);
    },
    embed(rows, M, N, tokens, A, z) {
      counts('embed', { rows, M, N });
      indices('embed', tokens, rows, N);
      const expect = sameDtype('embed', 'A', A);
      expect('A', A, M * N);
      expect('z', z, rows * M);
      kernels.embed(rows, M, N, tokens, A, z);
    },
    embedGradient(rows, M, N, tokens, dz, dA) {
      counts('embedGradient', { rows, M, N });
      indices('embedGradient', tokens, rows, N);
      const expect = sameDtype('embedGradient', 'dz', dz);
      expect('dz', dz, rows * M);
      expect('dA', dA, M * N);
      kernels.embedGradient(rows, M, N, tokens, dz, dA);
    },
    loss(loss, rows, outputs, scores, answers, dScores) {
      oneOf('loss kind', loss, LOSSES);
      counts('loss', { rows, outputs });
      const expect = sameDtype('loss', 'scores', scores);
      expect('scores', scores, rows * outputs);
      if (dScores) expect('dScores', dScores, rows * outputs);
      if (answers instanceof Int32Array) indices('loss', answers, rows, outputs);
      else if (loss === 'mse') expect('targets', answers, rows * outputs);
      else throw mismatch('E_DTYPE', 'loss softmax', 'an Int32Array of classes', answers);
      return kernels.loss(loss, rows, outputs, scores, answers, dScores);
    },
    adam(p, g, m, v, options) {
      const expect = sameDtype('adam', 'p', p);
      record('adam', 'options', options, ADAM_OPTIONS);
      expect('g', g, p.length);
      expect('m', m, p.length);
      expect('v', v, p.length);
      kernels.adam(p, g, m, v, options);
    },
    ...checkedLinearAlgebra(kernels),
    sumSquares(x, y) {
      const expect = sameDtype('sumSquares', 'x', x);
      if (y) expect('y', y, x.length);
      return kernels.sumSquares(x, y);
    },
    peak(dtype, repetitions) {
      oneOf('peak dtype', dtype, DTYPES);
      counts('peak', { repetitions });
      return kernels.peak(dtype, repetitions);
    },
  };
}

/** bf16 parts are parts of float32. */
export function precisionOf(where: string, precision: Precision, dtype: DType): Precision {
  oneOf(`${where} precision`, precision, PRECISIONS);
  if (precision !== 'float32' && dtype !== 'float32')
    throw mismatch('E_DTYPE', `${where} at precision ${precision}`, 'float32 operands', dtype);
  return precision;
}

/** Indices from 0 to bound − 1, one for each row. */
function indices(kernel: string, list: Int32Array, rows: number, bound: number): void {
  if (!(list instanceof Int32Array)) throw mismatch('E_DTYPE', kernel, 'an Int32Array', list);
  if (list.length !== rows) throw mismatch('E_SHAPE', kernel, `${rows} indices`, list.length);
  const bad = list.findIndex((index) => index < 0 || index >= bound);
  if (bad >= 0)
    throw mismatch('E_ARGUMENT', `${kernel} index ${bad}`, `an index from 0 to ${bound - 1}`, list[bad]);
}

/** One past the last element that a strided matrix touches. */
function extentOf(name: string, view: Strided, rows: number, cols: number): number {
  for (const n of [rows, cols, view.rowStride, view.colStride]) {
    if (!Number.isSafeInteger(n) || n < 0) {
      throw new XiError(
        'E_SHAPE',
        `matmul ${name}: expected non-negative integer sizes and strides, received ${n}`,
      );
    }
  }
  return rows === 0 || cols === 0 ? 0 : (rows - 1) * view.rowStride + (cols - 1) * view.colStride + 1;
}
