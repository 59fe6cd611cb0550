// A product of so few rows that they are one panel. No panel of B is met twice then, so that packing it would
// cost more than it saves: B is read where it lies, in tiles that are the wider the fewer rows there are, or
// from the panels of weights that are packed already.
#pragma once
#include "tile_columns-inl.h"

namespace xt::XT_ISA {

constexpr int few_rows = 4;
// 16 accumulators where there are 32 registers, and 8 where there are 16.
constexpr int few_rows_vectors = tile_rows * tile_vectors >= 24 ? 4 : 2;

// The first `present` rows of a panel of A against W vectors of B, whose rows are `stride` apart.
template <class T, int rows, int W>
void reduce_one_panel(size_t kc, const T* A, const T* B, size_t stride, T* C, const size_t* row_offsets,
                      size_t present, bool accumulate, Prefetch& ahead) {
  Vec<T> state[rows][W];
  reduce_terms<T, SumOf<fast::xi_product>, rows, W>(kc, A, B, stride, state, ahead);
  T sums[rows][W * lanes<T>];
#pragma GCC unroll 16
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int w = 0; w < W; ++w) store(sums[r] + w * lanes<T>, state[r][w]);
  }
  for (size_t r = 0; r < present; ++r) {
    for (size_t c = 0; c < W * lanes<T>; c += lanes<T>) {
      T* to = C + row_offsets[r] + c;
      store(to, accumulate ? load(to) + load(sums[r] + c) : load(sums[r] + c));
    }
  }
}

// Columns that a tile takes, and the tile.
template <class T>
struct OnePanelTile {
  size_t columns;
  void (*reduce)(size_t kc, const T* A, const T* B, size_t stride, T* C, const size_t* row_offsets,
                 size_t present, bool accumulate, Prefetch& ahead);
};
template <class T, int rows, int W>
constexpr OnePanelTile<T> one_panel_tile{W * static_cast<size_t>(lanes<T>), reduce_one_panel<T, rows, W>};

template <class T>
XT_INLINE OnePanelTile<T> one_panel_tile_of(size_t rows, bool in_panels) {
  if (rows > few_rows) return one_panel_tile<T, tile_rows, tile_vectors>;
  if (in_panels) return one_panel_tile<T, few_rows, tile_vectors>;
  return rows == 1 ? one_panel_tile<T, 1, few_rows_vectors> : one_panel_tile<T, few_rows, few_rows_vectors>;
}

}  // namespace xt::XT_ISA
