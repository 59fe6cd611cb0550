// THE C ABI of xitensor: what addon.cc hands to Node and what the WebAssembly module exports. Pointers, sizes
// and ids only; no exceptions, no ownership beyond the call. Every function checks sizes, ids and indices,
// and that its arrays reach as far as sizes, strides and plans do (memory.h), and returns a status; what a
// user is told is the business of its caller (src/backend/checks*.ts). scripts/generate.mjs reads the
// declarations below to make the TypeScript types, so the two cannot drift.
//
// Arrays are row-major and dense unless a stride is a parameter; dtype says float32 or float64; buffers must
// not overlap. Sizes may be zero. `context` names an instruction set (bits 0-7, its index in xt_describe), a
// number of threads (bits 8-15) and a precision (bits 16-17); no state is kept between calls, and results do
// not depend on the number of threads, bit by bit.
//
// The precision is the least that is wanted of xt_contract, xt_contract_packed and what packs for it, in
// float32: XT_BF16X3 rounds each factor to two parts in bf16 and sums three products, XT_BF16 rounds to one
// part. An instruction set without a tile for that, and every other function, computes at full precision.
// Where that, too, may run in tiles, it does from a size on from which they are faster; with XT_TILES in the
// context at every size, so that tests can look at small ones.
#ifndef XITENSOR_ABI_H_
#define XITENSOR_ABI_H_

#include <stddef.h>
#include <stdint.h>

#if defined(__wasm__)
#define XT_API extern "C" __attribute__((used, visibility("default")))
#else
#define XT_API extern "C"
#endif

#define XT_ABI_VERSION 5

// Limits, which scripts/generate.mjs hands to TypeScript.
#define XT_MAX_JOINED 4            // operands on one side of xt_joined
#define XT_MAX_AXES 24             // axes of terms, and of batch, rows and columns together, of xt_joined
#define XT_MAX_PRIME 67108864      // modulus of xt_rank_modulo: products of residues stay below 2^53
#define XT_POPULATED_BYTES 131072  // size of a block from which on malloc asks the system for pages

enum xt_status { XT_OK = 0, XT_ARGUMENT = 1, XT_MEMORY = 2, XT_ISA = 3, XT_NUMERIC = 4, XT_CONVERGENCE = 5 };
enum xt_dtype { XT_FLOAT32 = 0, XT_FLOAT64 = 1 };
enum xt_context { XT_TILES = 1 << 18 };
enum xt_reduce { XT_SUM = 0, XT_MAX = 1, XT_MIN = 2, XT_LOGSUMEXP = 3 };
enum xt_precision { XT_FULL = 0, XT_BF16X3 = 1, XT_BF16 = 2 };
enum xt_activation { XT_IDENTITY = 0, XT_RELU = 1, XT_TANH = 2 };
enum xt_loss { XT_SOFTMAX = 0, XT_MSE = 1 };

// JSON: { abi, table, isas: [{ name, index, usable, priority, reason, tiles }] }, tiles naming the
// instruction set whose tile serves a precision, where one does; static storage.
XT_API const char* xt_describe(void);

// out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j]);  a [B,L], h [B,R], G [L,R,K], out [B,K]
XT_API int32_t xt_contract(uint32_t context, uint32_t dtype, uint32_t xi, size_t B, size_t L, size_t R,
                           size_t K, const void* a, const void* h, const void* G, void* out);

// The same with weights that xt_pack_weights laid out for this context's instruction set and precision, for
// use many times.
XT_API int32_t xt_contract_packed(uint32_t context, uint32_t dtype, uint32_t xi, size_t B, size_t L, size_t R,
                                  size_t K, const void* a, const void* h, const void* packed, void* out);

// result[0] = elements of the packed form of G [L,R,K]
XT_API int32_t xt_packed_length(uint32_t context, uint32_t dtype, size_t L, size_t R, size_t K,
                                double* result);

XT_API int32_t xt_pack_weights(uint32_t context, uint32_t dtype, size_t L, size_t R, size_t K, const void* G,
                               void* packed);

// With P[b,i,j] = Σ_k G[i,j,k] dout[b,k]:  da[b,i] = Σ_j P ∂ξ/∂x,  dh[b,j] = Σ_i P ∂ξ/∂y,
// dG[i,j,k] = Σ_b ξ(a[b,i], h[b,j]) dout[b,k]. da and dh may be null together, dG alone.
// accumulate ≠ 0 adds to dG, as weights that are shared over steps need.
XT_API int32_t xt_contract_gradient(uint32_t context, uint32_t dtype, uint32_t xi, size_t B, size_t L,
                                    size_t R, size_t K, const void* a, const void* h, const void* G,
                                    const void* dout, void* da, void* dh, void* dG, uint32_t accumulate);

// All pairs of templates and hidden rows, a step of a grid tensor: out[p,m,k] = Σ_ij G[i,j,k] ξ(a[m,i],
// h[p,j]); a [M,L], h [P,R], G [L,R,K], out [P,M,K]
XT_API int32_t xt_contract_grid(uint32_t context, uint32_t dtype, uint32_t xi, size_t P, size_t M, size_t L,
                                size_t R, size_t K, const void* a, const void* h, const void* G, void* out);

// The form that every step of a contraction has, over multi-indices g, m, n and s:
//   out[g,m,n] = ⊕_s left[g,m,s] ⊗ right[g,n,s],  left = ξ(x0, …), right = ξ(the operands after those)
// ⊗ is the operator `combine`; from_unit ≠ 0 starts a left side of one operand from the unit of ξ. `plan` is
//   the ranks of g, m, n, s; the numbers of left (from 1) and right (from 0) operands, at most XT_MAX_JOINED;
//   the extents of g, m, n, s; for each left operand its strides over g, m, s, for each right one those over
//   g, n, s; those of out over g, m, n.
// Without right operands there is no ⊗, and n has rank 0. arg, or null: as out, in float64, the first s that
// won a max or min.
XT_API int32_t xt_joined(uint32_t context, uint32_t dtype, uint32_t xi, uint32_t combine, uint32_t reduce,
                         uint32_t from_unit, const int32_t* plan, size_t plan_length, const void* x0,
                         const void* x1, const void* x2, const void* x3, const void* x4, const void* x5,
                         const void* x6, const void* x7, void* out, double* arg);

// Adds to each d…, or skips it if null, the gradient of Σ dout·out with respect to the operand; sum and
// logsumexp only. out is what xt_joined computed.
XT_API int32_t xt_joined_gradient(uint32_t context, uint32_t dtype, uint32_t xi, uint32_t combine,
                                  uint32_t reduce, uint32_t from_unit, const int32_t* plan,
                                  size_t plan_length, const void* x0, const void* x1, const void* x2,
                                  const void* x3, const void* x4, const void* x5, const void* x6,
                                  const void* x7, const void* out, const void* dout, void* d0, void* d1,
                                  void* d2, void* d3, void* d4, void* d5, void* d6, void* d7);

// out[n] = ξ(… ξ(ξ(u, z[0,n]), z[1,n]) …, z[T-1,n]);  z [T,N], out [N]
XT_API int32_t xt_fold(uint32_t context, uint32_t dtype, uint32_t xi, size_t T, size_t N, const void* z,
                       void* out);

// dz[t,n] = dout[n] ∂out[n]/∂z[t,n]
XT_API int32_t xt_fold_gradient(uint32_t context, uint32_t dtype, uint32_t xi, size_t T, size_t N,
                                const void* z, const void* dout, void* dz);

// s[b,r] = ξ_t Σ_m f[t,b,m] v[t,r,m], folded from the unit in the order of t, and scores[b,k] = Σ_r s[b,r]
// λ[r,k]; f[t,b,m] at t·f_step + b·f_row + m, v[t,r,m] at t·v_step + r·v_row + m, with v_step = 0 for the
// same v at every step, lambda [R,K], scores [B,K], s [B,R]. s may be null, and lambda and scores together.
// winners [B,R], which may be null, gets the step whose projection s is, or -1 for none, for ξ that select
// one of their operands.
XT_API int32_t xt_project_fold(uint32_t context, uint32_t dtype, uint32_t xi, size_t T, size_t B, size_t R,
                               size_t M, size_t K, const void* f, size_t f_row, size_t f_step, const void* v,
                               size_t v_row, size_t v_step, const void* lambda, void* scores, void* s,
                               void* winners);

// out[w,p,m] += Σ_q d[p,q] x[w,q,m] over the q whose winner w = winners[p,q] is a step;  winners and d [P,Q],
// or [Q,P] if `transposed` ≠ 0, x[t,q,m] at t·x_step + q·x_row + m, out[t,p,m] at t·out_step + p·out_row + m;
// a step of 0 stands for one array for all t. The gradients of xt_project_fold for such ξ.
XT_API int32_t xt_winner_sums(uint32_t context, uint32_t dtype, size_t T, size_t P, size_t Q, size_t M,
                              const void* winners, const void* d, uint32_t transposed, const void* x,
                              size_t x_row, size_t x_step, void* out, size_t out_row, size_t out_step);

// out[m,n] = ξ(x[m], y[n])
XT_API int32_t xt_outer(uint32_t context, uint32_t dtype, uint32_t xi, size_t M, size_t N, const void* x,
                        const void* y, void* out);

// C[m,n] = Σ_k A[m,k] B[k,n] (+ C[m,n] if accumulate); A and B with any strides, in elements, so transposes
// and slices of time cost nothing; C with a row stride
XT_API int32_t xt_matmul(uint32_t context, uint32_t dtype, size_t M, size_t N, size_t K, const void* A,
                         size_t A_row_stride, size_t A_col_stride, const void* B, size_t B_row_stride,
                         size_t B_col_stride, void* C, size_t C_row_stride, uint32_t accumulate);

// z[r,c] = σ(z[r,c] + bias[c]) in place
XT_API int32_t xt_activate(uint32_t context, uint32_t dtype, uint32_t activation, size_t rows, size_t cols,
                           const void* bias, void* z);

// dy[r,c] *= σ'(…) in place, from the value y = σ(…);  dbias[c] = Σ_r dy[r,c]
XT_API int32_t xt_activate_gradient(uint32_t context, uint32_t dtype, uint32_t activation, size_t rows,
                                    size_t cols, const void* y, void* dy, void* dbias);

// Columns of A for tokens, which is A times one-hot rows: z[r,m] = A[m, tokens[r]];  tokens [rows] from 0 to
// N−1, A [M,N], z [rows,M]
XT_API int32_t xt_embed(uint32_t context, uint32_t dtype, size_t rows, size_t M, size_t N,
                        const int32_t* tokens, const void* A, void* z);

// dA[m,n] = Σ dz[r,m] over the rows with tokens[r] = n, in the order of the rows
XT_API int32_t xt_embed_gradient(uint32_t context, uint32_t dtype, size_t rows, size_t M, size_t N,
                                 const int32_t* tokens, const void* dz, void* dA);

// Losses of rows of scores [rows,K], and where dscores is not null the gradient of their mean:
//   softmax: −ln p[label] with p = softmax(scores[r]),  dscores[r,k] = (p[k] − [k = label]) / rows
//   mse:     Σ_k (scores[r,k] − target[r,k])² / K,      dscores[r,k] = 2 (score − target) / (rows·K)
// Of labels [rows] and targets [rows,K] one is null; softmax needs labels, to mse a label is a one-hot row.
// result[0] = the sum over the rows, result[1] = rows whose first largest score is that of the label
XT_API int32_t xt_loss(uint32_t context, uint32_t dtype, uint32_t loss, size_t rows, size_t K,
                       const void* scores, const int32_t* labels, const void* targets, void* dscores,
                       double* result);

// Adam (Kingma & Ba 2015, Algorithm 1) in one pass, with gradient g·scale:
// m ← β₁m + (1−β₁)g,  v ← β₂v + (1−β₂)g²,
// p ← (1−decay)·p − rate·(m/correction1) / (√(v/correction2) + epsilon)
// With decay > 0 it is AdamW (Loshchilov & Hutter 2019, Algorithm 2).
XT_API int32_t xt_adam(uint32_t context, uint32_t dtype, size_t N, void* p, const void* g, void* m, void* v,
                       double rate, double beta1, double beta2, double epsilon, double correction1,
                       double correction2, double scale, double decay);

// result[0] = Σ_n (x[n] − y[n])² in float64, or Σ_n x[n]² where y is null, blocked so that the order of
// summation is fixed
XT_API int32_t xt_sum_squares(uint32_t context, uint32_t dtype, size_t N, const void* x, const void* y,
                              double* result);

// Linear algebra of A [m,n] in float64, with k = min(m, n). XT_NUMERIC if A holds a NaN or an infinity.

// s[k], descending: the singular values. Those below the error bound (svd.cc) may come back as 0. With places
// [m + n] where they are not null, the matrix is that of the elements A[places[i] + places[m + j]].
XT_API int32_t xt_singular_values(uint32_t context, size_t m, size_t n, const double* A,
                                  const int32_t* places, double* s);

// A = U diag(s) Vt with orthonormal columns of U [m,k] and rows of Vt [k,n]; U or Vt may be null.
// XT_CONVERGENCE if the iteration on the bidiagonal form does not end.
XT_API int32_t xt_svd(uint32_t context, size_t m, size_t n, const double* A, double* U, double* s,
                      double* Vt);

// A = Q R with orthonormal columns of Q [m,k], which may be null, and R [k,n] upper trapezoidal.
XT_API int32_t xt_qr(uint32_t context, size_t m, size_t n, const double* A, double* Q, double* R);

// result[0] = 1 if all k singular values are proven to exceed `bound`, 0 if there is no such proof.
XT_API int32_t xt_full_rank(uint32_t context, size_t m, size_t n, const double* A, double bound,
                            double* result);

// If result[1] = 1, result[0] is #{ s > tolerance · max s }, up to the rounding of the
// decomposition (numerical_rank.cc); if 0, there is no such proof, because values lie too close to the
// threshold or A is small. Places as in xt_singular_values.
XT_API int32_t xt_numerical_rank(uint32_t context, size_t m, size_t n, const double* A, const int32_t* places,
                                 double tolerance, double* result);

// result[0] = rank of A modulo a prime, 2 <= prime <= XT_MAX_PRIME; the elements of A are integers in [0,
// prime).
XT_API int32_t xt_rank_modulo(uint32_t context, size_t m, size_t n, const double* A, uint32_t prime,
                              double* result);

// Asks the system for the pages behind fresh memory all at once: a trap for each page that a kernel comes
// upon costs 4 to 16 µs on virtual machines. Changes no value; does nothing where there is no such call.
XT_API int32_t xt_populate(void* data, size_t bytes);

// Measures, does not compute: `repetitions` rounds of multiply-adds on registers alone, as many as a kernel
// tile has. result[0] = number of floating-point operations done, result[1] = a value that keeps the loop
// alive.
XT_API int32_t xt_peak(uint32_t context, uint32_t dtype, size_t repetitions, double* result);

#if defined(__wasm__)
XT_API void* xt_alloc(size_t bytes);
XT_API void xt_free(void* block);
// Takes parts of jobs for ever. A thread that calls it has a stack and thread-local storage of its own.
XT_API void xt_worker(void);
#endif

#endif  // XITENSOR_ABI_H_
