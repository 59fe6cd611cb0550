// 32 × 32 of C by VDPBF16PS, from the packed panels of the AMX tiles. The vector units do it all, so that
// turns of other work are as good behind it.
#pragma once
#include <immintrin.h>

#include "../bf16.h"
#include "../simd/vector-inl.h"

namespace xt::XT_ISA {

constexpr size_t kBf16Tile = kBf16Panel / 2;

// 8 rows × W vectors of columns: 16 accumulators hide the latency, and 8 of the 16 rows of a tile of A are
// left for a second pass.
template <int W>
void bf16_rows(const Bf16Scheme& scheme, size_t steps, const uint16_t* A, const uint16_t* B, float* C,
               bool accumulate) {
  __m512 sum[8][W];
#pragma GCC unroll 8
  for (int r = 0; r < 8; ++r) {
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) sum[r][w] = _mm512_setzero_ps();
  }
  const size_t step = scheme.parts * kBf16Panel;
  for (size_t s = 0; s < steps; ++s, A += step, B += step) {
    for (size_t n = 0; n < scheme.products; ++n) {
      const uint16_t* a = A + scheme.product[n].A * kBf16Panel;
      const uint16_t* b = B + scheme.product[n].B * kBf16Panel;
      for (size_t pair = 0; pair < kBf16Step / 2; ++pair) {
        __m512i columns[W];
#pragma GCC unroll 2
        for (int w = 0; w < W; ++w) columns[w] = _mm512_loadu_si512(b + w * kBf16Tile + pair * 32);
#pragma GCC unroll 8
        for (int r = 0; r < 8; ++r) {
          int two;
          __builtin_memcpy(&two, a + r * kBf16Step + pair * 2, sizeof two);
          const __m512bh row = reinterpret_cast<__m512bh>(_mm512_set1_epi32(two));
#pragma GCC unroll 2
          for (int w = 0; w < W; ++w)
            sum[r][w] = _mm512_dpbf16_ps(sum[r][w], row, reinterpret_cast<__m512bh>(columns[w]));
        }
      }
    }
  }
#pragma GCC unroll 8
  for (int r = 0; r < 8; ++r) {
#pragma GCC unroll 2
    for (int w = 0; w < W; ++w) {
      float* to = C + r * kBf16Block + w * 16;
      _mm512_store_ps(to, accumulate ? _mm512_add_ps(_mm512_load_ps(to), sum[r][w]) : sum[r][w]);
    }
  }
}

inline void bf16_multiply(const Bf16Scheme& scheme, size_t steps, const uint16_t* A, const uint16_t* B,
                          float* C, size_t rows, size_t cols, bool accumulate, Bf16Beside& beside) {
  for (size_t row = 0; row < rows; row += 8) {
    const uint16_t* from = A + row / 16 * kBf16Tile + row % 16 * kBf16Step;
    (cols > 16 ? bf16_rows<2> : bf16_rows<1>)(scheme, steps, from, B, C + row * kBf16Block, accumulate);
  }
  for (size_t n = 0; n < steps * scheme.products; ++n) beside.turn(beside);
}

constexpr Bf16Tile bf16_tile{[] {}, [] {}, bf16_multiply};

}  // namespace xt::XT_ISA
