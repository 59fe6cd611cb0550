// The generalized contraction out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j]) as a matrix product with L·R terms
// whose left operand Ξ[b, ij] = ξ(a[b,i], h[b,j]) exists only panel by panel: it is formed while packing,
// B·(L+R) values in and MC·KC out. Where the operands allow it, φ is taken of the B·(L+R) values and the
// pairs cost ∘ and ψ only (xi.def).
#pragma once
#include "gemm-inl.h"

namespace xt::XT_ISA {

// ξ of a pair, from operands as they are or after φ.
template <class X>
struct Whole {
  template <class V>
  static XT_INLINE V value(V x, V y) {
    return X::value(x, y);
  }
};
template <class X>
struct Joined {
  template <class V>
  static XT_INLINE V value(V x, V y) {
    return X::Fast::psi(X::Fast::join(x, y));
  }
};

// Whether all values, a multiple of a vector, lie in the range of φ, which is then taken of them.
template <class T>
using TakePhi = bool (*)(T* values, size_t count);
template <class T, class X>
bool take_phi(T* values, size_t count) {
  Int<T> holds = ~Int<T>{};
  for (size_t n = 0; n < count; n += lanes<T>) holds &= X::Range::holds(load(values + n));
  if (any_lane<T>(~holds)) return false;
  for (size_t n = 0; n < count; n += lanes<T>) store(values + n, X::Fast::phi(load(values + n)));
  return true;
}

// A panel of rows [column][panel_rows] from values of any strides; ones beyond the last row, which every
// range holds. A vector holds neighbouring rows, and a panel is read from front to back.
template <class T>
void transpose_panel(const T* from, size_t row_stride, size_t rows, size_t columns, T* to) {
  if (rows < panel_rows<T>) {
    for (size_t n = 0; n < columns * panel_rows<T>; ++n) to[n] = 1;
  }
  transpose_copy(from, row_stride, rows, columns, to, panel_rows<T>);
}

// a and h of a slice of rows as panels.
template <class T>
struct OuterRows {
  T *a, *h;
  bool* joined;  // whether φ has been taken of a panel
  size_t L, R, first_row;
};

// Panel of Ξ: rows b, columns k = (i, j) with j fastest.
template <class T, class Pair>
XT_INLINE void pack_pairs_of_rows(const OuterRows<T>& from, size_t panel, size_t k0, size_t kc, T* to) {
  constexpr size_t step = panel_rows<T>;
  const T* all_a = from.a + panel * from.L * step;
  const T* all_h = from.h + panel * from.R * step;
  size_t i = k0 / from.R, j = k0 % from.R;
  for (size_t k = 0; k < kc; ++i, j = 0) {
    Vec<T> a[step / lanes<T>];
    for (size_t v = 0; v < step; v += lanes<T>) a[v / lanes<T>] = load(all_a + i * step + v);
    const T* h = all_h + j * step;
    const size_t end = smaller(kc, k + (from.R - j));
    for (; k < end; ++k, h += step, to += step) {
      for (size_t v = 0; v < step; v += lanes<T>) store(to + v, Pair::value(a[v / lanes<T>], load(h + v)));
    }
  }
}

template <class T, class X>
void pack_outer_panel(const void* source, size_t row, size_t, size_t, size_t k0, size_t kc, T* to) {
  const OuterRows<T>& from = *static_cast<const OuterRows<T>*>(source);
  const size_t panel = (row - from.first_row) / MR<T>;
  if (from.joined[panel]) {
    pack_pairs_of_rows<T, Joined<X>>(from, panel, k0, kc, to);
  } else {
    pack_pairs_of_rows<T, Whole<X>>(from, panel, k0, kc, to);
  }
}

// Fills the panels of a slice. Whether φ serves is settled panel by panel, as they are cut alike for any
// number of threads.
template <class T>
void fill_outer(const ContractArgs<T>& args, Slice b, const OuterRows<T>& outer, TakePhi<T> phi) {
  const size_t step = panel_rows<T>;
  for (size_t row = b.begin, panel = 0; row < b.end; row += MR<T>, ++panel) {
    const size_t rows = smaller(b.end - row, MR<T>);
    T *a = outer.a + panel * args.L * step, *h = outer.h + panel * args.R * step;
    transpose_panel(args.a + row * args.L, args.L, rows, args.L, a);
    transpose_panel(args.h + row * args.R, args.R, rows, args.R, h);
    const bool of_h = phi(h, args.R * step);
    outer.joined[panel] = of_h && phi(a, args.L * step);
    if (of_h && !outer.joined[panel]) transpose_panel(args.h + row * args.R, args.R, rows, args.R, h);
  }
}

template <class T>
bool contract_outer(const ContractArgs<T>& args, Slice b, TakePhi<T> phi, PackPanel<T> pack) {
  const size_t terms = args.L * args.R;
  const size_t rows = packed_A_size<T>(b.size(), 1);
  Room room;
  room.add<T>(rows, args.L).template add<T>(rows, args.R).template add<bool>(rows);
  if (!scratch().reserve(add_dense_gemm_room<T>(room, b, args.K, terms))) return false;
  T* a = scratch().take<T>(rows * args.L);
  T* h = scratch().take<T>(rows * args.R);
  const OuterRows<T> outer{a, h, scratch().take<bool>(rows), args.L, args.R, b.begin};
  fill_outer(args, b, outer, phi);
  const Side<T> pairs{&outer, pack};
  const Matrix<T> G{args.G, 1, args.K};
  Side<T> weights = side_of_transposed(G, args.K);
  if (args.is_packed) weights.packed = args.G;
  gemm_dense<T>(b, args.columns, args.K, terms, pairs, weights, args.out, args.K, false);
  return true;
}

template <class T, class X>
bool contract(const ContractArgs<T>& args, Slice b) {
  return contract_outer<T>(args, b, take_phi<T, X>, pack_outer_panel<T, X>);
}

template <class T>
size_t packed_length(size_t terms, size_t K) {
  return packed_whole_size<T>(K, terms);
}

template <class T>
void pack_weights(size_t terms, size_t K, const T* from, T* to) {
  const Matrix<T> G{from, 1, K};
  pack_whole(side_of_transposed(G, K), K, terms, to);
}

}  // namespace xt::XT_ISA
