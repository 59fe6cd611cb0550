// Kernels for AVX-512 (Skylake-X, Zen 4 and later).
#include "../simd/avx512.h"
#include "table-inl.h"

namespace xt {
const Kernels& kernels_avx512() { return avx512::kernels; }
}  // namespace xt
