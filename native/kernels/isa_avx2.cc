// Kernels for AVX2 and FMA (Haswell, Zen and later).
#include "../simd/avx2.h"
#include "table-inl.h"

namespace xt {
const Kernels& kernels_avx2() { return avx2::kernels; }
}  // namespace xt
