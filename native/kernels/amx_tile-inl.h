// 32 × 32 of C by AMX tiles, in terms of TILE_ZERO(t), TILE_LOAD(t, from, stride), TILE_STORE(t, to, stride)
// and TILE_PRODUCT(c, a, b), which whoever includes this has defined: as instructions (isa_amx.cc), or in
// plain C++ where a test runs this code on a processor without AMX.
//
// TDPBF16PS takes 16 cycles for 16 × 16 × 32 multiply-adds, 16 times the rate of two FMA units, TILELOADD 8
// from the first-level cache (Intel 64 and IA-32 Optimization Reference Manual, chapter on AMX, tables of
// throughput) and 21 from the second (measured, as what follows, on Emerald Rapids). Two tiles each way use a
// loaded tile twice, and then loads cost nothing, from either cache and wherever they stand: tiles are
// renamed. What is left is power: on random numbers the products alone take 19 cycles, on zeros 16.
#pragma once
#include "../bf16.h"

namespace xt::XT_ISA {

template <bool two_rows, bool two_columns, size_t precision>
void amx_block(size_t steps, const uint16_t* A, const uint16_t* B, float* C, bool accumulate,
               Bf16Beside& beside) {
  constexpr const Bf16Scheme& scheme = kBf16Schemes[precision];
  constexpr size_t tile = kBf16Panel / 2, stride = 64, step = scheme.parts * kBf16Panel;
  // The compiler does not know what the instructions read and write.
  asm volatile("" ::: "memory");
  constexpr size_t C_stride = kBf16Block * sizeof(float);
  if (accumulate) {
    TILE_LOAD(0, C, C_stride);
    if constexpr (two_columns) TILE_LOAD(1, C + 16, C_stride);
    if constexpr (two_rows) TILE_LOAD(2, C + 16 * kBf16Block, C_stride);
    if constexpr (two_rows && two_columns) TILE_LOAD(3, C + 16 * kBf16Block + 16, C_stride);
  } else {
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
  }
  // In front of the turn of the product before, not behind its stores: C2 takes 0.97 of the time.
  const auto load_for = [&](size_t n, const uint16_t* A, const uint16_t* B) __attribute__((always_inline)) {
    const auto [part_A, part_B] = scheme.product[n];
    const uint16_t *a = A + part_A * kBf16Panel, *b = B + part_B * kBf16Panel;
    if (n == 0 || part_A != scheme.product[n - 1].A) {
      TILE_LOAD(4, a, stride);
      if constexpr (two_rows) TILE_LOAD(5, a + tile, stride);
    }
    if (n == 0 || part_B != scheme.product[n - 1].B) {
      TILE_LOAD(6, b, stride);
      if constexpr (two_columns) TILE_LOAD(7, b + tile, stride);
    }
  };
  load_for(0, A, B);
  for (; steps > 0; --steps) {
#pragma GCC unroll 6
    for (size_t n = 0; n < scheme.products; ++n) {
      TILE_PRODUCT(0, 4, 6);
      if constexpr (two_columns) TILE_PRODUCT(1, 4, 7);
      if constexpr (two_rows) TILE_PRODUCT(2, 5, 6);
      if constexpr (two_rows && two_columns) TILE_PRODUCT(3, 5, 7);
      if (n + 1 < scheme.products) {
        load_for(n + 1, A, B);
      } else if (steps > 1) {
        load_for(0, A += step, B += step);
      }
      beside.turn(beside);
    }
  }
  TILE_STORE(0, C, C_stride);
  if constexpr (two_columns) TILE_STORE(1, C + 16, C_stride);
  if constexpr (two_rows) TILE_STORE(2, C + 16 * kBf16Block, C_stride);
  if constexpr (two_rows && two_columns) TILE_STORE(3, C + 16 * kBf16Block + 16, C_stride);
  asm volatile("" ::: "memory");
}

template <size_t precision>
void amx_blocks(size_t steps, const uint16_t* A, const uint16_t* B, float* C, size_t rows, size_t cols,
                bool accumulate, Bf16Beside& beside) {
  const auto block =
      rows > 16 ? (cols > 16 ? amx_block<true, true, precision> : amx_block<true, false, precision>)
                : (cols > 16 ? amx_block<false, true, precision> : amx_block<false, false, precision>);
  block(steps, A, B, C, accumulate, beside);
}

inline void amx_multiply(const Bf16Scheme& scheme, size_t steps, const uint16_t* A, const uint16_t* B,
                         float* C, size_t rows, size_t cols, bool accumulate, Bf16Beside& beside) {
  const auto blocks = scheme.parts == 3 ? amx_blocks<0> : scheme.parts == 2 ? amx_blocks<1> : amx_blocks<2>;
  blocks(steps, A, B, C, rows, cols, accumulate, beside);
}

}  // namespace xt::XT_ISA
