// The three gradients of the generalized contraction. None of them stores the B·L·R values of ξ or of its
// derivatives: they are formed while packing (weights) or reduced chunk by chunk in cache (inputs).
#pragma once
#include "contract-inl.h"

namespace xt::XT_ISA {

// Rows of a and h, of which the current block of b is kept after φ if it lies in φ's range.
template <class T>
struct OuterColumns {
  TakePhi<T> phi;
  const T *a, *h;
  size_t L, R;
  T *block_a, *block_h;
  mutable bool has_phi;

  void begin(size_t b, size_t count) const {
    copy(a + b * L, count * L, block_a);
    copy(h + b * R, count * R, block_h);
    has_phi = take_phi_of_both(phi, block_a, round_up(count * L, lanes<T>), block_h,
                               round_up(count * R, lanes<T>), [&] { copy(a + b * L, count * L, block_a); });
  }

  // Ones behind the last value, which every range holds.
  static void copy(const T* from, size_t count, T* to) {
    for (size_t n = 0; n < count; ++n) to[n] = from[n];
    for (size_t n = count; n < round_up(count, lanes<T>) + lanes<T>; ++n) to[n] = 1;
  }
};

// Neighbouring j of one i, at most a vector of them: where they begin in the packed panels, in a row of a and
// in one of h.
struct Stretch {
  size_t at, i, j, length;
};

// Panels of Ξᵀ: rows (i, j), columns k = b. A panel may span several i. All panels of a block together read
// each row of h once. The vectors of a stretch spill into what is packed next, but for the last column,
// behind which lies another panel; and they read on into the next row of h.
template <class T, class Pair>
void pack_pairs_of_columns(const OuterColumns<T>& from, size_t row, size_t rows, size_t kc, T* to) {
  Stretch stretches[MC<T>];
  size_t count = 0;
  for (size_t r = 0; r < rows;) {
    const size_t i = (row + r) / from.R, j = (row + r) % from.R, within = r % MR<T>;
    const size_t length = smaller(smaller(rows - r, from.R - j), smaller(MR<T> - within, lanes<T>));
    stretches[count++] = {packed_A_size<T>(r - within, kc) + within, i, j, length};
    r += length;
  }
  const T *a = from.block_a, *h = from.block_h;
  for (size_t k = 0; k < kc; ++k, a += from.L, h += from.R, to += panel_rows<T>) {
    for (const Stretch *s = stretches, *end = s + count; s < end; ++s) {
      const Vec<T> value = Pair::value(broadcast(a[s->i]), load(h + s->j));
      if (k + 1 < kc) {
        store(to + s->at, value);
      } else {
        store_part(to + s->at, value, s->length);
      }
    }
  }
}

template <class T, class X>
void pack_outer_transposed(const void* source, size_t row, size_t rows, size_t, size_t kc, T* to) {
  const auto& from = *static_cast<const OuterColumns<T>*>(source);
  if (from.has_phi) {
    pack_pairs_of_columns<T, AfterPhi<X>>(from, row, rows, kc, to);
  } else {
    pack_pairs_of_columns<T, Whole<X>>(from, row, rows, kc, to);
  }
}

template <class T>
bool gradient_of_weights(const ContractGradientArgs<T>& args, Slice ij, TakePhi<T> phi, PackBlock<T> pack) {
  const size_t block = smaller(args.B, KC);
  Room room;
  add_dense_gemm_room<T>(room, ij, args.K, args.B);
  room.add<T>(block * args.L + 2 * lanes<T>).template add<T>(block * args.R + 2 * lanes<T>);
  if (!scratch().reserve(room)) return false;
  const OuterColumns<T> outer{phi,
                              args.a,
                              args.h,
                              args.L,
                              args.R,
                              scratch().take<T>(block * args.L + 2 * lanes<T>),
                              scratch().take<T>(block * args.R + 2 * lanes<T>),
                              false};
  const Side<T> pairs{&outer, nullptr,
                      [](const void* source, size_t b, size_t count) {
                        static_cast<const OuterColumns<T>*>(source)->begin(b, count);
                      },
                      pack};
  const Matrix<T> dout{args.dout, 1, args.K};
  gemm_dense<T>(ij, {0, args.K}, args.K, args.B, pairs, side_of_transposed(dout, args.K), args.dG, args.K,
                args.accumulate);
  return true;
}

template <class T, class X>
bool contract_gradient_weights(const ContractGradientArgs<T>& args, Slice ij) {
  return gradient_of_weights<T>(args, ij, take_phi<T, X>, pack_outer_transposed<T, X>);
}

// Some rows of reduce_outer, together, so that h and dh are read and written once for all of them.
template <class T, class X, int rows>
XT_INLINE void reduce_outer_rows(const T* P, size_t R, const T* a, const T* h, T* da, T* dh) {
  Vec<T> x[rows], sum[rows];
#pragma GCC unroll 4
  for (int i = 0; i < rows; ++i) {
    x[i] = broadcast(a[i]);
    sum[i] = Vec<T>{};
  }
  size_t j = 0;
  for (; j + lanes<T> <= R; j += lanes<T>) {
    const Vec<T> y = load(h + j);
    Vec<T> gradient = load(dh + j);
#pragma GCC unroll 4
    for (int i = 0; i < rows; ++i) {
      const Vec<T> p = load(P + i * R + j);
      sum[i] += p * X::dx(x[i], y);
      gradient += p * X::dy(x[i], y);
    }
    store(dh + j, gradient);
  }
  if (j < R) {
    const Vec<T> y = load(h + j);
    const Int<T> within = first_lanes<T>(R - j);
    Vec<T> gradient = load(dh + j);
#pragma GCC unroll 4
    for (int i = 0; i < rows; ++i) {
      const Vec<T> p = load(P + i * R + j);
      sum[i] += within ? p * X::dx(x[i], y) : Vec<T>{};
      gradient += p * X::dy(x[i], y);
    }
    store(dh + j, gradient);
  }
#pragma GCC unroll 4
  for (int i = 0; i < rows; ++i) da[i] = sum_lanes<T>(sum[i]);
}

// da[i] = Σ_j P[i,j] ∂ξ/∂x and dh[j] += Σ_i P[i,j] ∂ξ/∂y for one b; rows of h and dh are padded to vectors,
// those of P lie end to end with a vector behind the last.
template <class T, class X>
void reduce_outer(const T* P, size_t count, size_t R, const T* a, const T* h, T* da, T* dh) {
  constexpr int together = rows_of_tile<typename X::Fast>;
  size_t i = 0;
  if constexpr (together > 1) {
    for (; i + together <= count; i += together) {
      reduce_outer_rows<T, X, together>(P + i * R, R, a + i, h, da + i, dh);
    }
  }
  for (; i < count; ++i) reduce_outer_rows<T, X, 1>(P + i * R, R, a + i, h, da + i, dh);
}

// da and dh: P = dout·Gᵀ is formed MR rows by a chunk of i at a time, some 512 columns, and reduced while it
// is in cache.
template <class T>
using ReduceOuter = void (*)(const T* P, size_t count, size_t R, const T* a, const T* h, T* da, T* dh);

template <class T>
bool gradient_of_inputs(const ContractGradientArgs<T>& args, Slice b, ReduceOuter<T> reduce) {
  const size_t L = args.L, R = args.R, K = args.K, rows = b.size(), h_stride = R + lanes<T>;
  const size_t chunk = smaller(L, 2048 / sizeof(T) / R + 1);
  const size_t columns = round_up(chunk * R, lanes<T>), padded_rows = packed_A_size<T>(rows, 1);
  Room room;
  room.add<T>(rows, h_stride).template add<T>(rows, h_stride).template add<T>(padded_rows, K);
  room.add<T>(K, round_up(columns, NR<T>)).template add<T>(MR<T>, columns).template add<T>(lanes<T>);
  if (!scratch().reserve(room)) return false;
  T* padded_h = scratch().take<T>(rows * h_stride);
  T* padded_dh = scratch().take<T>(rows * h_stride);
  T* packed_dout = scratch().take<T>(padded_rows * K);
  T* packed_G = scratch().take<T>(packed_B_size<T>(K, columns));
  T* P = scratch().take<T>(MR<T> * columns + lanes<T>);
  size_t P_rows[MR<T>];
  pad_rows(args.h + b.begin * R, rows, R, h_stride, padded_h);
  for (size_t n = 0; n < rows * h_stride; ++n) padded_dh[n] = 0;
  const Matrix<T> dout{args.dout + b.begin * K, K, 1};
  for (size_t row = 0; row < rows; row += MR<T>) {
    pack_matrix_panel<T>(&dout, row, smaller(rows - row, MR<T>), panel_rows<T>, 0, K,
                         packed_dout + packed_A_size<T>(row, K));
  }
  const Matrix<T> G{args.G, K, 1};  // rows (i, j), columns k
  const Side<T> weights{&G, pack_matrix_panel<T>};
  const size_t panels = (rows + MR<T> - 1) / MR<T>;
  for (size_t i = 0; i < L; i += chunk) {
    // Whole vectors of columns, whatever the last one holds: nothing is merged then.
    const size_t count = smaller(L - i, chunk), nc = round_up(count * R, lanes<T>);
    pack_B(weights, i * R, count * R, 0, K, packed_G);
    for (size_t r = 0; r < MR<T>; ++r) P_rows[r] = r * nc;
    const size_t next = smaller(L - i - count, chunk) * R * K * sizeof(T);
    Prefetch ahead;
    if (next > 0) ahead = {args.G + (i + count) * R * K, 1, next, 0, panels * ((nc + NR<T> - 1) / NR<T>), K};
    for (size_t row = 0; row < rows; row += MR<T>) {
      const size_t present = smaller(rows - row, MR<T>);
      multiply_block<T>(K, nc, packed_dout + packed_A_size<T>(row, K), packed_G, {P, P_rows, nullptr},
                        present, false, ahead);
      for (size_t r = 0; r < present; ++r) {
        const size_t at = (b.begin + row + r) * L + i;
        reduce(P + r * nc, count, R, args.a + at, padded_h + (row + r) * h_stride, args.da + at,
               padded_dh + (row + r) * h_stride);
      }
    }
  }
  for (size_t r = 0; r < rows; ++r) {
    for (size_t j = 0; j < R; ++j) args.dh[(b.begin + r) * R + j] = padded_dh[r * h_stride + j];
  }
  return true;
}

template <class T, class X>
bool contract_gradient_inputs(const ContractGradientArgs<T>& args, Slice b) {
  return gradient_of_inputs<T>(args, b, reduce_outer<T, X>);
}

}  // namespace xt::XT_ISA
