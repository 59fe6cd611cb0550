// What becomes of sums in tiles.
#pragma once
#include <float.h>
#include <immintrin.h>

#include "bf16_pack-inl.h"

namespace xt::XT_ISA {

constexpr size_t kBf16Square = kBf16Block * kBf16Block;

struct Bf16Extent {
  size_t rows, columns;
};

// Sums C, [panel of rows][panel of columns][32][32], to a matrix: stored, or added.
__attribute__((noinline)) inline void bf16_carry(const float* C, const Bf16Extent& extent, float* to,
                                                 size_t stride, bool adds) {
  const size_t panels = bf16_panels(extent.columns);
  for (size_t row = 0; row < extent.rows; ++row, to += stride) {
    const float* from = C + row / kBf16Block * panels * kBf16Square + row % kBf16Block * kBf16Block;
    for (size_t c = 0; c < extent.columns; c += 16) {
      const auto present = static_cast<__mmask16>((1u << smaller(extent.columns - c, 16)) - 1);
      __m512 sum = load(from + c / kBf16Block * kBf16Square + c % kBf16Block);
      if (adds) sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(present, to + c));
      _mm512_mask_storeu_ps(to + c, present, sum);
    }
  }
}

// Whether all values are numbers of at most `largest`.
__attribute__((noinline)) inline bool all_within(float largest, const float* values, size_t count) {
  Int<float> wrong{};
  size_t n = 0;
  for (; n + lanes<float> <= count; n += lanes<float>) wrong |= ~(absolute(load(values + n)) <= largest);
  if (n < count) wrong |= ~(absolute(load_part(values + n, count - n)) <= largest);
  return !any_lane<float>(wrong);
}

}  // namespace xt::XT_ISA
