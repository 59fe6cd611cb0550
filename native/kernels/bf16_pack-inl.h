// Packs both sides of a contraction by bf16 parts into the panels of bf16.h.
//
// Tiles take denormal numbers for zero, and so later parts of numbers below some 2⁻¹⁰². A number
// beyond 3.39e38 becomes infinite, and then the result is NaN or infinite and computed anew, or a gradient in
// float32 from the start (bf16_contract-inl.h, bf16_gradient-inl.h).
#pragma once
#if defined(__GNUC__) && !defined(__clang__)
// GCC warns of the undefined operands in its own intrinsics (bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>

#include "../bf16.h"
#include "contract-inl.h"

namespace xt::XT_ISA {

// The leading part of 16 values, rounded half away from zero in the upper halves of their lanes; x keeps the
// rest, which is exact: a value and its rounding are within a factor of two. By integers, as VCVTNE2PS2BF16
// and what makes float32 of its result again take twice as long on Emerald Rapids. A NaN may come out as
// zero, but stays in the rest.
XT_INLINE __m512i take_part(__m512& x) {
  const __m512i up = _mm512_add_epi32(_mm512_castps_si512(x), _mm512_set1_epi32(0x8000));
  const __m512i part = _mm512_and_si512(up, _mm512_set1_epi32(static_cast<int>(0xffff0000)));
  x = _mm512_sub_ps(x, _mm512_castsi512_ps(part));
  return part;
}

// The upper halves of `low` and `high` behind each other.
struct InOrder {
  static XT_INLINE __m512i halves(__m512i low, __m512i high) {
    // clang-format off
    alignas(64) static constexpr uint16_t upper[32] = {1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31,
                                                       33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63};
    // clang-format on
    return _mm512_permutex2var_epi16(low, _mm512_load_si512(upper), high);
  }
  static XT_INLINE __m512i rounded(__m512 low, __m512 high) {
    return reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
  }
};
// And in turns.
struct InPairs {
  static XT_INLINE __m512i halves(__m512i low, __m512i high) {
    return _mm512_mask_mov_epi16(_mm512_srli_epi32(low, 16), 0xaaaaaaaa, high);
  }
  static XT_INLINE __m512i rounded(__m512 low, __m512 high) {
    // clang-format off
    alignas(64) static constexpr uint16_t order[32] = {0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23,
                                                       8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
    // clang-format on
    return _mm512_permutexvar_epi16(_mm512_load_si512(order), InOrder::rounded(low, high));
  }
};

// The parts of 32 values into one tile each. Of three the last holds all that is left; of fewer it is
// rounded, and there a NaN must stay one.
template <class Order>
XT_INLINE void store_parts(size_t parts, __m512 low, __m512 high, uint16_t* to) {
#pragma GCC unroll 2
  for (size_t part = 1; part < parts; ++part, to += kBf16Panel) {
    const __m512i first = take_part(low), second = take_part(high);
    _mm512_storeu_si512(to, Order::halves(first, second));
  }
  _mm512_storeu_si512(to, parts == 3 ? Order::halves(_mm512_castps_si512(low), _mm512_castps_si512(high))
                                     : Order::rounded(low, high));
}

constexpr size_t bf16_steps(size_t terms) { return (terms + kBf16Step - 1) / kBf16Step; }
constexpr size_t bf16_panels(size_t extent) { return (extent + kBf16Block - 1) / kBf16Block; }

// Values of a packed block.
constexpr size_t bf16_size(const Bf16Scheme& scheme, size_t extent, size_t terms) {
  return bf16_panels(extent) * bf16_steps(terms) * scheme.parts * kBf16Panel;
}

// Rows of a [rows, a_stride] and h [rows, h_stride].
struct Bf16Rows {
  const float *a, *h;
  size_t a_stride, h_stride;

  Bf16Rows from(size_t row) const { return {a + row * a_stride, h + row * h_stride, a_stride, h_stride}; }
};

// What the terms of a step are made of: for each of its two vectors the runs of terms with one i, whose h lie
// side by side.
struct Bf16Terms {
  struct Run {
    size_t i;
    ptrdiff_t j;  // of lane 0, before the row where the run begins in a later lane
    __mmask16 lanes;
  } run[2][16];
  size_t runs[2];
  __mmask16 present[2];
  bool is_plain;  // one run each and nothing absent

  // Terms [k, k + count) of R for each i.
  void set(size_t k, size_t count, size_t R) {
    size_t i = k / R, j = k % R;
    for (size_t v = 0; v < 2; ++v, count -= smaller(count, 16)) {
      const size_t end = smaller(count, 16);
      runs[v] = 0;
      present[v] = static_cast<__mmask16>((1u << end) - 1);
      for (size_t lane = 0; lane < end;) {
        const size_t length = smaller(end - lane, R - j);
        run[v][runs[v]++] = {i, static_cast<ptrdiff_t>(j) - static_cast<ptrdiff_t>(lane),
                             static_cast<__mmask16>(((1u << length) - 1) << lane)};
        lane += length;
        j += length;
        if (j < R) continue;
        j = 0;
        ++i;
      }
    }
    is_plain = runs[0] == 1 && runs[1] == 1 && present[1] == 0xffff;
  }
};

// a[i] and h[j] of one vector of terms; zero for terms that are absent.
inline void gather_terms(const Bf16Terms& terms, size_t v, const float* a, const float* h, Vec<float>& x,
                         Vec<float>& y) {
  __m512 of_a = _mm512_setzero_ps(), of_h = of_a;
  for (size_t n = 0; n < terms.runs[v]; ++n) {
    const Bf16Terms::Run& run = terms.run[v][n];
    of_a = _mm512_mask_mov_ps(of_a, run.lanes, broadcast(a[run.i]));
    of_h = _mm512_mask_loadu_ps(of_h, run.lanes, h + run.j);
  }
  x = of_a;
  y = of_h;
}

// A step of `count` rows of one panel into tiles of A. Operands by reference: a copy of them for each call
// costs a tenth of the whole contraction.
template <class Pair>
void bf16_pack_rows(const Bf16Rows& rows, const Bf16Terms& terms, size_t count, size_t parts, uint16_t* to) {
  const float *a = rows.a, *h = rows.h;
  for (; count > 0; --count, a += rows.a_stride, h += rows.h_stride, to += kBf16Step) {
    Vec<float> x[2], y[2];
    if (terms.is_plain) {
      for (size_t v = 0; v < 2; ++v) {
        x[v] = broadcast(a[terms.run[v][0].i]);
        y[v] = load(h + terms.run[v][0].j);
      }
    } else {
      for (size_t v = 0; v < 2; ++v) gather_terms(terms, v, a, h, x[v], y[v]);
    }
    __m512 low = Pair::value(x[0], y[0]), high = Pair::value(x[1], y[1]);
    if (!terms.is_plain) {
      low = _mm512_maskz_mov_ps(terms.present[0], low);
      high = _mm512_maskz_mov_ps(terms.present[1], high);
    }
    if (parts == 3) {
      store_parts<InOrder>(3, low, high, to);
    } else {
      store_parts<InOrder>(parts, low, high, to);
    }
  }
}
using PackRows = void (*)(const Bf16Rows&, const Bf16Terms&, size_t count, size_t parts, uint16_t* to);

// The size of the smallest value that is not zero, one a lane: its bits less one, which makes the largest of
// those of a zero.
struct Bf16Least {
  __m512i bits = _mm512_set1_epi32(-1);

  XT_INLINE void take(__m512 values) {
    const __m512i size = _mm512_and_si512(_mm512_castps_si512(values), _mm512_set1_epi32(0x7fffffff));
    bits = _mm512_min_epu32(bits, _mm512_sub_epi32(size, _mm512_set1_epi32(1)));
  }
  XT_INLINE void take(const Bf16Least& other) { bits = _mm512_min_epu32(bits, other.bits); }
  // Infinite where all are zero.
  __attribute__((noinline)) float value() const {
    const unsigned least = _mm512_reduce_min_epu32(bits);
    const unsigned size = least < 0x7f800000 ? least + 1 : 0x7f800000;
    float value;
    __builtin_memcpy(&value, &size, sizeof value);
    return value;
  }
};

// Two terms of `width` columns, 32 at most, into tiles of B: column c of the first beside column c of the
// second. A term that is absent is null.
__attribute__((noinline)) inline void bf16_pack_pair(const float* first, const float* second, size_t width,
                                                     size_t parts, uint16_t* to, Bf16Least& least) {
  const auto present = static_cast<uint32_t>((uint64_t{1} << width) - 1);
  for (size_t half = 0; half < 32; half += 16, to += kBf16Panel / 2) {
    const auto columns = static_cast<__mmask16>(present >> half);
    // Not by an empty mask: that load of a page that is not there takes 18 ns.
    __m512 low = first ? _mm512_maskz_loadu_ps(columns, first + half) : _mm512_setzero_ps();
    __m512 high = second ? _mm512_maskz_loadu_ps(columns, second + half) : _mm512_setzero_ps();
    least.take(low);
    least.take(high);
    store_parts<InPairs>(parts, low, high, to);
  }
}

// Panels of B from `terms` rows of `columns` values; the smallest of these.
__attribute__((noinline)) inline Bf16Least bf16_pack_columns(const Bf16Scheme& scheme, const float* from,
                                                             size_t stride, size_t terms, size_t columns,
                                                             uint16_t* to) {
  Bf16Least least;
  const size_t step = scheme.parts * kBf16Panel;
  for (size_t term = 0; term < bf16_steps(terms) * kBf16Step; term += 2, from += 2 * stride) {
    uint16_t* pair = to + term / kBf16Step * step + term % kBf16Step * 16;
    for (size_t c = 0; c < columns; c += kBf16Block, pair += bf16_steps(terms) * step) {
      bf16_pack_pair(term < terms ? from + c : nullptr, term + 1 < terms ? from + stride + c : nullptr,
                     smaller(columns - c, kBf16Block), scheme.parts, pair, least);
    }
  }
  return least;
}

}  // namespace xt::XT_ISA
