// Runs native/kernels/amx_tile-inl.h on tiles in plain C++, by the pseudocode of the Intel SDM for TDPBF16PS,
// and compares with the definition of a Bf16Tile. Prints a line a check; exits 1 if one fails.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "../../native/bf16.h"

namespace {

struct Tile {
  unsigned char bytes[16][64];
};
Tile tiles[8];
bool configured = false;

void use(int t) {
  if (configured && t >= 0 && t < 8) return;
  std::puts("a tile is used that is not configured");
  std::exit(1);
}
void zero(int t) {
  use(t);
  std::memset(&tiles[t], 0, sizeof tiles[t]);
}
void load(int t, const void* from, size_t stride) {
  use(t);
  for (int r = 0; r < 16; ++r)
    std::memcpy(tiles[t].bytes[r], static_cast<const char*>(from) + r * stride, 64);
}
void store(int t, void* to, size_t stride) {
  use(t);
  for (int r = 0; r < 16; ++r) std::memcpy(static_cast<char*>(to) + r * stride, tiles[t].bytes[r], 64);
}

float flushed(float x) { return std::fabs(x) < 0x1p-126f ? std::copysign(0.f, x) : x; }
float value_of(const Tile& tile, int row, int n) {
  uint16_t half;
  std::memcpy(&half, tile.bytes[row] + 2 * n, 2);
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return flushed(value);
}

void product(int c, int a, int b) {
  use(a);
  use(b);
  use(c);
  for (int m = 0; m < 16; ++m) {
    float even[16] = {}, odd[16] = {};
    for (int k = 0; k < 16; ++k) {
      for (int n = 0; n < 16; ++n) {
        even[n] = flushed(std::fma(value_of(tiles[a], m, 2 * k), value_of(tiles[b], k, 2 * n), even[n]));
        odd[n] =
            flushed(std::fma(value_of(tiles[a], m, 2 * k + 1), value_of(tiles[b], k, 2 * n + 1), odd[n]));
      }
    }
    for (int n = 0; n < 16; ++n) {
      float sum;
      std::memcpy(&sum, tiles[c].bytes[m] + 4 * n, 4);
      sum = flushed(flushed(sum) + flushed(even[n] + odd[n]));
      std::memcpy(tiles[c].bytes[m] + 4 * n, &sum, 4);
    }
  }
}

}  // namespace

#define XT_ISA emulated
#define TILE_ZERO(t) zero(t)
#define TILE_LOAD(t, from, stride) load(t, from, stride)
#define TILE_STORE(t, to, stride) store(t, to, stride)
#define TILE_PRODUCT(c, a, b) product(c, a, b)
#include "../../native/kernels/amx_tile-inl.h"

namespace {

float bf16(uint16_t half) {
  const uint32_t bits = static_cast<uint32_t>(half) << 16;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

// C[r][c] = Σ over steps, products and terms of A_p[r][term] B_q[term][c], by the layout that bf16.h
// describes.
void define(const xt::Bf16Scheme& scheme, size_t steps, const uint16_t* A, const uint16_t* B, float* C,
            size_t rows, size_t cols, bool accumulate, xt::Bf16Beside&) {
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) {
      double sum = accumulate ? C[r * 32 + c] : 0;
      for (size_t s = 0; s < steps; ++s) {
        for (size_t n = 0; n < scheme.products; ++n) {
          const uint16_t* a =
              A + (s * scheme.parts + scheme.product[n].A) * 1024 + r / 16 * 512 + r % 16 * 32;
          const uint16_t* b = B + (s * scheme.parts + scheme.product[n].B) * 1024 + c / 16 * 512 + c % 16 * 2;
          for (size_t k = 0; k < 32; ++k)
            sum += bf16(a[k]) * static_cast<double>(bf16(b[k / 2 * 32 + k % 2]));
        }
      }
      C[r * 32 + c] = static_cast<float>(sum);
    }
  }
}

void wrong_last_element(const xt::Bf16Scheme& scheme, size_t steps, const uint16_t* A, const uint16_t* B,
                        float* C, size_t rows, size_t cols, bool accumulate, xt::Bf16Beside& beside) {
  define(scheme, steps, A, B, C, rows, cols, accumulate, beside);
  C[(rows - 1) * 32 + cols - 1] += 1;
}

void forgets_to_accumulate(const xt::Bf16Scheme& scheme, size_t steps, const uint16_t* A, const uint16_t* B,
                           float* C, size_t rows, size_t cols, bool, xt::Bf16Beside& beside) {
  define(scheme, steps, A, B, C, rows, cols, false, beside);
}

struct Turns : xt::Bf16Beside {
  size_t count = 0;
};

// Whether a tile does a turn for each product of each step, on edges too.
bool does_turns(const xt::Bf16Tile& tile) {
  static uint16_t panels[2 * 3 * 1024];
  static float C[32 * 32];
  constexpr size_t steps = 2;
  bool all = true;
  tile.begin();
  for (const auto& scheme : xt::kBf16Schemes) {
    for (size_t extent : {32, 5}) {
      Turns turns;
      turns.turn = [](xt::Bf16Beside& beside) { ++static_cast<Turns&>(beside).count; };
      tile.multiply(scheme, steps, panels, panels, C, extent, extent, false, turns);
      all = all && turns.count == steps * scheme.products;
    }
  }
  tile.end();
  return all;
}

int failures = 0;
void check(const char* what, bool holds) {
  std::printf("%s: %s\n", what, holds ? "ok" : "FAILED");
  failures += !holds;
}

}  // namespace

int main() {
  const xt::Bf16Tile definition{[] {}, [] {}, define};
  const xt::Bf16Tile amx{[] { configured = true; }, [] { configured = false; }, xt::emulated::amx_multiply};
  const xt::Bf16Tile wrong{[] {}, [] {}, wrong_last_element}, forgets{[] {}, [] {}, forgets_to_accumulate};
  check("the tiles of AMX compute what is defined", xt::tiles_agree(amx, definition));
  check("one wrong element is seen", !xt::tiles_agree(wrong, definition));
  check("a sum that is not continued is seen", !xt::tiles_agree(forgets, definition));
  check("each product is followed by a turn of other work", does_turns(amx) && !does_turns(forgets));
  check("tiles are given back", !configured);
  return failures > 0;
}
