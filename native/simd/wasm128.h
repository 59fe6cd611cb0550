// WebAssembly SIMD128: V8 maps it to 16 registers on x86, and multiply and add stay two instructions.
#pragma once
#define XT_ISA wasm128
#define XT_VECTOR_BYTES 16
#define XT_TILE_ROWS 4  // 8 accumulators, 2 of B, 1 of A, 1 product: 6 rows spilled, at 0.6 of the speed
#define XT_TILE_VECTORS 2
#include "vector-inl.h"
