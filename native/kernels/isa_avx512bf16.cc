// Contractions by bf16 parts, and the tile of AVX-512 BF16 (Cooper Lake, Zen 4 and later).
#include "../simd/avx512bf16.h"
#include "bf16_contract-inl.h"
#include "bf16_gradient-inl.h"
#include "bf16_tile-inl.h"

namespace xt {

namespace avx512bf16 {

// clang-format off
constexpr Bf16Kernels kernels = [] {
  Bf16Kernels table{};
#define XI(name, id, ...)                                                                         \
  table.contract[id] = bf16_contract<xi_##name, id>;                                              \
  table.contract_gradient_inputs[id] = bf16_contract_gradient_inputs<xi_##name, id>;              \
  table.contract_gradient_weights[id] = bf16_contract_gradient_weights<xi_##name, id>;
#include "../xi.def"
#undef XI
  table.packed_length = bf16_packed_length;
  table.pack_weights = bf16_pack_weights;
  return table;
}();
// clang-format on

}  // namespace avx512bf16

const Bf16Kernels& bf16_kernels() { return avx512bf16::kernels; }
const Bf16Tile& bf16_tile_avx512bf16() { return avx512bf16::bf16_tile; }

}  // namespace xt
