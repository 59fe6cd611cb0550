// What the gradients of a contraction do with its batch in lanes: a, h and what their gradients are sums of
// stand transposed, [panel of 32 rows b][column][32]. Then no L or R leaves a tail, and no sum runs over
// lanes.
#pragma once
#include "bf16_pack-inl.h"

namespace xt::XT_ISA {

// Rows of A, of 32 terms each, into tiles: of pairs ξ(a, h), h from row to row, or of h as it is.
using PackLanes = void (*)(const float* a, const float* h, size_t h_stride, size_t count, size_t terms,
                           uint16_t* to);

template <class Pair>
void pack_pairs_of_lanes(const float* a, const float* h, size_t h_stride, size_t count, size_t,
                         uint16_t* to) {
  const Vec<float> x[2] = {load(a), load(a + 16)};
  for (; count > 0; --count, h += h_stride, to += kBf16Step)
    store_parts<InOrder>(3, Pair::value(x[0], load(h)), Pair::value(x[1], load(h + 16)), to);
}

inline void pack_rows_of_weights(const float*, const float* G, size_t stride, size_t count, size_t terms,
                                 uint16_t* to) {
  const auto present = static_cast<uint32_t>((uint64_t{1} << terms) - 1);
  for (; count > 0; --count, G += stride, to += kBf16Step) {
    const __m512 low = _mm512_maskz_loadu_ps(static_cast<__mmask16>(present), G);
    const __m512 high = terms > 16 ? _mm512_maskz_loadu_ps(static_cast<__mmask16>(present >> 16), G + 16)
                                   : _mm512_setzero_ps();
    store_parts<InOrder>(3, low, high, to);
  }
}

// da[i,b] += Σ_j P[j,i,b] ∂ξ/∂x and dh[j,b] += Σ_i P[j,i,b] ∂ξ/∂y at (a[i,b], h[j,b]), for one i or for some
// together, so that h and dh are read and written once for all of them.
using ReduceLanes = void (*)(const float* P, const float* a, const float* h, size_t count, float* da,
                             float* dh);

template <class X, int together>
void reduce_lanes(const float* P, const float* a, const float* h, size_t count, float* da, float* dh) {
  Vec<float> x[together][2], sum[together][2];
#pragma GCC unroll 4
  for (int i = 0; i < together; ++i) {
    for (size_t v = 0; v < 2; ++v) {
      x[i][v] = load(a + i * kBf16Block + 16 * v);
      sum[i][v] = load(da + i * kBf16Block + 16 * v);
    }
  }
  for (; count > 0; --count, P += together * kBf16Block, h += kBf16Block, dh += kBf16Block) {
#pragma GCC unroll 2
    for (size_t v = 0; v < 2; ++v) {
      const Vec<float> y = load(h + 16 * v);
      Vec<float> gradient = load(dh + 16 * v);
#pragma GCC unroll 4
      for (int i = 0; i < together; ++i) {
        const Vec<float> p = load(P + i * kBf16Block + 16 * v);
        sum[i][v] += p * X::dx(x[i][v], y);
        gradient += p * X::dy(x[i][v], y);
      }
      store(dh + 16 * v, gradient);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < together; ++i) {
    for (size_t v = 0; v < 2; ++v) store(da + i * kBf16Block + 16 * v, sum[i][v]);
  }
}

constexpr size_t kMostTogether = 4;
struct ReduceForms {
  ReduceLanes alone, together;
  size_t count;  // that `together` takes
};
template <class X>
constexpr ReduceForms reduce_forms{reduce_lanes<X, 1>, reduce_lanes<X, rows_of_tile<typename X::Fast>>,
                                   rows_of_tile<typename X::Fast>};

// Rows of from [rows, columns] into one panel; beyond the last what every range of φ holds: ones, zeros or
// its values again.
__attribute__((noinline)) inline void to_lanes(const float* from, size_t rows, size_t columns, float* to) {
  if (rows < kBf16Block) {
    for (size_t n = 0; n < columns * kBf16Block; ++n) to[n] = 1;
  }
  transpose_copy(from, columns, rows, columns, to, kBf16Block);
}

// And back.
__attribute__((noinline)) inline void from_lanes(const float* from, size_t rows, size_t columns, float* to) {
  for (size_t c = 0; c < columns; c += 16) {
    const size_t width = smaller(columns - c, 16);
    for (size_t r = 0; r < rows; r += 16) {
      Vec<float> square[16];
      for (size_t n = 0; n < 16; ++n) square[n] = load(from + (c + smaller(n, width - 1)) * kBf16Block + r);
      transpose_square<float>(square);
      const auto present = static_cast<__mmask16>((1u << width) - 1);
      for (size_t n = 0; n < smaller(rows - r, 16); ++n)
        _mm512_mask_storeu_ps(to + (r + n) * columns + c, present, square[n]);
    }
  }
}

}  // namespace xt::XT_ISA
