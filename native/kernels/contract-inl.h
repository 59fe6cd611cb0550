// The generalized contraction out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j]) as a matrix product with L·R terms
// whose left operand Ξ[b, ij] = ξ(a[b,i], h[b,j]) exists only panel by panel: it is formed while packing,
// B·(L+R) values in and MC·KC out.
#pragma once
#include "gemm-inl.h"
#include "xi-inl.h"

namespace xt::XT_ISA {

// The rows of a slice as panels [panel][column][panel_rows], zeros beyond the slice: a vector holds
// neighbouring rows, and a panel is read from front to back.
template <class T>
void transpose_panels(const T* from, size_t columns, Slice rows, T* to) {
  for (size_t row = rows.begin; row < rows.end; row += MR<T>, to += columns * panel_rows<T>) {
    transpose_copy(from + row * columns, columns, smaller(rows.end - row, MR<T>), columns, to, panel_rows<T>);
  }
}

// a and h of a slice of rows as panels.
template <class T>
struct OuterRows {
  const T *a, *h;
  size_t L, R, first_row;
};

// Panel of Ξ: rows b, columns k = (i, j) with j fastest.
template <class T, class X>
void pack_outer_panel(const void* source, size_t row, size_t, size_t k0, size_t kc, T* to) {
  const OuterRows<T>& from = *static_cast<const OuterRows<T>*>(source);
  constexpr size_t step = panel_rows<T>;
  const size_t panel = (row - from.first_row) / MR<T>;
  const T* all_a = from.a + panel * from.L * step;
  const T* all_h = from.h + panel * from.R * step;
  size_t i = k0 / from.R, j = k0 % from.R;
  for (size_t k = 0; k < kc; ++i, j = 0) {
    Vec<T> a[step / lanes<T>];
    for (size_t v = 0; v < step; v += lanes<T>) a[v / lanes<T>] = load(all_a + i * step + v);
    const T* h = all_h + j * step;
    const size_t end = smaller(kc, k + (from.R - j));
    for (; k < end; ++k, h += step, to += step) {
      for (size_t v = 0; v < step; v += lanes<T>) store(to + v, X::value(a[v / lanes<T>], load(h + v)));
    }
  }
}

template <class T, class X>
bool contract(const ContractArgs<T>& args, Slice b) {
  const size_t terms = args.L * args.R;
  const size_t a_size = packed_A_size<T>(b.size(), args.L), h_size = packed_A_size<T>(b.size(), args.R);
  if (!scratch().reserve(Scratch::bytes_for<T>(a_size) + Scratch::bytes_for<T>(h_size) +
                         gemm_scratch_bytes<T>(args.K, terms))) {
    return false;
  }
  T* a = scratch().take<T>(a_size);
  T* h = scratch().take<T>(h_size);
  transpose_panels(args.a, args.L, b, a);
  transpose_panels(args.h, args.R, b, h);
  const OuterRows<T> outer{a, h, args.L, args.R, b.begin};
  gemm<T>(b, args.K, terms, {&outer, pack_outer_panel<T, X>}, {args.G, args.K, 1}, args.out, args.K, false);
  return true;
}

// a as it is, h with its rows padded so that a vector may be read past the end of each.
template <class T>
struct OuterColumns {
  const T *a, *h;
  size_t L, R, h_stride;
};

// Copies [rows, columns] into rows of `stride`, zeros behind the columns.
template <class T>
void pad_rows(const T* from, size_t rows, size_t columns, size_t stride, T* to) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t n = 0; n < stride; ++n) to[r * stride + n] = n < columns ? from[r * columns + n] : T(0);
  }
}

// Panel of Ξᵀ: rows (i, j), columns k = b. A panel may span several i; each of its stretches of j is one run
// of vectors.
template <class T, class X>
void pack_outer_transposed_panel(const void* source, size_t row, size_t rows, size_t k0, size_t kc, T* to) {
  const OuterColumns<T>& from = *static_cast<const OuterColumns<T>*>(source);
  for (size_t k = 0; k < kc; ++k) {
    const T* a = from.a + (k0 + k) * from.L;
    const T* h = from.h + (k0 + k) * from.h_stride;
    T* column = to + k * panel_rows<T>;
    size_t i = row / from.R, j = row % from.R;
    for (size_t r = 0; r < rows; ++i, j = 0) {
      const size_t length = smaller(rows - r, from.R - j);
      const Vec<T> x = broadcast(a[i]);
      for (size_t n = 0; n < length; n += lanes<T>) store(column + r + n, X::value(x, load(h + j + n)));
      r += length;
    }
  }
}

template <class T, class X>
bool contract_gradient_weights(const ContractGradientArgs<T>& args, Slice ij) {
  const size_t h_stride = args.R + lanes<T>;
  if (!scratch().reserve(Scratch::bytes_for<T>(args.B * h_stride) + gemm_scratch_bytes<T>(args.K, args.B)))
    return false;
  T* h = scratch().take<T>(args.B * h_stride);
  pad_rows(args.h, args.B, args.R, h_stride, h);
  const OuterColumns<T> outer{args.a, h, args.L, args.R, h_stride};
  gemm<T>(ij, args.K, args.B, {&outer, pack_outer_transposed_panel<T, X>}, {args.dout, args.K, 1}, args.dG,
          args.K, args.accumulate);
  return true;
}

// Some rows of reduce_outer, together, so that h and dh are read and written once for all of them.
template <class T, class X, int rows>
XT_INLINE void reduce_outer_rows(const T* P, size_t R, const T* a, const T* h, T* da, T* dh) {
  Vec<T> x[rows], sum[rows];
  for (int i = 0; i < rows; ++i) {
    x[i] = broadcast(a[i]);
    sum[i] = Vec<T>{};
  }
  size_t j = 0;
  for (; j + lanes<T> <= R; j += lanes<T>) {
    const Vec<T> y = load(h + j);
    Vec<T> gradient = load(dh + j);
    for (int i = 0; i < rows; ++i) {
      const Vec<T> p = load(P + i * R + j);
      sum[i] += p * X::dx(x[i], y);
      gradient += p * X::dy(x[i], y);
    }
    store(dh + j, gradient);
  }
  if (j < R) {
    const Vec<T> y = load(h + j);
    Vec<T> gradient = load(dh + j);
    for (int i = 0; i < rows; ++i) {
      const Vec<T> p = load_part(P + i * R + j, R - j);
      sum[i] += keep_first<T>(p * X::dx(x[i], y), R - j);
      gradient += p * X::dy(x[i], y);
    }
    store(dh + j, gradient);
  }
  for (int i = 0; i < rows; ++i) da[i] = sum_lanes<T>(sum[i]);
}

// da[i] = Σ_j P[i,j] ∂ξ/∂x and dh[j] += Σ_i P[i,j] ∂ξ/∂y for one b; h and dh padded to vectors, P not.
template <class T, class X>
void reduce_outer(const T* P, size_t count, size_t R, const T* a, const T* h, T* da, T* dh) {
  size_t i = 0;
  for (; i + 4 <= count; i += 4) reduce_outer_rows<T, X, 4>(P + i * R, R, a + i, h, da + i, dh);
  for (; i < count; ++i) reduce_outer_rows<T, X, 1>(P + i * R, R, a + i, h, da + i, dh);
}

// da and dh: P = dout·Gᵀ is formed MR rows by a chunk of columns at a time and reduced while it is in cache.
template <class T, class X>
bool contract_gradient_inputs(const ContractGradientArgs<T>& args, Slice b) {
  const auto [B, L, R, K, a, h, G, dout, da, dh, dG, accumulate] = args;
  constexpr size_t chunk_columns = 2048 / sizeof(T);
  const size_t chunk = R ? smaller(L, chunk_columns / R + 1) : L;  // of i
  const size_t columns = chunk * R, h_stride = R + lanes<T>, rows = b.size();
  const size_t kc_max = smaller(K, KC);
  if (!scratch().reserve(
          2 * Scratch::bytes_for<T>(rows * h_stride) + Scratch::bytes_for<T>(packed_A_size<T>(rows, K)) +
          Scratch::bytes_for<T>(packed_B_size<T>(kc_max, columns)) + Scratch::bytes_for<T>(rows * columns))) {
    return false;
  }
  T* padded_h = scratch().take<T>(rows * h_stride);
  T* padded_dh = scratch().take<T>(rows * h_stride);
  T* packed_dout = scratch().take<T>(packed_A_size<T>(rows, K));
  T* packed_G = scratch().take<T>(packed_B_size<T>(kc_max, columns));
  T* P = scratch().take<T>(rows * columns);
  pad_rows(h + b.begin * R, rows, R, h_stride, padded_h);
  for (size_t n = 0; n < rows * h_stride; ++n) padded_dh[n] = 0;
  const Matrix<T> dout_matrix{dout, K, 1};
  for (size_t k = 0; k < K; k += KC) {
    const size_t kc = smaller(K - k, KC);
    for (size_t row = 0; row < rows; row += MR<T>) {
      pack_matrix_panel<T>(&dout_matrix, b.begin + row, smaller(rows - row, MR<T>), k, kc,
                           packed_dout + packed_A_size<T>(rows, k) + packed_A_size<T>(row, kc));
    }
  }
  for (size_t i = 0; i < L; i += chunk) {
    const size_t count = smaller(L - i, chunk), nc = count * R;
    for (size_t n = 0; K == 0 && n < rows * nc; ++n) P[n] = 0;
    for (size_t k = 0; k < K; k += KC) {
      const size_t kc = smaller(K - k, KC);
      pack_B<T>({G + i * R * K + k, 1, K}, kc, nc, packed_G);
      for (size_t row = 0; row < rows; row += MR<T>) {
        multiply_row_panel<T>(kc, nc, packed_dout + packed_A_size<T>(rows, k) + packed_A_size<T>(row, kc),
                              packed_G, P + row * nc, nc, smaller(rows - row, MR<T>), k > 0);
        if (k + kc < K) continue;
        for (size_t r = row; r < smaller(rows, row + MR<T>); ++r) {
          reduce_outer<T, X>(P + r * nc, count, R, a + (b.begin + r) * L + i, padded_h + r * h_stride,
                             da + (b.begin + r) * L + i, padded_dh + r * h_stride);
        }
      }
    }
  }
  if (K == 0) {
    for (size_t n = b.begin * L; n < b.end * L; ++n) da[n] = 0;
  }
  for (size_t r = 0; r < rows; ++r) {
    for (size_t j = 0; j < R; ++j) dh[(b.begin + r) * R + j] = padded_dh[r * h_stride + j];
  }
  return true;
}

}  // namespace xt::XT_ISA
