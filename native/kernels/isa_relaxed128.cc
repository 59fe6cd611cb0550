// Kernels for WebAssembly SIMD128 with relaxed SIMD.
#include "../simd/relaxed128.h"
#include "table-inl.h"

namespace xt {
const Kernels& kernels_relaxed128() { return relaxed128::kernels; }
}  // namespace xt
