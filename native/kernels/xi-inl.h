// ξ as types: one functor an operator, expanded from xi.def, on vectors of any width. The words of the
// table's expressions are defined here; src/core/scalar.ts defines the same words for numbers.
//
// `exact` keeps every promise of the table, NaN among them. `fast` is for operands without NaN, where max and
// min are one instruction.
#pragma once
#include "math-inl.h"

namespace xt::XT_ISA {

constexpr double infinity = __builtin_inf();

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

template <class V>
XT_INLINE V positive(V x) {
  return x < V{} ? V{} : x;
}

// Without its sign, that of a zero included.
template <class V>
XT_INLINE V absolute(V x) {
  using Mask = decltype(x < x);
  return (V)((Mask)x & ~(Mask)-V{});
}

// −|x − y|, and 0 where x = y although both may be infinite.
template <class V>
XT_INLINE V minus_distance(V x, V y) {
  const V distance = x < y ? x - y : y - x;
  return x == y ? V{} : distance;
}

// ∂/∂x ln(eˣ + eʸ) = 1 / (1 + e^(y−x))
template <class V>
XT_INLINE V logaddexp_weight(V x, V y) {
  const V small = exp_flushed(minus_distance(x, y));
  return (x >= y ? V{} + 1 : small) / (small + 1);
}

// Which operands φ, ∘ and ψ of the table serve, a mask over lanes; and whether ξ is a few instructions as it
// stands.
struct Numbers {
  static constexpr bool arithmetic = true;
  template <class V>
  static XT_INLINE auto holds(V x) {
    return x == x;
  }
};
struct Squares {
  static constexpr bool arithmetic = false;
  template <class V>
  static XT_INLINE auto holds(V x) {
    using M = MathOf<V>;
    const V size = absolute(x);
    return ((size >= M::smallest_square) & (size <= M::largest_square)) | (x == V{});
  }
};
struct Exponentials {
  static constexpr bool arithmetic = false;
  template <class V>
  static XT_INLINE auto holds(V x) {
    return absolute(x) <= MathOf<V>::largest_exponential;
  }
};
// Whether ξ is one of its operands or a constant, by its bound.
constexpr bool selects_rank = false, selects_pieces = true, selects_additive = false, selects_none = false;

using range_numbers = Numbers;
using range_squares = Squares;
using range_exponentials = Exponentials;

namespace exact {

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

#include "operators-inl.h"

}  // namespace exact

namespace fast {

// maxps and its kin, with x as their second operand, which is what they return of equal ones: of zeros with
// different signs the same one as above, so that it does not matter which of the two variants a block takes.
template <class V>
XT_INLINE V max(V x, V y) {
  return y > x ? y : x;
}

template <class V>
XT_INLINE V min(V x, V y) {
  return y < x ? y : x;
}

#include "operators-inl.h"

}  // namespace fast

// An operator as promised, with its variant for operands without NaN at hand.
#define XI(name, ...)                   \
  struct xi_##name : exact::xi_##name { \
    using Exact = exact::xi_##name;     \
    using Fast = fast::xi_##name;       \
  };
#include "../xi.def"
#undef XI

}  // namespace xt::XT_ISA
