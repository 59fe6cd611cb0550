// exp, log and log1p on the ranges that ξ needs, for vectors of float and double.
#pragma once

namespace xt::XT_ISA {

template <class V>
struct MathOf;

template <>
struct MathOf<Vec<float>> {
  using T = float;
  static constexpr float ln2_high = 0x1.62e4p-1f, ln2_low = 0x1.7f7d1cp-20f;  // sum: ln 2; high · n is exact
  static constexpr float round_shift = 0x1.8p23f;  // adding it leaves the nearest integer in the low bits
  static constexpr float smallest_exponent = -87.0f;
  static constexpr float max_finite = 0x1.fffffep127f;
  static constexpr int32_t root_half = 0x3f3504f3;  // the bits of √½
  static constexpr int mantissa_bits = 23, exp_terms = 8, log1p_terms = 8, log_terms = 5;
  // Operands whose squares, and whose exponentials, stay among the normal numbers, sums of a few included.
  static constexpr float smallest_square = 0x1p-60f, largest_square = 0x1p60f, largest_exponential = 80.0f;
};

template <>
struct MathOf<Vec<double>> {
  using T = double;
  static constexpr double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;
  static constexpr double round_shift = 0x1.8p52;
  static constexpr double smallest_exponent = -708.0;
  static constexpr double max_finite = 0x1.fffffffffffffp1023;
  static constexpr int64_t root_half = 0x3fe6a09e667f3bcd;
  static constexpr int mantissa_bits = 52, exp_terms = 14, log1p_terms = 17, log_terms = 11;
  static constexpr double smallest_square = 0x1p-500, largest_square = 0x1p500, largest_exponential = 700.0;
};

template <class V>
XT_INLINE V max_finite() {
  return V{} + MathOf<V>::max_finite;
}

template <class V>
XT_INLINE V square_root_of(V value) {
  return square_root<typename MathOf<V>::T>(value);
}

// x = n ln 2 + r with |r| ≤ ln 2 / 2.
template <class V>
struct Exponent {
  using M = MathOf<V>;
  using T = typename M::T;
  V shifted, r;  // n in the low bits of shifted

  explicit XT_INLINE Exponent(V x) : shifted(x * T(1.442695040888963407359924681) + M::round_shift) {
    const V n = shifted - M::round_shift;
    r = (x - n * M::ln2_high) - n * M::ln2_low;
  }
  // (e^r − 1) / r by the Taylor series of e^r, whose first dropped term is below ε/4.
  XT_INLINE V series() const {
    V sum = V{} + T(1);
#pragma GCC unroll 16
    for (int k = M::exp_terms - 1; k >= 2; --k) sum = sum * r * T(1.0 / k) + T(1);
    return sum;
  }
  // The bits of value · 2ⁿ; without a sign, as lanes that nobody reads may overflow.
  XT_INLINE V scale(V value) const {
    const Bits<T> power = reinterpret_cast<Bits<T>>(shifted) << M::mantissa_bits;
    return reinterpret_cast<V>(reinterpret_cast<Bits<T>>(value) + power);
  }
};

// e^x where the result is a normal number, relative error below 2 ε.
template <class V>
XT_INLINE V exp_normal(V x) {
  const Exponent<V> e(x);
  return e.scale(e.series() * e.r + typename MathOf<V>::T(1));
}

// e^x for x ≤ largest_exponential; 0 below the smallest normal result, NaN for NaN.
template <class V>
XT_INLINE V exp_flushed(V x) {
  using M = MathOf<V>;
  const V clamped = x < M::smallest_exponent ? V{} + M::smallest_exponent : x;
  const V result = x < M::smallest_exponent ? V{} : exp_normal(clamped);
  return x != x ? x : result;
}

// e^x − 1 for x ≤ 0, relative error below 3 ε: 2ⁿ (e^r − 1) + (2ⁿ − 1), where near 0 nothing cancels.
template <class V>
XT_INLINE V expm1_nonpositive(V x) {
  using T = typename MathOf<V>::T;
  const V smallest = V{} + MathOf<V>::smallest_exponent;
  const Exponent<V> e(x < smallest ? smallest : x);
  const V power = e.scale(V{} + T(1));
  const V result = power * (e.series() * e.r) + (power - T(1));
  return x != x ? x : result;
}

// ln z for a positive normal z, relative error below 2 ε: z = 2^e (1 + f) with √½ ≤ 1 + f < √2, and
// ln(1 + f) = f − f²/2 + s (f²/2 + R) with s = f / (2 + f), where R is what the series of 2 artanh(s) has
// beyond 2 s; f stands alone, so that nothing is lost near z = 1.
template <class V>
XT_INLINE V log_normal(V z) {
  using M = MathOf<V>;
  using T = typename M::T;
  const Int<T> bits = reinterpret_cast<Int<T>>(z);
  const Int<T> exponent = (bits - M::root_half) >> M::mantissa_bits;
  const V f = reinterpret_cast<V>(bits - (exponent << M::mantissa_bits)) - T(1);
  const V shift = V{} + M::round_shift;
  const V e = reinterpret_cast<V>(reinterpret_cast<Int<T>>(shift) + exponent) - shift;
  const V s = f / (f + T(2));
  const V square = s * s;
  V series{};
#pragma GCC unroll 16
  for (int k = M::log_terms; k >= 1; --k) series = (series + T(2.0 / (2 * k + 1))) * square;
  const V half = f * f * T(0.5);
  return e * M::ln2_high - ((half - (s * (half + series) + e * M::ln2_low)) - f);
}

#if defined(XT_LOOK_UP_F32)
// For the cell [1 + n/count, 1 + (n+1)/count): 1/c rounded, of the c in its middle, and ln c of that.
template <int count>
struct LogCells {
  float inverse[count] = {}, log[count] = {};

  constexpr LogCells() {
    for (int n = 0; n < count; ++n) {
      inverse[n] = static_cast<float>(count / (count + n + 0.5));
      // ln c = 2 artanh(s) with s = (c − 1) / (c + 1) < 1/3
      const double s = (1.0 - inverse[n]) / (1.0 + inverse[n]);
      double power = s, sum = 0;
      for (int k = 1; k < 40; k += 2, power *= s * s) sum += power / k;
      log[n] = static_cast<float>(2 * sum);
    }
  }
};
#endif

// ln z for a positive normal z with an absolute error below ε max(1, |ln z|), which is what a sum of
// exponentials is worth; near z = 1 it keeps less than log_normal, and costs half. z = 2^e m, the leading
// bits of m choose c ≈ m, and ln z = e ln 2 + ln c + ln(1 + r), where r = m/c − 1 is small.
template <class V>
XT_INLINE V log_of_sum(V z) {
  using M = MathOf<V>;
  using T = typename M::T;
#if defined(XT_LOOK_UP_F32)
  if constexpr (sizeof(T) == 4) {
    constexpr int cells = lanes<float>, terms = cells == 16 ? 4 : 5;
    alignas(64) static constexpr LogCells<cells> cell;
    const Int<float> bits = reinterpret_cast<Int<float>>(z);
    const Int<float> index = bits >> (M::mantissa_bits - (cells == 16 ? 4 : 3));  // its lowest bits
    const V m = reinterpret_cast<V>((bits & 0x7fffff) | 0x3f800000);
    const V e = __builtin_convertvector((bits >> M::mantissa_bits) - 127, V);
    const V r = m * XT_LOOK_UP_F32(load(cell.inverse), index) - 1;
    V series = V{} + (terms % 2 ? 1.0f : -1.0f) / terms;
#pragma GCC unroll 8
    for (int k = terms - 1; k >= 2; --k) series = series * r + (k % 2 ? 1.0f : -1.0f) / k;
    const V leading = e * 0x1.62e43p-1f + XT_LOOK_UP_F32(load(cell.log), index);
    return leading + (r + r * r * series);
  }
#endif
  return log_normal(z);
}

// √z for z = 0 or a normal z up to largest_square, the error below 0.57 units in the last place: a step of
// Heron's from an estimate, where the instruction for the root takes twice as long.
template <class V>
XT_INLINE V root_of_sum(V z) {
#if defined(XT_ROOT_ESTIMATE_F32)
  if constexpr (sizeof(typename MathOf<V>::T) == 4) {
    const V smallest = V{} + 0x1p-126f;
    const V estimate = XT_ROOT_ESTIMATE_F32(z > smallest ? z : smallest);
    const V root = z * estimate;
    return root + (z - root * root) * (estimate * 0.5f);
  }
#endif
  return square_root_of(z);
}

// ln(1 + e) for 0 ≤ e ≤ 1, relative error below 3 ε: 2 artanh(s) with s = e / (2 + e) ≤ 1/3, whose series
// needs no table and keeps its relative precision down to e = 0.
template <class V>
XT_INLINE V log1p_unit(V e) {
  using M = MathOf<V>;
  using T = typename M::T;
  const V s = e / (e + T(2));
  const V square = s * s;
  V series{};
#pragma GCC unroll 20
  for (int k = M::log1p_terms; k >= 1; --k) series = (series + T(1.0 / (2 * k + 1))) * square;
  return T(2) * (s + s * series);
}

}  // namespace xt::XT_ISA
