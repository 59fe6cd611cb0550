// AVX-512 with BF16: the vectors of AVX-512, in a namespace of their own.
#pragma once
#define XT_ISA avx512bf16
#define XT_VECTOR_BYTES 64
#define XT_TILE_ROWS 14
#define XT_TILE_VECTORS 2
#include "vector-inl.h"
