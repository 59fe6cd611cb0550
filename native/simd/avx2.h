// AVX2 with FMA: 16 registers.
#pragma once
#include <immintrin.h>

#define XT_ISA avx2
#define XT_VECTOR_BYTES 32
#define XT_TILE_ROWS 6  // 12 accumulators, 2 of B, 1 of A
#define XT_TILE_VECTORS 2
#define XT_SUM_AS_MULTIPLY_ADD
#define XT_LOOK_UP_F32(table, index) _mm256_permutevar8x32_ps(table, (__m256i)(index))
#define XT_LOAD_PART_F32(from, count) _mm256_maskload_ps(from, (__m256i)first_lanes<float>(count))
#define XT_LOAD_PART_F64(from, count) _mm256_maskload_pd(from, (__m256i)first_lanes<double>(count))
#define XT_STORE_PART_F32(to, value, count) _mm256_maskstore_ps(to, (__m256i)first_lanes<float>(count), value)
#define XT_STORE_PART_F64(to, value, count) \
  _mm256_maskstore_pd(to, (__m256i)first_lanes<double>(count), value)
// Of __builtin_convertvector g++ 12 makes two conversions and three moves.
#define XT_FOUR_DOUBLES(from) _mm256_cvtps_pd(_mm_loadu_ps(from))
#include "vector-inl.h"
