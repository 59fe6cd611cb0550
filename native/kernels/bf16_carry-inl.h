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

// Numbers, of whose sizes something is asked.
struct Bf16Values {
  const float* data;
  size_t count;

  // Whether all are zero or from `least` to `most`, and none is NaN.
  __attribute__((noinline)) bool within(float least, float most) const {
    Int<float> wrong{};
    each_size([&](Vec<float> size) { wrong |= ~(size <= most) | ((size < least) & (size > 0)); });
    return !any_lane<float>(wrong);
  }
  __attribute__((noinline)) float largest() const {
    Vec<float> most{};
    each_size([&](Vec<float> size) { most = fast::max(most, size); });
    float largest = 0;
    for (size_t lane = 0; lane < lanes<float>; ++lane) largest = most[lane] > largest ? most[lane] : largest;
    return largest;
  }

 private:
  template <class F>
  XT_INLINE void each_size(F&& look) const {
    size_t n = 0;
    for (; n + lanes<float> <= count; n += lanes<float>) look(absolute(load(data + n)));
    if (n < count) look(absolute(load_part(data + n, count - n)));
  }
};

// Where tiles lose bits that float32 has. They take parts and products below 2⁻¹²⁶ for zero: of a term 2⁻¹²³
// at most, and of one with a factor below 2⁻¹⁰² 2⁻¹²⁶ of the other. The first is less than the rounding of a
// sum from kBf16LeastSum on, times what its factors may be above one; the second is excluded for ξ where it
// may be a product of two.
constexpr float kBf16LeastFactor = 0x1p-102f, kBf16LeastOperand = 0x1p-51f, kBf16LeastSum = 0x1p-99f;

}  // namespace xt::XT_ISA
