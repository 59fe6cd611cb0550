// WebAssembly SIMD128 with relaxed SIMD: V8 maps relaxed_madd to FMA where the processor has it, and to a
// multiply and an add elsewhere, so the last bit of a result may depend on the processor.
#pragma once
#define XT_ISA relaxed128
#define XT_VECTOR_BYTES 16
#define XT_TILE_ROWS \
  4  // 8 accumulators, 2 of B, 1 of A: 6 rows are 1.06 of the speed in Node 24, 0.55 in 20 and 22
#define XT_TILE_VECTORS 2
#define XT_MULTIPLY_ADD_F32(sum, a, b) __builtin_wasm_relaxed_madd_f32x4(a, b, sum)
#define XT_MULTIPLY_ADD_F64(sum, a, b) __builtin_wasm_relaxed_madd_f64x2(a, b, sum)
#include "vector-inl.h"
