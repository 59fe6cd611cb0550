// AArch64 Advanced SIMD: 32 registers.
#pragma once
#define XT_ISA neon
#define XT_VECTOR_BYTES 16
#define XT_TILE_ROWS 8  // 24 accumulators, 3 of B, 2 of A
#define XT_TILE_VECTORS 3
#include "vector-inl.h"
