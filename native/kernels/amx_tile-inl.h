// 32 × 32 of C by AMX tiles, in terms of TILE_ZERO(t), TILE_LOAD(t, from, stride), TILE_STORE(t, to, stride)
// and TILE_PRODUCT(c, a, b), which whoever includes this has defined: as instructions (isa_amx.cc), or in
// plain C++ where a test runs this code on a processor without AMX.
//
// TDPBF16PS takes 16 cycles for 16 × 16 × 32 multiply-adds, 16 times the rate of two FMA units, TILELOADD 8
// from the first-level cache (Intel 64 and IA-32 Optimization Reference Manual, chapter on AMX, tables of
// throughput). Two tiles each way use a loaded tile twice, so that 4 products take 64 cycles beside 32 of
// loads, and each load is issued one product or more before it is used, into the register that the last
// product has done with.
#pragma once
#include "../bf16.h"

namespace xt::XT_ISA {

template <bool two_rows, bool two_columns>
void amx_block(const Bf16Scheme& scheme, size_t steps, const uint16_t* A, const uint16_t* B, float* C,
               size_t C_stride, bool accumulate) {
  constexpr size_t tile = kBf16Panel / 2, stride = 64;
  const size_t C_bytes = C_stride * sizeof(float);
  // The compiler does not know what the instructions read and write.
  asm volatile("" ::: "memory");
  if (accumulate) {
    TILE_LOAD(0, C, C_bytes);
    if constexpr (two_columns) TILE_LOAD(1, C + 16, C_bytes);
    if constexpr (two_rows) TILE_LOAD(2, C + 16 * C_stride, C_bytes);
    if constexpr (two_rows && two_columns) TILE_LOAD(3, C + 16 * C_stride + 16, C_bytes);
  } else {
    TILE_ZERO(0);
    TILE_ZERO(1);
    TILE_ZERO(2);
    TILE_ZERO(3);
  }
  const size_t step = scheme.parts * kBf16Panel;
  const uint16_t* a = A + scheme.product[0].A * kBf16Panel;
  const uint16_t* b = B + scheme.product[0].B * kBf16Panel;
  TILE_LOAD(4, a, stride);
  TILE_LOAD(6, b, stride);
  if constexpr (two_columns) TILE_LOAD(7, b + tile, stride);
  size_t next = 0;
  for (size_t left = steps * scheme.products; left > 0; --left) {
    const uint16_t* a_now = a;
    if (++next == scheme.products) {
      next = 0;
      A += step;
      B += step;
    }
    // After the last product its own tiles once more, which are there.
    if (left > 1) {
      a = A + scheme.product[next].A * kBf16Panel;
      b = B + scheme.product[next].B * kBf16Panel;
    }
    if constexpr (two_rows) TILE_LOAD(5, a_now + tile, stride);
    TILE_PRODUCT(0, 4, 6);
    if constexpr (two_columns) TILE_PRODUCT(1, 4, 7);
    TILE_LOAD(4, a, stride);
    if constexpr (two_rows) TILE_PRODUCT(2, 5, 6);
    TILE_LOAD(6, b, stride);
    if constexpr (two_rows && two_columns) TILE_PRODUCT(3, 5, 7);
    if constexpr (two_columns) TILE_LOAD(7, b + tile, stride);
  }
  TILE_STORE(0, C, C_bytes);
  if constexpr (two_columns) TILE_STORE(1, C + 16, C_bytes);
  if constexpr (two_rows) TILE_STORE(2, C + 16 * C_stride, C_bytes);
  if constexpr (two_rows && two_columns) TILE_STORE(3, C + 16 * C_stride + 16, C_bytes);
  asm volatile("" ::: "memory");
}

inline void amx_multiply(const Bf16Scheme& scheme, size_t steps, const uint16_t* A, const uint16_t* B,
                         float* C, size_t C_stride, size_t rows, size_t cols, bool accumulate) {
  const auto block = rows > 16 ? (cols > 16 ? amx_block<true, true> : amx_block<true, false>)
                               : (cols > 16 ? amx_block<false, true> : amx_block<false, false>);
  block(scheme, steps, A, B, C, C_stride, accumulate);
}

}  // namespace xt::XT_ISA
