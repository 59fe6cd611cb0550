// The self-test of a tile: sums of small integers, which every order of summation gives exactly, and of other
// numbers, over whole blocks and edges.
#include <cmath>
#include <cstring>
#include <initializer_list>

#include "bf16.h"

namespace xt {

namespace {

constexpr size_t kSteps = 3, kMostParts = 3, kCount = kSteps * kMostParts * kBf16Panel;

struct Panels {
  alignas(64) uint16_t A[kCount];
  alignas(64) uint16_t B[kCount];
  alignas(64) float x[kBf16Block * kBf16Block];
  alignas(64) float y[kBf16Block * kBf16Block];
};

// Numerical Recipes' linear congruential generator.
uint32_t draw(uint32_t& state) { return (state = state * 1664525u + 1013904223u) >> 16; }

uint16_t bf16_of(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return static_cast<uint16_t>(bits >> 16);
}

void fill(uint16_t* panel, bool integers, uint32_t& state) {
  for (size_t n = 0; n < kCount; ++n) {
    const int value = static_cast<int>(draw(state) % 17) - 8;
    panel[n] = bf16_of(integers ? value : value * 0.37f + 0.011f);
  }
}

bool agree(const Bf16Tile& x, const Bf16Tile& y, const Bf16Scheme& scheme, size_t rows, size_t cols,
           bool integers, uint32_t& state) {
  static thread_local Panels panels;
  fill(panels.A, integers, state);
  fill(panels.B, integers, state);
  for (size_t n = 0; n < kBf16Block * kBf16Block; ++n) panels.x[n] = panels.y[n] = 3;
  Bf16Beside beside{[](Bf16Beside&) {}};
  for (const Bf16Tile* tile : {&x, &y}) {
    float* C = tile == &x ? panels.x : panels.y;
    tile->begin();
    for (bool accumulate : {false, true})
      tile->multiply(scheme, kSteps, panels.A, panels.B, C, rows, cols, accumulate, beside);
    tile->end();
  }
  // Terms of at most 3² each; ε/2 for each addition.
  const float terms = 2.f * kSteps * kBf16Step * scheme.products;
  const float room = integers ? 0 : terms * terms * 9 * 0x1p-24f;
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < cols; ++c) {
      const size_t at = r * kBf16Block + c;
      if (!(std::fabs(panels.x[at] - panels.y[at]) <= room)) return false;
    }
  }
  return true;
}

}  // namespace

bool tiles_agree(const Bf16Tile& x, const Bf16Tile& y) {
  uint32_t state = 1;
  for (const Bf16Scheme& scheme : kBf16Schemes) {
    for (size_t rows : {32, 16, 5}) {
      for (size_t cols : {32, 16, 21}) {
        for (bool integers : {true, false}) {
          if (!agree(x, y, scheme, rows, cols, integers, state)) return false;
        }
      }
    }
  }
  return true;
}

}  // namespace xt
