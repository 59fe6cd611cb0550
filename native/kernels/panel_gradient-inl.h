// Gradients of a joined contraction with ⊕ = sum or logsumexp, for a panel of one side's rows and a block of
// terms:
//   D[k][row] = Σ_n dout[row, n] w ∂(own ⊗ other)/∂own,  w = 1 or e^(own ⊗ other − out),
// and back from D through ξ to the operands, to wherever their values came from.
#pragma once
#include "logsumexp-inl.h"

namespace xt::XT_ISA {

// ⊗ with the side in question first: the left side of X, or the right one.
template <class X, bool right>
struct OwnSide {
  template <class V>
  static XT_INLINE V value(V own, V other) {
    return right ? X::value(other, own) : X::value(own, other);
  }
  template <class V>
  static XT_INLINE V weigh(V gradient, V own, V other) {
    if constexpr (right) {
      return gradient * X::dy(other, own);
    } else {
      return gradient * X::dx(own, other);
    }
  }
};
// Only a ξ that selects tells its operands apart, by which of two equal ones it takes.
template <class X, bool right>
using Own = OwnSide<X, right && X::selects>;
struct OwnAlone {
  template <class V>
  static XT_INLINE V value(V own, V) {
    return own;
  }
  template <class V>
  static XT_INLINE V weigh(V gradient, V, V) {
    return gradient;
  }
};

// dout and out: [n][width]; other: [kc][other_width].
template <class T, class P, bool softmax>
void gradient_of_panel(size_t kc, size_t width, size_t used, const T* own, const T* other, size_t other_width,
                       size_t n_count, const T* dout, const T* out, T* D) {
  for (size_t k = 0; k < kc; ++k) {
    for (size_t r = 0; r < used; r += lanes<T>) {
      const Vec<T> x = load(own + k * width + r);
      Vec<T> sum = load(D + k * width + r);
      for (size_t n = 0; n < n_count; ++n) {
        const Vec<T> y = broadcast(other[k * other_width + n]);
        Vec<T> gradient = load(dout + n * width + r);
        if (softmax) {
          const Vec<T> total = load(out + n * width + r);
          const Vec<T> weight = exp_flushed(fast::min(P::value(x, y) - total, Vec<T>{}));
          gradient *= absolute(total) <= max_finite<Vec<T>>() ? weight : Vec<T>{};
        }
        sum += P::weigh(gradient, x, y);
      }
      store(D + k * width + r, sum);
    }
  }
}

// sums[k][r] += Σ_n other[k][n] shares[n][r] for `count` rows k: a register tile of one vector.
template <class T, size_t count>
void add_products(size_t width, const T* other, size_t other_width, size_t n_count, const T* shares,
                  T* sums) {
  Vec<T> tile[count];
#pragma GCC unroll 16
  for (size_t k = 0; k < count; ++k) tile[k] = load(sums + k * width);
  for (size_t n = 0; n < n_count; ++n) {
    const Vec<T> share = load(shares + n * width);
#pragma GCC unroll 16
    for (size_t k = 0; k < count; ++k)
      tile[k] = multiply_add<T>(tile[k], broadcast(other[k * other_width + n]), share);
  }
#pragma GCC unroll 16
  for (size_t k = 0; k < count; ++k) store(sums + k * width, tile[k]);
}

// As add_products, for any number of rows, by halving tiles.
template <class T, size_t count = tile_rows* tile_vectors >= 16 ? 16 : 8>
void multiply_shares(size_t kc, size_t width, const T* other, size_t other_width, size_t n_count,
                     const T* shares, T* sums) {
  size_t k = 0;
  for (; k + count <= kc; k += count)
    add_products<T, count>(width, other + k * other_width, other_width, n_count, shares, sums + k * width);
  if constexpr (count > 1) {
    multiply_shares<T, count / 2>(kc - k, width, other + k * other_width, other_width, n_count, shares,
                                  sums + k * width);
  }
}

// The range in which e^(own + other − out) may be taken apart into e^(own − α) e^(other − β) e^(α + β − out):
// no factor times a gradient of this size overflows, summed over any number of elements there can be, and
// what factors lose to underflow are weights below 2⁻⁶⁶ (float32) and 2⁻⁵²² (float64).
template <class T>
constexpr T largest_shift = sizeof(T) == 4 ? T(41.5) : T(346.5);  // 2⁶⁰, 2⁵⁰⁰
template <class T>
constexpr T largest_shared = sizeof(T) == 4 ? T(0x1p32) : T(0x1p400);

// dout[n][r] becomes its share dout e^(α[r] + β − out) where that is in range, and 0 where it is not; what is
// not goes to `rest`. Whether there is a rest.
template <class T>
bool take_shares(size_t width, const T* alpha, T beta, T* dout, const T* out, T* rest) {
  auto any = Int<T>{};
  for (size_t r = 0; r < width; r += lanes<T>) {
    const Vec<T> gradient = load(dout + r);
    const Vec<T> shift = load(alpha + r) + broadcast(beta) - load(out + r);
    const auto shared = (shift <= largest_shift<T>)&(absolute(gradient) <= largest_shared<T>);
    const Vec<T> weight = exp_flushed(shared ? shift : Vec<T>{});
    store(dout + r, shared ? gradient * weight : Vec<T>{});
    const Vec<T> left = shared ? Vec<T>{} : gradient;
    store(rest + r, left);
    any |= left != Vec<T>{};
  }
  return any_lane<T>(any);
}

// Back through the fold over a side's operands, whose panels are `gathered` and become those of their
// gradients.
template <class T, class X>
void gradient_of_join(size_t operands, size_t used, size_t width, size_t kc, bool from_unit,
                      T* const* gathered, const T* D) {
  const Vec<T> unit = broadcast(T(X::unit));
  for (size_t k = 0; k < kc; ++k) {
    for (size_t r = 0; r < used; r += lanes<T>) {
      const size_t at = k * width + r;
      Vec<T> states[kMaxJoined], values[kMaxJoined];
      for (size_t x = 0; x < operands; ++x) {
        values[x] = load(gathered[x] + at);
        states[x] = x           ? X::value(states[x - 1], values[x])
                    : from_unit ? X::value(unit, values[0])
                                : values[0];
      }
      Vec<T> gradient = load(D + at);
      for (size_t x = operands - 1; x > 0; --x) {
        store(gathered[x] + at, gradient * X::dy(states[x - 1], values[x]));
        gradient = gradient * X::dx(states[x - 1], values[x]);
      }
      store(gathered[0] + at, from_unit ? gradient * X::dy(unit, values[0]) : gradient);
    }
  }
}

template <class T>
using PanelGradient = void (*)(size_t, size_t, size_t, const T*, const T*, size_t, size_t, const T*, const T*,
                               T*);
template <class T>
using JoinGradient = void (*)(size_t, size_t, size_t, size_t, bool, T* const*, const T*);

// [⊗, or none][right side][softmax]
template <class T>
constexpr PanelGradient<T> panel_gradients[kXiCount + 1][2][2] = {
#define XI(name, ...)                                                                                       \
  {{gradient_of_panel<T, Own<xi_##name, false>, false>, gradient_of_panel<T, Own<xi_##name, false>, true>}, \
   {gradient_of_panel<T, Own<xi_##name, true>, false>, gradient_of_panel<T, Own<xi_##name, true>, true>}},
#include "../xi.def"
#undef XI
    {{gradient_of_panel<T, OwnAlone, false>, gradient_of_panel<T, OwnAlone, true>},
     {gradient_of_panel<T, OwnAlone, false>, gradient_of_panel<T, OwnAlone, true>}},
};

template <class T>
constexpr JoinGradient<T> join_gradients[kXiCount] = {
#define XI(name, ...) gradient_of_join<T, xi_##name>,
#include "../xi.def"
#undef XI
};

}  // namespace xt::XT_ISA
