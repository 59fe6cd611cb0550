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
  const size_t rows = packed_A_size<T>(b.size(), 1);
  Room room;
  room.add<T>(rows, args.L).template add<T>(rows, args.R);
  if (!scratch().reserve(add_gemm_room<T>(room, args.K, terms))) return false;
  T* a = scratch().take<T>(rows * args.L);
  T* h = scratch().take<T>(rows * args.R);
  transpose_panels(args.a, args.L, b, a);
  transpose_panels(args.h, args.R, b, h);
  const OuterRows<T> outer{a, h, args.L, args.R, b.begin};
  gemm<T>(b, args.K, terms, {&outer, pack_outer_panel<T, X>}, {args.G, args.K, 1}, args.out, args.K, false);
  return true;
}

// a and h as they are; `last` is where the last whole vector of h begins.
template <class T>
struct OuterColumns {
  const T *a, *h, *last;
  size_t L, R;
};

// Panel of Ξᵀ: rows (i, j), columns k = b. A panel may span several i; each of its stretches of j is one run
// of vectors, which may spill into what is packed next, and reads on into the next row of h.
template <class T, class X>
void pack_outer_transposed_panel(const void* source, size_t row, size_t rows, size_t k0, size_t kc, T* to) {
  const OuterColumns<T>& from = *static_cast<const OuterColumns<T>*>(source);
  for (size_t k = 0; k < kc; ++k) {
    const T* a = from.a + (k0 + k) * from.L;
    const T* h = from.h + (k0 + k) * from.R;
    T* column = to + k * panel_rows<T>;
    size_t i = row / from.R, j = row % from.R;
    for (size_t r = 0; r < rows; ++i, j = 0) {
      const size_t length = smaller(rows - r, from.R - j);
      const Vec<T> x = broadcast(a[i]);
      for (size_t n = 0; n < length; n += lanes<T>) {
        const T* at = h + j + n;
        const Vec<T> y = at <= from.last ? load(at) : load_part(at, smaller(lanes<T>, length - n));
        store(column + r + n, X::value(x, y));
      }
      r += length;
    }
  }
}

template <class T, class X>
bool contract_gradient_weights(const ContractGradientArgs<T>& args, Slice ij) {
  Room room;
  if (!scratch().reserve(add_gemm_room<T>(room, args.K, args.B))) return false;
  const OuterColumns<T> outer{args.a, args.h, args.h + args.B * args.R - lanes<T>, args.L, args.R};
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

// Copies [rows, columns] into rows of `stride`, zeros behind the columns.
template <class T>
void pad_rows(const T* from, size_t rows, size_t columns, size_t stride, T* to) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t n = 0; n < stride; ++n) to[r * stride + n] = n < columns ? from[r * columns + n] : T(0);
  }
}

// da and dh: P = dout·Gᵀ is formed MR rows by a chunk of i at a time, some 512 columns, and reduced while it
// is in cache.
template <class T, class X>
bool contract_gradient_inputs(const ContractGradientArgs<T>& args, Slice b) {
  const size_t L = args.L, R = args.R, K = args.K, rows = b.size(), h_stride = R + lanes<T>;
  const size_t chunk = smaller(L, 2048 / sizeof(T) / R + 1);
  const size_t columns = chunk * R, padded_rows = packed_A_size<T>(rows, 1);
  Room room;
  room.add<T>(rows, h_stride).template add<T>(rows, h_stride).template add<T>(padded_rows, K);
  room.add<T>(K, round_up(columns, NR<T>)).template add<T>(MR<T>, columns);
  if (!scratch().reserve(room)) return false;
  T* padded_h = scratch().take<T>(rows * h_stride);
  T* padded_dh = scratch().take<T>(rows * h_stride);
  T* packed_dout = scratch().take<T>(padded_rows * K);
  T* packed_G = scratch().take<T>(packed_B_size<T>(K, columns));
  T* P = scratch().take<T>(MR<T> * columns);
  pad_rows(args.h + b.begin * R, rows, R, h_stride, padded_h);
  for (size_t n = 0; n < rows * h_stride; ++n) padded_dh[n] = 0;
  const Matrix<T> dout{args.dout + b.begin * K, K, 1};
  for (size_t row = 0; row < rows; row += MR<T>) {
    pack_matrix_panel<T>(&dout, row, smaller(rows - row, MR<T>), 0, K,
                         packed_dout + packed_A_size<T>(row, K));
  }
  for (size_t i = 0; i < L; i += chunk) {
    const size_t count = smaller(L - i, chunk), nc = count * R;
    pack_B<T>({args.G + i * R * K, 1, K}, K, nc, packed_G);
    for (size_t row = 0; row < rows; row += MR<T>) {
      const size_t present = smaller(rows - row, MR<T>);
      multiply_row_panel<T>(K, nc, packed_dout + packed_A_size<T>(row, K), packed_G, P, nc, present, false);
      for (size_t r = 0; r < present; ++r) {
        const size_t at = (b.begin + row + r) * L + i;
        reduce_outer<T, X>(P + r * nc, count, R, args.a + at, padded_h + (row + r) * h_stride, args.da + at,
                           padded_dh + (row + r) * h_stride);
      }
    }
  }
  for (size_t r = 0; r < rows; ++r) {
    for (size_t j = 0; j < R; ++j) args.dh[(b.begin + r) * R + j] = padded_dh[r * h_stride + j];
  }
  return true;
}

}  // namespace xt::XT_ISA
