// Packs both sides of a contraction by bf16 parts into the panels of bf16.h.
//
// Rounding to bf16 flushes denormal numbers to zero and a number beyond 3.39e38 becomes infinite, and then
// the result is NaN or infinite and computed anew (bf16_contract-inl.h).
#pragma once
#if defined(__GNUC__) && !defined(__clang__)
// GCC warns of the undefined operands in its own intrinsics (bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include "../bf16.h"
#include "contract-inl.h"

namespace xt::XT_ISA {

XT_INLINE __m512 widen(__m256i parts) {
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(parts), 16));
}

// The next part of 32 values, low lanes from `x`, which keep the rest. The rest is exact: a value and its
// rounding are within a factor of two.
XT_INLINE __m512i take_part(__m512& x, __m512& y) {
  const __m512i part = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(y, x));
  x = _mm512_sub_ps(x, widen(_mm512_castsi512_si256(part)));
  y = _mm512_sub_ps(y, widen(_mm512_extracti64x4_epi64(part, 1)));
  return part;
}

constexpr size_t bf16_steps(size_t terms) { return (terms + kBf16Step - 1) / kBf16Step; }
constexpr size_t bf16_panels(size_t extent) { return (extent + kBf16Block - 1) / kBf16Block; }

// Values of a packed block.
constexpr size_t bf16_size(const Bf16Scheme& scheme, size_t extent, size_t terms) {
  return bf16_panels(extent) * bf16_steps(terms) * scheme.parts * kBf16Panel;
}

// Rows of a panel with their operands, padded behind.
struct Bf16Rows {
  const float *a, *h;
  size_t a_stride, h_stride, R;
};

// ξ(a[i], h[j]) for the terms [k0, k0 + kc) of a row; writes up to a vector beyond.
template <class Pair>
void form_terms(const Bf16Rows& rows, size_t row, size_t k0, size_t kc, float* to) {
  const float *a = rows.a + row * rows.a_stride, *h = rows.h + row * rows.h_stride;
  size_t i = k0 / rows.R, j = k0 % rows.R;
  for (size_t k = 0; k < kc; ++i, j = 0) {
    const size_t length = smaller(kc - k, rows.R - j);
    const Vec<float> x = broadcast(a[i]);
    for (size_t n = 0; n < length; n += lanes<float>) store(to + k + n, Pair::value(x, load(h + j + n)));
    k += length;
  }
}
using FormTerms = void (*)(const Bf16Rows&, size_t row, size_t k0, size_t kc, float* to);

// A panel of A: `line` holds the terms of one row.
inline void bf16_pack_rows(const Bf16Scheme& scheme, const Bf16Rows& rows, FormTerms form, size_t count,
                           size_t k0, size_t kc, float* line, uint16_t* to) {
  const size_t padded = bf16_steps(kc) * kBf16Step, step = scheme.parts * kBf16Panel;
  for (size_t row = 0; row < count; ++row) {
    form(rows, row, k0, kc, line);
    for (size_t k = kc; k < padded; ++k) line[k] = 0;
    uint16_t* at = to + row * kBf16Step;
    for (size_t k = 0; k < padded; k += kBf16Step, at += step) {
      __m512 low = load(line + k), high = load(line + k + 16);
      for (size_t part = 0; part < scheme.parts; ++part)
        _mm512_storeu_si512(at + part * kBf16Panel, take_part(low, high));
    }
  }
}

// Columns [n, n + nc) and terms [k, k + kc) of G [terms, K] into panels of B. G is read from front to back,
// into all panels at once.
inline void bf16_pack_columns(const Bf16Scheme& scheme, const float* G, size_t K, size_t n, size_t nc,
                              size_t k, size_t kc, uint16_t* to) {
  // Column c of the first term beside column c of the second.
  alignas(64) uint16_t pairs[32];
  for (int c = 0; c < 32; ++c) pairs[c] = static_cast<uint16_t>(c / 2 + c % 2 * 16);
  const __m512i interleave = _mm512_load_si512(pairs);
  const size_t steps = bf16_steps(kc), panel = steps * scheme.parts * kBf16Panel;
  for (size_t term = 0; term < steps * kBf16Step; term += 2) {
    uint16_t* at = to + term / kBf16Step * scheme.parts * kBf16Panel + term % kBf16Step * 16;
    const float* first = G + (k + term) * K + n;
    for (size_t c = 0; c < nc; c += 16) {
      const size_t width = smaller(nc - c, 16);
      const auto present = static_cast<__mmask16>((1u << width) - 1);
      __m512 low = _mm512_maskz_loadu_ps(term < kc ? present : 0, first + c);
      __m512 high = _mm512_maskz_loadu_ps(term + 1 < kc ? present : 0, first + K + c);
      uint16_t* tile = at + c / kBf16Block * panel + c % kBf16Block / 16 * (kBf16Panel / 2);
      for (size_t part = 0; part < scheme.parts; ++part) {
        _mm512_storeu_si512(tile + part * kBf16Panel,
                            _mm512_permutexvar_epi16(interleave, take_part(low, high)));
      }
      if (c % kBf16Block == 0 && c + 16 >= nc) {
        // The second tile of a panel that ends with its first.
        for (size_t part = 0; part < scheme.parts; ++part)
          _mm512_storeu_si512(tile + kBf16Panel / 2 + part * kBf16Panel, _mm512_setzero_si512());
      }
    }
  }
}

}  // namespace xt::XT_ISA
