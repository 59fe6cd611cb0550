// The first term that wins a maximum or minimum, beside its value.
#pragma once
#include "joined_side-inl.h"

namespace xt::XT_ISA {

// Merges the winners of a block into those of the blocks before.
template <class T, bool largest>
__attribute__((noinline)) void merge_winners(const Vec<T>& best, const Vec<T>& index, size_t term,
                                             size_t count, T* C, double* arg, const size_t* columns,
                                             bool accumulate) {
  for (size_t n = 0; n < static_cast<size_t>(lanes<T>) && n < count; ++n) {
    const size_t at = columns ? columns[n] : n;
    const T value = best[n], before = C[at];
    const bool better = (largest ? value > before : value < before) || (value != value && before == before);
    if (accumulate && !better) continue;
    C[at] = value;
    arg[at] = static_cast<double>(term) + static_cast<double>(index[n]);
  }
}

// Vectors of a row of out at a time: their largest or smallest terms, and which those are. `careful` where a
// NaN may occur, of which the first wins, and where columns do not fill the tile.
template <class T, class X, bool largest, bool careful>
void arg_panel(size_t term, size_t kc, const T* A, const T* B, size_t width, T* C, double* arg,
               const size_t* row_offsets, const size_t* column_offsets, size_t rows, size_t cols,
               bool accumulate) {
  constexpr int vectors = careful ? 1 : tile_vectors;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t w = 0; w < cols; w += vectors * lanes<T>) {
      Vec<T> best[vectors], index[vectors] = {}, number{};
      for (int v = 0; v < vectors; ++v) best[v] = broadcast(T(largest ? -infinity : infinity));
      for (size_t k = 0; k < kc; ++k, number += T(1)) {
        const Vec<T> a = broadcast(A[k * panel_rows<T> + r]);
#pragma GCC unroll 8
        for (int v = 0; v < vectors; ++v) {
          const Vec<T> value = X::value(a, load(B + k * width + w + v * lanes<T>));
          auto wins = largest ? value > best[v] : value < best[v];
          if constexpr (careful) wins |= (value != value) & (best[v] == best[v]);
          best[v] = wins ? value : best[v];
          index[v] = wins ? number : index[v];
        }
      }
      for (int v = 0; v < vectors; ++v) {
        const size_t at = w + v * lanes<T>, shift = row_offsets[r] + (column_offsets ? 0 : at);
        merge_winners<T, largest>(best[v], index[v], term, cols - at, C + shift, arg + shift,
                                  column_offsets ? column_offsets + at : nullptr, accumulate);
      }
    }
  }
}

template <class T>
using ArgKernel = void (*)(size_t term, size_t kc, const T* A, const T* B, size_t width, T* C, double* arg,
                           const size_t* row_offsets, const size_t* column_offsets, size_t rows, size_t cols,
                           bool accumulate);

// Where ξ takes more than a few instructions, several vectors would be code that gains nothing.
template <class T, class X, bool largest>
constexpr ArgKernel<T> arg_kernel(bool careful) {
  if constexpr (X::Range::arithmetic) {
    if (!careful) return arg_panel<T, typename X::Fast, largest, false>;
  }
  return arg_panel<T, X, largest, true>;
}

// [⊗][smallest][careful]
template <class T>
constexpr ArgKernel<T> arg_kernels[kXiCount][2][2] = {
#define XI(name, ...)                                                             \
  {{arg_kernel<T, xi_##name, true>(false), arg_kernel<T, xi_##name, true>(true)}, \
   {arg_kernel<T, xi_##name, false>(false), arg_kernel<T, xi_##name, false>(true)}},
#include "../xi.def"
#undef XI
};

// As reduce_block, and starts counting at `term`.
template <class T>
void arg_block(const JoinedArgs<T>& args, size_t term, size_t kc, size_t nc, const T* A, const T* B,
               Target<T> to, double* arg, size_t rows, bool accumulate, bool careful) {
  const auto& kernels = arg_kernels<T>[args.combine][args.reduce == XT_MIN];
  for (size_t n = 0; n < nc; n += NR<T>) {
    const size_t cols = smaller(nc - n, NR<T>), width = round_up(cols, lanes<T>);
    for (size_t row = 0; row < rows; row += MR<T>) {
      const size_t shift = to.columns ? 0 : n;
      kernels[careful || cols < NR<T>](
          term, kc, A + row / MR<T> * panel_rows<T> * kc, B + n * kc, width, to.data + shift, arg + shift,
          to.rows + row, to.columns ? to.columns + n : nullptr, smaller(rows - row, MR<T>), cols, accumulate);
    }
  }
}

}  // namespace xt::XT_ISA
