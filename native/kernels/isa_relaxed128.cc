// Kernels for WebAssembly SIMD128 with relaxed SIMD (Chrome 114, Firefox 145, Node 22 and later).
#include "../simd/relaxed128.h"
#include "table-inl.h"

namespace xt {
const Kernels& kernels_relaxed128() { return relaxed128::kernels; }
}  // namespace xt
