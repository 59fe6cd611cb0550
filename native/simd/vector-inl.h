// Vectors of XT_VECTOR_BYTES by the compilers' vector extensions: the dozen operations that the kernels are
// written in. Included once for each instruction set, after its header in simd/ has set XT_ISA,
// XT_VECTOR_BYTES and the tile sizes.
#pragma once
#include <stddef.h>
#include <stdint.h>

#define XT_INLINE inline __attribute__((always_inline))

namespace xt::XT_ISA {

template <class T>
struct Simd;

template <>
struct Simd<float> {
  typedef float Vec __attribute__((vector_size(XT_VECTOR_BYTES)));
  typedef int32_t Int __attribute__((vector_size(XT_VECTOR_BYTES)));
  typedef uint32_t Bits __attribute__((vector_size(XT_VECTOR_BYTES)));
  // memcpy loads made g++ 12 sixteen times slower than this may_alias type.
  typedef float Unaligned __attribute__((vector_size(XT_VECTOR_BYTES), may_alias, aligned(4)));
  static constexpr int lanes = XT_VECTOR_BYTES / 4;
};

template <>
struct Simd<double> {
  typedef double Vec __attribute__((vector_size(XT_VECTOR_BYTES)));
  typedef int64_t Int __attribute__((vector_size(XT_VECTOR_BYTES)));
  typedef uint64_t Bits __attribute__((vector_size(XT_VECTOR_BYTES)));
  typedef double Unaligned __attribute__((vector_size(XT_VECTOR_BYTES), may_alias, aligned(8)));
  static constexpr int lanes = XT_VECTOR_BYTES / 8;
};

template <class T>
using Vec = typename Simd<T>::Vec;
template <class T>
using Int = typename Simd<T>::Int;
template <class T>
using Bits = typename Simd<T>::Bits;
template <class T>
constexpr int lanes = Simd<T>::lanes;

// Tile of the register-blocked multiply-add: tile_rows × tile_vectors accumulators.
constexpr int tile_rows = XT_TILE_ROWS;
constexpr int tile_vectors = XT_TILE_VECTORS;

template <class T>
XT_INLINE Vec<T> load(const T* from) {
  return *reinterpret_cast<const typename Simd<T>::Unaligned*>(from);
}

template <class T>
XT_INLINE void store(T* to, Vec<T> value) {
  *reinterpret_cast<typename Simd<T>::Unaligned*>(to) = value;
}

template <class T>
XT_INLINE Vec<T> broadcast(T value) {
  return value - Vec<T>{};  // exact for every value, −0 included
}

// sum + a·b, with one rounding where the instruction set can: the step of every tile. Compilers fuse the
// plain expression by themselves for AVX2, AVX-512 and NEON; an instruction set that must be asked says how.
template <class T>
XT_INLINE Vec<T> multiply_add(Vec<T> sum, Vec<T> a, Vec<T> b) {
#if defined(XT_MULTIPLY_ADD_F32)
  if constexpr (sizeof(T) == 4) {
    return XT_MULTIPLY_ADD_F32(sum, a, b);
  } else {
    return XT_MULTIPLY_ADD_F64(sum, a, b);
  }
#else
  return sum + a * b;
#endif
}

// Zeroes the lanes from `count` on, whatever they hold.
template <class T>
XT_INLINE Vec<T> keep_first(Vec<T> value, size_t count) {
  for (size_t n = count; n < static_cast<size_t>(lanes<T>); ++n) value[n] = 0;
  return value;
}

template <int... N>
struct Lanes {};
template <int count, int... N>
struct LanesUpTo : LanesUpTo<count - 1, count - 1, N...> {};
template <int... N>
struct LanesUpTo<0, N...> {
  using type = Lanes<N...>;
};

template <int distance, class T, int... N>
XT_INLINE Vec<T> swap_lanes(Vec<T> value, Lanes<N...>) {
  return __builtin_shufflevector(value, value, (N ^ distance)...);
}

// Lane sum, by halves.
template <class T, int distance = lanes<T> / 2>
XT_INLINE T sum_lanes(Vec<T> value) {
  value += swap_lanes<distance, T>(value, typename LanesUpTo<lanes<T>>::type{});
  if constexpr (distance > 1) return sum_lanes<T, distance / 2>(value);
  return value[0];
}

// The largest lane, by halves.
template <class T, int distance = lanes<T> / 2>
XT_INLINE T largest_lane(Vec<T> value) {
  const Vec<T> other = swap_lanes<distance, T>(value, typename LanesUpTo<lanes<T>>::type{});
  value = value > other ? value : other;
  if constexpr (distance > 1) return largest_lane<T, distance / 2>(value);
  return value[0];
}

// True in the first `count` lanes.
template <class T>
XT_INLINE Int<T> first_lanes(size_t count) {
  Int<T> lane;
#pragma GCC unroll 64
  for (int n = 0; n < lanes<T>; ++n) lane[n] = n;
  return lane < static_cast<int>(count) - Int<T>{};
}

// The first `count` lanes from memory, zeros behind them; reads nothing beyond. An instruction set that masks
// says how: compilers copy piece by piece through the stack.
template <class T>
XT_INLINE Vec<T> load_part(const T* from, size_t count) {
#if defined(XT_LOAD_PART_F32)
  if constexpr (sizeof(T) == 4) {
    return (Vec<T>)XT_LOAD_PART_F32(from, count);
  } else {
    return (Vec<T>)XT_LOAD_PART_F64(from, count);
  }
#else
  Vec<T> value{};
  for (size_t n = 0; n < count; ++n) value[n] = from[n];
  return value;
#endif
}

template <class T>
XT_INLINE void store_part(T* to, Vec<T> value, size_t count) {
#if defined(XT_STORE_PART_F32)
  if constexpr (sizeof(T) == 4) {
    XT_STORE_PART_F32(to, value, count);
  } else {
    XT_STORE_PART_F64(to, value, count);
  }
#else
  for (size_t n = 0; n < count; ++n) to[n] = value[n];
#endif
}

template <class T>
XT_INLINE Vec<T> square_root(Vec<T> value) {
  Vec<T> root;
#pragma GCC unroll 64
  for (int n = 0; n < lanes<T>; ++n) {
    if constexpr (sizeof(T) == 4) {
      root[n] = __builtin_sqrtf(value[n]);
    } else {
      root[n] = __builtin_sqrt(value[n]);
    }
  }
  return root;
}

// Whether a comparison holds in any lane.
template <class T>
XT_INLINE bool any_lane(Int<T> mask) {
  int64_t any = 0;
#pragma GCC unroll 64
  for (int n = 0; n < lanes<T>; ++n) any |= mask[n];
  return any != 0;
}

constexpr size_t round_up(size_t value, size_t step) { return (value + step - 1) / step * step; }
constexpr size_t smaller(size_t x, size_t y) { return x < y ? x : y; }

}  // namespace xt::XT_ISA
