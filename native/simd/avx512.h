// AVX-512 F, BW, DQ, VL: 32 registers.
#pragma once
#include <immintrin.h>

#define XT_ISA avx512
#define XT_VECTOR_BYTES 64
#define XT_TILE_ROWS 14  // 28 accumulators, 2 of B, 1 of A
#define XT_TILE_VECTORS 2
#define XT_SUM_AS_MULTIPLY_ADD
#define XT_PACKS_BESIDE
#define XT_TERMS_AHEAD 12  // for which the lines of A, from the second-level cache, are asked for
#define XT_LOOK_UP_F32(table, index) _mm512_maskz_permutexvar_ps(0xffff, (__m512i)(index), table)
#define XT_ROOT_ESTIMATE_F32(value) \
  _mm512_maskz_rsqrt14_ps(0xffff, value)  // of 1/√value, relative error below 2⁻¹⁴
#define XT_LOAD_PART_F32(from, count) _mm512_maskz_loadu_ps((1u << (count)) - 1, from)
#define XT_LOAD_PART_F64(from, count) _mm512_maskz_loadu_pd((1u << (count)) - 1, from)
#define XT_STORE_PART_F32(to, value, count) _mm512_mask_storeu_ps(to, (1u << (count)) - 1, value)
#define XT_STORE_PART_F64(to, value, count) _mm512_mask_storeu_pd(to, (1u << (count)) - 1, value)
// Of __builtin_convertvector g++ 12 makes two conversions and three moves.
#define XT_FOUR_DOUBLES(from) _mm256_cvtps_pd(_mm_loadu_ps(from))
#include "vector-inl.h"
