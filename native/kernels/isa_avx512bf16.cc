// Contractions by bf16 parts, and the tile of AVX-512 BF16 (Cooper Lake, Zen 4 and later).
#include "../simd/avx512bf16.h"
#include "bf16_contract-inl.h"
#include "bf16_tile-inl.h"

namespace xt {
const Bf16Kernels& bf16_kernels() { return avx512bf16::bf16_kernels; }
const Bf16Tile& bf16_tile_avx512bf16() { return avx512bf16::bf16_tile; }
}  // namespace xt
