// Transposing copies: what packing is wherever rows lie the other way round than panels want them.
#pragma once
#include <stddef.h>

namespace xt::XT_ISA {

// One half of exchanging blocks of `size` lanes between two rows: the first row keeps its even blocks and
// takes the even blocks of the second behind each, the second row the odd ones.
template <class T, int size, bool second, int... N>
XT_INLINE Vec<T> exchange(Vec<T> x, Vec<T> y, Lanes<N...>) {
  constexpr int from_y = lanes<T>;
  return __builtin_shufflevector(
      x, y, (second ? (N & size ? from_y + N : N + size) : (N & size ? from_y + N - size : N))...);
}

// Transposes lanes × lanes values in registers, by halving blocks.
template <class T, int size = lanes<T> / 2>
XT_INLINE void transpose_square(Vec<T>* rows) {
  using All = typename LanesUpTo<lanes<T>>::type;
#pragma GCC unroll 16
  for (int r = 0; r < lanes<T>; ++r) {
    if (r & size) continue;
    const Vec<T> x = rows[r], y = rows[r + size];
    rows[r] = exchange<T, size, false>(x, y, All{});
    rows[r + size] = exchange<T, size, true>(x, y, All{});
  }
  if constexpr (size > 1) transpose_square<T, size / 2>(rows);
}

// to[c·to_stride + r] = from[r·from_stride + c], and zeros or the last row's values for r from `rows` up to
// the next multiple of a vector, which to_stride must leave room for.
template <class T>
void transpose_copy(const T* from, size_t from_stride, size_t rows, size_t cols, T* to, size_t to_stride) {
  for (size_t r = 0; r < rows; r += lanes<T>) {
    const size_t present = smaller(rows - r, lanes<T>);
    for (size_t c = 0; c < cols; c += lanes<T>) {
      const size_t width = smaller(cols - c, lanes<T>);
      const T* corner = from + r * from_stride + c;
      Vec<T> square[lanes<T>];
      if (width == static_cast<size_t>(lanes<T>)) {
        // Panels of 14 rows have 16 lanes, whose rest nobody uses: whole loads of the last row cost nothing.
#pragma GCC unroll 16
        for (size_t n = 0; n < static_cast<size_t>(lanes<T>); ++n) {
          square[n] = load(corner + smaller(n, present - 1) * from_stride);
        }
        transpose_square<T>(square);
        // Apart from the narrow case: a loop of unknown length would go through the stack.
#pragma GCC unroll 16
        for (size_t n = 0; n < static_cast<size_t>(lanes<T>); ++n)
          store(to + (c + n) * to_stride + r, square[n]);
      } else {
        for (size_t n = 0; n < static_cast<size_t>(lanes<T>); ++n) {
          square[n] = n < present ? load_part(corner + n * from_stride, width) : Vec<T>{};
        }
        transpose_square<T>(square);
        for (size_t n = 0; n < width; ++n) store(to + (c + n) * to_stride + r, square[n]);
      }
    }
  }
}

}  // namespace xt::XT_ISA
