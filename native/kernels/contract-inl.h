// The generalized contraction out[b,k] = Σ_ij G[i,j,k] ξ(a[b,i], h[b,j]) as a matrix product with L·R terms
// whose left operand Ξ[b, ij] = ξ(a[b,i], h[b,j]) exists only panel by panel: it is formed while packing,
// B·(L+R) values in and MC·KC out. Where the operands allow it, φ is taken of the B·(L+R) values and the
// pairs cost ∘ and ψ only (xi.def).
#pragma once
#include "gemm-inl.h"

namespace xt::XT_ISA {

// ξ of a pair, from operands as they are or after φ.
template <class X>
struct WholePair {
  template <class V>
  static XT_INLINE V value(V x, V y) {
    return X::value(x, y);
  }
};
template <class X>
struct PhiPair {
  template <class V>
  static XT_INLINE V value(V x, V y) {
    return X::Fast::psi(X::Fast::circle(x, y));
  }
};

// The types that stand for ξ: one for all operators that do the same to a pair, so that kernels exist once.
template <class AsIs, class OfPhi>
struct Pairs {
  using Whole = AsIs;
  using AfterPhi = OfPhi;
};
template <class X>
struct PairsOf : Pairs<WholePair<X>, PhiPair<X>> {};
template <>
struct PairsOf<xi_product> : Pairs<PhiPair<xi_product>, PhiPair<xi_product>> {};
template <>
struct PairsOf<xi_sum> : Pairs<PhiPair<xi_sum>, PhiPair<xi_sum>> {};
template <>
struct PairsOf<xi_relusum> : Pairs<WholePair<xi_relusum>, PhiPair<xi_sum>> {};
template <>
struct PairsOf<xi_rectifier> : Pairs<WholePair<xi_rectifier>, PhiPair<xi_max>> {};
template <class X>
using Whole = typename PairsOf<X>::Whole;
template <class X>
using AfterPhi = typename PairsOf<X>::AfterPhi;

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

// φ of both operands or of neither: `restore` brings `first` back.
template <class T, class Restore>
XT_INLINE bool take_phi_of_both(TakePhi<T> phi, T* first, size_t first_count, T* second, size_t second_count,
                                Restore&& restore) {
  if (!phi(first, first_count)) return false;
  if (phi(second, second_count)) return true;
  restore();
  return false;
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
  bool* has_phi;  // whether φ has been taken of a panel
  size_t L, R, first_row;
};

// Panels of Ξ, term after term: rows b, columns k = (i, j) with j fastest.
template <class T, class Pair>
struct PairsOfRows {
  static constexpr size_t step = panel_rows<T>;
  const T *a, *h, *first_h;
  T* to;
  size_t R, j;

  PairsOfRows(const OuterRows<T>& from, size_t row, size_t k, T* to) : to(to), R(from.R), j(k % from.R) {
    const size_t panel = (row - from.first_row) / MR<T>;
    a = from.a + (panel * from.L + k / R) * step;
    first_h = from.h + panel * R * step;
    h = first_h + j * step;
  }
  // Of the next `terms`, those that share their i.
  XT_INLINE size_t stretch(size_t terms) {
    if (j == R) {
      j = 0;
      a += step;
      h = first_h;
    }
    const size_t alike = smaller(terms, R - j);
    j += alike;
    return alike;
  }
  XT_INLINE void term() {
    for (size_t v = 0; v < step; v += lanes<T>) store(to + v, Pair::value(load(a + v), load(h + v)));
    h += step;
    to += step;
  }
};

// The same between the terms of a tile, which leaves no register for a.
template <class T, class Pair>
struct PairsBeside : PairsOfRows<T, Pair> {
  using PairsOfRows<T, Pair>::PairsOfRows;
  XT_INLINE void term() {
    asm("" : "+r"(this->a));
    PairsOfRows<T, Pair>::term();
  }
};

template <class T, class Pair>
void pack_pairs_of_rows(const OuterRows<T>& from, size_t row, size_t k, size_t kc, T* to) {
  PairsOfRows<T, Pair> pairs(from, row, k, to);
  for (size_t end; kc > 0; kc -= end) {
    end = pairs.stretch(kc);
    for (size_t n = 0; n < end; ++n) pairs.term();
  }
}

template <class T, class Pair>
void reduce_panel_beside(const void* source, size_t row, size_t k, size_t kc, T* to, const T* A, const T* B,
                         T* C, const size_t* row_offsets, bool accumulate, Prefetch& ahead) {
  PairsBeside<T, Pair> pairs(*static_cast<const OuterRows<T>*>(source), row, k, to);
  reduce_tile<T, SumOf<fast::xi_product>, tile_rows, tile_vectors>(kc, A, B, NR<T>, C, row_offsets,
                                                                   accumulate, ahead, pairs);
}

template <class T, class X>
void pack_outer_panel(const void* source, size_t row, size_t, size_t, size_t k0, size_t kc, T* to) {
  const OuterRows<T>& from = *static_cast<const OuterRows<T>*>(source);
  if (from.has_phi[(row - from.first_row) / MR<T>]) {
    pack_pairs_of_rows<T, AfterPhi<X>>(from, row, k0, kc, to);
  } else {
    pack_pairs_of_rows<T, Whole<X>>(from, row, k0, kc, to);
  }
}

// Fills the panels of a slice and says whether φ serves all of them. It is settled panel by panel, as they
// are cut alike for any number of threads.
template <class T>
bool fill_outer(const ContractArgs<T>& args, Slice b, const OuterRows<T>& outer, TakePhi<T> phi) {
  const size_t step = panel_rows<T>;
  bool all = true;
  for (size_t row = b.begin, panel = 0; row < b.end; row += MR<T>, ++panel) {
    const size_t rows = smaller(b.end - row, MR<T>);
    T *a = outer.a + panel * args.L * step, *h = outer.h + panel * args.R * step;
    transpose_panel(args.a + row * args.L, args.L, rows, args.L, a);
    transpose_panel(args.h + row * args.R, args.R, rows, args.R, h);
    outer.has_phi[panel] = take_phi_of_both(phi, h, args.R * step, a, args.L * step, [&] {
      transpose_panel(args.h + row * args.R, args.R, rows, args.R, h);
    });
    all = all && outer.has_phi[panel];
  }
  return all;
}

// The tile that packs, or null. It pays where a tile leaves a register and ports over; roots and logarithms
// in float64 take too many of both.
#if defined(XT_PACKS_BESIDE)
template <class T, class Pair>
constexpr PanelBeside<T> beside_of = reduce_panel_beside<T, Pair>;
template <>
constexpr PanelBeside<double> beside_of<double, PhiPair<xi_l2>> = nullptr;
template <>
constexpr PanelBeside<double> beside_of<double, PhiPair<xi_logsumexp>> = nullptr;
#else
template <class T, class Pair>
constexpr PanelBeside<T> beside_of = nullptr;
#endif

// Values of j below which a tile would be taken up with changing i.
constexpr size_t shortest_stretch = 8;

template <class T>
bool contract_outer(const ContractArgs<T>& args, Slice b, TakePhi<T> phi, PackPanel<T> pack,
                    PanelBeside<T> beside) {
  const size_t terms = args.L * args.R;
  const size_t rows = packed_A_size<T>(b.size(), 1);
  Room room;
  room.add<T>(rows, args.L).template add<T>(rows, args.R).template add<bool>(rows);
  Partial<T>::plan(room, b, args.columns.size(), terms);
  if (!scratch().reserve(add_dense_gemm_room<T>(room, b, args.K, terms))) return false;
  T* a = scratch().take<T>(rows * args.L);
  T* h = scratch().take<T>(rows * args.R);
  const OuterRows<T> outer{a, h, scratch().take<bool>(rows), args.L, args.R, b.begin};
  const bool has_phi = fill_outer(args, b, outer, phi);
  Side<T> pairs{&outer, pack};
  if (has_phi && args.R >= shortest_stretch) pairs.beside = beside;
  const Matrix<T> G{args.G, 1, args.K};
  Side<T> weights = side_of_transposed(G, args.K);
  if (args.is_packed) weights.packed = args.G;
  gemm_dense<T>(b, args.columns, args.K, terms, pairs, weights, args.out, args.K, false,
                Partial<T>::take(b, args.columns.size(), terms), args.first_term, args.handover);
  return true;
}

template <class T, class X>
bool contract(const ContractArgs<T>& args, Slice b) {
  return contract_outer<T>(args, b, take_phi<T, X>, pack_outer_panel<T, X>, beside_of<T, AfterPhi<X>>);
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
