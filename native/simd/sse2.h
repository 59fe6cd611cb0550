// x86-64 baseline: 16 registers, no fused multiply-add.
#pragma once
#define XT_ISA sse2
#define XT_VECTOR_BYTES 16
#define XT_TILE_ROWS 6  // 12 accumulators, 2 of B, 1 of A, 1 product
#define XT_TILE_VECTORS 2
#include "vector-inl.h"
