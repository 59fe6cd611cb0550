// Tiles whose last columns fill a small part of a vector. As lanes of a vector of B they would cost what a
// whole vector does: K = 51 is worked as 64. Instead vectors of A, which hold the rows of a panel, meet their
// values one by one.
#pragma once
#include "tile-inl.h"

namespace xt::XT_ISA {

// Sums of a panel of A against single columns of B, formed between the terms of a tile.
template <class T, class S, int columns>
struct ColumnsBeside : Alone {
  static_assert(panel_rows<T> == lanes<T>);
  const T *A, *B;
  size_t width;
  Vec<T> sums[columns];

  ColumnsBeside(const T* A, const T* B, size_t width) : A(A), B(B), width(width) {
#pragma GCC unroll 16
    for (int c = 0; c < columns; ++c) sums[c] = broadcast(T(S::identity));
  }
  XT_INLINE void term() {
    const Vec<T> a = load(A);
#pragma GCC unroll 16
    for (int c = 0; c < columns; ++c) sums[c] = S::step(sums[c], a, broadcast(B[c]));
    A += panel_rows<T>;
    B += width;
  }
};

// A whole panel of A against a vector of B and up to `columns` single ones behind it, for a C without a list
// of columns.
template <class T, class S, int columns>
void reduce_panel_columns(size_t kc, const T* A, const T* B, size_t width, Target<T> to, size_t present,
                          size_t column, size_t cols, bool accumulate, Prefetch& ahead) {
  T* C = to.data + column;
  ColumnsBeside<T, S, columns> beside(A, B + lanes<T>, width);
  reduce_tile<T, S, S::rows, 1>(kc, A, B, width, C, to.rows, accumulate, ahead, beside);
  T sums[columns][panel_rows<T>];
#pragma GCC unroll 16
  for (int c = 0; c < columns; ++c) store(sums[c], beside.sums[c]);
  for (size_t r = 0; r < present; ++r) {
    T* row = C + to.rows[r] + lanes<T>;
    for (size_t c = 0; c < cols - lanes<T>; ++c) {
      row[c] = accumulate ? S::Merge::merge(row[c], sums[c][r]) : sums[c][r];
    }
  }
}

// Single columns that take 18 multiply-adds a term with a vector before them, and 21 loads, two a cycle; two
// vectors take 28. With eight there is nothing left to gain.
constexpr size_t most_single = 4;

// The kernel for whole panels against `cols` columns if there is one, else null. Vectors of sixteen lanes
// only: of shorter ones less is lost.
template <class T>
PanelKernel<T> columns_kernel(size_t cols) {
  if constexpr (lanes<T> == 16) {
    if (cols > lanes<T> && cols <= lanes<T> + most_single) {
      return reduce_panel_columns<T, SumOf<fast::xi_product>, most_single>;
    }
  }
  return nullptr;
}

}  // namespace xt::XT_ISA
