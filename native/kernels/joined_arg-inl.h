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

// `vectors` vectors of a row of out: its largest or smallest terms, and which those are. `careful` where a
// NaN may occur, of which the first wins.
template <class T, class X, bool largest, bool careful, int vectors>
XT_INLINE void arg_row(size_t kc, const T* A, const T* B, size_t width, Vec<T>* best, Vec<T>* index) {
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    best[v] = broadcast(T(largest ? -infinity : infinity));
    index[v] = Vec<T>{};
  }
  Vec<T> number{};
  for (size_t k = 0; k < kc; ++k, number += T(1)) {
    const Vec<T> a = broadcast(A[k * panel_rows<T>]);
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      const Vec<T> value = X::value(a, load(B + k * width + v * lanes<T>));
      auto wins = largest ? value > best[v] : value < best[v];
      if constexpr (careful) wins |= (value != value) & (best[v] == best[v]);
      best[v] = wins ? value : best[v];
      index[v] = wins ? number : index[v];
    }
  }
}

template <class T, class X, bool largest, bool careful>
void arg_panel(size_t term, size_t kc, const T* A, const T* B, size_t width, T* C, double* arg,
               const size_t* row_offsets, const size_t* column_offsets, size_t rows, size_t cols,
               bool accumulate) {
  Vec<T> best[tile_vectors], index[tile_vectors];
  for (size_t r = 0; r < rows; ++r) {
    const bool whole = width == NR<T>;
    for (size_t w = 0; w < cols; w += whole ? NR<T> : lanes<T>) {
      if (whole) {
        arg_row<T, X, largest, careful, tile_vectors>(kc, A + r, B, width, best, index);
      } else {
        arg_row<T, X, largest, careful, 1>(kc, A + r, B + w, width, best, index);
      }
      for (size_t v = 0, at = w; v < tile_vectors && at < cols; ++v, at += lanes<T>) {
        const size_t shift = row_offsets[r] + (column_offsets ? 0 : at);
        merge_winners<T, largest>(best[v], index[v], term, cols - at, C + shift, arg + shift,
                                  column_offsets ? column_offsets + at : nullptr, accumulate);
        if (!whole) break;
      }
    }
  }
}

template <class T>
using ArgKernel = void (*)(size_t term, size_t kc, const T* A, const T* B, size_t width, T* C, double* arg,
                           const size_t* row_offsets, const size_t* column_offsets, size_t rows, size_t cols,
                           bool accumulate);

// [⊗][smallest][careful]
template <class T>
constexpr ArgKernel<T> arg_kernels[kXiCount][2][2] = {
#define XI(name, ...)                                                                        \
  {{arg_panel<T, fast::xi_##name, true, false>, arg_panel<T, exact::xi_##name, true, true>}, \
   {arg_panel<T, fast::xi_##name, false, false>, arg_panel<T, exact::xi_##name, false, true>}},
#include "../xi.def"
#undef XI
};

// As reduce_block, and starts counting at `term`.
template <class T>
void arg_block(const JoinedArgs<T>& args, size_t term, size_t kc, size_t nc, const T* A, const T* B,
               Target<T> to, double* arg, size_t rows, bool accumulate, bool careful) {
  const ArgKernel<T> kernel = arg_kernels<T>[args.combine][args.reduce == XT_MIN][careful];
  for (size_t n = 0; n < nc; n += NR<T>) {
    const size_t cols = smaller(nc - n, NR<T>), width = round_up(cols, lanes<T>);
    for (size_t row = 0; row < rows; row += MR<T>) {
      const size_t shift = to.columns ? 0 : n;
      kernel(term, kc, A + row / MR<T> * panel_rows<T> * kc, B + n * kc, width, to.data + shift, arg + shift,
             to.rows + row, to.columns ? to.columns + n : nullptr, smaller(rows - row, MR<T>), cols,
             accumulate);
    }
  }
}

}  // namespace xt::XT_ISA
