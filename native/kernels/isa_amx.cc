// The tile of AMX-BF16 (Sapphire Rapids and later).
#define XT_ISA amx
#include <immintrin.h>

#define TILE_ZERO(t) _tile_zero(t)
#define TILE_LOAD(t, from, stride) _tile_loadd(t, from, stride)
#define TILE_STORE(t, to, stride) _tile_stored(t, to, stride)
#define TILE_PRODUCT(c, a, b) _tile_dpbf16ps(c, a, b)
#include "amx_tile-inl.h"

namespace xt {

namespace amx {

// Palette 1: eight tiles of 16 rows of 64 bytes. A thread's own state, and dear to switch, so it is given
// back.
void begin() {
  struct alignas(64) {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
    uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
  } const config;
  static_assert(sizeof config == 64, "what LDTILECFG reads");
  asm volatile("" ::"m"(config) : "memory");
  _tile_loadconfig(&config);
}

void end() { _tile_release(); }

constexpr Bf16Tile tile{begin, end, amx_multiply};

}  // namespace amx

const Bf16Tile& bf16_tile_amx() { return amx::tile; }

}  // namespace xt
