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
    return _mm512_reduce_max_ps(most);
  }
  // Of those that are not zero; infinite if there are none.
  __attribute__((noinline)) float smallest() const {
    Bf16Least least;
    each_size([&](Vec<float> size) { least.take(size); });
    return least.value();
  }

 private:
  template <class F>
  XT_INLINE void each_size(F&& look) const {
    size_t n = 0;
    for (; n + lanes<float> <= count; n += lanes<float>) look(absolute(load(data + n)));
    if (n < count) look(absolute(load_part(data + n, count - n)));
  }
};

// Tiles take what is below 2⁻¹²⁶ for zero, parts and products. From 2⁻¹⁰² on neither a factor nor the product
// of two has such a part among its 24 bits.
constexpr float kBf16LeastFactor = 0x1p-102f;
// Where no factors but zeros are smaller.
inline bool keeps_bits(float of_A, float of_B) {
  return of_A >= kBf16LeastFactor && of_B >= kBf16LeastFactor && of_A * of_B >= kBf16LeastFactor;
}
// A sum from this on, times what its factors may be above one, has lost less than its rounding.
constexpr float kBf16LeastSum = 0x1p-99f;

// Computes rows b again where 32 of them are not as float32 has them. No more at a time, though weights are
// packed for each call: the float32 kernel goes from where it begins in panels of rows, which share a φ.
template <class Keeps, class Exact>
bool bf16_redo(Slice b, Keeps&& keeps, Exact&& exact) {
  for (size_t row = b.begin; row < b.end; row += kBf16Block) {
    const Slice rows{row, smaller(b.end, row + kBf16Block)};
    if (!keeps(rows) && !exact(rows)) return false;
  }
  return true;
}

}  // namespace xt::XT_ISA
