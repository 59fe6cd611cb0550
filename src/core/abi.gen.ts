// Made by scripts/generate.mjs from native/xi.def, native/abi.h and native/isas.def. Do not edit.

/** A binary that says otherwise was built from other sources, and is refused. */
export const ABI_VERSION = 5;
export const TABLE_HASH = '2b88694ec5895a42';

/** The functions of native/abi.h; `Pointer` and `Words` are typed arrays for the addon, addresses for WebAssembly. */
export interface Abi<Pointer, Words> {
  xt_contract(context: number, dtype: number, xi: number, B: number, L: number, R: number, K: number, a: Pointer, h: Pointer, G: Pointer, out: Pointer): number;
  xt_contract_packed(context: number, dtype: number, xi: number, B: number, L: number, R: number, K: number, a: Pointer, h: Pointer, packed: Pointer, out: Pointer): number;
  xt_packed_length(context: number, dtype: number, L: number, R: number, K: number, result: Pointer): number;
  xt_pack_weights(context: number, dtype: number, L: number, R: number, K: number, G: Pointer, packed: Pointer): number;
  xt_contract_gradient(context: number, dtype: number, xi: number, B: number, L: number, R: number, K: number, a: Pointer, h: Pointer, G: Pointer, dout: Pointer, da: Pointer, dh: Pointer, dG: Pointer, accumulate: number): number;
  xt_contract_grid(context: number, dtype: number, xi: number, P: number, M: number, L: number, R: number, K: number, a: Pointer, h: Pointer, G: Pointer, out: Pointer): number;
  xt_joined(context: number, dtype: number, xi: number, combine: number, reduce: number, fromUnit: number, plan: Words, planLength: number, x0: Pointer, x1: Pointer, x2: Pointer, x3: Pointer, x4: Pointer, x5: Pointer, x6: Pointer, x7: Pointer, out: Pointer, arg: Pointer): number;
  xt_joined_gradient(context: number, dtype: number, xi: number, combine: number, reduce: number, fromUnit: number, plan: Words, planLength: number, x0: Pointer, x1: Pointer, x2: Pointer, x3: Pointer, x4: Pointer, x5: Pointer, x6: Pointer, x7: Pointer, out: Pointer, dout: Pointer, d0: Pointer, d1: Pointer, d2: Pointer, d3: Pointer, d4: Pointer, d5: Pointer, d6: Pointer, d7: Pointer): number;
  xt_fold(context: number, dtype: number, xi: number, T: number, N: number, z: Pointer, out: Pointer): number;
  xt_fold_gradient(context: number, dtype: number, xi: number, T: number, N: number, z: Pointer, dout: Pointer, dz: Pointer): number;
  xt_project_fold(context: number, dtype: number, xi: number, T: number, B: number, R: number, M: number, K: number, f: Pointer, fRow: number, fStep: number, v: Pointer, vRow: number, vStep: number, lambda: Pointer, scores: Pointer, s: Pointer, winners: Pointer): number;
  xt_winner_sums(context: number, dtype: number, T: number, P: number, Q: number, M: number, winners: Pointer, d: Pointer, transposed: number, x: Pointer, xRow: number, xStep: number, out: Pointer, outRow: number, outStep: number): number;
  xt_outer(context: number, dtype: number, xi: number, M: number, N: number, x: Pointer, y: Pointer, out: Pointer): number;
  xt_matmul(context: number, dtype: number, M: number, N: number, K: number, A: Pointer, ARowStride: number, AColStride: number, B: Pointer, BRowStride: number, BColStride: number, C: Pointer, CRowStride: number, accumulate: number): number;
  xt_activate(context: number, dtype: number, activation: number, rows: number, cols: number, bias: Pointer, z: Pointer): number;
  xt_activate_gradient(context: number, dtype: number, activation: number, rows: number, cols: number, y: Pointer, dy: Pointer, dbias: Pointer): number;
  xt_embed(context: number, dtype: number, rows: number, M: number, N: number, tokens: Words, A: Pointer, z: Pointer): number;
  xt_embed_gradient(context: number, dtype: number, rows: number, M: number, N: number, tokens: Words, dz: Pointer, dA: Pointer): number;
  xt_loss(context: number, dtype: number, loss: number, rows: number, K: number, scores: Pointer, labels: Words, targets: Pointer, dscores: Pointer, result: Pointer): number;
  xt_adam(context: number, dtype: number, N: number, p: Pointer, g: Pointer, m: Pointer, v: Pointer, rate: number, beta1: number, beta2: number, epsilon: number, correction1: number, correction2: number, scale: number, decay: number): number;
  xt_sum_squares(context: number, dtype: number, N: number, x: Pointer, y: Pointer, result: Pointer): number;
  xt_singular_values(context: number, m: number, n: number, A: Pointer, places: Words, s: Pointer): number;
  xt_svd(context: number, m: number, n: number, A: Pointer, U: Pointer, s: Pointer, Vt: Pointer): number;
  xt_qr(context: number, m: number, n: number, A: Pointer, Q: Pointer, R: Pointer): number;
  xt_full_rank(context: number, m: number, n: number, A: Pointer, bound: number, result: Pointer): number;
  xt_numerical_rank(context: number, m: number, n: number, A: Pointer, places: Words, tolerance: number, result: Pointer): number;
  xt_rank_modulo(context: number, m: number, n: number, A: Pointer, prime: number, result: Pointer): number;
  xt_populate(data: Pointer, bytes: number): number;
  xt_peak(context: number, dtype: number, repetitions: number, result: Pointer): number;
}

export const STATUS_ID = { ok: 0, argument: 1, memory: 2, isa: 3, numeric: 4, convergence: 5 } as const;
export const DTYPE_ID = { float32: 0, float64: 1 } as const;
export const REDUCE_ID = { sum: 0, max: 1, min: 2, logsumexp: 3 } as const;
export const PRECISION_ID = { full: 0, bf16x3: 1, bf16: 2 } as const;
export const ACTIVATION_ID = { identity: 0, relu: 1, tanh: 2 } as const;
export const LOSS_ID = { softmax: 0, mse: 1 } as const;

/** Operands on one side of xt_joined. */
export const MAX_JOINED = 4;
/** Axes of terms, and of batch, rows and columns together, of xt_joined. */
export const MAX_AXES = 24;
/** Modulus of xt_rank_modulo: products of residues stay below 2^53. */
export const MAX_PRIME = 67108864;
/** Size of a block from which on malloc asks the system for pages. */
export const POPULATED_BYTES = 131072;

/** The instruction sets of the binaries for all processors and engines. */
export const BINARY_ISAS = ['amx', 'avx512', 'avx2', 'sse2', 'avx512bf16', 'neon', 'relaxed128', 'wasm128'] as const;
