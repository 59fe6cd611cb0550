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
template <class T, class X>
bool take_phi(T* values, size_t count) {
  Int<T> holds = ~Int<T>{};
  for (size_t n = 0; n < count; n += lanes<T>) holds &= X::Range::holds(load(values + n));
  if (any_lane<T>(~holds)) return false;
  for (size_t n = 0; n < count; n += lanes<T>) store(values + n, X::Fast::phi(load(values + n)));
  return true;
}

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
template <class T, class Pair>
void pack_outer_panel(const void* source, size_t row, size_t, size_t, size_t k0, size_t kc, T* to) {
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
      for (size_t v = 0; v < step; v += lanes<T>) store(to + v, Pair::value(a[v / lanes<T>], load(h + v)));
    }
  }
}

template <class T, class X>
bool contract(const ContractArgs<T>& args, Slice b) {
  const size_t terms = args.L * args.R;
  const size_t rows = packed_A_size<T>(b.size(), 1);
  Room room;
  room.add<T>(rows, args.L).template add<T>(rows, args.R);
  if (!scratch().reserve(add_dense_gemm_room<T>(room, b, args.K, terms))) return false;
  T* a = scratch().take<T>(rows * args.L);
  T* h = scratch().take<T>(rows * args.R);
  transpose_panels(args.a, args.L, b, a);
  transpose_panels(args.h, args.R, b, h);
  const OuterRows<T> outer{a, h, args.L, args.R, b.begin};
  Side<T> pairs{&outer, pack_outer_panel<T, Joined<X>>};
  if (!take_phi<T, X>(h, rows * args.R)) {
    pairs.panel = pack_outer_panel<T, Whole<X>>;
  } else if (!take_phi<T, X>(a, rows * args.L)) {
    transpose_panels(args.h, args.R, b, h);
    pairs.panel = pack_outer_panel<T, Whole<X>>;
  }
  const Matrix<T> G{args.G, 1, args.K};
  gemm_dense<T>(b, args.K, terms, pairs, side_of_transposed(G, args.K), args.out, args.K, false);
  return true;
}

}  // namespace xt::XT_ISA
