// Kernels for WebAssembly SIMD128.
#include "../simd/wasm128.h"
#include "table-inl.h"

namespace xt {
const Kernels& kernels_wasm128() { return wasm128::kernels; }
}  // namespace xt
