// ξ as types: one functor an operator, expanded from xi.def, on vectors of any width. The words of the
// table's expressions are defined here; src/core/scalar.ts defines the same words for numbers.
#pragma once
#include "math-inl.h"

namespace xt::XT_ISA {

constexpr double infinity = __builtin_inf();

// x where x ≥ y, and NaN if either is NaN: the comparison alone would lose a NaN in y.
template <class V>
XT_INLINE V max(V x, V y) {
  const V larger = x < y ? y : x;
  return y != y ? y : larger;
}

template <class V>
XT_INLINE V min(V x, V y) {
  const V smaller = y < x ? y : x;
  return y != y ? y : smaller;
}

template <class V>
XT_INLINE V positive(V x) {
  return x < V{} ? V{} : x;
}

// A derivative that is 0 or 1: it multiplies by keeping a value or dropping it, which costs less than a
// product and, unlike one, leaves no NaN where an infinite value is dropped.
template <class V>
struct Indicator {
  decltype(V{} < V{}) holds;
};

template <class V>
XT_INLINE Indicator<V> operator*(Indicator<V> x, Indicator<V> y) {
  return {x.holds & y.holds};
}

template <class V>
XT_INLINE V operator*(V value, Indicator<V> x) {
  return x.holds ? value : V{};
}

// 1 where x > y, else 0.
template <class V>
XT_INLINE Indicator<V> beats(V x, V y) {
  return {x > y};
}

// 1 where x ≥ y, else 0.
template <class V>
XT_INLINE Indicator<V> wins(V x, V y) {
  return {x >= y};
}

// −|x − y|, and 0 where x = y although both may be infinite.
template <class V>
XT_INLINE V minus_distance(V x, V y) {
  const V distance = x < y ? x - y : y - x;
  return x == y ? V{} : distance;
}

template <class V>
XT_INLINE V logaddexp(V x, V y) {
  return max(x, y) + log1p_unit(exp_nonpositive(minus_distance(x, y)));
}

// ∂/∂x ln(eˣ + eʸ) = 1 / (1 + e^(y−x))
template <class V>
XT_INLINE V logaddexp_weight(V x, V y) {
  const V small = exp_nonpositive(minus_distance(x, y));
  return (x >= y ? V{} + 1 : small) / (small + 1);
}

// Scaled by the larger operand, so that nothing overflows or vanishes on the way.
template <class V>
XT_INLINE V hypot(V x, V y) {
  const V absolute_x = x < V{} ? -x : x, absolute_y = y < V{} ? -y : y;
  const V large = max(absolute_x, absolute_y), small = min(absolute_x, absolute_y);
  const V ratio = large == V{} ? V{} : small / large;
  const V safe = large > max_finite<V>() ? V{} : ratio;  // ∞/∞
  return large * square_root_of(safe * safe + 1);
}

// ∂/∂x √(x² + y²) = x / √(x² + y²)
template <class V>
XT_INLINE V hypot_weight(V x, V y) {
  const V length = hypot(x, y);
  return length == V{} ? V{} : x / length;
}

// clang-format off
#define XI(name, id, formula, unit_value, value_expr, dx_expr, dy_expr, ...)                                \
  struct xi_##name {                                                                                        \
    static constexpr double unit = unit_value;                                                              \
    template <class V> static XT_INLINE V value(V x, V y) { (void)x; (void)y; return value_expr; }          \
    template <class V> static XT_INLINE auto dx(V x, V y) {                                                    \
      const V zero{}, one = V{} + 1; (void)zero; (void)one; (void)x; (void)y; return dx_expr; }             \
    template <class V> static XT_INLINE auto dy(V x, V y) {                                                    \
      const V zero{}, one = V{} + 1; (void)zero; (void)one; (void)x; (void)y; return dy_expr; }             \
  };
#include "../xi.def"
#undef XI
// clang-format on

}  // namespace xt::XT_ISA
