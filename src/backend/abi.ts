import {
  ABI_VERSION,
  ACTIVATION_ID,
  DTYPE_ID,
  LOSS_ID,
  PRECISION_ID,
  REDUCE_ID,
  STATUS_ID,
  TABLE_HASH,
} from '../core/abi.gen.ts';
import { mismatch, XiError } from '../core/errors.ts';
import { XI } from '../core/xi.gen.ts';
import type { AbiBinding } from './abi_binding.ts';
import { abiFolds } from './abi_folds.ts';
import { abiLinearAlgebra } from './abi_linalg.ts';
import type { Joined, Kernels, Precision, Storage } from './interface.ts';
import type { IsaReport } from './probes.ts';

interface Description {
  readonly abi: number;
  readonly table: string;
  readonly isas: readonly IsaReport[];
}

/** Reads what a binary says of itself; a reason in words if it was built from other sources than this package. */
export function describeBinary(json: string): Description | string {
  let description: Description;
  try {
    description = JSON.parse(json) as Description;
  } catch (cause) {
    return `unreadable: ${(cause as Error).message}`;
  }
  if (description.abi !== ABI_VERSION || description.table !== TABLE_HASH) {
    return (
      `stale: it was built for ABI ${description.abi}, table ${description.table}; ` +
      `this package needs ABI ${ABI_VERSION}, table ${TABLE_HASH}`
    );
  }
  return description;
}

/** The kernels of a binary, native or WebAssembly: both have the ABI of native/abi.h. */
export function abiKernels<Pointer, Words>(
  binding: AbiBinding<Pointer, Words>,
  isa: IsaReport,
  threads: number,
): Kernels {
  const { abi, pointer, result } = binding;
  const context = isa.index | (threads << 8);
  const contextAt = (precision: Precision) =>
    precision === 'float32' ? context : context | (PRECISION_ID[precision] << 16);
  /** What both functions for joined contractions begin with: the plan and eight operands. */
  const joinedArguments = (plan: Joined, { dtype }: Storage) => {
    const words = wordsOf(plan);
    const x = [...plan.left, ...plan.right];
    const at = (n: number) => (x[n] ? pointer(x[n].data) : binding.null);
    return [
      context,
      DTYPE_ID[dtype],
      XI[plan.xi].id,
      XI[plan.combine].id,
      REDUCE_ID[plan.reduce],
      Number(plan.fromUnit),
      binding.words(words),
      words.length,
      at(0),
      at(1),
      at(2),
      at(3),
      at(4),
      at(5),
      at(6),
      at(7),
    ] as const;
  };
  return {
    contract(xi, { B, L, R, K }, a, h, G, out, precision = 'float32') {
      check(
        'contract',
        abi.xt_contract(
          contextAt(precision),
          DTYPE_ID[a.dtype],
          XI[xi].id,
          B,
          L,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(G),
          pointer(out),
        ),
      );
    },
    packWeights(L, R, K, G, precision = 'float32') {
      const dtype = DTYPE_ID[G.dtype];
      const at = contextAt(precision);
      check('packWeights', abi.xt_packed_length(at, dtype, L, R, K, result.pointer));
      const values = binding.allocate(G.dtype, result.read()[0]);
      check('packWeights', abi.xt_pack_weights(at, dtype, L, R, K, pointer(G), pointer(values)));
      return { L, R, K, precision, values };
    },
    contractPacked(xi, B, a, h, { L, R, K, precision, values }, out) {
      const [dtype, id] = [DTYPE_ID[a.dtype], XI[xi].id];
      check(
        'contractPacked',
        abi.xt_contract_packed(
          contextAt(precision),
          dtype,
          id,
          B,
          L,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(values),
          pointer(out),
        ),
      );
    },
    contractGradient(xi, { B, L, R, K }, { a, h, G, dout }, { da, dh, dG }, accumulate) {
      check(
        'contractGradient',
        abi.xt_contract_gradient(
          context,
          DTYPE_ID[a.dtype],
          XI[xi].id,
          B,
          L,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(G),
          pointer(dout),
          pointer(da),
          pointer(dh),
          pointer(dG),
          Number(accumulate),
        ),
      );
    },
    contractGrid(xi, { P, M, L, R, K }, a, h, G, out) {
      const [dtype, id] = [DTYPE_ID[a.dtype], XI[xi].id];
      check(
        'contractGrid',
        abi.xt_contract_grid(
          context,
          dtype,
          id,
          P,
          M,
          L,
          R,
          K,
          pointer(a),
          pointer(h),
          pointer(G),
          pointer(out),
        ),
      );
    },
    joined(plan, out, arg) {
      const at = arg ? pointer(arg) : binding.null;
      check('joined', abi.xt_joined(...joinedArguments(plan, out), pointer(out), at));
    },
    joinedGradient(plan, out, dout, to) {
      const d = [...to.left, ...to.right];
      const at = (n: number) => (d[n] ? pointer(d[n]) : binding.null);
      check(
        'joinedGradient',
        abi.xt_joined_gradient(
          ...joinedArguments(plan, out),
          pointer(out),
          pointer(dout),
          at(0),
          at(1),
          at(2),
          at(3),
          at(4),
          at(5),
          at(6),
          at(7),
        ),
      );
    },
    ...abiFolds(binding, context, check),
    outer(xi, x, y, out) {
      check(
        'outer',
        abi.xt_outer(
          context,
          DTYPE_ID[x.dtype],
          XI[xi].id,
          x.length,
          y.length,
          pointer(x),
          pointer(y),
          pointer(out),
        ),
      );
    },
    matmul(M, N, K, A, B, C, accumulate) {
      check(
        'matmul',
        abi.xt_matmul(
          context,
          DTYPE_ID[A.data.dtype],
          M,
          N,
          K,
          pointer(A.data),
          A.rowStride,
          A.colStride,
          pointer(B.data),
          B.rowStride,
          B.colStride,
          pointer(C.data),
          C.rowStride,
          Number(accumulate),
        ),
      );
    },
    activate(activation, rows, cols, bias, z) {
      const id = ACTIVATION_ID[activation];
      check(
        'activate',
        abi.xt_activate(context, DTYPE_ID[z.dtype], id, rows, cols, pointer(bias), pointer(z)),
      );
    },
    activateGradient(activation, rows, cols, y, dy, dbias) {
      const id = ACTIVATION_ID[activation];
      check(
        'activateGradient',
        abi.xt_activate_gradient(
          context,
          DTYPE_ID[y.dtype],
          id,
          rows,
          cols,
          pointer(y),
          pointer(dy),
          pointer(dbias),
        ),
      );
    },
    embed(rows, M, N, tokens, A, z) {
      const words = binding.words(tokens);
      check('embed', abi.xt_embed(context, DTYPE_ID[A.dtype], rows, M, N, words, pointer(A), pointer(z)));
    },
    embedGradient(rows, M, N, tokens, dz, dA) {
      const words = binding.words(tokens);
      const [dtype, from, to] = [DTYPE_ID[dA.dtype], pointer(dz), pointer(dA)];
      check('embedGradient', abi.xt_embed_gradient(context, dtype, rows, M, N, words, from, to));
    },
    loss(loss, rows, outputs, scores, answers, dScores) {
      const classes = answers instanceof Int32Array;
      check(
        'loss',
        abi.xt_loss(
          context,
          DTYPE_ID[scores.dtype],
          LOSS_ID[loss],
          rows,
          outputs,
          pointer(scores),
          classes ? binding.words(answers) : binding.noWords,
          classes ? binding.null : pointer(answers),
          dScores ? pointer(dScores) : binding.null,
          result.pointer,
        ),
      );
      const [sum, correct] = result.read();
      return { loss: sum, correct };
    },
    adam(p, g, m, v, o) {
      check(
        'adam',
        abi.xt_adam(
          context,
          DTYPE_ID[p.dtype],
          p.length,
          pointer(p),
          pointer(g),
          pointer(m),
          pointer(v),
          o.rate,
          o.beta1,
          o.beta2,
          o.epsilon,
          o.correction1,
          o.correction2,
          o.scale,
          o.decay,
        ),
      );
    },
    sumSquares(x, y) {
      const other = y ? pointer(y) : binding.null;
      check(
        'sumSquares',
        abi.xt_sum_squares(context, DTYPE_ID[x.dtype], x.length, pointer(x), other, result.pointer),
      );
      return result.read()[0];
    },
    ...abiLinearAlgebra(binding, context, check),
    peak(dtype, repetitions) {
      check('peak', abi.xt_peak(context, DTYPE_ID[dtype], repetitions, result.pointer));
      return result.read()[0];
    },
  };
}

const encoded = new WeakMap<Joined, Int32Array>();

/** The plan of native/abi.h, xt_joined; made once for a plan that is used again. */
function wordsOf(plan: Joined): Int32Array {
  let words = encoded.get(plan);
  if (!words) {
    const { batch, rows, columns, terms, left, right } = plan;
    words = Int32Array.from([
      ...[batch, rows, columns, terms, left, right].map((list) => list.length),
      ...[batch, rows, columns, terms].flat(),
      ...[...left, ...right].flatMap((operand) => operand.strides),
      ...plan.outStrides,
    ]);
    encoded.set(plan, words);
  }
  return words;
}

function check(kernel: string, status: number): void {
  if (status === STATUS_ID.ok) return;
  if (status === STATUS_ID.memory)
    throw new XiError('E_MEMORY', `${kernel}: no memory for its packed blocks`);
  if (status === STATUS_ID.isa)
    throw new XiError('E_BACKEND', `${kernel}: this processor cannot run the instruction set`);
  if (status === STATUS_ID.numeric)
    throw mismatch('E_NUMERIC', `${kernel} A`, 'finite values', 'a NaN or an infinity');
  if (status === STATUS_ID.convergence)
    throw new XiError('E_NUMERIC', `${kernel}: the iteration on the bidiagonal form did not converge`);
  const what = 'sizes, indices and arrays that belong together';
  throw mismatch('E_ARGUMENT', kernel, what, `some that do not (status ${status})`);
}
