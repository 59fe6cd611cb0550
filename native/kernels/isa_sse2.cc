// Kernels for x86-64 as every processor has it.
#include "../simd/sse2.h"
#include "table-inl.h"

namespace xt {
const Kernels& kernels_sse2() { return sse2::kernels; }
}  // namespace xt
