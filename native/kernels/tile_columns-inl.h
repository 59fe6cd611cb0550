// Tiles of a few columns. As lanes of a vector of B they would cost what a whole vector does: K = 51 is
// worked as 56, or as 64. Instead vectors of A, which hold the rows of a panel, meet their values one by one.
#pragma once
#include "tile-inl.h"

namespace xt::XT_ISA {

// Two whole panels of A, whose sums hide each other's latency, against up to `columns` columns of B, for a C
// without a list of columns.
template <class T, class S, int columns>
void reduce_single_columns(size_t kc, const T* A, const T* B, size_t width, Target<T> to, size_t present,
                           size_t column, size_t cols, bool accumulate, Prefetch& ahead) {
  static_assert(panel_rows<T> == lanes<T>);
  constexpr int panels = 2;
  Vec<T> sums[panels][columns];
#pragma GCC unroll 2
  for (int p = 0; p < panels; ++p) {
#pragma GCC unroll 16
    for (int c = 0; c < columns; ++c) sums[p][c] = broadcast(T(S::identity));
  }
  for (size_t k = 0; k < kc; ++k) {
    const Vec<T> a[panels]{load(A + k * panel_rows<T>), load(A + (kc + k) * panel_rows<T>)};
#pragma GCC unroll 16
    for (int c = 0; c < columns; ++c) {
      const Vec<T> b = broadcast(B[k * width + c]);
#pragma GCC unroll 2
      for (int p = 0; p < panels; ++p) sums[p][c] = S::step(sums[p][c], a[p], b);
    }
  }
  ahead.some(panels * ahead.a_tile);
  T results[columns][panels * panel_rows<T>];
#pragma GCC unroll 16
  for (int c = 0; c < columns; ++c) {
#pragma GCC unroll 2
    for (int p = 0; p < panels; ++p) store(results[c] + p * panel_rows<T>, sums[p][c]);
  }
  for (size_t r = 0, from = 0; r < present; ++r, ++from) {
    if (r == MR<T>) from = panel_rows<T>;
    T* row = to.data + column + to.rows[r];
    for (size_t c = 0; c < cols; ++c) {
      row[c] = accumulate ? S::Merge::merge(row[c], results[c][from]) : results[c][from];
    }
  }
}

// With AVX2 four columns take two cycles a term and panel, and a vector of them four, as it waits for its six
// sums. With AVX-512 they take two and a vector seven, so that they pay behind a vector too.
constexpr size_t most_single = 4;

template <class T>
size_t count_single(size_t cols) {
  if (cols <= most_single) return cols;
  constexpr size_t vector = lanes<T>;
  return vector == 16 && cols > vector && cols <= vector + most_single ? cols - vector : 0;
}

// Where a panel of A is a vector, of eight lanes at least: of shorter ones less is lost.
template <class T>
constexpr SingleColumns<T> single_columns() {
  if constexpr (lanes<T> >= 8 && panel_rows<T> == lanes<T>) {
    return {count_single<T>, reduce_single_columns<T, SumOf<fast::xi_product>, most_single>};
  }
  return {};
}

}  // namespace xt::XT_ISA
