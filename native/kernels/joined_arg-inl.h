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

template <class T, class X, bool largest>
void arg_panel(size_t term, size_t kc, const T* A, const T* B, size_t width, T* C, double* arg,
               const size_t* row_offsets, const size_t* column_offsets, size_t rows, size_t cols,
               bool accumulate) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t w = 0; w < cols; w += lanes<T>) {
      Vec<T> best = broadcast(T(largest ? -infinity : infinity)), index{};
      for (size_t k = 0; k < kc; ++k) {
        const Vec<T> value = X::value(broadcast(A[k * panel_rows<T> + r]), load(B + k * width + w));
        // A NaN wins, once.
        const auto wins = (largest ? value > best : value < best) | ((value != value) & (best == best));
        best = wins ? value : best;
        index = wins ? broadcast(T(k)) : index;
      }
      const size_t shift = row_offsets[r] + (column_offsets ? 0 : w);
      merge_winners<T, largest>(best, index, term, cols - w, C + shift, arg + shift,
                                column_offsets ? column_offsets + w : nullptr, accumulate);
    }
  }
}

template <class T>
using ArgKernel = void (*)(size_t term, size_t kc, const T* A, const T* B, size_t width, T* C, double* arg,
                           const size_t* row_offsets, const size_t* column_offsets, size_t rows, size_t cols,
                           bool accumulate);

template <class T>
constexpr ArgKernel<T> arg_kernels[kXiCount][2] = {
#define XI(name, ...) {arg_panel<T, xi_##name, true>, arg_panel<T, xi_##name, false>},
#include "../xi.def"
#undef XI
};

// As reduce_block, and starts counting at `term`.
template <class T>
void arg_block(const JoinedArgs<T>& args, size_t term, size_t kc, size_t nc, const T* A, const T* B,
               Target<T> to, double* arg, size_t rows, bool accumulate) {
  const ArgKernel<T> kernel = arg_kernels<T>[args.combine][args.reduce == XT_MIN];
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
