// AVX-512 F, BW, DQ, VL: 32 registers.
#pragma once
#define XT_ISA avx512
#define XT_VECTOR_BYTES 64
#define XT_TILE_ROWS 14  // 28 accumulators, 2 of B, 1 of A
#define XT_TILE_VECTORS 2
#include "vector-inl.h"
