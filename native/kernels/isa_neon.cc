// Kernels for AArch64.
#include "../simd/neon.h"
#include "table-inl.h"

namespace xt {
const Kernels& kernels_neon() { return neon::kernels; }
}  // namespace xt
