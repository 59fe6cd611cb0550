// AVX2 with FMA: 16 registers.
#pragma once
#define XT_ISA avx2
#define XT_VECTOR_BYTES 32
#define XT_TILE_ROWS 6  // 12 accumulators, 2 of B, 1 of A
#define XT_TILE_VECTORS 2
#include "vector-inl.h"
