// What training needs beside contractions: activations, Adam, norms; and the loop that measures the peak.
#pragma once
#include "../abi.h"
#include "fold-inl.h"

namespace xt::XT_ISA {

// tanh |x| = −m / (2 + m) with m = e^(−2|x|) − 1: relative error of a few ε, near 0 too.
template <class T>
XT_INLINE Vec<T> hyperbolic_tangent(Vec<T> x) {
  const Vec<T> m = expm1_nonpositive(absolute(x) * T(-2));
  const Vec<T> value = m / (T(2) + m);
  return x < Vec<T>{} ? value : -value;
}

template <class T>
XT_INLINE Vec<T> activation_value(int activation, Vec<T> z) {
  if (activation == XT_RELU) return positive(z);
  if (activation == XT_TANH) return hyperbolic_tangent<T>(z);
  return z;
}

// dy·σ'(z) from y = σ(z); 0 at the kink of relu.
template <class T>
XT_INLINE Vec<T> activation_gradient(int activation, Vec<T> dy, Vec<T> y) {
  if (activation == XT_RELU) return dy * beats(y, Vec<T>{});
  if (activation == XT_TANH) return dy * (T(1) - y * y);
  return dy;
}

template <class T>
void activate(int activation, size_t cols, const T* bias, T* z, Slice rows) {
  for (size_t row = rows.begin; row < rows.end; ++row) {
    T* at_row = z + row * cols;
    for_vectors<T>({0, cols}, [&](auto read, auto write, size_t at) {
      write(at_row + at, activation_value<T>(activation, read(at_row + at) + read(bias + at)));
    });
  }
}

template <class T>
void activate_gradient(int activation, size_t cols, const T* y, T* dy, Slice rows) {
  for_vectors<T>({rows.begin * cols, rows.end * cols}, [&](auto read, auto write, size_t at) {
    write(dy + at, activation_gradient<T>(activation, read(dy + at), read(y + at)));
  });
}

template <class T>
void column_sums(size_t rows, size_t cols, const T* x, T* out) {
  for_vectors<T>({0, cols}, [&](auto read, auto write, size_t at) {
    Vec<T> sum{};
    for (size_t row = 0; row < rows; ++row) sum += read(x + row * cols + at);
    write(out + at, sum);
  });
}

template <class T>
void adam(const AdamArgs<T>& args, Slice n) {
  const T beta1 = args.beta1, beta2 = args.beta2, rest1 = 1 - args.beta1, rest2 = 1 - args.beta2;
  const T scale = args.scale, epsilon = args.epsilon, rate = args.rate / args.correction1;
  const T inverse_correction2 = 1 / args.correction2, kept = 1 - args.decay;
  for_vectors<T>(n, [&](auto read, auto write, size_t at) {
    const Vec<T> g = read(args.g + at) * scale;
    const Vec<T> m = read(args.m + at) * beta1 + g * rest1;
    const Vec<T> v = read(args.v + at) * beta2 + g * g * rest2;
    write(args.m + at, m);
    write(args.v + at, v);
    write(args.p + at,
          read(args.p + at) * kept - m * rate / (square_root<T>(v * inverse_correction2) + epsilon));
  });
}

typedef double FourDoubles __attribute__((vector_size(32)));
XT_INLINE FourDoubles four_doubles(const float* x) {
#if defined(XT_FOUR_DOUBLES)
  return (FourDoubles)XT_FOUR_DOUBLES(x);
#else
  typedef float Values __attribute__((vector_size(16), may_alias, aligned(4)));
  return __builtin_convertvector(*reinterpret_cast<const Values*>(x), FourDoubles);
#endif
}
// Without __builtin_convertvector, behind which g++ 12 forgets that the address is unaligned.
XT_INLINE FourDoubles four_doubles(const double* x) {
  typedef double Values __attribute__((vector_size(32), may_alias, aligned(8)));
  return *reinterpret_cast<const Values*>(x);
}

// Sixteen chains of doubles, so that neither the order nor the precision depends on the width of a vector.
// Four at a time: other numbers are taken apart through the stack by g++ 12, at a tenth of the speed (AVX2).
template <class T, class Four, class One>
XT_INLINE double sum_of_squares(Slice n, Four four, One one) {
  constexpr size_t chains = 16;
  FourDoubles sums[chains / 4]{};
  size_t at = n.begin;
  for (; at + chains <= n.end; at += chains) {
#pragma GCC unroll 4
    for (size_t v = 0; v < chains / 4; ++v) {
      const FourDoubles value = four(at + 4 * v);
      sums[v] += value * value;
    }
  }
  double total = 0;
  for (size_t c = 0; c < chains; ++c) total += sums[c / 4][c % 4];
  for (; at < n.end; ++at) total += one(at) * one(at);
  return total;
}
template <class T>
double sum_squares(const T* x, const T* y, Slice n) {
  const auto of_x = [x](size_t at) { return static_cast<double>(x[at]); };
  if (!y)
    return sum_of_squares<T>(
        n, [x](size_t at) { return four_doubles(x + at); }, of_x);
  return sum_of_squares<T>(
      n, [x, y](size_t at) { return four_doubles(x + at) - four_doubles(y + at); },
      [of_x, y](size_t at) { return of_x(at) - y[at]; });
}

// As many independent multiply-adds in flight as the tile has accumulators, but no fewer than hide their
// latency, and no memory access.
template <class T>
double peak(size_t repetitions, double* alive) {
  constexpr int chains = tile_rows * tile_vectors < 12 ? 12 : tile_rows * tile_vectors;
  Vec<T> sum[chains];
  const Vec<T> factor = broadcast(static_cast<T>(0.999999 + 1e-9 * *alive));
  const Vec<T> term = broadcast(static_cast<T>(1e-6 + *alive));
#pragma GCC unroll 64
  for (int c = 0; c < chains; ++c) sum[c] = broadcast(static_cast<T>(c));
  for (size_t n = 0; n < repetitions; ++n) {
#pragma GCC unroll 64
    for (int c = 0; c < chains; ++c) sum[c] = multiply_add<T>(term, sum[c], factor);
  }
  Vec<T> total{};
#pragma GCC unroll 64
  for (int c = 0; c < chains; ++c) total += sum[c];
  *alive = sum_lanes<T>(total);
  return 2.0 * chains * lanes<T> * repetitions;
}

}  // namespace xt::XT_ISA
